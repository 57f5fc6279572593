"""What a web chat shows: the letters of the outbox that were sent there, each in the place where it first stood."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from domain.chat import Address, Attached, Keyboard
from storage import attachments
from storage.database import Session
from storage.outbox import keyboard_of
from storage.tables import attachment, outbox


@dataclass(frozen=True, slots=True)
class Enclosed:
    """The picture or document that goes with a message, without its content."""

    id: int
    name: str
    media_type: str


@dataclass(frozen=True, slots=True)
class Shown:
    """One message on the page. `place` orders the page, `version` grows when the message is replaced.

    What was enclosed stays when the words are replaced, as on every channel.
    """

    message_id: str
    place: int
    version: int
    title: str
    text: str
    keyboard: Keyboard
    at: datetime
    enclosed: Enclosed | None = None


async def messages(session: Session, chat: Address, person_id: int | None, most: int) -> list[Shown]:
    """The newest `most` messages of a private chat, oldest first.

    Only what was written to whoever has the chat now (None: a stranger), never to someone who had it before.
    """
    return await _messages(session, chat, most, _theirs(person_id))


async def group_messages(session: Session, chat: Address, most: int) -> list[Shown]:
    """The newest `most` messages of a group chat, oldest first."""
    return await _messages(session, chat, most)


async def enclosed(session: Session, chat: Address, person_id: int | None, file_id: int) -> Attached | None:
    """A file that a message in this private chat carries, to whoever may read that message; else None."""
    return await _enclosed(session, chat, file_id, _theirs(person_id))


async def enclosed_in_group(session: Session, chat: Address, file_id: int) -> Attached | None:
    """A file that a message in this group chat carries, or None."""
    return await _enclosed(session, chat, file_id)


async def _enclosed(session: Session, chat: Address, file_id: int, *visible: sa.ColumnElement[bool]) -> Attached | None:
    there = sa.select(outbox.c.id).where(*_sent_to(chat), outbox.c.attachment_id == file_id, *visible)
    if (await session.execute(there.limit(1))).first() is None:
        return None
    return (await attachments.contents(session, [file_id])).get(file_id)


def _theirs(person_id: int | None) -> sa.ColumnElement[bool]:
    return sa.or_(outbox.c.person_id.is_(None), outbox.c.person_id == person_id)


def _sent_to(chat: Address) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        outbox.c.channel == chat.channel,
        outbox.c.chat_id == chat.chat_id,
        outbox.c.state == "sent",
        outbox.c.message_id.is_not(None),
    )


async def _messages(session: Session, chat: Address, most: int, *visible: sa.ColumnElement[bool]) -> list[Shown]:
    here = (
        sa.select(
            outbox.c.message_id,
            sa.func.min(outbox.c.id).label("place"),
            sa.func.max(outbox.c.id).label("version"),
            sa.func.min(outbox.c.settled_at).label("at"),
            sa.func.max(outbox.c.attachment_id).label("file_id"),
        )
        .where(*_sent_to(chat), *visible)
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
            attachment.c.id.label("file_id"),
            attachment.c.name,
            attachment.c.media_type,
        )
        .join(outbox, outbox.c.id == here.c.version)
        .join(attachment, attachment.c.id == here.c.file_id, isouter=True)
        .order_by(here.c.place)
    )
    return [
        Shown(
            *row[:5],
            keyboard=keyboard_of(row.keyboard),
            at=row.at,
            enclosed=Enclosed(row.file_id, row.name, row.media_type) if row.file_id else None,
        )
        for row in await session.execute(query)
    ]
