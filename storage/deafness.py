"""Accounts that nothing comes in by: noted, so that it is told once, over restarts and by one of several processes."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa

from storage.database import Session, insert
from storage.tables import deafness

DEAF_AFTER = timedelta(minutes=5)
"""With nothing heard from a messenger's service (GUARANTEES H4)."""


async def begins(session: Session, channel: str, since: datetime) -> bool:
    """Take it on to tell; true for exactly one caller until it has ended."""
    statement = insert(session, deafness).values(channel=channel, since_at=since).on_conflict_do_nothing()
    return bool((await session.execute(statement)).rowcount)


async def ends(session: Session, channel: str) -> datetime | None:
    """Take it on to tell that it hears again: since when it did not, for exactly one caller."""
    over = sa.delete(deafness).where(deafness.c.channel == channel).returning(deafness.c.since_at)
    since: datetime | None = (await session.execute(over)).scalar()
    return since
