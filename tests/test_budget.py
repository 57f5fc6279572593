"""Pace: what GCRA gives out never exceeds the limits, and gives all they allow."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta
from itertools import pairwise

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.chat import Capabilities
from storage import budget
from storage.budget import BURST, HORIZON, Place, Slot
from storage.database import Database
from tests.phone import EVERYTHING
from tests.world import MONDAY, World

LIMITS = Capabilities(
    buttons=0, edit=False, text_length=1, groups=True, per_second=30.0, chat_interval=1.0, group_per_minute=20
)
asked = st.lists(
    st.tuples(st.integers(0, 400), st.lists(st.sampled_from(("1", "2", "3", "-4")), min_size=1, max_size=6)),
    min_size=1,
    max_size=25,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(asked=asked)
async def test_slots_never_exceed_the_limits(database: Database, asked: list[tuple[int, list[str]]]) -> None:
    async with database.transaction() as session:
        await budget.forget_idle(session, MONDAY + timedelta(days=900))
    now, given_out = MONDAY, []
    for milliseconds, chats in asked:
        now += timedelta(milliseconds=milliseconds)
        async with database.transaction() as session:
            places = [Place(chat, chat.startswith("-")) for chat in chats]
            slots = await budget.reserve(session, "telegram", places, now, LIMITS)
        given_out += [(slot.at, chat) for slot, chat in zip(slots, chats, strict=True) if not slot.held_by]
        assert all(now <= slot.at <= now + HORIZON for slot in slots if not slot.held_by)
        assert all(slot.at > now for slot in slots if slot.held_by)
    times = sorted(at for at, _ in given_out)
    assert all(later - earlier >= timedelta(seconds=1 / 30) for earlier, later in pairwise(times))
    for chat in {chat for _, chat in given_out}:
        mine = sorted(at for at, where in given_out if where == chat)
        if chat.startswith("-"):
            assert all(b - a >= timedelta(seconds=3) for a, b in pairwise(mine))
        else:
            within = [sum(1 for at in mine if a <= at < a + timedelta(seconds=1)) for a in mine]
            assert max(within) <= BURST + 1
            assert len(mine) <= BURST + (mine[-1] - mine[0]).total_seconds() + 1


async def test_a_clock_set_back_stops_nobody(each_database: Database) -> None:
    for now in (MONDAY, MONDAY - timedelta(hours=2)):
        async with each_database.transaction() as session:
            slots = await budget.reserve(session, "telegram", [Place("1", False), Place("-2", True)], now, LIMITS)
        assert [slot.held_by for slot in slots] == ["", ""]
        assert slots[0].at == now


async def test_without_limits_everything_may_leave_at_once(database: Database) -> None:
    async with database.transaction() as session:
        slots = await budget.reserve(session, "webchat", [Place("1", False)] * 50, MONDAY, EVERYTHING)
    assert Counter(slots) == {Slot(MONDAY): 50}


async def test_a_chat_told_to_wait_stops_no_other(each_database: Database) -> None:
    until = MONDAY + timedelta(seconds=30)
    async with each_database.transaction() as session:
        await budget.block(session, "telegram", "1", until, MONDAY)
        slots = await budget.reserve(session, "telegram", [Place("1", False), Place("2", False)], MONDAY, LIMITS)
    assert slots == [Slot(until, "chat"), Slot(MONDAY)]


async def test_processes_share_one_pace(each_world: World) -> None:
    url = each_world.database.url.render_as_string(hide_password=False)
    stores = [Database(url) for _ in range(4)]

    async def reserve(store: Database, chat: str) -> list[Slot]:
        async with store.transaction() as session:
            return await budget.reserve(session, "telegram", [Place(chat, False)], MONDAY, LIMITS)

    found = await asyncio.gather(*(reserve(stores[n % 4], str(n)) for n in range(12)))
    taken = sorted(slot.at for slots in found for slot in slots if not slot.held_by)
    assert len(taken) == len(set(taken)) == 3
    for store in stores:
        await store.close()
