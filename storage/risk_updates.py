"""Risk updates: one unit's assessment in one risk round, drafted by the bot and confirmed by somebody responsible."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from domain.zone import Correction, Facts, Zone
from storage.database import Session, insert
from storage.tables import person, risk_confirmation, risk_update, round_, unit


@dataclass(frozen=True, slots=True)
class RiskUpdate:
    """`facts` and `proposed` as last drafted or confirmed; `zone` is None until it is confirmed."""

    id: int
    round_id: int
    day: date
    unit_id: int
    unit_name: str
    unit_path: str
    opens_at: datetime
    closes_at: datetime
    closed_at: datetime | None
    asked: str
    facts: Facts
    proposed: Zone
    corrections: tuple[Correction, ...]
    zone: Zone | None
    confirmed_by: str | None
    confirmed_at: datetime | None
    late: bool
    same_as_before: bool
    entered_by: str | None
    entered_at: datetime | None


_BY, _ENTERED = person.alias("by"), person.alias("entered")
_FIELDS: sa.Select[Any] = (
    sa.select(
        risk_update.c.id,
        risk_update.c.round_id,
        round_.c.day,
        risk_update.c.unit_id,
        unit.c.name.label("unit_name"),
        unit.c.path.label("unit_path"),
        round_.c.opens_at,
        round_.c.closes_at,
        round_.c.closed_at,
        risk_update.c.asked,
        risk_update.c.facts,
        risk_update.c.proposed,
        risk_update.c.corrections,
        risk_update.c.zone,
        _BY.c.name.label("confirmed_by"),
        risk_update.c.confirmed_at,
        risk_update.c.late,
        risk_update.c.same_as_before,
        _ENTERED.c.name.label("entered_by"),
        risk_update.c.entered_at,
    )
    .join_from(risk_update, round_)
    .join(unit, unit.c.id == risk_update.c.unit_id)
    .join(_BY, _BY.c.id == risk_update.c.confirmed_by_id, isouter=True)
    .join(_ENTERED, _ENTERED.c.id == risk_update.c.entered_by_id, isouter=True)
    .order_by(round_.c.opens_at, round_.c.id, unit.c.path)
)


def _of(row: Any) -> RiskUpdate:
    fields = dict(row._mapping)
    return RiskUpdate(
        **fields
        | {
            "facts": msgspec.convert(row.facts, Facts),
            "proposed": Zone(row.proposed),
            "corrections": tuple(msgspec.convert(row.corrections, list[Correction])),
            "zone": Zone(row.zone) if row.zone else None,
        }
    )


async def by_id(session: Session, update_id: int) -> RiskUpdate | None:
    row = (await session.execute(_FIELDS.where(risk_update.c.id == update_id))).first()
    return _of(row) if row else None


async def of_round(session: Session, round_id: int) -> list[RiskUpdate]:
    return [_of(row) for row in await session.execute(_FIELDS.where(risk_update.c.round_id == round_id))]


async def on(session: Session, day: date, at: datetime | None = None) -> list[RiskUpdate]:
    """The day's updates, those of later rounds after those of earlier ones; without drills.

    With `at`, as they were known at that moment.
    """
    query = _FIELDS.where(round_.c.day == day, ~round_.c.is_drill)
    if at is None:
        return [_of(row) for row in await session.execute(query)]
    found = [_of(row) for row in await session.execute(query.where(round_.c.opened_at <= at))]
    then = await _confirmed_until(session, [one.id for one in found], at)
    return [replace(one, **then.get(one.id, _NOT_CONFIRMED)) for one in found]


_NOT_CONFIRMED: dict[str, Any] = {"zone": None, "corrections": (), "confirmed_at": None}


async def _confirmed_until(session: Session, update_ids: Collection[int], at: datetime) -> dict[int, dict[str, Any]]:
    """What the last confirmation up to a moment said, by update."""
    query = (
        sa.select(risk_confirmation)
        .where(risk_confirmation.c.risk_update_id.in_(update_ids), risk_confirmation.c.confirmed_at <= at)
        .order_by(risk_confirmation.c.id)
    )
    return {
        row.risk_update_id: {
            "zone": Zone(row.zone),
            "corrections": tuple(msgspec.convert(row.corrections, list[Correction])),
            "confirmed_at": row.confirmed_at,
        }
        for row in await session.execute(query)
    }


async def between(session: Session, first: date, last: date) -> list[RiskUpdate]:
    """The updates of these days, in order."""
    query = _FIELDS.where(round_.c.day.between(first, last), ~round_.c.is_drill)
    return [_of(row) for row in await session.execute(query)]


async def last_confirmed(session: Session, unit_ids: Collection[int], before: datetime) -> dict[int, RiskUpdate]:
    """Each unit's last confirmed update of a round that opened before this moment."""
    latest = (
        sa.select(risk_update.c.unit_id, sa.func.max(round_.c.opens_at).label("opens_at"))
        .join_from(risk_update, round_)
        .where(risk_update.c.unit_id.in_(unit_ids), risk_update.c.confirmed_at.is_not(None), round_.c.opens_at < before)
        .group_by(risk_update.c.unit_id)
        .subquery()
    )
    query = _FIELDS.join(
        latest, (latest.c.unit_id == risk_update.c.unit_id) & (latest.c.opens_at == round_.c.opens_at)
    ).where(risk_update.c.confirmed_at.is_not(None))
    return {row.unit_id: _of(row) for row in await session.execute(query)}


