"""The tree of units."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from storage.database import Session
from storage.tables import unit


@dataclass(frozen=True, slots=True)
class Unit:
    id: int
    code: str
    name: str
    parent_id: int | None
    path: str
    is_open: bool = True

    def is_below(self, other: Unit) -> bool:
        return self.path.startswith(other.path)


_FIELDS: sa.Select[Any] = sa.select(
    unit.c.id, unit.c.code, unit.c.name, unit.c.parent_id, unit.c.path, unit.c.closed_at.is_(None)
)


async def tree(session: Session) -> list[Unit]:
    """Every unit in force, each after its parent."""
    return [one for one in await everything(session) if one.is_open]


async def everything(session: Session) -> list[Unit]:
    """Every unit there ever was, each after its parent; closed ones still have past days."""
    rows = [Unit(*row) for row in await session.execute(_FIELDS)]
    return sorted(rows, key=lambda one: [int(part) for part in one.path.strip("/").split("/")])


async def by_code(session: Session, code: str) -> Unit | None:
    row = (await session.execute(_FIELDS.where(unit.c.code == code, unit.c.closed_at.is_(None)))).first()
    return Unit(*row) if row else None


async def by_id(session: Session, unit_id: int) -> Unit | None:
    row = (await session.execute(_FIELDS.where(unit.c.id == unit_id))).first()
    return Unit(*row) if row else None


async def root(session: Session) -> Unit | None:
    """The organisation itself: the one unit without a parent; None before the first start."""
    row = (await session.execute(_FIELDS.where(unit.c.parent_id.is_(None)))).first()
    return Unit(*row) if row else None


async def add(session: Session, code: str, name: str, parent: Unit | None) -> Unit:
    """A new unit below `parent`, or the organisation itself without one."""
    parent_id = parent.id if parent else None
    values = {"code": code, "name": name, "parent_id": parent_id, "path": f"new {code}"}
    unit_id: int = (await session.execute(unit.insert().values(values).returning(unit.c.id))).scalar_one()
    path = f"{parent.path if parent else '/'}{unit_id}/"
    await session.execute(unit.update().where(unit.c.id == unit_id).values(path=path))
    return Unit(unit_id, code, name, parent_id, path)


async def ensure_root(session: Session, name: str) -> Unit:
    """The organisation's unit, made at the first start; its name follows the setting."""
    found = await root(session)
    if found is None:
        return await add(session, "ORG", name, None)
    if found.name != name:
        await session.execute(unit.update().where(unit.c.id == found.id).values(name=name))
    return found


async def close(session: Session, unit_ids: Sequence[int], now: datetime) -> None:
    """No longer part of the organisation; what it reported stays."""
    await session.execute(unit.update().where(unit.c.id.in_(unit_ids)).values(closed_at=now))
