"""The board in a supervisor chat: there when the round opens, edited in place, never too often, true in the end."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import sqlalchemy as sa

from domain.chat import Outcome, Outgoing, Rejected, Unknown
from domain.policy import Role
from storage import tables
from storage.boards import APART
from storage.database import Database
from tests.phone import Phone
from tests.storm import all_well, another, staff, statements
from tests.world import World


async def supervised(world: World, *units: str) -> dict[str, Phone]:
    """Group chats of these units ("" is the organisation)."""
    one, two = await world.enrolled("chi", role=Role.COMMITTEE), await world.enrolled("ba", role=Role.COMMITTEE)
    async with world.transaction() as session:
        root = (await session.execute(sa.select(tables.unit.c.code).order_by(tables.unit.c.id).limit(1))).scalar_one()
    return {
        unit: await world.bound_group(f"-{number}", one, two, unit or root)
        for number, unit in enumerate(units, start=10)
    }


async def later(world: World, seconds: float) -> None:
    world.now += timedelta(seconds=seconds)
    await world.settle()


def edits(world: World, chat_id: str) -> int:
    return sum(1 for key, m in world.telegram.sent if key.startswith("board:") and m.to.chat_id == chat_id)


async def test_a_board_is_written_at_the_opening_and_edited_in_place(each_world: World) -> None:
    world = each_world
    await world.unit("P1")
    people = await staff(world, "P1", 4)
    groups = await supervised(world, "", "P1")
    await world.clock_strikes("07:00")
    groups["P1"].sees("Đang mở, đóng lúc 09:00", "Đã khai: 0/4 (0%)", "chờ gửi 4")
    await later(world, 10)
    groups["P1"].sees("đã nhận, chưa trả lời 4")
    await all_well(world, people[:3])
    await later(world, 3)
    groups["P1"].sees("Đã khai: 3/4 (75%)", "Mức nguy cơ: thấp 3")
    groups[""].sees("Đã khai: 3/6", "Phòng P1: 3/4 (75%)")
    assert groups["P1"].screen.count("Theo dõi") == 1
    groups["P1"].sees_not("Người")


async def test_many_answers_cost_one_edit_in_three_seconds_and_the_last_one_is_true(world: World) -> None:
    people = await staff(world, "", 30)
    group = (await supervised(world, ""))[""]
    await world.clock_strikes("07:00")
    await later(world, 5)
    before = edits(world, "-10")
    for n in range(10):
        await all_well(world, people[n * 3 : n * 3 + 3])
        await later(world, 1)
    assert edits(world, "-10") - before <= 10 / APART.total_seconds() + 1
    await later(world, 3)
    group.sees("Đã khai: 30/32")


async def test_a_change_committed_after_the_board_looked_is_not_forgotten(world: World) -> None:
    people = await staff(world, "", 2)
    group = (await supervised(world, ""))[""]
    await world.clock_strikes("07:00")
    await later(world, 10)
    began = world.now
    world.now += timedelta(seconds=1)
    await all_well(world, people[:1])
    await later(world, 1)
    world.now = began  # a turn that began before the board was written, seen only now
    await all_well(world, people[1:])
    await later(world, 6)
    group.sees("Đã khai: 2/4")


async def test_a_board_follows_late_answers_after_the_close(world: World) -> None:
    people = await staff(world, "", 2)
    group = (await supervised(world, ""))[""]
    await world.clock_strikes("09:00")
    await later(world, 5)
    group.sees("Đã đóng lúc 09:00")
    await world.clock_strikes("11:00")
    await all_well(world, people[:1])
    await later(world, 3)
    group.sees("Đã khai: 1/4", "Trong đó khai muộn: 1")
    assert group.screen.count("Tổng hợp") == 1


async def test_a_waiting_edit_is_rewritten_instead_of_joined_by_another(world: World) -> None:
    people = await staff(world, "", 2)
    await supervised(world, "")
    await world.clock_strikes("07:00")
    for n in range(2):
        world.now += timedelta(seconds=4)
        await all_well(world, people[n : n + 1])
        await world.app.ticks.tick(world.now)
    waiting = await world.rows(
        sa.select(tables.outbox.c.text).where(tables.outbox.c.kind == "board", tables.outbox.c.state == "waiting")
    )
    assert len(waiting) == 1 and "Đã khai: 2/4" in waiting[0][0]


async def test_nothing_is_added_while_an_edit_is_on_its_way(world: World) -> None:
    people = await staff(world, "", 1)
    await supervised(world, "")
    await world.clock_strikes("07:00")
    await later(world, 5)
    board = tables.outbox.c.kind == "board"
    async with world.transaction() as session:
        await session.execute(
            tables.outbox.update().where(board).values(state="sending", leased_until=world.now + timedelta(minutes=1))
        )
    written = await world.count(tables.outbox, board)
    await all_well(world, people)
    world.now += timedelta(seconds=5)
    await world.app.ticks.tick(world.now)
    assert await world.count(tables.outbox, board) == written


async def test_a_board_that_was_refused_is_written_anew(world: World) -> None:
    people = await staff(world, "", 1)
    group = (await supervised(world, ""))[""]
    await world.clock_strikes("07:00")
    await later(world, 10)

    def fail(message: Outgoing) -> Outcome | None:
        return Rejected("gone") if message.replaces and message.to.chat_id == "-10" else None

    world.telegram.fail = fail
    await all_well(world, people)
    await later(world, 4)
    world.telegram.fail = lambda message: None
    async with world.transaction() as session:
        await session.execute(tables.ask.update().values(changed_at=world.now))
    lan = await world.enrolled("lan")
    await later(world, 4)
    await world.clock_strikes("09:00")
    assert group.screen.count("Theo dõi") == 2
    lan.sees_not("Theo dõi")


async def test_an_edit_of_unknown_fate_keeps_the_message(world: World) -> None:
    people = await staff(world, "", 1)
    group = (await supervised(world, ""))[""]
    await world.clock_strikes("07:00")
    await later(world, 10)
    world.telegram.fail = lambda message: Unknown("?") if message.to.chat_id == "-10" else None
    await all_well(world, people)
    for _ in range(7):
        await later(world, 21)
    world.telegram.fail = lambda message: None
    await world.clock_strikes("09:00")
    group.sees("Đã đóng lúc 09:00", "Đã khai: 1/3")
    assert group.screen.count("Theo dõi") == 1


async def test_processes_write_a_board_once(each_world: World) -> None:
    world = each_world
    await staff(world, "", 2)
    group = (await supervised(world, ""))[""]
    url = world.database.url.render_as_string(hide_password=False)
    stores = [Database(url) for _ in range(3)]
    await world.clock_strikes("06:59")
    world.now += timedelta(minutes=1)
    apps = [another(world, store) for store in stores]
    await asyncio.gather(*(app.ticks.tick(world.now) for app in apps))
    await world.settle()
    assert group.screen.count("Theo dõi") == 1 and edits(world, "-10") == 1
    for store in stores:
        await store.close()


async def test_boards_cost_no_more_statements_for_more_people_or_idle_groups(world: World) -> None:
    await world.unit("P1")
    people = await staff(world, "P1", 20)
    await supervised(world, "", "P1")
    await world.clock_strikes("07:00")
    await later(world, 60)
    with statements(world.database) as idle:
        await world.app.ticks.tick(world.now)
    await all_well(world, people[:10])
    world.now += timedelta(seconds=4)
    with statements(world.database) as changed:
        await world.app.ticks.tick(world.now)
    assert not [one for one in idle if one.startswith(("INSERT", "UPDATE", "BEGIN IMMEDIATE"))]
    assert len(changed) < 52
