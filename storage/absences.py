"""When somebody is away, and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa

from storage.database import Session
from storage.tables import absence

KINDS = ("leave", "business", "sick", "isolation")


async def add(
    session: Session, person_id: int, kind: str, first_day: date, last_day: date, given_by: int, now: datetime
) -> None:
    await session.execute(
        absence.insert().values(
            person_id=person_id,
            kind=kind,
            first_day=first_day,
            last_day=last_day,
            given_by_id=given_by,
            created_at=now,
        )
    )


@dataclass(frozen=True, slots=True)
class Absence:
    id: int
    kind: str
    first_day: date
    last_day: date


async def current(session: Session, person_id: int, day: date) -> list[Absence]:
    """The person's absences not yet over on `day`, the earliest first."""
    query = (
        sa.select(absence.c.id, absence.c.kind, absence.c.first_day, absence.c.last_day)
        .where(absence.c.person_id == person_id, absence.c.last_day >= day, absence.c.cancelled_at.is_(None))
        .order_by(absence.c.first_day, absence.c.id)
    )
    return [Absence(*row) for row in await session.execute(query)]


async def cancel(session: Session, person_id: int, absence_id: int, now: datetime) -> Absence | None:
    """End one of one's own absences; None if there is no such one, or it has ended."""
    where = (absence.c.id == absence_id, absence.c.person_id == person_id, absence.c.cancelled_at.is_(None))
    ended = absence.update().where(*where).values(cancelled_at=now)
    row = (
        await session.execute(ended.returning(absence.c.id, absence.c.kind, absence.c.first_day, absence.c.last_day))
    ).first()
    return Absence(*row) if row else None
