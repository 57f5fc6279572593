"""A morning with its prompt on the screen: what the stories about declarations begin with."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from domain.chat import Language
from storage import tables
from tests.phone import Phone
from tests.world import World

WELL = "Tôi khỏe"
UNWELL = "Tôi có điều cần khai báo thêm"
REST = ["Không tiếp xúc", "Không đến", "Chưa xét nghiệm"]
"""The last three questions, answered as a person does who only has symptoms."""


async def asked(world: World, name: str = "lan", *, language: Language = "vi", on: str = "telegram") -> Phone:
    """Somebody with the morning's prompt on the screen."""
    await world.unit("P1", "Phòng Kế hoạch")
    phone = await world.enrolled(name, "P1", language=language, on=on)
    await world.clock_strikes("07:00")
    return phone


async def taps(phone: Phone, *labels: str) -> None:
    for label in labels:
        await phone.tap(label)


async def versions(world: World) -> list[Any]:
    stored = tables.declaration.c
    return await world.rows(
        sa.select(stored.version, stored.answers, stored.level, stored.late).order_by(stored.ask_id, stored.version)
    )


async def the_asks(world: World) -> list[Any]:
    stored = tables.ask.c
    return await world.rows(sa.select(stored.state, stored.late, stored.workplace, stored.reason).order_by(stored.id))
