"""When each ask was answered: what times to answer are made of, for all units in one query."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa

from storage.database import Session
from storage.tables import ask, round_, unit


@dataclass(frozen=True, slots=True)
class Held:
    """A round in which people were really asked."""

    id: int
    schedule_id: int
    day: date
    kind: str
    opens_at: datetime
    opened_at: datetime


async def held(session: Session, first: date, last: date) -> list[Held]:
    """The rounds of these days in the order of opening, without drills and without those an outage swallowed."""
    anybody = sa.exists(sa.select(ask.c.id).where(ask.c.round_id == round_.c.id))
    query = (
        sa.select(round_.c.id, round_.c.schedule_id, round_.c.day, round_.c.kind, round_.c.opens_at, round_.c.opened_at)
        .where(round_.c.day.between(first, last), ~round_.c.is_drill, ~round_.c.not_asked, anybody)
        .order_by(round_.c.opens_at, round_.c.id)
    )
    return [Held(*row) for row in await session.execute(query)]


@dataclass(frozen=True, slots=True)
class Reply:
    """How it went with one who was expected to answer; `answered_at` is None while nobody has."""

    round_id: int
    unit_id: int
    person_id: int
    reach: str
    late: bool
    proxy: bool
    answered_at: datetime | None


async def replies(session: Session, round_ids: Collection[int], scope: Collection[str] = ()) -> list[Reply]:
    """Everybody who was due in these rounds and not excused; with `scope`, in these subtrees alone."""
    query = sa.select(
        ask.c.round_id, ask.c.unit_id, ask.c.person_id, ask.c.reach, ask.c.late, ask.c.proxy, ask.c.answered_at
    ).where(ask.c.round_id.in_(round_ids), ask.c.state != "excused")
    if scope:
        inside = sa.select(unit.c.id).where(sa.or_(*(unit.c.path.startswith(path) for path in scope)))
        query = query.where(ask.c.unit_id.in_(inside))
    return [Reply(*row) for row in await session.execute(query)]
