"""Rounds: opened once, asking everybody due once, reminding only the silent, closing, and late answers."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, time, timedelta

import pytest
import sqlalchemy as sa

from domain.campaign import AFTERNOON, MORNING
from domain.policy import Role
from storage import tables, units
from storage.database import Database
from tests.storm import all_well, another, away, exception, prompts_to, round_rows, staff, statements
from tests.world import World

MONDAY = date(2026, 11, 23)


async def states(world: World, kind: str = MORNING) -> dict[int, tuple[str, str, str]]:
    rows = await world.rows(
        sa.select(tables.ask.c.person_id, tables.ask.c.state, tables.ask.c.reason, tables.ask.c.reach)
        .join(tables.round_, tables.round_.c.id == tables.ask.c.round_id)
        .where(tables.round_.c.kind == kind)
    )
    return {row[0]: (row[1], row[2], row[3]) for row in rows}


def at(world: World, hour: int, minute: int) -> datetime:
    return world.now.astimezone(world.house.zone).replace(hour=hour, minute=minute).astimezone(UTC)


async def test_processes_that_tick_in_the_same_second_open_a_round_once(each_world: World) -> None:
    world = each_world
    await staff(world, "", 30)
    url = world.database.url.render_as_string(hide_password=False)
    stores = [Database(url) for _ in range(4)]
    apps = [another(world, store) for store in stores]
    await world.clock_strikes("06:59")
    for hour, minute in ((7, 0), (7, 30), (8, 15), (8, 30), (9, 0)):
        world.now = at(world, hour, minute)
        await asyncio.gather(*(app.ticks.tick(world.now) for app in apps))
        await asyncio.gather(*(app.deliveries["telegram"].drain() for app in apps))
    assert len(await round_rows(world)) == 1
    assert await world.count(tables.ask) == 30
    assert set(prompts_to(world.telegram).values()) == {1} and len(prompts_to(world.telegram)) == 30
    assert set(prompts_to(world.telegram, "reminder").values()) == {2}
    for store in stores:
        await store.close()


async def test_everybody_due_is_asked_once_and_the_absent_are_excused(world: World) -> None:
    people = await staff(world, "", 4)
    await world.person("khách")
    undecided = await world.enrolled("tú", agrees=False)
    await away(world, people[0], MONDAY, MONDAY)
    await away(world, people[1], MONDAY - timedelta(days=3), MONDAY - timedelta(days=1))
    await world.clock_strikes("07:00")
    found = await states(world)
    assert found[people[0]] == ("excused", "leave", "waiting")
    assert found[people[1]] == ("due", "", "delivered")
    assert sorted(state[2] for state in found.values()) == [
        "delivered", "delivered", "delivered", "not_enrolled", "undecided", "waiting",
    ]  # fmt: skip
    assert prompts_to(world.telegram) == {f"p{n}": 1 for n in people[1:]}
    undecided.sees_not("Khai báo y tế buổi sáng")


async def test_a_person_who_agrees_during_the_round_gets_its_prompt(world: World) -> None:
    tu = await world.enrolled("tú", agrees=False)
    await world.clock_strikes("07:10")
    await tu.tap("Tôi đồng ý")
    tu.sees("Khai báo y tế buổi sáng")
    await tu.tap("Tôi khỏe")
    assert [state[0] for state in (await states(world)).values()] == ["answered"]


async def test_only_those_who_worked_are_asked_in_the_afternoon(world: World) -> None:
    lan, minh = await world.enrolled("lan"), await world.enrolled("minh")
    await world.clock_strikes("07:00")
    await lan.tap("Đổi nơi làm việc")
    await lan.tap("Đang cách ly")
    await lan.tap("Tôi khỏe")
    await minh.tap("Tôi khỏe")
    await world.clock_strikes("16:30")
    lan.sees_not("buổi chiều")
    minh.sees("buổi chiều")
    assert {state[:2] for state in (await states(world, AFTERNOON)).values()} == {("excused", "isolation"), ("due", "")}


async def test_reminders_go_to_the_silent_only(world: World) -> None:
    people = await staff(world, "", 3)
    await world.clock_strikes("07:00")
    await all_well(world, people[:1])
    await world.clock_strikes("07:30")
    assert prompts_to(world.telegram, "reminder") == {f"p{n}": 1 for n in people[1:]}
    await all_well(world, people[1:2])
    await world.clock_strikes("08:59")
    assert prompts_to(world.telegram, "reminder") == {f"p{people[1]}": 1, f"p{people[2]}": 2}


async def test_nobody_is_reminded_of_a_prompt_that_has_not_left(world: World) -> None:
    await staff(world, "", 3)
    for minutes in (60, 30):  # ticks, and no delivery
        world.now = world.now + timedelta(minutes=minutes)
        await world.app.ticks.tick(world.now)
    assert await world.count(tables.outbox, tables.outbox.c.kind == "reminder") == 0


async def test_heads_and_focal_persons_are_told_who_is_missing_and_why(world: World) -> None:
    await world.unit("P1")
    await world.unit("P2")
    head = await world.enrolled("hoa", "P1", role=Role.HEAD)
    focal = await world.enrolled("bình", "P1", role=Role.FOCAL)
    other = await world.enrolled("dũng", "P2", role=Role.HEAD)
    committee = await world.enrolled("chi", role=Role.COMMITTEE)
    await world.person("khách", "P1")
    await world.clock_strikes("07:00")
    for one in (head, focal, other, committee):
        await one.tap("Tôi khỏe")
    await world.clock_strikes("08:30")
    head.sees("• Khách: chưa đăng ký")
    focal.sees("• Khách: chưa đăng ký")
    other.sees_not("Khách")
    committee.sees_not("Khách")


async def test_a_late_answer_is_kept_and_marked_late(world: World) -> None:
    lan = await world.enrolled("lan")
    await world.clock_strikes("09:05")
    assert {state[0] for state in (await states(world)).values()} == {"missed"}
    await lan.tap("Tôi khỏe")
    lan.sees("khai muộn")
    assert await world.count(tables.ask, tables.ask.c.state == "answered", tables.ask.c.late.is_(sa.true())) == 1


async def test_a_schedule_changed_at_noon_asks_nobody_twice(world: World) -> None:
    people = await staff(world, "", 3)
    await world.clock_strikes("12:00")
    await exception(world, "", opens=time(12, 30), reminders=(), missing_list=None, closes=time(13), since_day=MONDAY)
    await world.clock_strikes("15:00")
    assert prompts_to(world.telegram) == {f"p{n}": 1 for n in people}
    assert await world.count(tables.ask) == 3
    made = await round_rows(world)
    assert [one.closed_at is not None for one in made if one.kind == MORNING] == [True, True]


async def test_a_unit_with_hours_of_its_own_is_asked_then_and_only_then(world: World) -> None:
    await world.unit("P1")
    await world.unit("P2")
    one, two = await staff(world, "P1", 1), await staff(world, "P2", 1)
    await exception(world, "P1", opens=time(10), reminders=(), missing_list=None, closes=time(11))
    await exception(world, "P2", is_off=True)
    await world.clock_strikes("07:00")
    assert prompts_to(world.telegram) == {}
    await world.clock_strikes("10:00")
    assert prompts_to(world.telegram) == {f"p{one[0]}": 1}
    await world.clock_strikes("12:00")
    assert f"p{two[0]}" not in prompts_to(world.telegram)


async def test_a_one_off_round_asks_on_its_day_and_skips_those_asked_already(world: World) -> None:
    await world.unit("P1")
    await staff(world, "P1", 2)
    inside, outside = await staff(world, "P1", 1), await staff(world, "", 1)
    sunday = date(2026, 11, 29)
    await exception(world, "P1", once_on=sunday, since_day=sunday, opens=time(8), closes=time(10), reminders=())
    await exception(world, "P1", once_on=MONDAY, since_day=MONDAY, opens=time(6, 30), closes=time(8), reminders=())
    await world.clock_strikes("09:00")
    assert set(prompts_to(world.telegram).values()) == {1}
    await world.down_until("08:00", days=6)
    found = prompts_to(world.telegram)
    assert found[f"p{inside[0]}"] - found[f"p{outside[0]}"] == 1


async def test_a_person_who_moves_between_units_is_asked_once(world: World) -> None:
    await world.unit("P1")
    await world.unit("P2")
    await exception(world, "P2", opens=time(8), closes=time(10), reminders=())
    moved = (await staff(world, "P1", 1))[0]
    await world.clock_strikes("07:30")
    async with world.transaction() as session:
        home = await units.by_code(session, "P2")
        assert home
        await session.execute(tables.person.update().where(tables.person.c.id == moved).values(unit_id=home.id))
    await world.clock_strikes("10:30")
    assert prompts_to(world.telegram) == {f"p{moved}": 1}


async def test_one_item_that_fails_keeps_no_other_from_being_done(world: World) -> None:
    await world.unit("P1")
    await staff(world, "", 1)
    await staff(world, "P1", 1)
    broken = await exception(world, "P1", reminders=())
    async with world.transaction() as session:
        await session.execute(
            sa.text(
                "CREATE TRIGGER broken BEFORE INSERT ON round WHEN NEW.schedule_id = "
                + str(broken.id)
                + " BEGIN SELECT RAISE(ABORT, 'broken'); END"
            )
        )
    world.now = world.now + timedelta(hours=1)
    with pytest.raises(sa.exc.IntegrityError):
        await world.app.ticks.tick(world.now)
    assert len(await round_rows(world)) == 1
    await world.app.tick()
    assert world.app.ticked_at is None
    async with world.transaction() as session:
        await session.execute(sa.text("DROP TRIGGER broken"))
    await world.app.tick()
    assert len(await round_rows(world)) == 2 and world.app.ticked_at == world.now


async def test_next_due_names_the_next_thing(world: World) -> None:
    await staff(world, "", 1)
    due = await world.app.ticks.next_due(world.now)
    assert due is not None and due[1] == MORNING
    await world.clock_strikes("07:00")
    due = await world.app.ticks.next_due(world.now)
    assert due is not None and due[1] == "remind" and due[0].astimezone(world.house.zone).time() == time(7, 30)


async def test_opening_reminding_and_closing_cost_no_statement_per_person(world: World) -> None:
    counted: list[list[int]] = []
    for number in (10, 60):
        people = await staff(world, "", number)
        counted.append([])
        for hour, minute in ((7, 0), (7, 30), (9, 0)):
            world.now = at(world, hour, minute)
            with statements(world.database) as seen:
                await world.app.ticks.tick(world.now)
            counted[-1].append(len(seen))
            await world.settle()
            if minute == 0 and hour == 7:
                await all_well(world, people[:2])
        world.now = at(world, 6, 0) + timedelta(days=2)
        await world.settle()
    # The second day concludes the zones of the first one, whatever the number of people.
    assert all(later <= earlier + 10 for earlier, later in zip(*counted, strict=True))


async def test_rounds_of_others_close_nobodys_declaration(each_world: World) -> None:
    """An answer counts until the round after the person's own next one, however many rounds other units have."""
    world = each_world
    for code, opens in (("A", time(7)), ("B", time(7, 5)), ("C", time(7, 10)), ("D", time(7, 15))):
        await world.unit(code)
        await exception(world, code, opens=opens)
    (lan,) = await staff(world, "A", 1)
    for code in ("B", "C", "D"):
        await staff(world, code, 1)
    await world.clock_strikes("07:20")
    assert len(await round_rows(world)) == 5, "of each unit, and of the organisation"
    await all_well(world, [lan])
    assert (await states(world))[lan][:2] == ("answered", "")
