"""What becomes of a message, and what follows from it: every outcome of sending, for people, groups and asks."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from domain.chat import Address, Moved, Outcome, Outgoing, Rejected, RetryLater, Sent, Unknown, Unreachable
from domain.policy import Role
from storage import bindings, budget, outbox, settlement, tables
from storage.outbox import Leased, Letter
from storage.settlement import Settled
from tests.phone import Phone
from tests.storm import prompts_to, staff
from tests.world import World


async def fates(world: World, kind: str = "prompt") -> list[tuple[str, int]]:
    query = sa.select(tables.outbox.c.state, tables.outbox.c.unknowns).where(tables.outbox.c.kind == kind)
    return [(row[0], row[1]) for row in await world.rows(query.order_by(tables.outbox.c.id))]


async def reaches(world: World) -> set[str]:
    return {row[0] for row in await world.rows(sa.select(tables.ask.c.reach))}


async def supervised(world: World) -> tuple[Phone, Phone]:
    """A unit's group chat and its head."""
    await world.unit("P1")
    head = await world.enrolled("hoa", "P1", role=Role.HEAD)
    focal = await world.enrolled("chi", "", role=Role.COMMITTEE)
    return await world.bound_group("-100", head, focal, "P1"), head


async def wait(world: World, seconds: float) -> None:
    world.now += timedelta(seconds=seconds)
    await world.settle()


@pytest.mark.parametrize(
    ("outcome", "state", "reach"),
    [
        (Sent("9"), "sent", "delivered"),
        (Unreachable("blocked"), "unreachable", "blocked"),
        (Rejected("bad"), "rejected", "failed"),
    ],
)
async def test_an_outcome_that_is_certain(world: World, outcome: Outcome, state: str, reach: str) -> None:
    await staff(world, "", 2)
    world.telegram.faults = [outcome]
    await world.clock_strikes("07:00")
    assert [one[0] for one in await fates(world)] == [state, "sent"]
    assert await reaches(world) == {reach, "delivered"}


async def test_an_unknown_outcome_is_tried_once_more_after_twenty_seconds_and_never_a_third_time(world: World) -> None:
    await staff(world, "", 1)
    tried = 0

    def fail(message: Outgoing) -> Outcome:
        nonlocal tried
        tried += 1
        return Unknown("gone quiet")

    world.telegram.fail = fail
    await world.clock_strikes("07:00")
    await wait(world, 19)
    assert tried == 1 and await fates(world) == [("waiting", 1)]
    for _ in range(3):
        await wait(world, 30)
    assert tried == 2 and await fates(world) == [("unknown", 2)]
    assert await reaches(world) == {"unknown"}


async def test_an_edit_is_tried_more_often(world: World) -> None:
    lan = await world.enrolled("lan")
    await world.clock_strikes("07:00")
    world.telegram.faults = [Unknown("gone quiet")] * 5
    await lan.tap("Tôi khỏe")
    for _ in range(6):
        await wait(world, 21)
    lan.sees("Đã nhận khai báo")


async def test_an_older_edit_never_overwrites_a_newer_one(world: World) -> None:
    lan = await world.enrolled("lan")
    await world.clock_strikes("07:00")
    world.telegram.faults = [Unknown("gone quiet")]
    await lan.tap("Đổi nơi làm việc")
    await lan.tap("Tôi khỏe")
    lan.sees("Đã nhận khai báo")
    await wait(world, 30)
    lan.sees("Đã nhận khai báo")
    lan.sees_not("Làm việc tại nhà")


async def test_a_chat_told_to_wait_waits_alone_and_over_a_restart(world: World) -> None:
    people = await staff(world, "", 3)
    world.telegram.faults = [RetryLater(30)]
    await world.clock_strikes("07:00")
    assert prompts_to(world.telegram).keys() == {f"p{n}" for n in people[1:]}
    await world.restart()
    await wait(world, 29)
    assert prompts_to(world.telegram).total() == 2
    await wait(world, 2)
    assert prompts_to(world.telegram).total() == 3


