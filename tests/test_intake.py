"""The way in: every update once, in any order; one that fails holds up no other; refused means not confirmed."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Sequence
from datetime import timedelta

import pytest
import sqlalchemy as sa

from domain.chat import Address, Command, Ignored, Incoming, NotStored, Outgoing, Receipt, Text, Unreadable
from handlers.dispatch import Dispatcher
from handlers.intake import Intake
from handlers.turn import House, Turn
from storage import outbox, tables, updates
from storage.database import Session
from storage.outbox import Leased, Letter
from tests.storm import prompt_button, staff, statements, well
from tests.world import World


class Failing(Dispatcher):
    """Fails for whoever writes "hỏng"; the store refuses what follows from "độc"."""

    def __init__(self, house: House, dispatcher: Dispatcher) -> None:
        super().__init__(house, dispatcher.router)

    async def answer(self, turn: Turn, incoming: Incoming) -> list[Letter]:
        if incoming.said == Text("hỏng"):
            raise RuntimeError("quoting what somebody wrote")
        letters = await super().answer(turn, incoming)
        if incoming.said == Text("độc"):
            await turn.session.execute(
                sa.text(
                    "CREATE TEMP TRIGGER no BEFORE INSERT ON outbox WHEN NEW.dedupe_key = "
                    f"'{letters[0].key}' BEGIN SELECT RAISE(ABORT, 'no'); END"
                )
            )
        return letters


def intake(world: World) -> tuple[Intake, list[Leased]]:
    handed: list[Leased] = []
    dispatcher = Failing(world.house, world.app.intake.dispatcher)
    return Intake(world.database, dispatcher, lambda: world.now, handed.extend), handed


def says(person: int, text: str) -> Incoming:
    here = Address("telegram", f"p{person}")
    return Incoming(f"{person} {text}", here, here, Text(text), raw=b"{}")


async def opened(world: World, number: int) -> list[int]:
    people = await staff(world, "", number)
    await world.clock_strikes("07:00")
    return people


@pytest.mark.parametrize("seed", range(3))
async def test_updates_repeated_in_any_order_count_once(each_world: World, seed: int) -> None:
    world, chance = each_world, random.Random(seed)
    people = await opened(world, 6)
    taps = [well(world.telegram, f"p{n}") for n in people]
    storm = [tap for tap in taps for _ in range(chance.randint(1, 5))]
    chance.shuffle(storm)
    parts = [storm[n : n + 4] for n in range(0, len(storm), 4)]
    found = await asyncio.gather(*(world.receive(part) for part in parts))
    assert all(receipt.saved for receipts in found for receipt in receipts)
    await world.settle()
    assert await world.count(tables.declaration) == 6
    assert await world.count(tables.seen_update) == 6
    assert await world.count(tables.outbox, tables.outbox.c.kind == "reply") == 6
    for person in people:
        assert str(world.telegram.screens[f"p{person}"]).count("Đã nhận khai báo") == 1


async def test_one_failing_turn_is_set_aside_and_the_others_go_on(world: World) -> None:
    people = await opened(world, 3)
    receive, handed = intake(world)
    batch = [well(world.telegram, f"p{people[0]}"), says(people[1], "hỏng"), well(world.telegram, f"p{people[2]}")]
    receipts = await receive.receive(batch)
    assert [one.saved for one in receipts] == [True, False, True]
    assert "lưu" in receipts[1].notice and len(handed) == 3
    assert await world.count(tables.declaration) == 2
    kept = (await world.rows(sa.select(tables.quarantine.c.raw, tables.quarantine.c.reason)))[0]
    assert kept.raw == b"{}" and kept.reason.startswith("RuntimeError at answer:")
    again = await receive.receive([batch[1]])
    assert again == [Receipt(saved=True)] and await world.count(tables.quarantine) == 1


async def test_what_cannot_be_read_is_set_aside_and_what_says_nothing_is_passed_over(world: World) -> None:
    here = Address("telegram", "1")
    updates_in = [
        Incoming("1", here, here, Unreadable("no message"), raw=b"?"), Incoming("2", here, here, Ignored(), raw=b"{}")
    ]  # fmt: skip
    assert [one.saved for one in await world.receive(updates_in)] == [True, True]
    async with world.database.reading() as session:
        assert await updates.waiting(session) == 1
    assert await world.count(tables.seen_update) == 2
    assert await world.count(tables.outbox) == 0


async def test_nothing_is_said_into_a_group_when_a_turn_fails(world: World) -> None:
    people = await opened(world, 1)
    receive, handed = intake(world)
    said = says(people[0], "hỏng")
    receipts = await receive.receive([Incoming("g", said.sender, Address("telegram", "-1"), said.said, raw=b"{}")])
    assert not receipts[0].saved and handed == []


async def test_replies_come_in_the_order_of_what_was_said(world: World) -> None:
    await opened(world, 1)
    receive, handed = intake(world)
    here = Address("telegram", "stranger")
    one, two = (Incoming(key, here, here, Command("help"), raw=b"{}") for key in ("1", "2"))
    receipts = await receive.receive([one, two])
    assert len(receipts) == 2
    assert [one.key for one in handed] == sorted(one.key for one in handed)


async def test_calls_that_wait_together_are_one_transaction(world: World) -> None:
    people = await opened(world, 8)
    taps = [well(world.telegram, f"p{n}") for n in people]
    with statements(world.database) as seen:
        await asyncio.gather(*(world.receive([tap]) for tap in taps))
    assert [one for one in seen if one.startswith("BEGIN")] == ["BEGIN IMMEDIATE"] * seen.count("BEGIN IMMEDIATE")
    assert seen.count("BEGIN IMMEDIATE") <= 2
    assert await world.count(tables.declaration) == 8


async def test_a_store_that_refuses_confirms_nothing_and_takes_it_the_next_time(world: World) -> None:
    people = await opened(world, 3)
    taps = [well(world.telegram, f"p{n}") for n in people]
    async with world.transaction() as session:
        await session.execute(sa.text("ALTER TABLE seen_update RENAME TO away"))
    results = await asyncio.gather(*(world.receive([tap]) for tap in taps), return_exceptions=True)
    assert [type(one) for one in results] == [NotStored] * 3
    async with world.transaction() as session:
        await session.execute(sa.text("ALTER TABLE away RENAME TO seen_update"))
    assert await world.count(tables.declaration) == 0
    assert all(one.saved for one in await world.receive(taps))


async def test_one_update_the_store_cannot_take_does_not_keep_the_others_out(world: World) -> None:
    people = await opened(world, 3)
    receive, handed = intake(world)
    batch = [well(world.telegram, f"p{people[0]}"), says(people[1], "độc"), well(world.telegram, f"p{people[2]}")]
    receipts = await receive.receive(batch)
    assert [one.saved for one in receipts] == [True, False, True]
    assert await world.count(tables.declaration) == 2 and await world.count(tables.quarantine) == 1
    assert len(handed) == 2


async def test_a_caller_who_gave_up_disturbs_nobody(world: World) -> None:
    people = await opened(world, 2)
    gone = asyncio.get_running_loop().create_task(_waits(world, [well(world.telegram, f"p{people[0]}")]))
    await asyncio.sleep(0)
    gone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gone
    assert (await world.receive([well(world.telegram, f"p{people[1]}")]))[0].saved
    assert await world.count(tables.declaration) == 2


async def _waits(world: World, batch: Sequence[Incoming]) -> Sequence[Receipt]:
    return await world.receive(batch)


async def test_a_crash_between_commit_and_handing_over_delays_the_reply_and_loses_nothing(world: World) -> None:
    people = await opened(world, 1)
    receive, _ = intake(world)  # what it hands over is lost
    await receive.receive([well(world.telegram, f"p{people[0]}")])
    await world.restart()
    for seconds in itertools.repeat(21, 3):
        world.now += timedelta(seconds=seconds)
        await world.settle()
    assert "Đã nhận khai báo" in str(world.telegram.screens[f"p{people[0]}"])
    assert prompt_button(world.telegram, f"p{people[0]}") is None


async def test_a_reply_goes_behind_an_earlier_one_that_still_waits(world: World) -> None:
    limits = {"telegram": world.telegram.capabilities}
    to = Address("telegram", "7")

    async def file(session: Session, key: str) -> list[Leased]:
        from_turn = Letter(key, "reply", Outgoing(to, key))
        return await outbox.enqueue_leased(session, [from_turn], world.now, limits)

    async with world.transaction() as session:
        await outbox.enqueue(session, [Letter("first", "reply", Outgoing(to, "first"))], world.now)
        assert await file(session, "second") == []
        assert await outbox.enqueue_leased(session, [], world.now, limits) == []
    await world.settle()
    assert [key for key, _ in world.telegram.sent] == ["first", "second"]
