"""Outages: whatever keeps the bot from running, nobody is missed or asked twice, and what was missed is said."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
import sqlalchemy as sa

from domain.campaign import MORNING
from domain.chat import Sent, Unknown
from domain.policy import Role
from handlers import by_hand
from storage import tables, units
from tests.storm import all_well, away, prompts_to, recount, round_rows, staff
from tests.world import ZONE, World

OUTAGES = [
    ("06:59:59", 1), ("06:59:59", 31 * 60), ("06:59:59", 2 * 3600 + 1), ("06:59:59", 36 * 3600),
    ("07:00:01", 45 * 60), ("07:00:01", 10 * 3600), ("07:29:59", 1), ("08:14:59", 45), ("08:29:30", 45),
    ("08:29:30", 24 * 3600), ("08:59:59", 1), ("08:59:59", 36 * 3600), ("17:00:00", 2 * 3600), ("17:00:00", 24 * 3600),
]  # fmt: skip


async def jump(world: World, to: datetime) -> None:
    """The process is gone until then, and another one starts."""
    world.now = to.astimezone(UTC)
    await world.restart()


async def ties_out(world: World) -> None:
    """Everybody due is answered, excused, was asked, or is listed with the reason why not (B4)."""
    rows = await world.rows(
        sa.select(tables.ask.c.state, tables.ask.c.reach, sa.func.count()).group_by(
            tables.ask.c.state, tables.ask.c.reach
        )
    )
    due = await world.count(tables.ask)
    answered = sum(row[2] for row in rows if row[0] in ("answered", "excused"))
    asked = sum(row[2] for row in rows if row[0] in ("due", "missed") and row[1] == "delivered")
    listed = sum(row[2] for row in rows if row[0] in ("due", "missed") and row[1] != "delivered")
    assert answered + asked + listed == due
    people = await world.count(tables.person)
    for of in await round_rows(world):
        assert await world.count(tables.ask, tables.ask.c.round_id == of.id) == people


@pytest.mark.parametrize(("start", "seconds"), OUTAGES)
async def test_an_outage_of_any_length_misses_nobody_and_repeats_nothing(
    world: World, start: str, seconds: int
) -> None:
    people = await staff(world, "", 2)
    head = await world.enrolled("hoa", role=Role.HEAD)
    down = datetime.combine(date(2026, 11, 23), time.fromisoformat(start), ZONE)
    for at in ("07:00", "07:30", "08:15", "08:30", "09:00", "16:30"):
        if down.strftime("%H:%M") >= at:
            await world.clock_strikes(at)
    if down.time() > time(7):
        await all_well(world, people[:1])
    back = down + timedelta(seconds=seconds)
    await jump(world, back)
    assert await world.app.ticks.tick(world.now) == 0, "everything due has been done"
    made = await round_rows(world)
    asked = prompts_to(world.telegram)
    for of in made:
        assert of.closed_at is not None or of.closes_at > world.now
        assert of.not_asked is (of.opened_at >= of.closes_at)
    rounds_asked = len([of for of in made if not of.not_asked])
    assert all(number <= rounds_asked for number in asked.values())
    assert asked[head.chat_id] == rounds_asked, "the head answered nothing and was asked in each round"
    assert asked[f"p{people[1]}"] == rounds_asked
    reminders = prompts_to(world.telegram, "reminder")
    assert all(number <= 2 * max(len(made), 1) for number in reminders.values())
    if world.house.allowance.quiet_until(world.now):
        await world.clock_strikes("06:00")
    for of in made:
        if of.not_asked:
            head.sees("không hỏi được ai do hệ thống gián đoạn")
    await ties_out(world)


async def test_several_days_and_a_weekend(world: World) -> None:
    await staff(world, "", 2)
    head = await world.enrolled("hoa", role=Role.HEAD)
    await jump(world, datetime(2026, 11, 27, 18, 0, tzinfo=ZONE))
    await jump(world, datetime(2026, 12, 1, 12, 0, tzinfo=ZONE))
    made = await round_rows(world)
    assert [(of.day.day, of.kind) for of in made if not of.not_asked] == [(27, "afternoon")]
    assert [of.day.day for of in made if of.kind == MORNING] == [23, 25, 26, 27, 30, 1], "the 24th is a public holiday"
    assert prompts_to(world.telegram, "missing").total() == 1, "no list of everybody for a round nobody could answer"
    summaries = tables.outbox.c.kind == "summary"
    assert await world.count(tables.outbox, summaries, tables.outbox.c.state.in_(("sent", "waiting"))) == len(made)
    assert head.screen.count("Tổng hợp") <= len(made)
    await ties_out(world)


async def test_a_round_opened_late_asks_and_does_not_remind_in_the_same_breath(world: World) -> None:
    people = await staff(world, "", 1)
    await jump(world, datetime(2026, 11, 23, 7, 40, tzinfo=ZONE))
    assert prompts_to(world.telegram) == {f"p{people[0]}": 1}
    assert prompts_to(world.telegram, "reminder") == {}
    await world.clock_strikes("08:15")
    assert prompts_to(world.telegram, "reminder") == {f"p{people[0]}": 1}


async def test_of_several_reminders_missed_only_the_latest_goes_out(world: World) -> None:
    people = await staff(world, "", 1)
    await world.clock_strikes("07:01")
    await jump(world, datetime(2026, 11, 23, 8, 20, tzinfo=ZONE))
    assert prompts_to(world.telegram, "reminder") == {f"p{people[0]}": 1}
    kept = await world.rows(
        sa.select(tables.round_step.c.number, tables.round_step.c.outcome)
        .where(tables.round_step.c.kind == "remind")
        .order_by(tables.round_step.c.number)
    )
    assert [tuple(row) for row in kept] == [(1, "skipped"), (2, "done")]


async def test_heads_learn_who_was_missing_even_after_the_deadline(world: World) -> None:
    await world.person("khách")
    head = await world.enrolled("hoa", role=Role.HEAD)
    await world.clock_strikes("08:00")
    await jump(world, datetime(2026, 11, 23, 10, 0, tzinfo=ZONE))
    head.sees("Khách: chưa đăng ký", "Tổng hợp")


async def test_prompts_still_unsent_at_the_close_are_withdrawn_and_their_people_listed(world: World) -> None:
    people = await staff(world, "", 3)
    world.now = datetime(2026, 11, 23, 7, 0, tzinfo=ZONE).astimezone(UTC)
    await world.app.ticks.tick(world.now)
    await jump(world, datetime(2026, 11, 23, 9, 0, tzinfo=ZONE))
    assert prompts_to(world.telegram) == {}
    found = (await recount(world, date(2026, 11, 23), MORNING))["/1/"]
    assert found["missing"] == len(people)
    await ties_out(world)


async def test_a_crash_between_sending_and_recording_costs_one_extra_copy_at_most(world: World) -> None:
    people = await staff(world, "", 3)
    arrived: list[str] = []

    async def crash_after_sending(letters: int) -> None:
        """Send, then lose what became of it: claimed rows stay claimed."""
        delivery = world.app.deliveries["telegram"]
        await delivery.step()
        for _ in range(letters * 4):
            if delivery._tasks:
                await next(iter(delivery._tasks))
        arrived.extend(one.letter.key for one in delivery._results if isinstance(one.outcome, Sent))

    world.now = datetime(2026, 11, 23, 7, 0, tzinfo=ZONE).astimezone(UTC)
    await world.app.ticks.tick(world.now)
    await crash_after_sending(3)
    assert len(arrived) == 3
    for minutes in (1, 2):
        world.now += timedelta(minutes=minutes)
        await world.restart()
        world.now += timedelta(seconds=21)
        await world.app.ticks.tick(world.now)
        await crash_after_sending(3)
    world.now += timedelta(minutes=5)
    await world.restart()
    await world.settle()
    assert set(prompts_to(world.telegram).values()) == {2}, "once more after an unknown outcome, never a third time"
    states = await world.rows(
        sa.select(tables.outbox.c.state, tables.outbox.c.unknowns).where(tables.outbox.c.kind == "prompt")
    )
    assert {tuple(row) for row in states} == {("unknown", 2)}
    reach = {row[0] for row in await world.rows(sa.select(tables.ask.c.reach))}
    assert reach == {"unknown"} and len(people) == 3


async def test_a_crash_before_anything_was_sent_loses_nothing(world: World) -> None:
    await staff(world, "", 3)
    world.now = datetime(2026, 11, 23, 7, 0, tzinfo=ZONE).astimezone(UTC)
    await world.app.ticks.tick(world.now)
    async with world.transaction() as session:
        await session.execute(
            tables.outbox.update().values(state="sending", lease=1, leased_until=world.now + timedelta(minutes=1))
        )
    await world.restart()
    world.now += timedelta(seconds=20)
    await world.settle()
    assert set(prompts_to(world.telegram).values()) == {1} and len(prompts_to(world.telegram)) == 3


async def test_a_second_attempt_that_fails_for_certain_is_not_called_unknown(world: World) -> None:
    await staff(world, "", 1)
    world.telegram.faults = [Unknown("gone quiet")]
    await world.clock_strikes("07:00")
    world.now += timedelta(seconds=20)
    await world.settle()
    reach = {row[0] for row in await world.rows(sa.select(tables.ask.c.reach))}
    assert reach == {"delivered"}


async def test_a_round_that_an_outage_swallowed_is_held_by_hand_and_everybody_counts_once(each_world: World) -> None:
    world = each_world
    lan, minh = await world.enrolled("lan"), await world.enrolled("minh")
    hoa = await world.enrolled("hoa", role=Role.HEAD)
    await away(world, 3, date(2026, 11, 23), date(2026, 11, 23))
    await world.down_until("12:00")
    await lan.type("/today")
    await lan.tap("Tôi khỏe")
    async with world.transaction() as session:
        root = await units.root(session)
        assert root
        await by_hand.open_round(session, ZONE, MORNING, root, time(13), world.now, "cli")
    await world.settle()
    assert prompts_to(world.telegram) == {minh.chat_id: 1}
    await minh.tap("Tôi khỏe")
    await world.clock_strikes("13:00")
    figures = (await recount(world, date(2026, 11, 23), MORNING))["/1/"]
    assert (figures["due"], figures["answered"], figures["late"], figures["excused"]) == (3, 2, 1, 1)
    assert hoa.screen.count("Tổng hợp khai báo buổi sáng") == 2, "of the round nobody was asked in, and of this one"
    assert "Đã khai: 2/2 (100%)" in hoa.screen.rpartition("Tổng hợp khai báo buổi sáng")[2]
