"""A unit with its head, focal person and staff in the middle of a morning: what the stories about heads begin with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from domain.policy import Role
from storage import tables
from tests.phone import Phone
from tests.world import World


@dataclass(frozen=True, slots=True)
class Morning:
    """Unit P1 at 07:40: Hoa is its head, Bình its focal person; neither Lan nor Minh has answered."""

    hoa: Phone
    binh: Phone
    lan: Phone
    minh: Phone


async def morning(world: World) -> Morning:
    await world.unit("P1", "Phòng Kế hoạch")
    hoa = await world.enrolled("hoa", "P1", role=Role.HEAD)
    binh = await world.enrolled("bình", "P1", role=Role.FOCAL)
    lan, minh = await world.enrolled("lan", "P1"), await world.enrolled("minh", "P1")
    await world.clock_strikes("07:40")
    await hoa.tap("Tôi khỏe")
    await binh.tap("Tôi khỏe")
    return Morning(hoa, binh, lan, minh)


async def open_card(phone: Phone, name: str) -> None:
    await phone.type("/missing")
    await phone.tap(name)


async def lose_post(world: World, name: str) -> None:
    """Somebody is head, focal person, … of nothing any more."""
    who = sa.select(tables.person.c.id).where(tables.person.c.name == name.title()).scalar_subquery()
    async with world.transaction() as session:
        await session.execute(tables.post.update().where(tables.post.c.person_id == who).values(until_at=world.now))


async def ask_of(world: World, name: str) -> Any:
    """The newest ask of somebody as it is stored."""
    query = (
        sa.select(tables.ask)
        .join(tables.person, tables.person.c.id == tables.ask.c.person_id)
        .where(tables.person.c.name == name.title())
        .order_by(tables.ask.c.id.desc())
    )
    return (await world.rows(query))[0]


async def actions(world: World) -> list[str]:
    """What the audit has recorded, in order."""
    rows = await world.rows(sa.select(tables.audit.c.action).order_by(tables.audit.c.id))
    return [row[0] for row in rows]
