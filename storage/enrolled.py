"""Who has a chat in which the bot can reach them, and who still needs an invitation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

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


async def to_invite(session: Session, unit_path: str, *, everyone: bool) -> list[Invitee]:
    """The people of this subtree without a working chat, or all of them, by unit and name."""
    query: sa.Select[Any] = (
        sa.select(person.c.id, person.c.staff_code, person.c.name, unit.c.id, unit.c.code, unit.c.name)
        .join_from(person, unit)
        .where(*_staff(unit_path))
        .order_by(unit.c.path, person.c.name, person.c.staff_code)
    )
    if not everyone:
        query = query.where(~_works())
    return [Invitee(*row) for row in await session.execute(query)]


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