@dataclass(frozen=True, slots=True)
class Drafted:
    unit_id: int
    asked: str
    facts: Facts
    proposed: Zone


async def draft(session: Session, round_id: int, drafts: Sequence[Drafted], now: datetime) -> dict[int, int]:
    """Write the drafts of a round in one statement; their ids by unit."""
    if not drafts:
        return {}
    rows = [
        {
            "round_id": round_id,
            "unit_id": one.unit_id,
            "asked": one.asked,
            "facts": msgspec.to_builtins(one.facts),
            "proposed": one.proposed.value,
            "corrections": [],
            "changed_at": now,
        }
        for one in drafts
    ]
    statement = insert(session, risk_update).returning(risk_update.c.unit_id, risk_update.c.id)
    return {row.unit_id: row.id for row in await session.execute(statement, rows)}


async def confirm(
    session: Session,
    update_id: int,
    *,
    facts: Facts,
    zone: Zone,
    corrections: Sequence[Correction],
    same_as_before: bool,
    late: bool,
    confirmed_by: int,
    now: datetime,
) -> None:
    """The latest confirmation stands; whether it came late is decided by the first. What was entered no longer is."""
    await session.execute(
        risk_confirmation.insert().values(
            risk_update_id=update_id,
            zone=zone.value,
            corrections=msgspec.to_builtins(list(corrections)),
            confirmed_by_id=confirmed_by,
            confirmed_at=now,
        )
    )
    await session.execute(
        risk_update.update()
        .where(risk_update.c.id == update_id)
        .values(
            facts=msgspec.to_builtins(facts),
            proposed=zone.value,
            zone=zone.value,
            corrections=msgspec.to_builtins(list(corrections)),
            same_as_before=same_as_before,
            late=sa.case((risk_update.c.confirmed_at.is_not(None), risk_update.c.late), else_=late),
            confirmed_by_id=confirmed_by,
            confirmed_at=now,
            entered_by_id=None,
            entered_at=None,
            changed_at=now,
        )
    )


async def entered(session: Session, update_ids: Collection[int], entered_by: int, now: datetime) -> int:
    """Somebody carried these over to the national map; how many had not been."""
    where = (
        risk_update.c.id.in_(update_ids),
        risk_update.c.confirmed_at.is_not(None),
        risk_update.c.entered_at.is_(None),
    )
    done = await session.execute(
        risk_update.update().where(*where).values(entered_by_id=entered_by, entered_at=now, changed_at=now)
    )
    return done.rowcount
