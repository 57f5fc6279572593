"""The outbox: filed once by name, claimed once by lease, by lane, one per chat, and waiting its turn."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from domain.chat import Address, Outgoing
from storage import outbox, tables
from storage.database import Database
from storage.outbox import Claim, Kind, Letter
from tests.storm import staff, statements
from tests.world import MONDAY, World

NOW = MONDAY


def letter(key: str, chat: str = "7", kind: Kind = "notice", replaces: str | None = None) -> Letter:
    return Letter(key, kind, Outgoing(Address("telegram", chat), key, replaces=replaces))


async def file(database: Database, *letters: Letter) -> int:
    async with database.transaction() as session:
        return await outbox.enqueue(session, letters, NOW)


async def claim(world: World, database: Database | None = None, most: int = 100, seconds: float = 0) -> Claim:
    async with (database or world.database).transaction() as session:
        at = NOW + timedelta(seconds=seconds)
        return await outbox.claim(session, "telegram", at, world.telegram.capabilities, most)


async def test_a_letter_is_filed_once_by_its_name(each_world: World) -> None:
    database = each_world.database
    assert await file(database, letter("a"), letter("b")) == 2
    assert await file(database, letter("b"), letter("c")) == 1
    assert await file(database) == 0
    assert await each_world.count(tables.outbox) == 3


async def test_letters_are_claimed_by_lane_and_one_per_chat(each_world: World) -> None:
    world = each_world
    await file(
        world.database,
        letter("closing", "1", "closing"),
        letter("first", "2"),
        letter("second", "2"),
        letter("reply", "3", "reply"),
    )
    assert [one.key for one in (await claim(world)).letters] == ["reply", "first", "closing"]
    assert [one.key for one in (await claim(world)).letters] == ["second"]
    assert (await claim(world)).letters == []


async def test_processes_claim_each_letter_once(each_world: World) -> None:
    world = each_world
    url = world.database.url.render_as_string(hide_password=False)
    stores = [Database(url) for _ in range(4)]
    await file(world.database, *(letter(str(n), str(n)) for n in range(40)))
    found = await asyncio.gather(*(claim(world, store, most=15) for store in stores))
    keys = [one.key for each in found for one in each.letters]
    assert len(keys) == len(set(keys)) >= 30
    for store in stores:
        await store.close()


async def test_a_page_full_of_what_may_not_go_out_is_not_the_end(world: World) -> None:
    people = await staff(world, "", 5)
    here = [Letter(f"old {n}", "notice", Outgoing(Address("telegram", "elsewhere"), "?"), person_id=n) for n in people]
    await file(world.database, *here, letter("good"))
    first = await claim(world, most=5)
    assert first.letters == [] and first.more_at == NOW
    assert [one.key for one in (await claim(world, most=5)).letters] == ["good"]


async def test_of_two_edits_of_one_message_only_the_newer_goes_out(each_world: World) -> None:
    world = each_world
    await file(
        world.database, letter("old", replaces="5"), letter("new", replaces="5"), letter("other", "8", replaces="5")
    )
    assert {one.key for one in (await claim(world)).letters} == {"new", "other"}
    assert await world.count(tables.outbox, tables.outbox.c.state == "withdrawn") == 1


async def test_the_next_look_is_when_the_next_letter_is_due(world: World) -> None:
    await file(world.database, letter("later"))
    at = NOW + timedelta(seconds=20)
    async with world.transaction() as session:
        await session.execute(tables.outbox.update().values(due_at=at))
    assert await claim(world) == Claim([], at)
    assert [one.key for one in (await claim(world, seconds=20)).letters] == ["later"]
    assert await claim(world) == Claim([], None)


async def test_the_backlog_is_what_is_due_and_not_taken(world: World) -> None:
    await file(world.database, letter("a"), letter("b", "8"))
    async with world.database.reading() as session:
        assert await outbox.backlog(session, NOW + timedelta(seconds=5)) == [("telegram", 2, NOW)]


async def test_what_was_sent_is_recorded_in_one_statement(world: World) -> None:
    counted = []
    for number in (5, 50):
        await staff(world, "", number)
    for start, number in ((1000, 5), (2000, 50)):
        await file(world.database, *(letter(f"{start}{n}", f"{start}{n}") for n in range(number)))
        delivery = world.app.deliveries["telegram"]
        await delivery.step()
        await asyncio.gather(*delivery._tasks)
        with statements(world.database) as seen:
            await delivery.step()
        counted.append(len(seen))
    assert counted[0] == counted[1]
    assert await world.count(tables.outbox, tables.outbox.c.state == "sent") == 55
