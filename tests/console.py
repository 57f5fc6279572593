"""An administrator with the menu on the screen: what the stories about the console begin with."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from domain.chat import Language
from domain.policy import Role
from storage import tables
from tests.phone import Phone
from tests.world import World


async def administrator(world: World, name: str = "hoa", *, language: Language = "vi") -> Phone:
    """An administrator of the whole organisation, which has two units with two people in each."""
    if not await world.count(tables.person):
        for code, unit, people in (("P1", "Phòng Kế hoạch", ("lan", "minh")), ("P2", "Phòng Tổ chức", ("nam", "oanh"))):
            await world.unit(code, unit)
            for person in people:
                await world.person(person, code)
    return await world.enrolled(name, role=Role.ADMIN, language=language)


async def opened(phone: Phone, *labels: str) -> None:
    """The menu, and from there by these buttons."""
    await phone.type("/admin")
    for label in labels:
        await phone.tap(label)


async def audited(world: World, *actions: str) -> list[dict[str, Any]]:
    """The detail of these lines of the audit, oldest first."""
    stored = tables.audit.c
    rows = await world.rows(sa.select(stored.action, stored.actor, stored.detail).order_by(stored.id))
    return [{"action": row.action, "actor": row.actor, **row.detail} for row in rows if row.action in actions]


async def id_of(world: World, name: str) -> int:
    found = await world.rows(sa.select(tables.person.c.id).where(tables.person.c.name == name.title()))
    return int(found[0][0])


async def held(world: World, name: str) -> list[tuple[str, int]]:
    """The roles that somebody holds in force, and over which unit."""
    stored = tables.post.c
    where = (stored.person_id == await id_of(world, name), stored.until_at.is_(None), stored.confirmed_at.is_not(None))
    return [(row.role, row.unit_id) for row in await world.rows(sa.select(stored.role, stored.unit_id).where(*where))]
