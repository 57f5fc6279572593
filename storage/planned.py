"""The plan as it is stored, for the rules of `domain.asked` to read."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa

from domain.asked import Plans
from storage import schedules, units
from storage.database import Session
from storage.schedules import Schedule
from storage.tables import ask, person, round_, unit


async def between(session: Session, first: date, last: date) -> Plans[Schedule]:
    """Schedules in force, with the pauses and calendar overrides that touch these days."""
    return Plans(
        await schedules.in_force(session),
        await schedules.pauses(session, first, last),
        await schedules.overrides(session, first, last),
    )


async def rounds_on(session: Session, day: date) -> list[Schedule]:
    """The schedules that have a round on this day, apart from drills."""
    plans = await between(session, day, day)
    paths = [one.path for one in await units.tree(session)]
    return [one for one in plans.schedules if not one.is_drill and plans.has_round(one, day, paths)]


async def unasked(session: Session, day: date, kind: str, unit_path: str) -> int:
    """How many people of this subtree have no ask of this kind on this day yet, or one that an outage swallowed."""
    asked = (
        sa.select(ask.c.id)
        .join(round_, round_.c.id == ask.c.round_id)
        .where(
            ask.c.person_id == person.c.id,
            round_.c.day == day,
            round_.c.kind == kind,
            ~round_.c.not_asked | (ask.c.state == "answered"),
        )
    )
    query = (
        sa.select(sa.func.count())
        .select_from(person)
        .join(unit, unit.c.id == person.c.unit_id)
        .where(unit.c.path.startswith(unit_path), person.c.left_at.is_(None), ~sa.exists(asked))
    )
    found: int = (await session.execute(query)).scalar_one()
    return found
