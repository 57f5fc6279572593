"""Counts of asks, from which every figure anybody sees is made: one GROUP BY over a covering index."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import sqlalchemy as sa

from storage.database import Session
from storage.tables import ask


@dataclass(frozen=True, slots=True)
class Group:
    """How many asks of one unit are alike."""

    unit_id: int
    state: str
    reason: str
    reach: str
    level: str
    late: bool
    proxy: bool
    count: int


async def of_rounds(session: Session, round_ids: Collection[int]) -> list[Group]:
    """Every ask of these rounds, counted once."""
    alike = (ask.c.unit_id, ask.c.state, ask.c.reason, ask.c.reach, ask.c.level, ask.c.late, ask.c.proxy)
    query = sa.select(*alike, sa.func.count()).where(ask.c.round_id.in_(round_ids)).group_by(*alike)
    return [Group(*row) for row in await session.execute(query)]
