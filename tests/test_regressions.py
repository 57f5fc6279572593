"""What a careful reader of the code found: each was wrong once."""

from __future__ import annotations

from datetime import timedelta

from domain.chat import Text
from storage import schedules, tables, units
from tests.world import World


async def test_the_one_tap_declares_the_workplace_that_its_own_message_shows(world: World) -> None:
    lan = await world.enrolled("lan")
    await world.clock_strikes("07:00")
    message_id, at_office = lan.button("Tôi khỏe")
    await world.clock_strikes("07:30")
    await lan.tap("Đổi nơi làm việc")
    await lan.tap("Nghỉ phép")
    await lan.press(at_office.data, message_id)
    (declared,) = await world.rows(tables.declaration.select())
    assert declared.workplace == "office"


async def test_days_already_paused_stay_paused_when_rounds_resume(world: World) -> None:
    await world.enrolled("lan")
    async with world.transaction() as session:
        root = await units.root(session)
        assert root is not None
        today = world.house.today(world.now)
        later = today + timedelta(days=6)
        await schedules.add_pause(session, "", root.id, today, later, "", world.now)
    await world.clock_strikes("12:00", days=3)
    async with world.transaction() as session:
        await schedules.end_pauses(session, root.id, world.house.today(world.now), world.now)
    await world.clock_strikes("12:30")
    first = world.house.today(world.now)
    assert await world.count(tables.round_, tables.round_.c.day < first) == 0


async def test_a_stranger_who_writes_twenty_times_at_once_gets_one_reply(world: World) -> None:
    stranger = world.phone("stranger")
    await world.receive([stranger.update(Text("xin chào"), f"u{n}") for n in range(20)])
    await world.settle()
    assert len(stranger.messages) == 1
