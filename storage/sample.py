"""What a demonstration does that a running organisation never does: make people up, and speak for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from domain.chat import Address, Keyboard, Language
from storage.database import Session
from storage.outbox import keyboard_of
from storage.tables import binding, outbox, person


async def hire(session: Session, staff_code: str, name: str, unit_id: int, language: Language, now: datetime) -> int:
    """Somebody new on the roster; their id."""
    values = {"staff_code": staff_code, "name": name, "unit_id": unit_id, "language": language, "joined_at": now}
    made: int = (await session.execute(person.insert().values(values).returning(person.c.id))).scalar_one()
    return made


@dataclass(frozen=True, slots=True)
class Prompted:
    """A prompt, or a risk update's draft, as it stands on somebody's screen."""

    id: int
    kind: str
    chat: Address
    message_id: str
    keyboard: Keyboard
    language: Language


async def prompts_after(session: Session, last_id: int) -> Sequence[Prompted]:
    """Prompts and drafts that arrived after the one with this id, oldest first."""
    query = (
        sa.select(outbox, person.c.language)
        .join_from(outbox, person, person.c.id == outbox.c.person_id)
        .where(outbox.c.kind.in_(("prompt", "risk")), outbox.c.state == "sent", outbox.c.id > last_id)
        .order_by(outbox.c.id)
    )
    return [
        Prompted(
            row.id,
            row.kind,
            Address(row.channel, row.chat_id),
            row.message_id,
            keyboard_of(row.keyboard),
            row.language,
        )
        for row in await session.execute(query)
    ]


async def all_speak(session: Session, language: Language) -> None:
    """From now on everybody, and every group, is written to in this language."""
    await session.execute(person.update().values(language=language))
    await session.execute(binding.update().values(language=language))
