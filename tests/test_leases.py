"""Leases: one holder at a time, a number that grows with each, and a frozen holder that does nothing when it wakes."""

from __future__ import annotations

import asyncio
import math
import random
import subprocess
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from bot import process
from domain.chat import Address, Incoming, Outcome, Outgoing, Receipt, Sent
from scheduler.delivery import Delivery
from scheduler.duties import LASTS, Duties, Duty
from storage import leases, outbox, tables, wakeups
from storage.database import Database
from storage.outbox import Letter
from tests.servers.bot_api import BotApi
from tests.servers.telegram_bench import account_at
from tests.storm import Hours, Wire, deliver
from tests.world import MONDAY, World, build

NAME = "send telegram"
FIVE = timedelta(seconds=5)


async def ask(database: Database, holder: str, now: datetime) -> int | None:
    async with database.transaction() as session:
        return (await leases.hold(session, [NAME], holder, now, FIVE)).get(NAME)


async def test_there_is_one_holder_at_a_time_whatever_they_do(each_database: Database) -> None:
    chance = random.Random(3)
    now, holder, number, until = MONDAY, "", 0, MONDAY
    for _ in range(200):
        now += timedelta(seconds=chance.choice((0, 1, 2, 4, 7)))
        who = chance.choice("ABC")
        if chance.random() < 0.2:
            async with each_database.transaction() as session:
                await leases.give_back(session, [NAME], who)
            holder = "" if holder == who else holder
            continue
        got = await ask(each_database, who, now)
        if who == holder:
            assert got == number
        elif holder and now < until:
            assert got is None
            continue
        else:
            assert got == number + 1
        holder, number, until = who, number + 1 if who != holder else number, now + FIVE
    assert number > 20


async def test_of_many_who_ask_at_once_one_gets_it(postgres_database: Database, postgres_url: str) -> None:
    stores = [Database(postgres_url) for _ in range(8)]
    for time in range(20):
        now = MONDAY + time * 2 * FIVE
        got = await asyncio.gather(*(ask(store, f"{time} {n}", now) for n, store in enumerate(stores)))
        assert [one for one in got if one is not None] == [time + 1]
    for store in stores:
        await store.close()


async def test_a_lease_of_a_clock_since_set_back_holds_nobody_up(each_database: Database) -> None:
    assert await ask(each_database, "A", MONDAY + timedelta(days=1)) == 1
    assert await ask(each_database, "B", MONDAY) == 2


async def test_who_looked_at_the_clock_before_the_holder_did_takes_nothing_from_it(each_database: Database) -> None:
    """Two who ask in the same moment: the second one waited for the first one's row."""
    assert await ask(each_database, "A", MONDAY) == 1
    assert await ask(each_database, "B", MONDAY - timedelta(milliseconds=40)) is None
    assert await ask(each_database, "B", MONDAY - FIVE) is None


class Stopwatch:
    """Seconds that pass when told."""

    def __init__(self) -> None:
        self.shows = 100.0

    def __call__(self) -> float:
        return self.shows


async def runs_out(database: Database) -> None:
    """The holder has not been heard of for long."""
    async with database.transaction() as session:
        await session.execute(tables.lease.update().values(until_at=MONDAY - timedelta(days=999)))


async def test_a_frozen_holder_knows_by_the_clock_and_its_successor_by_the_number(postgres_database: Database) -> None:
    watch = Stopwatch()
    first, second = Duties(postgres_database, "A", watch), Duties(postgres_database, "B", watch)
    old, new = first.seek(NAME), second.seek(NAME)
    await first.renew()
    await second.renew()
    assert (old.is_ours(), new.is_ours()) == (True, False)

    watch.shows += LASTS.total_seconds()
    assert not old.is_ours()
    await runs_out(postgres_database)
    await second.renew()
    async with postgres_database.transaction() as session:
        assert await new.is_still_ours(session)
        assert not await leases.is_held(session, NAME, old.number)

    await first.renew()
    assert (old.is_ours(), new.is_ours(), new.number) == (False, True, 2)


async def test_what_is_given_back_is_taken_at_once(postgres_database: Database) -> None:
    watch = Stopwatch()
    first, second = Duties(postgres_database, "A", watch), Duties(postgres_database, "B", watch)
    old, new = first.seek(NAME), second.seek(NAME)
    await first.renew()
    await first.give_back()
    await second.renew()
    assert (old.is_ours(), new.is_ours(), new.number) == (False, True, 2)