async def test_an_account_told_to_wait_sends_nothing_until_then(world: World) -> None:
    await staff(world, "", 3)
    tried: list[str] = []

    def fail(message: Outgoing) -> Outcome | None:
        tried.append(message.to.chat_id)
        return RetryLater(40, whole_account=True) if len(tried) == 1 else None

    world.telegram.fail = fail
    await world.clock_strikes("07:00")
    await world.restart()
    await wait(world, 39)
    assert len(tried) == 1, "the others were on their way already and turned back"
    await wait(world, 2)
    assert prompts_to(world.telegram).total() == 3


async def test_the_longer_of_two_orders_to_wait_stands(each_world: World) -> None:
    world = each_world
    async with world.transaction() as session:
        for seconds in (10, 40, 5):
            await budget.block(session, "telegram", None, world.now + timedelta(seconds=seconds), world.now)
    async with world.transaction() as session:
        places = [budget.Place("1", False)]
        slots = await budget.reserve(session, "telegram", places, world.now, world.telegram.capabilities)
    assert slots == [budget.Slot(world.now + timedelta(seconds=40), "account")]


async def test_a_group_that_moved_keeps_its_binding_once_and_its_board_starts_anew(each_world: World) -> None:
    world = each_world
    group, head = await supervised(world)
    await world.clock_strikes("07:00")
    group.sees("Theo dõi khai báo")
    moved = head.in_group("-999")
    world.telegram.fail = lambda message: Moved("-999") if message.to.chat_id == "-100" else None
    await head.tap("Tôi khỏe")
    await wait(world, 60)
    moved.sees("Theo dõi khai báo", "1/1")
    async with world.transaction() as session:
        assert [one.chat.chat_id for one in await bindings.confirmed(session)] == ["-999"]
        await settlement.chat_moved(session, Address("telegram", "-100"), "-999", world.now)
    await world.clock_strikes("09:00")
    assert moved.screen.count("Tổng hợp") == 1 and moved.screen.count("Theo dõi") == 1


async def test_a_group_that_moved_is_shown_no_button_that_was_sealed_for_its_old_place(world: World) -> None:
    group, head = await supervised(world)
    moved = head.in_group("-999")
    world.telegram.fail = lambda message: Moved("-999") if message.to.chat_id == group.group_id else None
    await world.clock_strikes("07:00")
    moved.sees("Theo dõi khai báo")
    here = Address("telegram", "-999")
    assert all(world.house.seal.opened(key.data, here) for _, key in moved.buttons)
    await head.tap("Tôi khỏe")
    await wait(world, 60)
    await moved.tap("Ai chưa khai")


async def test_a_group_that_moved_to_where_another_binding_stands_ends_its_own(world: World) -> None:
    _group, head = await supervised(world)
    other = await world.enrolled("ba", "P1", role=Role.HEAD)
    await world.bound_group("-999", head, other, "P1")
    async with world.transaction() as session:
        await settlement.chat_moved(session, Address("telegram", "-100"), "-999", world.now)
        assert [one.chat.chat_id for one in await bindings.confirmed(session)] == ["-999"]


async def test_a_group_that_is_lost_ends_its_binding_and_the_head_gets_the_summary(world: World) -> None:
    _group, head = await supervised(world)
    await world.clock_strikes("08:59")
    world.telegram.blocked.add("-100")
    await world.clock_strikes("09:00")
    head.sees("Tổng hợp khai báo buổi sáng – Phòng P1")
    assert head.screen.count("Tổng hợp") == 1
    async with world.transaction() as session:
        assert await bindings.confirmed(session) == []


async def test_a_summary_whose_group_was_unbound_before_it_left_goes_to_the_head(world: World) -> None:
    group, head = await supervised(world)
    await world.clock_strikes("08:59")
    world.now += timedelta(minutes=1)
    await world.app.ticks.tick(world.now)
    async with world.transaction() as session:
        await bindings.end(session, group_address(group), "unbound", world.now)
    await world.settle()
    await wait(world, 5)
    group.sees_not("Tổng hợp")
    head.sees("Tổng hợp khai báo buổi sáng – Phòng P1")


