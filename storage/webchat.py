"""What a web chat shows: the letters of the outbox that were sent there, each in the place where it first stood."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from domain.chat import Address, Keyboard
from storage.database import Session
from storage.outbox import keyboard_of
from storage.tables import outbox


@dataclass(frozen=True, slots=True)
class Shown:
    """One message on the page. `place` orders the page, `version` grows when the message is replaced."""

    message_id: str
    place: int
    version: int
    title: str
    text: str
    keyboard: Keyboard
    at: datetime


async def messages(session: Session, chat: Address, person_id: int | None, most: int) -> list[Shown]:
    """The newest `most` messages of a private chat, oldest first.

    Only what was written to whoever has the chat now (None: a stranger), never to someone who had it before.
    """
    theirs = sa.or_(outbox.c.person_id.is_(None), outbox.c.person_id == person_id)
    return await _messages(session, chat, most, theirs)


async def group_messages(session: Session, chat: Address, most: int) -> list[Shown]:
    """The newest `most` messages of a group chat, oldest first."""
    return await _messages(session, chat, most)


async def _messages(session: Session, chat: Address, most: int, *visible: sa.ColumnElement[bool]) -> list[Shown]:
    here = (
        sa.select(
            outbox.c.message_id,
            sa.func.min(outbox.c.id).label("place"),
            sa.func.max(outbox.c.id).label("version"),
            sa.func.min(outbox.c.settled_at).label("at"),
        )
        .where(
            outbox.c.channel == chat.channel,
            outbox.c.chat_id == chat.chat_id,
            outbox.c.state == "sent",
            outbox.c.message_id.is_not(None),
            *visible,
        )
        .group_by(outbox.c.message_id)
        .order_by(sa.desc("place"))
        .limit(most)
        .subquery()
    )
    query = (
        sa.select(
            here.c.message_id,
            here.c.place,
            here.c.version,
            outbox.c.title,
            outbox.c.text,
            outbox.c.keyboard,
            here.c.at,
        )
        .join(outbox, outbox.c.id == here.c.version)
        .order_by(here.c.place)
    )
    return [Shown(*row[:5], keyboard=keyboard_of(row.keyboard), at=row.at) for row in await session.execute(query)]