async def test_nobody_waits_for_one_that_is_gone_for_certain(postgres_database: Database) -> None:
    watch = Stopwatch()
    killed, left = Duties(postgres_database, "A", watch), Duties(postgres_database, "C", watch)
    killed.seek(NAME)
    left.seek("other")
    await killed.renew()
    await left.renew()
    second = Duties(postgres_database, "B", watch, lambda holder: holder == "A")
    ours, theirs = second.seek(NAME), second.seek("other")
    await second.renew()
    assert (ours.is_ours(), ours.number, theirs.is_ours()) == (True, 2, False)


def test_a_process_knows_which_others_of_its_machine_are_gone() -> None:
    own = process.own_name()
    machine, _, chance = own.split()
    with subprocess.Popen(["true"]) as ended:
        ended.wait()
    assert own != process.own_name()
    assert not process.is_gone(own)
    assert process.is_gone(f"{machine} {ended.pid} {chance}")
    assert not process.is_gone(f"elsewhere {ended.pid} {chance}")


async def test_work_goes_on_while_the_duty_is_ours_and_begins_again_with_it() -> None:
    duty, begun, ended = Duty(NAME, lambda: 0.0, -math.inf), asyncio.Queue[int](), asyncio.Queue[int]()

    async def work() -> None:
        begun.put_nowait(duty.number)
        try:
            await asyncio.Event().wait()
        finally:
            ended.put_nowait(duty.number)

    working = asyncio.create_task(duty.while_ours(work))
    for number in (1, 2):
        duty.note(number, 1000.0)
        assert await begun.get() == number
        duty.note(None, 1000.0)
        assert await ended.get() == number
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
    assert begun.empty()


async def test_work_that_ended_by_itself_is_taken_up_again_if_the_duty_is_still_ours() -> None:
    """The poller ends as soon as the lease has run out; it may be renewed a moment later."""
    duty, begun = Duty(NAME, lambda: 0.0, 1000.0), asyncio.Semaphore(0)

    async def work() -> None:
        begun.release()
        await asyncio.sleep(0)

    working = asyncio.create_task(duty.while_ours(work))
    for _ in range(3):
        await begun.acquire()
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)


async def test_work_that_fails_is_taken_up_again_after_a_moment() -> None:
    duty, failures = Duty(NAME, lambda: 0.0, 1000.0), [ZeroDivisionError(), KeyError("x")]
    works = asyncio.Event()

    async def work() -> None:
        if failures:
            raise failures.pop()
        works.set()
        await asyncio.Event().wait()

    working = asyncio.create_task(duty.while_ours(work))
    await works.wait()
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)


# Sending


async def filed(world: World, number: int) -> None:
    async with world.transaction() as session:
        letters = [Letter(f"n{n}", "notice", Outgoing(Address("telegram", f"p{n}"), "chào")) for n in range(number)]
        await outbox.enqueue(session, letters, world.now)


def sender(world: World, hours: Hours, duty: Duty) -> tuple[Delivery, Wire]:
    wire = Wire(hours)
    return Delivery(wire, world.database, lambda: hours.now, hours.sleep_until, duty=duty), wire


@dataclass
class Slow(Wire):
    """Takes the message at once and says so late."""

    answers: asyncio.Event = field(default_factory=asyncio.Event)

    async def send(self, message: Outgoing, key: str) -> Outcome:
        await self.answers.wait()
        return Sent("old")


async def test_who_stands_by_claims_and_sends_nothing(each_world: World) -> None:
    await filed(each_world, 3)
    hours = Hours(each_world.now)
    delivery, wire = sender(each_world, hours, Duty(until=-math.inf))
    await deliver(delivery, hours, seconds=5)
    assert not wire.arrived
    assert await each_world.count(tables.outbox, tables.outbox.c.state == "waiting") == 3


async def test_a_sender_frozen_with_letters_in_hand_gives_them_up_when_it_wakes(world: World) -> None:
    """Each is sent once: by its successor."""
    await filed(world, 40)
    hours = Hours(world.now)
    watch = Stopwatch()
    frozen, wire = sender(world, hours, Duty("", watch, 105.0))
    await frozen.step()
    assert frozen._tasks
    watch.shows = 106.0
    successor, other = sender(world, hours, Duty("", watch))
    await deliver(frozen, hours, seconds=5)
    assert not wire.arrived
    await deliver(successor, hours)
    assert sorted(message.to.chat_id for _, message in other.arrived) == sorted(f"p{n}" for n in range(40))
    assert await world.count(tables.outbox, tables.outbox.c.state == "sent") == 40


