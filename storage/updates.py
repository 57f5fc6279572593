"""What came in: each update once, and those that could not be handled set aside with their reason."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from domain.chat import Incoming
from storage.database import Session, insert
from storage.tables import quarantine, seen_update


async def first_time(session: Session, incoming: Incoming, now: datetime) -> bool:
    """Whether this update is new; from now on it is not."""
    return (await are_new(session, [incoming], now))[0]


async def are_new(session: Session, batch: Sequence[Incoming], now: datetime) -> list[bool]:
    """Which of these updates are new, a repeated one only where it comes first; from now on none of them is."""
    keys = [(one.sender.channel, one.update_key) for one in batch]
    # In order, so that two processes that are given the same updates wait for each other and not in a circle.
    rows = [{"channel": channel, "update_key": key, "seen_at": now} for channel, key in sorted(set(keys))]
    statement = insert(session, seen_update).on_conflict_do_nothing()
    statement = statement.returning(seen_update.c.channel, seen_update.c.update_key)
    new = {(row[0], row[1]) for row in await session.execute(statement, rows)}
    first = {key: number for number, key in reversed(list(enumerate(keys)))}
    return [key in new and first[key] == number for number, key in enumerate(keys)]


async def set_aside(session: Session, incoming: Incoming, reason: str, now: datetime) -> None:
    """Keep the raw update for an operator; nothing of it goes to a log."""
    await session.execute(
        quarantine.insert().values(
            channel=incoming.sender.channel,
            update_key=incoming.update_key,
            raw=incoming.raw,
            reason=reason,
            set_aside_at=now,
        )
    )


async def waiting(session: Session) -> int:
    """How many updates are set aside."""
    return (await session.execute(sa.select(sa.func.count()).select_from(quarantine))).scalar_one()


async def forget(session: Session, before: datetime) -> None:
    """Drop what is past its stated time: raw updates are kept 7 days."""
    await session.execute(seen_update.delete().where(seen_update.c.seen_at < before))
    await session.execute(quarantine.delete().where(quarantine.c.set_aside_at < before))
