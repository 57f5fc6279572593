"""Zones that a head or the committee set against the rules, with the reason that is shown."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa

from domain.zone import Override, Zone
from storage.database import Session
from storage.tables import person, zone_override


@dataclass(frozen=True, slots=True)
class Given:
    """An override and who gave it."""

    id: int
    unit_id: int
    override: Override
    given_by: str
    since_at: datetime


async def in_force(session: Session, day: date, at: datetime) -> dict[int, Given]:
    """The latest override of each unit on this day as it was known at `at`."""
    query = (
        sa.select(
            zone_override.c.id,
            zone_override.c.unit_id,
            zone_override.c.zone,
            zone_override.c.computed,
            zone_override.c.reason,
            zone_override.c.last_day,
            person.c.name,
            zone_override.c.since_at,
        )
        .join_from(zone_override, person, person.c.id == zone_override.c.given_by_id)
        .where(
            zone_override.c.since_at <= at,
            zone_override.c.last_day >= day,
            sa.or_(zone_override.c.ended_at.is_(None), zone_override.c.ended_at > at),
        )
        .order_by(zone_override.c.id)
    )
    return {
        row.unit_id: Given(
            row.id,
            row.unit_id,
            Override(Zone(row.zone), Zone(row.computed), row.reason, row.last_day),
            row.name,
            row.since_at,
        )
        for row in await session.execute(query)
    }


async def give(session: Session, unit_id: int, override: Override, given_by: int, now: datetime) -> int:
    """Set it in place of any earlier one; its id."""
    await end(session, unit_id, given_by, now)
    made = await session.execute(
        zone_override.insert()
        .values(
            unit_id=unit_id,
            zone=override.zone.value,
            computed=override.computed.value,
            reason=override.reason,
            given_by_id=given_by,
            since_at=now,
            last_day=override.last_day,
        )
        .returning(zone_override.c.id)
    )
    number: int = made.scalar_one()
    return number


async def end(session: Session, unit_id: int, ended_by: int, now: datetime) -> int:
    """The rules speak again; how many overrides ended."""
    where = (zone_override.c.unit_id == unit_id, zone_override.c.ended_at.is_(None))
    return (
        await session.execute(zone_override.update().where(*where).values(ended_at=now, ended_by_id=ended_by))
    ).rowcount
