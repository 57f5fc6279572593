"""When somebody is away, and why."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa

from storage.database import Session
from storage.tables import absence

KINDS = ("leave", "business", "sick", "isolation")


async def add(
    session: Session, person_id: int, kind: str, first_day: date, last_day: date, given_by: int, now: datetime
) -> int:
    """Keep it; its number."""
    values = {
        "person_id": person_id,
        "kind": kind,
        "first_day": first_day,
        "last_day": last_day,
        "given_by_id": given_by,
        "created_at": now,
    }
    made: int = (await session.execute(absence.insert().values(values).returning(absence.c.id))).scalar_one()
    return made


@dataclass(frozen=True, slots=True)
class Absence:
    id: int
    kind: str
    first_day: date
    last_day: date
    person_id: int
    given_by_id: int


_FIELDS = (
    absence.c.id,
    absence.c.kind,
    absence.c.first_day,
    absence.c.last_day,
    absence.c.person_id,
    absence.c.given_by_id,
)


async def by_id(session: Session, absence_id: int) -> Absence | None:
    """This absence, if it has not been ended."""
    query = sa.select(*_FIELDS).where(absence.c.id == absence_id, absence.c.cancelled_at.is_(None))
    row = (await session.execute(query)).first()
    return Absence(*row) if row else None


async def current(session: Session, person_id: int, day: date) -> list[Absence]:
    """The person's absences not yet over on `day`, the earliest first."""
    query = (
        sa.select(*_FIELDS)
        .where(absence.c.person_id == person_id, absence.c.last_day >= day, absence.c.cancelled_at.is_(None))
        .order_by(absence.c.first_day, absence.c.id)
    )
    return [Absence(*row) for row in await session.execute(query)]


async def cancel(session: Session, person_id: int, absence_id: int, now: datetime) -> Absence | None:
    """End one of this person's absences; None if there is no such one, or it has ended."""
    where = (absence.c.id == absence_id, absence.c.person_id == person_id, absence.c.cancelled_at.is_(None))
    ended = absence.update().where(*where).values(cancelled_at=now)
    row = (await session.execute(ended.returning(*_FIELDS))).first()
    return Absence(*row) if row else None


async def away(session: Session, person_ids: Collection[int], day: date) -> set[int]:
    """Who of these is away on this day."""
    query = sa.select(absence.c.person_id).where(
        absence.c.person_id.in_(person_ids),
        absence.c.first_day <= day,
        absence.c.last_day >= day,
        absence.c.cancelled_at.is_(None),
    )
    return set((await session.execute(query)).scalars())
