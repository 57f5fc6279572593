"""What is being asked in a chat just now, so that a typed word or a file finds its question, also after a restart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from domain.chat import Address
from storage.database import Session, insert
from storage.tables import dialogue

LASTS = timedelta(hours=1)
"""After so long without a word the question is no longer what somebody answers."""


@dataclass(frozen=True, slots=True)
class Dialogue:
    """`topic` names the conversation, `step` the question on screen; `data` is what was said so far."""

    topic: str
    step: str
    data: dict[str, Any]
    changed_at: datetime


async def open_in(session: Session, chat: Address, now: datetime) -> Dialogue | None:
    """The conversation that waits for a word in this chat, if any."""
    query = sa.select(dialogue.c.topic, dialogue.c.step, dialogue.c.data, dialogue.c.changed_at).where(
        dialogue.c.channel == chat.channel, dialogue.c.chat_id == chat.chat_id, dialogue.c.changed_at > now - LASTS
    )
    row = (await session.execute(query)).first()
    return Dialogue(row.topic, row.step, dict(row.data), row.changed_at) if row else None


async def keep(
    session: Session, chat: Address, person_id: int, topic: str, step: str, data: Mapping[str, Any], now: datetime
) -> None:
    """This is what is asked there from now on, instead of whatever was."""
    fields = {"person_id": person_id, "topic": topic, "step": step, "data": dict(data), "changed_at": now}
    statement = insert(session, dialogue).values(channel=chat.channel, chat_id=chat.chat_id, **fields)
    await session.execute(statement.on_conflict_do_update(index_elements=["channel", "chat_id"], set_=fields))


async def drop(session: Session, chat: Address) -> None:
    """Nothing is asked there any more."""
    await session.execute(
        dialogue.delete().where(dialogue.c.channel == chat.channel, dialogue.c.chat_id == chat.chat_id)
    )