async def test_a_sender_with_an_old_number_claims_nothing_whatever_its_clock_says(
    postgres_database: Database,
) -> None:
    """As after a machine was frozen with all its clocks."""
    world = await build(postgres_database)
    await filed(world, 3)
    assert await ask(postgres_database, "A", MONDAY) == 1
    assert await ask(postgres_database, "B", MONDAY + 2 * FIVE) == 2
    hours = Hours(world.now)
    old, wire = sender(world, hours, Duty(NAME, lambda: 0.0, math.inf, number=1))
    await deliver(old, hours, seconds=3)
    assert not wire.arrived
    new, wire = sender(world, hours, Duty(NAME, lambda: 0.0, math.inf, number=2))
    await deliver(new, hours, seconds=5)
    assert len(wire.arrived) == 3


async def test_the_result_of_an_old_holder_does_not_overwrite_its_successors(each_world: World) -> None:
    """The first one's answer comes after the letter was sent anew; its failure must not undo that."""
    world = each_world
    await filed(world, 1)
    hours = Hours(world.now)
    wire = Slow(hours)
    old = Delivery(wire, world.database, lambda: hours.now, hours.sleep_until)
    await old.step()
    new, _ = sender(world, hours, Duty())
    hours.move(hours.now + timedelta(seconds=61))
    await new.step()
    hours.move(hours.now + timedelta(seconds=21))
    await deliver(new, hours)
    sent = (await world.rows(sa.select(tables.outbox)))[0]
    assert (sent.state, sent.message_id) == ("sent", "1")
    wire.answers.set()
    await old.drain()
    assert (await world.rows(sa.select(tables.outbox)))[0] == sent


async def test_limits_hold_over_a_change_of_hands(world: World) -> None:
    await filed(world, 90)
    hours = Hours(world.now)
    first, wire = sender(world, hours, Duty(number=1))
    await deliver(first, hours, seconds=1.2)
    first.duty.until = -math.inf
    second, _ = sender(world, hours, Duty(number=2))
    second.channel = wire
    await deliver(second, hours)
    await deliver(first, hours, seconds=2)
    await deliver(second, hours)
    assert len(wire.arrived) == 90
    assert wire.busiest(timedelta(seconds=1)) <= 30


# Listening


async def test_a_poller_that_lost_its_lease_while_storing_does_not_poll_again() -> None:
    may = [True]

    async def frozen(batch: Sequence[Incoming]) -> Sequence[Receipt]:
        may[0] = False
        return [Receipt(saved=True) for _ in batch]

    async with BotApi() as server:
        server.user(101)
        await server.says(101, "một")
        account = account_at(server)
        await account.listen(frozen, lambda: may[0])
        assert server.calls.count("getUpdates") == 1
        assert len(server.pending) == 1  # whoever listens now has it again, and knows it
        await account.close()


# Wake-ups


@asynccontextmanager
async def hearing(database: Database) -> AsyncIterator[asyncio.Queue[str]]:
    heard = asyncio.Queue[str]()
    ear = asyncio.create_task(wakeups.hear(database, heard.put_nowait, again_after=0.0))
    assert await heard.get() == wakeups.EVERYTHING
    yield heard
    ear.cancel()
    await asyncio.gather(ear, return_exceptions=True)


async def test_word_comes_with_the_commit_and_once(postgres_database: Database, postgres_url: str) -> None:
    other = Database(postgres_url)
    async with hearing(other) as heard:
        async with postgres_database.transaction() as session:
            await wakeups.tell(session, ["shown b", "letters"])
            await wakeups.tell(session, ["letters"])
            async with other.transaction() as theirs:
                await wakeups.tell(theirs, ["files"])
        assert [await heard.get() for _ in range(3)] == ["files", "letters", "shown b"]
        assert heard.empty()
    await other.close()


async def _told_and_failed(database: Database) -> None:
    async with database.transaction() as session:
        await wakeups.tell(session, ["letters"])
        raise ZeroDivisionError


async def test_what_is_rolled_back_is_not_told(postgres_database: Database) -> None:
    async with hearing(postgres_database) as heard:
        with pytest.raises(ZeroDivisionError):
            await _told_and_failed(postgres_database)
        async with postgres_database.transaction() as session:
            await wakeups.tell(session, ["files"])
        assert await heard.get() == "files"


async def test_a_broken_line_is_repaired(postgres_database: Database) -> None:
    others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'"
    async with hearing(postgres_database) as heard:
        async with postgres_database.transaction() as session:
            await session.execute(sa.text(others))
        assert await heard.get() == wakeups.EVERYTHING
        async with postgres_database.transaction() as session:
            await wakeups.tell(session, ["files"])
        assert await heard.get() == "files"
