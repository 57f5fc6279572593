"""A head records that somebody is away: with taps or in words; the person is told, may object, and it can be ended."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from storage import tables
from tests.office_day import Morning, actions, ask_of, lose_post, morning, open_card
from tests.phone import Phone
from tests.world import World


async def excuse(phone: Phone, name: str, *said: str) -> None:
    """Record an absence from the card; what is no button is typed."""
    await open_card(phone, name)
    await phone.tap("Ghi nhận vắng mặt")
    for words in said:
        if words in phone.last:
            await phone.tap(words)
        else:
            await phone.type(words)


async def away(world: World) -> list[Any]:
    stored, giver = tables.absence.c, tables.person.alias("giver")
    rows = await world.rows(
        sa.select(stored.kind, stored.first_day, stored.last_day, giver.c.name)
        .join_from(tables.absence, giver, giver.c.id == stored.given_by_id)
        .where(stored.cancelled_at.is_(None))
        .order_by(stored.id)
    )
    return [(kind, f"{first:%d/%m}", f"{last:%d/%m}", name) for kind, first, last, name in rows]


async def excused(world: World) -> Morning:
    start = await morning(world)
    await excuse(start.hoa, "Lan", "Nghỉ ốm", "Từ hôm nay, 23/11", "25/11")
    return start


async def test_three_taps_excuse_and_the_person_is_told(each_world: World) -> None:
    world = each_world
    start = await excused(world)
    start.hoa.sees("✅ Đã ghi nhận Lan: Nghỉ ốm, 23/11 – 25/11.")
    assert await away(world) == [("sick", "23/11", "25/11", "Hoa")]
    assert ((await ask_of(world, "lan")).state, (await ask_of(world, "lan")).reason) == ("excused", "sick")
    start.lan.sees("Hoa đã ghi nhận anh/chị nghỉ ốm, 23/11 – 25/11", "[Không đúng, tôi không vắng]")
    said = len(start.lan.messages)
    await world.clock_strikes("08:20")
    assert len(start.lan.messages) == said
    await start.hoa.type("/missing")
    await start.hoa.tap("Vắng (1)")
    assert "• Lan: nghỉ ốm" in start.hoa.last
    details = await world.rows(sa.select(tables.audit.c.detail).where(tables.audit.c.action == "excused"))
    assert details[0][0]["after"] == "23/11 – 25/11" and "sick" not in str(details), "why may be a fact about health"


@pytest.mark.parametrize(
    ("said", "span"),
    [
        (("Cách ly", "25/11", "9/12"), ("isolation", "25/11", "09/12")),
        (("nghỉ phép", "1", "27.11"), ("leave", "23/11", "27/11")),
        (("Đi công tác", "hôm kia", "24/11", "1/1/2020", "30/11"), ("business", "24/11", "30/11")),
    ],
)
async def test_days_in_words(world: World, said: tuple[str, ...], span: tuple[str, ...]) -> None:
    start = await morning(world)
    await open_card(start.hoa, "Lan")
    await start.hoa.tap("Ghi nhận vắng mặt")
    for words in said:
        await start.hoa.type(words)
    assert await away(world) == [(*span, "Hoa")]


async def test_the_same_twice_is_one_and_tells_once(world: World) -> None:
    start = await morning(world)
    await excuse(start.hoa, "Lan", "Nghỉ phép", "Từ hôm nay")
    at, until = start.hoa.button("25/11")
    await start.hoa.press(until.data, at)
    await start.hoa.press(until.data, at)
    assert len(await away(world)) == 1
    assert start.lan.screen.count("Hoa đã ghi nhận") == 1


async def test_an_objection_reaches_the_head_who_can_end_it(each_world: World) -> None:
    world = each_world
    start = await excused(world)
    await start.lan.tap("Không đúng, tôi không vắng")
    start.lan.sees("Đã báo lại cho người ghi nhận")
    start.hoa.sees("Lan báo không vắng mặt 23/11 – 25/11 như anh/chị đã ghi nhận.")
    await start.hoa.tap("Hủy ngày vắng này")
    start.lan.sees("Hoa đã hủy ngày vắng 23/11 – 25/11")
    assert await away(world) == []
    assert (await ask_of(world, "lan")).state == "due"
    assert [one for one in await actions(world) if one.startswith("excuse")] == [
        "excused", "excuse_objected", "excuse_ended",
    ]  # fmt: skip


async def test_it_is_ended_from_the_card_and_the_person_can_end_it_too(world: World) -> None:
    start = await excused(world)
    await start.hoa.type("/missing")
    await start.hoa.tap("Vắng")
    await start.hoa.tap("Lan")
    await start.hoa.tap("Hủy vắng: Nghỉ ốm, 23/11 – 25/11")
    assert await away(world) == []
    await excuse(start.hoa, "Lan", "Nghỉ ốm", "Từ hôm nay", "25/11")
    await start.lan.type("/leave")
    await start.lan.tap("Hủy: Nghỉ ốm, 23/11 – 25/11")
    assert await away(world) == []


async def test_a_persons_own_leave_is_not_the_heads_to_end(world: World) -> None:
    start = await morning(world)
    await start.lan.type("/leave")
    for label in ("Nghỉ phép", "Từ hôm nay", "25/11"):
        await start.lan.tap(label)
    await start.hoa.type("/missing")
    await start.hoa.tap("Vắng")
    await start.hoa.tap("Lan")
    assert "Hủy vắng" not in start.hoa.last
    await start.hoa.press(world.house.seal.button("excuse_end:1", start.hoa.address))
    assert len(await away(world)) == 1


async def test_nobody_excuses_without_the_post_of_another_unit_or_themselves(world: World) -> None:
    start = await morning(world)
    await open_card(start.hoa, "Lan")
    await start.hoa.tap("Ghi nhận vắng mặt")
    await start.hoa.tap("Nghỉ phép")
    lan, hoa = (await ask_of(world, "lan")).id, (await ask_of(world, "hoa")).id
    await start.minh.press(world.house.seal.button(f"excuse_to:{lan}:leave:20261123:2", start.minh.address))
    await start.hoa.press(world.house.seal.button(f"excuse_to:{hoa}:leave:20261123:2", start.hoa.address))
    await lose_post(world, "hoa")
    await start.hoa.tap("Từ hôm nay")
    assert "Không có danh sách" in start.hoa.last
    assert await away(world) == []
