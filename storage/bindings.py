"""Which group chat is which unit's supervisor chat."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from domain.chat import Address, Language
from storage.database import Session
from storage.tables import binding, unit


@dataclass(frozen=True, slots=True)
class Binding:
    id: int
    chat: Address
    unit_id: int
    unit_name: str
    unit_path: str
    language: Language
    requested_by_id: int
    is_confirmed: bool


_EVER: sa.Select[Any] = sa.select(
    binding.c.id,
    binding.c.channel,
    binding.c.chat_id,
    binding.c.unit_id,
    unit.c.name,
    unit.c.path,
    binding.c.language,
    binding.c.requested_by_id,
    binding.c.confirmed_at.is_not(None),
).join_from(binding, unit)
_FIELDS = _EVER.where(binding.c.ended_at.is_(None))


def _of(row: Any) -> Binding:
    return Binding(*(row[0], Address(row.channel, row.chat_id), *row[3:]))


async def of_chat(session: Session, chat: Address) -> Binding | None:
    """The binding of this group, asked for or confirmed."""
    query = _FIELDS.where(binding.c.channel == chat.channel, binding.c.chat_id == chat.chat_id)
    row = (await session.execute(query)).first()
    return _of(row) if row else None


async def by_id(session: Session, binding_id: int) -> Binding | None:
    row = (await session.execute(_FIELDS.where(binding.c.id == binding_id))).first()
    return _of(row) if row else None


async def confirmed(session: Session) -> list[Binding]:
    """Every supervisor chat in force, those of the highest units first."""
    query = _FIELDS.where(binding.c.confirmed_at.is_not(None)).order_by(unit.c.path, binding.c.id)
    return [_of(row) for row in await session.execute(query)]


async def request(session: Session, chat: Address, unit_id: int, language: str, by: int, now: datetime) -> int:
    """Ask for a binding; it gives the chat nothing until a second person confirms it."""
    values = {
        "channel": chat.channel,
        "chat_id": chat.chat_id,
        "unit_id": unit_id,
        "language": language,
        "requested_by_id": by,
        "requested_at": now,
    }
    made: int = (await session.execute(binding.insert().values(values).returning(binding.c.id))).scalar_one()
    return made


async def confirm(session: Session, binding_id: int, by: int, now: datetime) -> bool:
    """Put it in force, if it still waits and somebody else asked for it."""
    result = await session.execute(
        binding.update()
        .where(
            binding.c.id == binding_id,
            binding.c.confirmed_at.is_(None),
            binding.c.ended_at.is_(None),
            binding.c.requested_by_id != by,
        )
        .values(confirmed_by_id=by, confirmed_at=now)
    )
    return bool(result.rowcount)


async def end(session: Session, chat: Address, why: str, now: datetime) -> bool:
    """The chat is no unit's supervisor chat any more."""
    result = await session.execute(_the(chat).values(ended_at=now, ended_why=why))
    return bool(result.rowcount)


async def lost(session: Session, chat: Address, why: str, now: datetime) -> None:
    """The chat cannot be written to any more. If it was a supervisor chat, somebody must be told."""
    due = sa.case((binding.c.confirmed_at.is_not(None), sa.literal(now, type_=binding.c.ended_at.type)), else_=None)
    await session.execute(_the(chat).values(ended_at=now, ended_why=why, notice_due_at=due))


async def lost_untold(session: Session) -> list[Binding]:
    """Bindings whose group was lost and of which nobody has been told yet."""
    return [_of(row) for row in await session.execute(_EVER.where(binding.c.notice_due_at.is_not(None)))]


async def told_of_loss(session: Session, binding_id: int) -> bool:
    """Take it on to tell; true for exactly one caller."""
    where = (binding.c.id == binding_id, binding.c.notice_due_at.is_not(None))
    return bool((await session.execute(binding.update().where(*where).values(notice_due_at=None))).rowcount)


async def moved(session: Session, old: Address, new_id: str) -> None:
    await session.execute(_the(old).values(chat_id=new_id))


def _the(chat: Address) -> sa.Update:
    return binding.update().where(
        binding.c.channel == chat.channel, binding.c.chat_id == chat.chat_id, binding.c.ended_at.is_(None)
    )
