"""Messages as they stand on screens: the buttons last shown, the copies of a question, and what takes their place."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import sqlalchemy as sa

from domain.chat import Address, Keyboard, Outgoing
from storage.database import Session
from storage.outbox import Letter, keyboard_of
from storage.tables import outbox


async def open_keyboard(session: Session, chat: Address) -> tuple[Keyboard, str] | None:
    """The buttons last shown in this chat and the message they are on, for an answer that is typed."""
    query = (
        sa.select(outbox.c.keyboard, outbox.c.message_id)
        .where(
            outbox.c.channel == chat.channel,
            outbox.c.chat_id == chat.chat_id,
            outbox.c.state == "sent",
            outbox.c.kind != "board",
        )
        .order_by(outbox.c.id.desc())
        .limit(1)
    )
    row = (await session.execute(query)).first()
    if row is None or not row.keyboard:
        return None
    return keyboard_of(row.keyboard), row.message_id or ""


async def take_buttons(session: Session, key: str) -> bool:
    """Take the buttons off a message; true for the one tap that did, so that what they do is done once."""
    has_some = sa.cast(outbox.c.keyboard, sa.Text) != "[]"
    result = await session.execute(outbox.update().where(outbox.c.dedupe_key == key, has_some).values(keyboard=[]))
    return bool(result.rowcount)


@dataclass(frozen=True, slots=True)
class Copy:
    """A message that shows an ask's question."""

    to: Address
    message_id: str
    person_id: int | None


async def copies(session: Session, ask_ids: Collection[int]) -> dict[int, list[Copy]]:
    """Every message in which these asks were put or are put, once each."""
    found: dict[int, list[Copy]] = {one: [] for one in ask_ids}
    for row in await session.execute(_COPIES, {"asks": list(ask_ids)}):
        found[row.ask_id].append(Copy(Address(row.channel, row.chat_id), row.message_id, row.person_id))
    return found


_COPIES = (
    sa.select(outbox.c.ask_id, outbox.c.channel, outbox.c.chat_id, outbox.c.message_id, outbox.c.person_id)
    .where(
        outbox.c.ask_id.in_(sa.bindparam("asks", expanding=True)),
        outbox.c.kind.in_(("prompt", "reminder", "reply")),
        outbox.c.message_id.is_not(None),
    )
    .distinct()
)


async def about_update(session: Session, risk_update_id: int) -> list[Copy]:
    """Every message in which this risk update was put to somebody, once each."""
    query = (
        sa.select(outbox.c.channel, outbox.c.chat_id, outbox.c.message_id, outbox.c.person_id)
        .where(outbox.c.risk_update_id == risk_update_id, outbox.c.message_id.is_not(None))
        .distinct()
    )
    return [
        Copy(Address(row.channel, row.chat_id), row.message_id, row.person_id) for row in await session.execute(query)
    ]


async def message_ids(session: Session, keys: Collection[str]) -> dict[str, str]:
    """The messages that letters of these names became, so that newer words can stand in their place."""
    query = sa.select(outbox.c.dedupe_key, outbox.c.message_id).where(
        outbox.c.dedupe_key.in_(keys), outbox.c.message_id.is_not(None)
    )
    return {row.dedupe_key: row.message_id for row in await session.execute(query)}


def closing(key: str, copy: Copy, text: str) -> Letter:
    """What a copy says once its question has been answered elsewhere."""
    return Letter(key, "closing", Outgoing(copy.to, text, replaces=copy.message_id), person_id=copy.person_id)
