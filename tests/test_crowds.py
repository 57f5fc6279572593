"""Many taps at once: answered together, each exactly as if it had come alone, and with no more statements than one."""

from __future__ import annotations

import random
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.app import ROUTER
from domain.chat import Address, Incoming, Tap, Text
from domain.policy import Role
from handlers.router import Router, Tapped
from storage import tables
from storage.database import Database
from storage.outbox import Letter
from tests.morning import UNWELL, WELL, taps
from tests.phone import Phone
from tests.storm import away, staff, statements, well
from tests.world import World, build

BEFORE = (
    (UNWELL,),  # half-given answers
    (UNWELL, "Ho", "Tiếp tục", "Quay lại", "Quay lại"),  # nothing said after all
    ("Đổi nơi làm việc", "tại nhà"),
    ("Đổi nơi làm việc",),
    (WELL,),
    (WELL, "Sửa bản khai"),
    (WELL, "Sửa bản khai", UNWELL),
    (),
    (),
    (),
)
"""What people have tapped before: one of each kind for each of them, by chance."""


def counted(router: Router) -> tuple[Router, list[int]]:
    """The router, and how many taps each crowd of it has answered."""
    answered: list[int] = []

    async def together(crowd: Sequence[Tapped]) -> Sequence[Sequence[Letter] | None]:
        found = await router.crowds["well"](crowd)
        answered.append(sum(one is not None for one in found))
        return found

    return replace(router, crowds={"well": together}), answered


async def a_morning(world: World, router: Router, seed: int) -> dict[str, object]:
    """People who have come to every point of the conversation tap at once, in time, reminded and late."""
    chance = random.Random(seed)
    world.app.intake.dispatcher.router = router
    await world.unit("P1")
    head = await world.enrolled("hoa", "P1", role=Role.HEAD)
    people = [await world.enrolled(f"p{n}", "P1", on=chance.choice(("telegram", "webchat"))) for n in range(12)]
    also = await world.also_on("p3", "telegram" if people[3].messenger is world.webchat else "webchat")
    await world.enrolled("new", "P1", agrees=False)
    await away(world, 5, world.house.today(world.now), world.house.today(world.now))
    await world.clock_strikes("07:00")
    asked = {phone.address: tap for phone in (head, also, *people) if (tap := at_once(phone, "first"))}
    everybody = [phone for phone in (head, also, *people) if phone.address in asked]
    for phone in everybody[:8]:
        await taps(phone, *chance.choice(BEFORE))
    for at in ("07:05", "07:31", "09:20"):
        await world.clock_strikes(at)
        tapping = chance.sample(everybody, 9)
        batch = [at_once(phone, f"{at} {phone.name}") or asked[phone.address] for phone in tapping]
        batch += [replace(chance.choice(batch), update_key=f"{at} again {n}") for n in range(2)]
        batch += [chance.choice(batch), people[0].update(Text("chào"), f"{at} hello")]
        chance.shuffle(batch)
        receipts = await world.receive(batch)
        assert all(one.saved for one in receipts)
        await world.settle()
    facts: dict[str, object] = dict(await world.facts())
    facts["declaration"] = sorted(str(row[1:]) for row in await world.rows(sa.select(tables.declaration)))
    return facts | {name: phone.screen for name, phone in world.phones.items()}


def at_once(phone: Phone, key: str) -> Incoming | None:
    """A tap on one's newest button to be well, if there is one."""
    found = [(at, one) for at, one in phone.buttons if one.data.startswith("1.well:")]
    return phone.update(Tap(found[-1][1].data, found[-1][0]), f"{key} {phone.messenger.name}") if found else None


@pytest.mark.parametrize("seed", range(2))
async def test_together_or_alone_makes_no_difference(
    each_world: World, tmp_path: Path, empty_store: Path, seed: int
) -> None:
    router, answered = counted(ROUTER)
    together = await a_morning(each_world, router, seed)
    alone_on = Database(f"sqlite:///{shutil.copy(empty_store, tmp_path / 'alone.db')}")
    alone = await a_morning(await build(alone_on), replace(ROUTER, crowds={}), seed)
    await alone_on.close()
    for name, found in alone.items():
        assert together[name] == found, name
    assert max(answered) > 1


async def test_one_that_fails_in_a_crowd_takes_nobody_with_it(world: World) -> None:
    people = await staff(world, "", 5)
    await world.clock_strikes("07:00")
    async with world.transaction() as session:
        third = (await session.execute(sa.select(tables.ask.c.id).where(tables.ask.c.person_id == people[2]))).scalar()
        refuse = f"WHEN NEW.ask_id = {third} BEGIN SELECT RAISE(ABORT, 'no'); END"
        await session.execute(sa.text(f"CREATE TRIGGER no BEFORE INSERT ON declaration {refuse}"))
    receipts = await world.receive([well(world.telegram, f"p{n}") for n in people])
    assert [one.saved for one in receipts] == [True, True, False, True, True]
    assert await world.count(tables.declaration) == 4
    assert await world.count(tables.quarantine) == 1


async def test_a_crowd_needs_no_more_statements_than_one(world: World) -> None:
    people = await staff(world, "", 61)
    await world.clock_strikes("07:00")
    needed = []
    for some in (people[:1], people[1:]):
        with statements(world.database) as seen:
            await world.receive([well(world.telegram, f"p{n}") for n in some])
        needed.append(len(seen))
    assert needed[1] <= needed[0] <= 20
    assert await world.count(tables.declaration) == 61


async def test_who_taps_another_ones_button_is_not_in_the_crowd(world: World) -> None:
    people = await staff(world, "", 2)
    await world.clock_strikes("07:00")
    theirs = well(world.telegram, f"p{people[0]}")
    mine = Address("telegram", f"p{people[1]}")
    before = await world.facts()
    await world.receive([replace(theirs, sender=mine, chat=mine)])
    assert await world.facts() == before
