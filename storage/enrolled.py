"""Who has a chat in which the bot can reach them, and who still needs an invitation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa

from storage.database import Session
from storage.tables import address, person, unit


@dataclass(frozen=True, slots=True)
class Invitee:
    person_id: int
    staff_code: str
    name: str
    unit_id: int
    unit_code: str
    unit_name: str


def _works() -> sa.ColumnElement[bool]:
    return sa.exists(sa.select(address.c.id).where(address.c.person_id == person.c.id, address.c.lost_at.is_(None)))


def _staff(unit_path: str) -> tuple[sa.ColumnElement[bool], ...]:
    return person.c.left_at.is_(None), unit.c.path.startswith(unit_path)


_INVITEE: sa.Select[Any] = sa.select(
    person.c.id, person.c.staff_code, person.c.name, unit.c.id, unit.c.code, unit.c.name
).join_from(person, unit)


async def to_invite(session: Session, unit_path: str, *, everyone: bool) -> list[Invitee]:
    """The people of this subtree without a working chat, or all of them, by unit and name."""
    query = _INVITEE.where(*_staff(unit_path)).order_by(unit.c.path, person.c.name, person.c.staff_code)
    if not everyone:
        query = query.where(~_works())
    return [Invitee(*row) for row in await session.execute(query)]


async def invitee(session: Session, person_id: int) -> Invitee | None:
    row = (await session.execute(_INVITEE.where(person.c.id == person_id, person.c.left_at.is_(None)))).first()
    return Invitee(*row) if row else None


@dataclass(frozen=True, slots=True)
class Unreached:
    """Somebody without a working chat; `why` is not_enrolled, blocked, or gone for any other reason."""

    person_id: int
    name: str
    unit_name: str
    why: Literal["not_enrolled", "blocked", "gone"]


async def unreached(session: Session, unit_path: str) -> list[Unreached]:
    """The people of this subtree without a working chat and why, by unit and name."""
    chats = sa.select(address.c.id).where(address.c.person_id == person.c.id)
    why = sa.case(
        (~sa.exists(chats), "not_enrolled"),
        (sa.exists(chats.where(address.c.lost_why.contains("block"))), "blocked"),
        else_="gone",
    )
    query = (
        sa.select(person.c.id, person.c.name, unit.c.name, why)
        .join_from(person, unit)
        .where(*_staff(unit_path), ~_works())
        .order_by(unit.c.path, person.c.name, person.c.staff_code)
    )
    return [Unreached(*row) for row in await session.execute(query)]


async def reached(session: Session, unit_path: str) -> tuple[int, int]:
    """How many people of this subtree have a working chat, and how many there are."""
    query = (
        sa.select(sa.func.coalesce(sa.func.sum(sa.case((_works(), 1), else_=0)), 0), sa.func.count())
        .select_from(person)
        .join(unit, unit.c.id == person.c.unit_id)
        .where(*_staff(unit_path))
    )
    row = (await session.execute(query)).one()
    return int(row[0]), int(row[1])
