"""Being away: said in three taps or in words, shown with its reason, taken back."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from domain.policy import Role
from storage import tables
from tests.phone import Phone
from tests.world import World


async def on_staff(world: World) -> Phone:
    await world.unit("P1", "Phòng Kế hoạch")
    return await world.enrolled("lan", "P1")


async def taps(phone: Phone, *labels: str) -> None:
    for label in labels:
        await phone.tap(label)


async def away(world: World) -> list[Any]:
    stored = tables.absence.c
    found = await world.rows(
        sa.select(stored.kind, stored.first_day, stored.last_day)
        .where(stored.cancelled_at.is_(None))
        .order_by(stored.id)
    )
    return [(kind, f"{first:%d/%m}", f"{last:%d/%m}") for kind, first, last in found]


async def states(world: World) -> list[Any]:
    return await world.rows(sa.select(tables.ask.c.state, tables.ask.c.reason).order_by(tables.ask.c.id))


@pytest.mark.parametrize(
    ("label", "kind"),
    [("Nghỉ phép", "leave"), ("Đi công tác", "business"), ("Nghỉ ốm", "sick"), ("Cách ly", "isolation")],
)
async def test_leave_in_three_taps_asks_nothing_and_shows_the_reason(world: World, label: str, kind: str) -> None:
    lan = await on_staff(world)
    chief = await world.enrolled("hoa", "P1", role=Role.HEAD)
    await lan.type("/leave")
    await taps(lan, label, "Từ hôm nay, 23/11", "25/11")
    lan.sees(f"✅ Đã ghi nhận: {label}, 23/11 – 25/11")
    assert await away(world) == [(kind, "23/11", "25/11")]
    said = len(lan.messages)
    await world.clock_strikes("19:00", days=2)
    assert len(lan.messages) == said
    assert [one for one in await states(world) if one.state == "excused"] == [("excused", kind)] * 4
    chief.sees(f"Không phải khai: 1 ({label.lower().removeprefix('đi ')} 1)")
    await lan.type("/history")
    assert lan.last.count(f"{label} (không phải khai)") == 4
    await world.clock_strikes("07:00", days=1)
    assert "Khai báo y tế buổi sáng, Thứ Năm, 26/11/2026" in lan.last


async def test_back_at_every_step(world: World) -> None:
    lan = await on_staff(world)
    await lan.type("/leave")
    await taps(lan, "Nghỉ phép", "Từ ngày mai", "Quay lại")
    assert "từ ngày nào" in lan.last
    await lan.tap("Quay lại")
    assert "vắng mặt vì lý do gì" in lan.last
    await taps(lan, "Nghỉ ốm", "Từ ngày mai, 24/11", "24/11")
    assert await away(world) == [("sick", "24/11", "24/11")]


@pytest.mark.parametrize(
    ("first", "last", "span"),
    [
        ("25/11", "27/11", ("25/11", "27/11")),
        ("đầu từ 1.12 nhé", "5-12-2026", ("01/12", "05/12")),
        ("30/12/26", "2/1", ("30/12", "02/01")),
        ("1", "1", ("23/11", "23/11")),
        ("2", "28/11", ("24/11", "28/11")),
    ],
)
async def test_days_in_words(world: World, first: str, last: str, span: tuple[str, str]) -> None:
    lan = await on_staff(world)
    for said in ("/leave", "nghỉ phép", first, last):
        await lan.type(said)
    assert await away(world) == [("leave", *span)]


@pytest.mark.parametrize("bad", ["31/2", "25/13", "22/11/2026", "1/9", "2026-11-25", "tuần sau", "25/11/20267"])
async def test_days_that_do_not_fit_are_asked_again(world: World, bad: str) -> None:
    lan = await on_staff(world)
    for said in ("/leave", "nghỉ phép", bad):
        await lan.type(said)
    assert "Ngày này chưa đúng: phải từ 23/11/2026 trở đi" in lan.last
    await lan.tap("Từ hôm nay")
    await lan.type(bad)
    assert "Ngày này chưa đúng: phải từ 23/11/2026 trở đi" in lan.last
    assert await away(world) == []
    await lan.tap("24/11")
    assert await away(world) == [("leave", "23/11", "24/11")]


async def test_the_same_leave_twice_is_one(world: World) -> None:
    lan = await on_staff(world)
    await lan.type("/leave")
    await taps(lan, "Nghỉ phép", "Từ hôm nay")
    at, until = lan.button("25/11")
    await lan.press(until.data, at)
    await lan.press(until.data, at)
    assert len(await away(world)) == 1


async def test_leave_during_an_open_round_excuses_from_it_and_cancelling_brings_the_prompt_back(
    each_world: World,
) -> None:
    world = each_world
    lan = await on_staff(world)
    await world.clock_strikes("07:10")
    await lan.type("/leave")
    await taps(lan, "Nghỉ phép", "Từ hôm nay", "27/11")
    assert await states(world) == [("excused", "leave")]
    said = len(lan.messages)
    await world.clock_strikes("07:30")
    assert len(lan.messages) == said
    await lan.type("/leave")
    await lan.tap("Hủy: Nghỉ phép, 23/11 – 27/11")
    lan.sees("Đã hủy ngày vắng")
    assert await states(world) == [("due", "")] and "Tôi khỏe" in lan.last
    await world.clock_strikes("08:15")
    assert "🔔 Nhắc khai báo" in lan.last
    assert await away(world) == []


async def test_cancelling_one_of_two_leaves_keeps_the_other(world: World) -> None:
    lan = await on_staff(world)
    for kind, last in (("Nghỉ phép", "24/11"), ("Nghỉ ốm", "25/11")):
        await lan.type("/leave")
        await taps(lan, kind, "Từ hôm nay", last)
    await world.clock_strikes("07:10")
    assert await states(world) == [("excused", "sick")]
    await lan.type("/leave")
    await lan.tap("Hủy: Nghỉ ốm")
    assert await states(world) == [("excused", "leave")]


async def test_cancelling_next_weeks_leave_asks_nothing_today(world: World) -> None:
    lan = await on_staff(world)
    await lan.type("/leave")
    await lan.tap("Nghỉ phép")
    await lan.type("30/11")
    await lan.tap("01/12")
    await world.clock_strikes("07:00")
    await taps(lan, "Đổi nơi làm việc", "Nghỉ phép", "Tôi khỏe")
    await world.clock_strikes("16:30")
    await lan.type("/leave")
    await lan.tap("Hủy: Nghỉ phép, 30/11 – 01/12")
    assert (await states(world))[1] == ("excused", "leave")


async def test_buttons_of_an_earlier_day_change_nothing_in_the_past(world: World) -> None:
    lan = await on_staff(world)
    await lan.type("/leave")
    await lan.tap("Nghỉ phép")
    at, since = lan.button("Từ hôm nay, 23/11")
    await lan.tap("Từ hôm nay, 23/11")
    _, until = lan.button("24/11")
    await world.clock_strikes("19:00", days=2)
    for old in (since, until):
        await lan.press(old.data, at)
        assert "từ ngày nào" in dict(lan.messages)[at].text
    assert await away(world) == []


async def test_nobody_cancels_another_persons_leave(world: World) -> None:
    lan = await on_staff(world)
    await lan.type("/leave")
    await taps(lan, "Nghỉ phép", "Từ hôm nay", "23/11")
    await lan.type("/leave")
    at, cancel = lan.button("Hủy")
    minh = await world.enrolled("minh", "P1")
    await minh.press(cancel.data, at)
    assert len(await away(world)) == 1
    await lan.tap("Hủy")
    await lan.press(cancel.data, at)
    assert await away(world) == []
