"""The gate before the wire: what a chat may no longer see when it is sent is not sent."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa

from domain.chat import Address
from domain.policy import Role
from storage import bindings, people, posts, tables, units
from storage.database import Session
from tests.storm import all_well, staff
from tests.world import World

Change = Callable[[World, Session, int], Awaitable[None]]


async def decline(world: World, session: Session, person: int) -> None:
    await session.execute(tables.person.update().where(tables.person.c.id == person).values(consent="declined"))


async def leave(world: World, session: Session, person: int) -> None:
    await session.execute(tables.person.update().where(tables.person.c.id == person).values(left_at=world.now))


async def lose_chat(world: World, session: Session, person: int) -> None:
    await people.lost(session, Address("telegram", f"p{person}"), "blocked", world.now)


async def give_chat_away(world: World, session: Session, person: int) -> None:
    await people.link(session, person + 1, Address("telegram", f"p{person}"), world.now)


async def be_excused(world: World, session: Session, person: int) -> None:
    await session.execute(tables.ask.update().where(tables.ask.c.person_id == person).values(state="excused"))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (decline, "not to be asked"),
        (leave, "chat no longer theirs"),
        (lose_chat, "chat no longer theirs"),
        (give_chat_away, "chat no longer theirs"),
        (be_excused, "not to be asked"),
    ],
)
async def test_a_prompt_whose_reason_is_gone_is_withdrawn(each_world: World, change: Change, why: str) -> None:
    world = each_world
    person, other = await staff(world, "", 2)
    world.now += timedelta(hours=1)
    await world.app.ticks.tick(world.now)
    async with world.transaction() as session:
        await change(world, session, person)
    await world.settle()
    rows = await world.rows(sa.select(tables.outbox.c.state, tables.outbox.c.outcome).order_by(tables.outbox.c.id))
    assert [tuple(row) for row in rows] == [("withdrawn", why), ("sent", "")]
    assert f"p{person}" not in world.telegram.screens and f"p{other}" in world.telegram.screens


async def test_an_answer_between_queueing_and_sending_stops_the_reminder(world: World) -> None:
    people_there = await staff(world, "", 2)
    await world.clock_strikes("07:00")
    world.now += timedelta(minutes=30)
    await world.app.ticks.tick(world.now)
    await all_well(world, people_there[:1])
    await world.settle()
    reminded = [message.to.chat_id for key, message in world.telegram.sent if key.startswith("reminder:")]
    assert reminded == [f"p{people_there[1]}"]


async def test_a_reminder_nobody_could_send_in_time_expires(world: World) -> None:
    await staff(world, "", 1)
    await world.clock_strikes("07:00")
    world.now += timedelta(minutes=30)
    await world.app.ticks.tick(world.now)
    world.now += timedelta(hours=2)
    await world.settle()
    assert await world.count(tables.outbox, tables.outbox.c.state == "expired") == 1


async def test_a_post_taken_away_stops_the_list_of_names(each_world: World) -> None:
    world = each_world
    await world.unit("P1")
    await world.person("khách", "P1")
    head = await world.enrolled("hoa", "P1", role=Role.HEAD)
    await world.clock_strikes("08:29")
    world.now += timedelta(minutes=1)
    await world.app.ticks.tick(world.now)
    async with world.transaction() as session:
        unit = await units.by_code(session, "P1")
        assert unit
        rows = await session.execute(sa.select(tables.post.c.person_id))
        assert await posts.end(session, rows.scalar_one(), unit.id, Role.HEAD, world.now) == 1
    await world.settle()
    head.sees_not("Khách")
    found = await world.rows(sa.select(tables.outbox.c.outcome).where(tables.outbox.c.kind == "missing_list"))
    assert [row[0] for row in found] == ["post no longer held"]


async def test_a_group_unbound_before_the_board_leaves_gets_nothing(world: World) -> None:
    await staff(world, "", 1)
    one, two = await world.enrolled("chi", role=Role.COMMITTEE), await world.enrolled("ba", role=Role.COMMITTEE)
    group = await world.bound_group("-5", one, two)
    await world.clock_strikes("06:59")
    world.now += timedelta(minutes=1)
    await world.app.ticks.tick(world.now)
    async with world.transaction() as session:
        assert await bindings.end(session, Address("telegram", "-5"), "unbound", world.now)
    await world.settle()
    group.sees_not("Theo dõi")
