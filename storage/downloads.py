"""Files that a conversation waits for: noted in the turn, fetched afterwards, taken by one fetcher at a time."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from domain.chat import Address, File
from storage import wakeups
from storage.database import Session, for_update
from storage.tables import download

LEASE = timedelta(seconds=60)
"""Longer than any fetch may take: a download that comes up again belongs to nobody."""


@dataclass(frozen=True, slots=True)
class Download:
    """A file to fetch for whoever sent it; `tries` counts this one."""

    id: int
    chat: Address
    person_id: int
    file: File
    tries: int


async def ask_for(session: Session, chat: Address, person_id: int, file: File, now: datetime) -> None:
    """This file is to be fetched and handed to the conversation in that chat."""
    await session.execute(
        download.insert().values(
            channel=chat.channel,
            chat_id=chat.chat_id,
            person_id=person_id,
            file_id=file.file_id,
            name=file.name,
            media_type=file.media_type,
            due_at=now,
            created_at=now,
        )
    )
    await wakeups.tell(session, [wakeups.FILES])


async def is_any_due(session: Session, channels: Collection[str], now: datetime) -> bool:
    return (await session.execute(_due(channels, now).limit(1))).first() is not None


async def take(session: Session, channels: Collection[str], now: datetime, most: int) -> list[Download]:
    """Up to `most` that are due, ours until the lease is over."""
    due = _due(channels, now).order_by(download.c.due_at, download.c.id).limit(most)
    rows = (await session.execute(for_update(session, due))).all()
    if rows:
        ours = download.c.id.in_([row.id for row in rows])
        await session.execute(download.update().where(ours).values(due_at=now + LEASE, tries=download.c.tries + 1))
    return [
        Download(
            row.id,
            Address(row.channel, row.chat_id),
            row.person_id,
            File(row.file_id, row.name, row.media_type),
            row.tries + 1,
        )
        for row in rows
    ]


async def again_at(session: Session, download_id: int, at: datetime) -> None:
    await session.execute(_waiting(download_id).values(due_at=at))


async def end(session: Session, download_id: int, state: str) -> bool:
    """It is `done` or `failed`; true for the one caller who ended it."""
    return bool((await session.execute(_waiting(download_id).values(state=state))).rowcount)


async def forget(session: Session, before: datetime) -> None:
    """Drop what was noted before then; the files themselves are elsewhere, or nowhere."""
    await session.execute(download.delete().where(download.c.created_at < before))


def _due(channels: Collection[str], now: datetime) -> sa.Select[Any]:
    return sa.select(download).where(
        download.c.channel.in_(channels), download.c.state == "waiting", download.c.due_at <= now
    )


def _waiting(download_id: int) -> sa.Update:
    return download.update().where(download.c.id == download_id, download.c.state == "waiting")