def group_address(group: Phone) -> Address:
    return Address("telegram", group.group_id or "")


async def test_a_prompt_reaches_the_other_chat_of_somebody_whose_first_is_lost(each_world: World) -> None:
    world = each_world
    lan = await world.enrolled("lan", on="webchat")
    await world.also_on("lan", "telegram")
    world.telegram.blocked.add(world.phone("lan", "telegram").chat_id)
    await world.clock_strikes("07:00")
    await wait(world, 1)
    lan.sees("Khai báo y tế buổi sáng")
    assert lan.screen.count("Khai báo y tế buổi sáng") == 1
    assert await reaches(world) == {"delivered"}
    await lan.tap("Tôi khỏe")
    lan.sees("Đã nhận khai báo")


async def test_somebody_without_another_chat_is_listed_as_blocked(world: World) -> None:
    await world.unit("P1")
    await staff(world, "P1", 1)
    head = await world.enrolled("hoa", "P1", role=Role.HEAD)
    world.telegram.blocked.add("p1")
    await world.clock_strikes("08:30")
    head.sees("Người 1: đã chặn bot")


async def leased(world: World, key: str = "one") -> Leased:
    """A letter claimed by somebody."""
    async with world.transaction() as session:
        await outbox.enqueue(session, [Letter(key, "notice", Outgoing(Address("telegram", "7"), "Chào"))], world.now)
    async with world.transaction() as session:
        claim = await outbox.claim(session, "telegram", world.now, world.telegram.capabilities, 10)
    return claim.letters[0]


@pytest.mark.parametrize("late", [Unknown("?"), Rejected("?"), Unreachable("?"), RetryLater(1)])
async def test_an_old_holders_result_does_not_overwrite_the_new_holders(each_world: World, late: Outcome) -> None:
    world = each_world
    old = await leased(world)
    world.now += timedelta(seconds=61)
    async with world.transaction() as session:
        assert await settlement.reclaim(session, world.now) == 1
    world.now += timedelta(seconds=21)
    async with world.transaction() as session:
        new = (await outbox.claim(session, "telegram", world.now, world.telegram.capabilities, 10)).letters[0]
    assert (new.lease, new.unknowns) == (old.lease + 1, 1)
    async with world.transaction() as session:
        await settlement.settle(session, [Settled(old, late)], world.now)
        await settlement.settle(session, [Settled(new, Sent("5"))], world.now)
        await settlement.settle(session, [Settled(old, late), Settled(old, Sent("4"))], world.now)
    rows = await world.rows(sa.select(tables.outbox.c.state, tables.outbox.c.message_id))
    assert [tuple(row) for row in rows] == [("sent", "5")]


async def test_a_lease_that_still_runs_is_not_reclaimed(world: World) -> None:
    await leased(world)
    world.now += timedelta(seconds=59)
    async with world.transaction() as session:
        assert await settlement.reclaim(session, world.now) == 0
        assert await settlement.reclaim(session, world.now, all_leases=True) == 1


async def test_cosmetic_failures_never_undo_saving(world: World) -> None:
    people = [await world.enrolled(name) for name in ("lan", "minh", "tú")]
    await world.clock_strikes("07:00")
    outcomes = [Rejected("bad"), Unreachable("gone"), Unknown("?")]
    for one, outcome in zip(people, outcomes, strict=True):
        world.telegram.fail = lambda message, outcome=outcome: outcome  # type: ignore[misc]
        await one.tap("Tôi khỏe")
    assert await world.count(tables.ask, tables.ask.c.state == "answered") == 3
    assert await world.count(tables.declaration) == 3


async def test_all_the_blocked_are_settled_and_the_others_reached(world: World) -> None:
    people = await staff(world, "", 30)
    world.telegram.blocked |= {f"p{n}" for n in people[::2]}
    await world.clock_strikes("07:00")
    assert set(prompts_to(world.telegram)) == {f"p{n}" for n in people[1::2]}
    assert await world.count(tables.address, tables.address.c.lost_at.is_not(None)) == 15
