"""Named answers are kept as long as the notice says, and no longer."""

from __future__ import annotations

from datetime import timedelta

from storage import tables
from tests.world import World


async def test_answers_go_when_their_time_is_over_and_the_counts_stay(each_world: World) -> None:
    world = each_world
    lan = await world.enrolled("lan")
    await world.clock_strikes("07:00")
    await lan.tap("Tôi khỏe")
    await world.app.ticks.tidy(world.now + timedelta(days=world.house.keeps_days))
    assert await world.count(tables.declaration) == 1
    await world.app.ticks.tidy(world.now + timedelta(days=world.house.keeps_days + 1))
    assert await world.count(tables.declaration) == 0
    assert await world.count(tables.outbox) == 0
    assert await world.count(tables.ask, tables.ask.c.state == "answered") == 1
    assert await world.count(tables.ask, tables.ask.c.level != "") == 0
