"""Answering for somebody: a reason, both names, the person told at once, and their word against it counts more."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from domain.policy import Role
from storage import tables
from tests.morning import REST
from tests.office_day import Morning, actions, ask_of, lose_post, morning, open_card
from tests.phone import Phone
from tests.world import World


async def given(world: World) -> list[Any]:
    """Every version with who gave it and why, in order."""
    stored, giver = tables.declaration.c, tables.person.alias("giver")
    rows = await world.rows(
        sa.select(stored.version, giver.c.name, stored.proxy_reason, stored.level, stored.contested_at.is_not(None))
        .join_from(tables.declaration, giver, giver.c.id == stored.given_by_id)
        .join(tables.ask, tables.ask.c.id == stored.ask_id)
        .join(tables.person, tables.person.c.id == tables.ask.c.person_id)
        .where(tables.person.c.name == "Lan")
        .order_by(stored.version)
    )
    return [tuple(row) for row in rows]


async def answer_for(phone: Phone, name: str = "Lan", why: str = "Điện thoại hỏng") -> None:
    await open_card(phone, name)
    await phone.tap("Khai hộ")
    await phone.tap(why)


async def answered_for(world: World) -> Morning:
    """Hoa has declared Lan well."""
    start = await morning(world)
    await answer_for(start.hoa)
    await start.hoa.tap("Đúng như trên")
    return start


async def test_the_giver_sees_both_names_and_the_person_is_told_at_once(each_world: World) -> None:
    world = each_world
    start = await morning(world)
    await answer_for(start.hoa)
    start.hoa.sees("Khai hộ Lan · Khai báo y tế buổi sáng", "Chỉ khai điều người đó đã nói", "[Đúng như trên]")
    await start.hoa.tap("Đúng như trên")
    start.hoa.sees("Khai hộ Lan · ✅ Đã nhận khai báo lúc 07:40", "Hoa khai hộ Lan. Lý do: Điện thoại hỏng.")
    assert await given(world) == [(1, "Hoa", "phone_broken", "low", False)]
    stored = await ask_of(world, "lan")
    assert (stored.state, stored.proxy, stored.level) == ("answered", True, "low")
    start.lan.sees("Hoa đã khai hộ anh/chị lúc 07:40", "Lý do: Điện thoại hỏng.", "[Không đúng, tôi khai lại]")
    start.lan.sees_not("[Tôi khỏe")
    said = len(start.lan.messages)
    await world.clock_strikes("08:15")
    assert len(start.lan.messages) == said, "nobody is reminded of what has been answered"
    assert "answered_for" in await actions(world)


async def test_the_questions_one_by_one_also_in_words(world: World) -> None:
    start = await morning(world)
    await open_card(start.hoa, "Lan")
    await start.hoa.tap("Khai hộ")
    await start.hoa.type("Chị Lan gọi cho tôi từ bệnh viện")
    await start.hoa.tap("Có điều cần khai thêm")
    start.hoa.sees("Khai hộ Lan · Câu 1/5")
    await start.hoa.type("ho, đau họng")
    await start.hoa.type("37,8")
    for label in REST:
        await start.hoa.tap(label)
    start.hoa.sees("Khai hộ Lan · Xem lại trước khi gửi", "Triệu chứng: Ho, Đau họng")
    await start.hoa.tap("Gửi bản khai")
    assert await given(world) == [(1, "Hoa", "Chị Lan gọi cho tôi từ bệnh viện", "high", False)]
    start.lan.sees("Lý do: Chị Lan gọi cho tôi từ bệnh viện.", "Nhiệt độ: 37,8 °C")
    assert (await ask_of(world, "hoa")).proxy is False


@pytest.mark.parametrize("reason", ["x", "  ", "dài " * 60])
async def test_a_reason_must_say_something_in_a_sentence(world: World, reason: str) -> None:
    start = await morning(world)
    await open_card(start.hoa, "Lan")
    await start.hoa.tap("Khai hộ")
    await start.hoa.type(reason)
    assert "[Đúng như trên]" not in start.hoa.screen
    await start.hoa.tap("Đã báo qua điện thoại")
    start.hoa.sees("[Đúng như trên]")


async def test_the_persons_own_half_given_answers_are_nobodys_to_see_nor_touched(world: World) -> None:
    start = await morning(world)
    for label in ("Tôi có điều", "Ho", "Tiếp tục"):
        await start.lan.tap(label)
    await answer_for(start.hoa)
    await start.hoa.tap("Có điều cần khai thêm")
    assert "Câu 1/5" in start.hoa.last and "☑" not in start.hoa.last
    await start.lan.tap("37,0")
    for label in REST:
        await start.lan.tap(label)
    start.lan.sees("Triệu chứng: Ho")
    await start.lan.tap("Gửi bản khai")
    start.hoa.sees("✅ Lan đã có bản khai lúc 07:40.")
    start.hoa.sees_not("Triệu chứng")
    assert [(one[1], one[2]) for one in await given(world)] == [("Lan", "")]


async def test_a_proxy_screen_left_open_does_nothing_once_the_person_has_answered(world: World) -> None:
    start = await morning(world)
    await answer_for(start.hoa)
    at, old = start.hoa.button("Đúng như trên")
    await start.lan.tap("Tôi khỏe")
    await start.hoa.press(old.data, at)
    assert [(one[1], one[2]) for one in await given(world)] == [("Lan", "")]
    await open_card_of_answered(start.hoa)
    assert "[Khai hộ]" not in start.hoa.last


async def open_card_of_answered(phone: Phone) -> None:
    await phone.type("/missing")
    await phone.tap("Đã khai")
    await phone.tap("Lan")


async def test_a_double_tap_is_one_version(world: World) -> None:
    start = await morning(world)
    await answer_for(start.hoa)
    at, well = start.hoa.button("Đúng như trên")
    await start.hoa.press(well.data, at)
    await start.hoa.press(well.data, at)
    assert len(await given(world)) == 1


async def test_buttons_of_a_proxy_work_for_nobody_without_the_reason_said_first(world: World) -> None:
    start = await morning(world)
    await answer_for(start.hoa)
    _, well = start.hoa.button("Đúng như trên")
    words = well.data.removeprefix("1.").rpartition(".")[0]
    for one in (start.binh, start.minh):
        await one.press(world.house.seal.button(words, one.address))
        assert "Nút này đã cũ" in one.last
    await start.hoa.tap("Thôi, không khai hộ")
    await start.hoa.press(well.data)
    assert await given(world) == []


async def test_the_post_is_checked_at_every_tap_of_the_questions(world: World) -> None:
    start = await morning(world)
    await answer_for(start.binh)
    await lose_post(world, "bình")
    await start.binh.tap("Đúng như trên")
    assert "Nút này đã cũ" in start.binh.last
    assert await given(world) == []


async def test_nobody_answers_for_themselves_or_for_who_does_not_want_to_be_asked(world: World) -> None:
    start = await morning(world)
    await world.clock_strikes("16:31")
    _, proxy = await card_button(start.hoa, "Minh", "Khai hộ")
    await start.hoa.type("/missing")
    await start.hoa.tap("Hoa")
    assert "gõ /today để tự khai" in start.hoa.last and "[Khai hộ]" not in start.hoa.last
    mine = (await ask_of(world, "hoa")).id
    await start.hoa.press(world.house.seal.button(f"proxy:{mine}", start.hoa.address))
    assert "Không khai hộ được" in start.hoa.last
    await start.minh.type("/privacy")
    await start.minh.tap("Rút lại đồng ý")
    await start.hoa.press(proxy)
    assert "Không khai hộ được" in start.hoa.last


async def card_button(phone: Phone, name: str, label: str) -> tuple[str, str]:
    await open_card(phone, name)
    at, one = phone.button(label)
    return at, one.data


async def test_the_persons_yes_is_recorded_and_it_stays_a_proxy_answer(world: World) -> None:
    start = await answered_for(world)
    await start.lan.tap("Đúng")
    start.lan.sees("✅ Cảm ơn anh/chị đã xác nhận.")
    assert (await ask_of(world, "lan")).proxy
    assert "proxy_agreed" in await actions(world)


async def test_contested_it_no_longer_counts_and_those_responsible_are_told(each_world: World) -> None:
    world = each_world
    start = await answered_for(world)
    group = await world.bound_group("-7", start.hoa, await world.enrolled("chi", role=Role.COMMITTEE), "P1")
    await later(world, 10)
    group.sees("Đã khai: 3/4", "Trong đó khai hộ: 1")
    at, wrong = start.lan.button("Không đúng")
    await start.lan.tap("Không đúng")
    start.lan.sees("bản khai hộ không còn được tính")
    assert "Khai báo y tế buổi sáng" in start.lan.last and "[Tôi khỏe" in start.lan.last
    for one in (start.hoa, start.binh):
        one.sees("Lan báo bản khai hộ ngày 23/11 do Hoa gửi là không đúng")
    start.minh.sees_not("khai hộ")
    stored = await ask_of(world, "lan")
    assert (stored.state, stored.level, stored.proxy, stored.answered_at) == ("due", "", False, None)
    await later(world, 10)
    group.sees("Đã khai: 2/4", "khai hộ bị phản đối, chờ khai lại 1")
    group.sees_not("Trong đó khai hộ", "Lan")
    await start.lan.press(wrong.data, at)
    assert "Nút này đã cũ" in start.lan.last
    await open_card(start.binh, "Lan")
    assert "[Khai hộ]" not in start.binh.last, "nobody answers against somebody's word"
    await start.lan.tap("Tôi khỏe")
    assert await given(world) == [(1, "Hoa", "phone_broken", "low", True), (2, "Lan", "", "low", False)]
    assert ((await ask_of(world, "lan")).state, (await ask_of(world, "lan")).proxy) == ("answered", False)
    assert "proxy_contested" in await actions(world)


async def later(world: World, seconds: int) -> None:
    world.now += timedelta(seconds=seconds)
    await world.settle()


async def test_contested_after_the_round_is_missed_until_answered_late(world: World) -> None:
    start = await answered_for(world)
    await world.clock_strikes("09:30")
    await start.lan.tap("Không đúng")
    assert (await ask_of(world, "lan")).state == "missed"
    await start.lan.tap("Tôi khỏe")
    stored = await ask_of(world, "lan")
    assert (stored.state, stored.late, stored.proxy) == ("answered", True, False)


async def test_who_answers_themselves_later_makes_it_their_own(world: World) -> None:
    start = await answered_for(world)
    await start.lan.type("/today")
    assert "Hoa khai hộ Lan" in start.lan.last
    await start.lan.tap("Sửa bản khai")
    await start.lan.tap("Tôi khỏe")
    assert [(one[1], one[2]) for one in await given(world)] == [("Hoa", "phone_broken"), ("Lan", "")]
    assert not (await ask_of(world, "lan")).proxy


async def test_a_proxy_answer_can_be_given_anew_until_the_person_speaks(world: World) -> None:
    start = await answered_for(world)
    await open_card_of_answered(start.binh)
    assert "được khai hộ lúc 07:40" in start.binh.last
    await start.binh.tap("Khai hộ")
    await start.binh.tap("Đã báo qua điện thoại")
    await start.binh.tap("Đổi nơi làm việc")
    await start.binh.tap("Làm việc tại nhà")
    await start.binh.tap("Đúng như trên")
    assert [(one[1], one[2]) for one in await given(world)] == [("Hoa", "phone_broken"), ("Bình", "by_phone")]
    stored = await ask_of(world, "lan")
    assert (stored.proxy, stored.workplace) == (True, "home")
    remembered = await world.rows(sa.select(tables.person.c.workplace).where(tables.person.c.name == "Lan"))
    assert remembered[0][0] == "", "where Lan works tomorrow is for Lan to say"


async def test_it_is_a_figure_of_its_own_and_never_the_persons_own(world: World) -> None:
    start = await answered_for(world)
    await start.hoa.type("/status")
    start.hoa.sees("Đã khai: 3/4", "Trong đó khai hộ: 1")
    await start.lan.type("/history")
    assert "23/11 buổi sáng: được khai hộ lúc 07:40" in start.lan.last
    await world.clock_strikes("09:00")
    assert any("Tổng hợp" in one.title and "Trong đó khai hộ: 1" in one.text for _, one in start.hoa.messages)
