"""Who was reminded by a head, when and by whom: at most so often a day."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from storage.database import Session, take_turns
from storage.tables import nudge, person


async def counted(session: Session, person_ids: Collection[int], since: datetime) -> Counter[int]:
    """How often each of them has been reminded since then; nobody else reminds them before this transaction ends."""
    await take_turns(session, "nudges")
    query = (
        sa.select(nudge.c.person_id, sa.func.count())
        .where(nudge.c.person_id.in_(person_ids), nudge.c.given_at >= since)
        .group_by(nudge.c.person_id)
    )
    return Counter({row[0]: row[1] for row in await session.execute(query)})


async def record(session: Session, asks: Collection[tuple[int, int]], given_by: int, now: datetime) -> None:
    """Somebody reminded these people, each given as the ask and its person."""
    rows = [{"ask_id": ask, "person_id": who, "given_by_id": given_by, "given_at": now} for ask, who in asks]
    if rows:
        await session.execute(nudge.insert(), rows)


@dataclass(frozen=True, slots=True)
class Nudge:
    given_by: str
    given_at: datetime


async def of_person(session: Session, person_id: int, since: datetime) -> list[Nudge]:
    """Who has reminded this person since then, the earliest first."""
    query = (
        sa.select(person.c.name, nudge.c.given_at)
        .join_from(nudge, person, person.c.id == nudge.c.given_by_id)
        .where(nudge.c.person_id == person_id, nudge.c.given_at >= since)
        .order_by(nudge.c.id)
    )
    return [Nudge(*row) for row in await session.execute(query)]
