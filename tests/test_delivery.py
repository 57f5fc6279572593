"""Delivery: as fast as the limits allow and never faster, replies first, in order, and waiting when told to."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from domain.chat import Address, Outcome, Outgoing, RetryLater, Unknown
from scheduler.delivery import BEGIN_WITHIN, Delivery, Departure, Window
from storage import outbox, tables
from storage.budget import GUARD
from storage.outbox import Letter
from storage.settlement import Settled
from tests.phone import Messenger
from tests.storm import Hours, Wire, deliver, staff
from tests.world import World

SECOND = timedelta(seconds=1)


def line(world: World, hours: Hours | None = None, **changes: object) -> tuple[Delivery, Wire, Hours]:
    hours = hours or Hours(world.now)
    wire = Wire(hours)
    wire.capabilities = replace(wire.capabilities, **changes)  # type: ignore[arg-type]
    return Delivery(wire, world.database, lambda: hours.now, hours.sleep_until), wire, hours


async def write(world: World, *chats: str, kind: outbox.Kind = "notice", to_group: bool = False) -> None:
    async with world.transaction() as session:
        number = (await session.execute(sa.select(sa.func.count()).select_from(tables.outbox))).scalar_one()
        letters = [
            Letter(
                f"{kind} {number + n}",
                kind,
                Outgoing(Address("telegram", chat), f"{kind} {number + n}"),
                to_group=to_group,
            )
            for n, chat in enumerate(chats)
        ]
        await outbox.enqueue(session, letters, world.now)


async def reply(world: World, delivery: Delivery, hours: Hours, chat: str) -> None:
    """What the intake does with a reply: filed leased, handed over."""
    letter = Letter(f"reply {chat} {hours.now}", "reply", Outgoing(Address("telegram", chat), "Đã nhận"))
    async with world.transaction() as session:
        leased = await outbox.enqueue_leased(session, [letter], hours.now, {"telegram": delivery.channel.capabilities})
    delivery.hand_over(leased)


async def test_a_round_of_prompts_takes_the_limits_own_time_and_no_second_is_over_it(world: World) -> None:
    number = 120
    await staff(world, "", number)
    delivery, wire, hours = line(world)
    hours.move(world.now + timedelta(hours=1))
    await world.app.ticks.tick(hours.now)
    began = hours.now
    waited = []
    for n in range(4):
        await deliver(delivery, hours, seconds=1.5)
        asked = hours.now
        await reply(world, delivery, hours, f"somebody {n}")
        await deliver(delivery, hours, seconds=0.3)
        waited += [at - asked for at, message in wire.arrived if message.to.chat_id == f"somebody {n}"]
    await deliver(delivery, hours)
    assert len(wire.arrived) == number + 4
    assert wire.busiest(SECOND) <= 30
    assert wire.arrived[-1][0] - began <= timedelta(seconds=1.03 * (number + 4) / 30 + 0.1)
    assert len(waited) == 4 and max(waited) < SECOND


async def test_the_limit_holds_when_the_event_loop_is_late_at_random(world: World) -> None:
    chance = random.Random(5)
    delivery, wire, hours = line(world, Hours(world.now, lambda: timedelta(seconds=chance.choice((0, 0, 0, 0.3, 0.9)))))
    await write(world, *(str(n) for n in range(150)))
    await deliver(delivery, hours)
    assert len(wire.arrived) == 150
    assert wire.busiest(SECOND) <= 30


def arrivals(window: Window, number: int, travels: Callable[[], timedelta], at: datetime) -> list[datetime]:
    """When messages that leave as soon as the window allows reach the service; answers come as they are due."""
    arrived, answers = list[datetime](), list[tuple[datetime, Departure]]()
    while len(arrived) < number:
        for when, departure in [one for one in answers if one[0] <= at]:
            window.answered(departure, when)
        answers = [one for one in answers if one[0] > at]
        if (free_at := window.free_at(at)) > at:
            at = min([free_at, *(when for when, _ in answers)])
            continue
        there, back = travels(), travels()
        answers.append((at + there + back, window.leave(at)))
        arrived.append(at + there)
    return sorted(arrived)


@pytest.mark.parametrize(("least", "jitter"), [(0, 0), (150, 0), (0, 40), (30, 20), (80, 50)])
def test_no_second_of_the_service_is_over_the_limit_however_uneven_the_line(
    world: World, least: int, jitter: int
) -> None:
    chance = random.Random(7)
    at = arrivals(Window(30.0), 600, lambda: timedelta(milliseconds=least + chance.uniform(0, jitter)), world.now)
    assert all(later - earlier > SECOND for earlier, later in zip(at, at[30:], strict=False))
    slack = 1.04 if not jitter else 1.12
    assert at[-1] - at[0] <= timedelta(seconds=slack * 20)


def test_who_takes_over_from_a_killed_process_counts_what_it_may_have_sent(world: World) -> None:
    sent = [world.now + n * timedelta(seconds=GUARD / 30) for n in range(90)]
    successor = Window(30.0)
    successor.begin(sent[-1])
    sent += arrivals(successor, 90, timedelta, sent[-1])
    assert all(later - earlier > SECOND for earlier, later in zip(sent, sent[30:], strict=False))


def test_a_window_survives_a_clock_that_is_set_back_and_a_pace_below_one_a_second(world: World) -> None:
    window, at = Window(2.0), world.now
    window.leave(at)
    window.leave(at)
    assert window.free_at(at) > at + SECOND
    assert window.free_at(at - timedelta(hours=2)) == at - timedelta(hours=2)
    slow = Window(0.5)
    slow.leave(at)
    assert slow.free_at(at + 2 * SECOND) > at + 2 * SECOND
    assert slow.free_at(at + 3 * SECOND) == at + 3 * SECOND


async def test_a_private_chat_takes_three_at_once_and_then_one_a_second_in_order(world: World) -> None:
    delivery, wire, hours = line(world)
    await write(world, *(["7"] * 8))
    await write(world, "8")
    await deliver(delivery, hours)
    assert wire.busiest(SECOND, "7") == 3
    assert [m.text for _, m in wire.arrived if m.to.chat_id == "7"] == [f"notice {n}" for n in range(8)]
    mine = [at for at, message in wire.arrived if message.to.chat_id == "7"]
    assert timedelta(seconds=4.9) <= mine[-1] - mine[0] <= timedelta(seconds=6)
    assert next(at for at, m in wire.arrived if m.to.chat_id == "8") - mine[0] < SECOND


async def test_a_group_takes_twenty_a_minute(world: World) -> None:
    delivery, wire, hours = line(world)
    await write(world, *(["-5"] * 25), to_group=True)
    await deliver(delivery, hours)
    assert len(wire.arrived) == 25 and wire.busiest(timedelta(minutes=1)) <= 20


async def test_a_flood_in_one_chat_does_not_hold_up_others(world: World) -> None:
    delivery, wire, hours = line(world)
    await write(world, *(["7"] * 300), kind="reply")
    await write(world, *(str(n) for n in range(100, 110)), kind="reply")
    began = hours.now
    await deliver(delivery, hours, seconds=3)
    others = [at for at, message in wire.arrived if message.to.chat_id != "7"]
    assert len(others) == 10 and max(others) - began < SECOND


async def test_replies_overtake_waiting_prompts(world: World) -> None:
    delivery, wire, hours = line(world)
    await staff(world, "", 60)
    hours.move(world.now + timedelta(hours=1))
    await world.app.ticks.tick(hours.now)
    world.now = hours.now
    await write(world, *(str(n) for n in range(5)), kind="reply")
    await deliver(delivery, hours, seconds=1)
    assert [m.text[:5] for _, m in wire.arrived[:5]] == ["reply"] * 5


async def test_no_call_inside_a_wait_of_the_account(world: World) -> None:
    delivery, wire, hours = line(world)
    orders = iter([None, None, RetryLater(30, whole_account=True)])

    def outcome(message: Outgoing) -> Outcome | None:
        return next(orders, None)

    wire.outcome = outcome
    await write(world, *(str(n) for n in range(40)))
    await deliver(delivery, hours)
    until = wire.arrived[2][0] + timedelta(seconds=30)
    assert [at for at, _ in wire.arrived[3:] if at < until] == []
    assert len(wire.arrived) == 41


async def test_a_send_without_an_answer_is_unknown_and_one_that_raises_too(world: World) -> None:
    delivery, wire, hours = line(world)

    class Stuck(Wire):
        async def send(self, message: Outgoing, key: str) -> Outcome:
            if message.to.chat_id == "raises":
                raise RuntimeError("our own mistake")
            await asyncio.Event().wait()
            raise AssertionError

    told: list[Settled] = []
    stuck = Stuck(hours, capabilities=replace(wire.capabilities, per_second=None))
    delivery = Delivery(stuck, world.database, lambda: hours.now, hours.sleep_until, told.extend, 0.01)
    await write(world, "stuck", "raises")
    await delivery.drain()
    assert {one.letter.message.to.chat_id: one.outcome for one in told} == {
        "stuck": Unknown("no answer in time"),
        "raises": Unknown("RuntimeError"),
    }


async def test_a_letter_that_comes_too_late_to_the_wire_is_given_back(world: World) -> None:
    delivery, wire, hours = line(world)
    await write(world, "7")
    await delivery.step()
    hours.now += BEGIN_WITHIN + 2 * SECOND  # the process was frozen
    await asyncio.gather(*delivery._tasks)
    assert wire.arrived == []
    await delivery.drain()
    assert len(wire.arrived) == 1
    rows = await world.rows(sa.select(tables.outbox.c.state, tables.outbox.c.unknowns))
    assert [tuple(row) for row in rows] == [("sent", 0)]


async def test_stopping_lets_messages_arrive_and_records_them(world: World) -> None:
    delivery, _wire, hours = line(world, per_second=None, chat_interval=0.0, group_per_minute=None)
    await reply(world, delivery, hours, "7")
    await delivery.stop()
    assert [row[0] for row in await world.rows(sa.select(tables.outbox.c.state))] == ["sent"]
    await delivery.stop()


async def test_delivery_runs_until_cancelled_and_outlives_a_failing_store(world: World) -> None:
    delivery, wire, _hours = line(world, per_second=None, chat_interval=0.0, group_per_minute=None)
    async with world.transaction() as session:
        await session.execute(sa.text("ALTER TABLE outbox RENAME TO away"))
    running = asyncio.get_running_loop().create_task(delivery.run())
    while not delivery._more.is_set():
        await asyncio.sleep(0)
        delivery.wake()
    async with world.transaction() as session:
        await session.execute(sa.text("ALTER TABLE away RENAME TO outbox"))
    await write(world, "7")
    while not wire.arrived:
        delivery.wake()
        await asyncio.sleep(0.005)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await delivery.stop()
    assert [row[0] for row in await world.rows(sa.select(tables.outbox.c.state))] == ["sent"]


async def test_what_could_not_be_settled_is_settled_later(world: World) -> None:
    delivery, wire, _hours = line(world)
    await write(world, "7")
    await delivery.step()
    await asyncio.gather(*delivery._tasks)
    async with world.transaction() as session:
        await session.execute(sa.text("ALTER TABLE outbox RENAME TO away"))
    with pytest.raises(sa.exc.OperationalError):
        await delivery.step()
    async with world.transaction() as session:
        await session.execute(sa.text("ALTER TABLE away RENAME TO outbox"))
    await delivery.drain()
    assert len(wire.arrived) == 1
    assert [row[0] for row in await world.rows(sa.select(tables.outbox.c.state))] == ["sent"]


async def test_a_letter_that_arrives_while_others_are_being_settled_is_settled_too(world: World) -> None:
    await write(world, "somebody")
    may_arrive = asyncio.Event()

    class Slow(Messenger):
        async def send(self, message: Outgoing, key: str) -> Outcome:
            await may_arrive.wait()
            return await Messenger.send(self, message, key)

    async def at_once(slot: datetime) -> None:
        """The letter is on its way from the first step on."""

    delivery = Delivery(Slow("telegram"), world.database, lambda: world.now, at_once)
    await delivery.step()
    await asyncio.sleep(0)
    await delivery.step()
    may_arrive.set()
    await delivery.drain()
    assert await world.count(tables.outbox, tables.outbox.c.state == "sent") == 1
