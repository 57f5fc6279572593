"""The notice before the first question, and a choice that is recorded, can be changed, and is never silence."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from domain.policy import Role
from handlers.privacy import NOTICE_VERSION
from storage import tables
from tests.phone import Phone
from tests.world import World


async def choices(world: World) -> list[Any]:
    stored = tables.consent.c
    return await world.rows(sa.select(stored.choice, stored.notice_version, stored.channel).order_by(stored.id))


async def undecided(world: World) -> Phone:
    await world.unit("P1", "Phòng Kế hoạch")
    return await world.enrolled("lan", "P1", agrees=False)


async def test_the_notice_says_what_why_who_how_long_and_which_rights(world: World) -> None:
    lan = await undecided(world)
    lan.sees("Ghi lại", "Mục đích", "Ai xem", "Giữ 90 ngày rồi xóa", "Quyền của anh/chị", "Sở Nông nghiệp")
    agree, decline = [one for _, one in lan.buttons][:2]
    assert (agree.label, decline.label) == ("Tôi đồng ý", "Tôi không đồng ý")
    assert agree.style == decline.style, "refusing is as easy as agreeing"


async def test_nothing_is_asked_before_the_yes_and_silence_is_no_yes(each_world: World) -> None:
    world = each_world
    lan = await undecided(world)
    chief = await world.enrolled("hoa", "P1", role=Role.HEAD)
    await world.clock_strikes("08:30")
    lan.sees_not("Khai báo y tế buổi", "🔔")
    chief.sees("• Lan: chưa chọn đồng ý hay không")
    for said in ("/today", "/history", "/leave", "/privacy", "xin chào", "khỏe"):
        await lan.type(said)
        assert "[Tôi đồng ý]" in lan.last, said
    assert [one.choice for one in await choices(world)] == ["agreed"], "the head's own"
    assert await world.count(tables.declaration) == 0


async def test_agreeing_while_a_round_is_open_brings_its_prompt_at_once(world: World) -> None:
    lan = await undecided(world)
    await world.clock_strikes("07:10")
    await lan.tap("Tôi đồng ý")
    lan.sees("lựa chọn đã được ghi nhận", "Tôi khỏe")
    assert await choices(world) == [("agreed", NOTICE_VERSION, "telegram")]
    await lan.tap("Tôi khỏe")
    lan.sees("✅ Đã nhận khai báo lúc 07:10")


@pytest.mark.parametrize("words", ["1", "Tôi đồng ý", "toi dong y."])
async def test_agreeing_in_words(world: World, words: str) -> None:
    lan = await undecided(world)
    await lan.type(words)
    lan.sees("lựa chọn đã được ghi nhận")


@pytest.mark.parametrize("words", ["đồng", "ừ", "có lẽ", "khong dong y lam"])
async def test_words_in_doubt_are_no_choice(world: World, words: str) -> None:
    lan = await undecided(world)
    await lan.type(words)
    assert await choices(world) == []


async def test_who_declines_is_not_prompted_and_shows_as_such(each_world: World) -> None:
    world = each_world
    lan = await undecided(world)
    chief = await world.enrolled("hoa", "P1", role=Role.HEAD)
    await lan.tap("Tôi không đồng ý")
    lan.sees("Bot sẽ không hỏi nữa")
    said = len(lan.messages)
    await world.clock_strikes("19:00")
    assert len(lan.messages) == said
    chief.sees("• Lan: không đồng ý")
    await lan.type("/help")
    lan.sees("/privacy")


async def test_a_choice_can_be_thought_over_and_taken_back_each_time_on_record(world: World) -> None:
    lan = await undecided(world)
    await world.clock_strikes("07:00")
    await lan.tap("Tôi không đồng ý")
    await lan.tap("Xem lại thông báo")
    await lan.tap("Tôi đồng ý")
    lan.sees("Khai báo y tế buổi sáng")
    agreed_at = lan.button("Tôi khỏe")
    await lan.type("/privacy")
    lan.sees("Anh/chị đã đồng ý", "Giữ 90 ngày")
    await lan.tap("Rút lại đồng ý")
    said = len(lan.messages)
    await world.clock_strikes("07:30")
    assert len(lan.messages) == said, "withdrawn, so no reminder in the same round"
    await lan.press(agreed_at[1].data, agreed_at[0])
    assert "[Tôi đồng ý]" in lan.last and await world.count(tables.declaration) == 0
    await lan.type("/privacy")
    lan.sees("Anh/chị đã chọn không đồng ý")
    await lan.tap("Tôi đồng ý")
    assert [one.choice for one in await choices(world)] == ["declined", "agreed", "declined", "agreed"]


async def test_a_prompt_on_its_way_is_held_back_from_who_has_withdrawn(world: World) -> None:
    lan = await undecided(world)
    await lan.tap("Tôi đồng ý")
    await lan.type("/privacy")
    at, withdraw = lan.button("Rút lại đồng ý")
    await world.down_until("07:00")
    await lan.press(withdraw.data, at)
    said = len(lan.messages)
    await world.clock_strikes("08:15")
    assert len(lan.messages) == said


async def test_choosing_the_same_twice_is_one_record(world: World) -> None:
    lan = await undecided(world)
    at, agree = lan.button("Tôi đồng ý")
    _, decline = lan.button("Tôi không đồng ý")
    for data in (agree.data, agree.data, decline.data, decline.data):
        await lan.press(data, at)
    assert [one.choice for one in await choices(world)] == ["agreed", "declined"]


async def test_the_notice_can_be_read_in_the_other_language_before_choosing(world: World) -> None:
    lan = await undecided(world)
    await lan.tap("English")
    lan.sees("How your personal data is used", "[I agree]", "[I do not agree]", "[Tiếng Việt]")
    await lan.tap("I agree")
    lan.sees("your choice is recorded")


async def test_no_answer_is_stored_without_an_earlier_yes(world: World) -> None:
    lan = await undecided(world)
    await lan.tap("Tôi đồng ý")
    await world.clock_strikes("07:00")
    await lan.tap("Tôi khỏe")
    yes = tables.consent.c
    basis = sa.exists().where(
        yes.person_id == tables.declaration.c.given_by_id,
        yes.choice == "agreed",
        yes.chosen_at <= tables.declaration.c.answered_at,
    )
    assert await world.count(tables.declaration) == await world.count(tables.declaration, basis) == 1
