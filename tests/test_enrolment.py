"""How a chat becomes somebody's: codes in every form, codes that do not work, strangers, and the phone number."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

import texts
from domain import codes
from domain.chat import Joined, Left
from domain.policy import Role
from storage import tables
from storage.database import Database
from tests.phone import EVERYTHING, Phone
from tests.world import World, build

REFUSED = texts.text("vi", "enrolment.refused")


@pytest.mark.parametrize(
    "written",
    [
        lambda code: f"/start {code}",
        str,
        lambda code: code.lower(),
        lambda code: " ".join(code),
        codes.shown,
        lambda code: code.replace("0", "O").replace("1", "l"),
        lambda code: f"/start {codes.shown(code).lower()}",
    ],
    ids=["deep link", "typed", "lower case", "spaced", "printed", "look-alikes", "deep link, printed"],
)
async def test_a_code_enrols_however_it_is_written(world: World, written: Callable[[str], str]) -> None:
    await world.unit("P1", "Phòng Kế hoạch")
    code = await world.code_for(await world.person("lan", "P1"))
    lan = world.phone("lan")
    await lan.type(written(code))
    lan.sees("Xin chào anh/chị Lan (Phòng Kế hoạch)", "[Tôi đồng ý]", "[Tôi không đồng ý]")


async def test_codes_that_do_not_work_are_all_answered_alike(each_world: World) -> None:
    world = each_world
    lan, minh, hoa, gone = [await world.person(name) for name in ("lan", "minh", "hoa", "gone")]
    used, revoked, expired, left = [await world.code_for(who) for who in (lan, minh, hoa, gone)]
    await world.phone("lan").type(used)
    await world.code_for(minh)
    async with world.transaction() as session:
        left_at = tables.person.update().where(tables.person.c.id == gone).values(left_at=world.now)
        await session.execute(left_at)
    world.now += timedelta(hours=25)
    await world.settle()
    wrong = codes.new_code(world.chance.getrandbits)
    before = await world.facts()
    for number, bad in enumerate([used, revoked, expired, left, wrong, "abc", wrong[:-3]]):
        guesser = world.phone(f"guesser {number}")
        await guesser.type(f"/start {bad}")
        assert [message.text for _, message in guesser.messages] == [REFUSED]
        assert not guesser.messages[0][1].keyboard
    after = await world.facts()
    assert len(after.pop("failed_code")) == 7 and not before.pop("failed_code") and after == before


async def test_a_code_with_a_letter_missing_is_answered_as_a_code(world: World) -> None:
    guesser = world.phone("ai do")
    await guesser.type("xin chào")
    await guesser.type("4F7QZ-8K2M1-AB3CD-9WXYZ-0PQRS")
    assert guesser.last == REFUSED


async def test_five_wrong_codes_lock_one_chat_out_and_nobody_else(each_world: World) -> None:
    world = each_world
    lan, minh = await world.person("lan"), await world.person("minh")
    mine, other = await world.code_for(lan), await world.code_for(minh)
    guesser = world.phone("lan")
    for _ in range(5):
        await guesser.type(codes.new_code(world.chance.getrandbits))
    for _ in range(3):
        await guesser.type(mine)
    assert [message.text for _, message in guesser.messages] == [REFUSED] * 6, "five, and once for the rest of the hour"
    await world.phone("minh").type(other)
    world.phone("minh").sees("Xin chào anh/chị Minh")
    world.now += timedelta(minutes=61)
    await guesser.type(mine)
    guesser.sees("Xin chào anh/chị Lan")


async def test_guessing_from_many_chats_is_throttled_altogether(world: World) -> None:
    async with world.transaction() as session:
        rows = [{"channel": "telegram", "chat_id": f"g{n}", "failed_at": world.now} for n in range(1000)]
        await session.execute(tables.failed_code.insert(), rows)
    code = await world.code_for(await world.person("lan"))
    lan = world.phone("lan")
    await lan.type(code)
    assert lan.last == REFUSED
    world.now += timedelta(hours=1, seconds=1)
    await lan.type(code)
    lan.sees("Xin chào anh/chị Lan")


async def test_a_code_works_once_and_not_from_a_second_phone(world: World) -> None:
    code = await world.code_for(await world.person("lan"))
    lan, thief = world.phone("lan"), world.phone("thief")
    await lan.type(code)
    await thief.type(code)
    assert thief.last == REFUSED
    await lan.tap("Tôi đồng ý")
    await lan.type(f"/start {code}")
    lan.sees("đã được đăng ký cho anh/chị Lan")


async def test_opening_the_link_again_before_choosing_shows_the_notice(world: World) -> None:
    lan = await world.enrolled("lan", agrees=False)
    await lan.type("/start 12345678901234567890123456")
    assert "[Tôi đồng ý]" in lan.last
    await lan.type("chào bot")
    assert "[Tôi đồng ý]" in lan.last


async def test_a_stranger_gets_one_polite_reply_a_day_and_nothing_else(each_world: World) -> None:
    stranger = each_world.phone("ai do")
    for said in ("xin chào", "/start", "/today", "/help", "/status", "1", "/bind P1"):
        await stranger.type(said)
    await stranger.press("1.well:1.AAAAAAAAAAAA")
    await stranger.share_phone("0912345678")
    assert len(stranger.messages) == 1 and "dành cho cán bộ" in stranger.last and "Sở Nông nghiệp" in stranger.last
    await each_world.clock_strikes("06:00", days=1)
    await stranger.type("xin chào")
    assert len(stranger.messages) == 2


async def test_a_stranger_in_a_group_gets_nothing(world: World) -> None:
    group = world.phone("ai do").in_group("-5")
    code = await world.code_for(await world.person("lan"))
    await group.says(Joined("Nhóm lạ"))
    for said in ("/start", f"/start {code}", code, "/bind ORG", "/status", "/help", "xin chào"):
        await group.type(said)
    assert group.screen == "(nothing)"
    assert await world.count(tables.address) == 0


async def test_staff_who_bring_the_bot_into_a_group_are_told_how_to_bind_it(world: World) -> None:
    lan = await world.enrolled("lan")
    group = lan.in_group("-5")
    await group.says(Joined("Phòng Kế hoạch"))
    group.sees("/bind")
    for said in ("xin chào", "/today", "/help", "/leave", "/start"):
        await group.type(said)
    assert len(group.messages) == 1


async def test_who_has_left_the_organisation_is_a_stranger(world: World) -> None:
    lan = await world.enrolled("lan")
    async with world.transaction() as session:
        await session.execute(tables.person.update().values(left_at=world.now))
    await world.clock_strikes("07:00")
    lan.sees_not("Khai báo y tế")
    await lan.type("/today")
    assert "dành cho cán bộ" in lan.last


async def test_enrolling_while_a_round_is_open_leads_to_its_prompt_after_the_yes(each_world: World) -> None:
    world = each_world
    await world.unit("P1")
    await world.person("minh", "P1")
    await world.clock_strikes("07:10")
    minh = await world.also_on("minh", "telegram")
    minh.sees_not("Tôi khỏe")
    await minh.tap("Tôi đồng ý")
    minh.sees("Khai báo y tế buổi sáng", "Tôi khỏe")
    await world.clock_strikes("07:30")
    minh.sees("🔔 Nhắc khai báo")


async def test_a_closed_round_keeps_its_reason_when_somebody_enrols_later(world: World) -> None:
    await world.person("minh")
    await world.clock_strikes("09:05")
    await (await world.also_on("minh", "telegram")).tap("Tôi đồng ý")
    assert await world.rows(sa.select(tables.ask.c.state, tables.ask.c.reach)) == [("missed", "not_enrolled")]


async def test_a_second_channel_does_not_undo_that_the_prompt_arrived(world: World) -> None:
    await world.enrolled("lan")
    await world.clock_strikes("07:00")
    await world.also_on("lan", "webchat")
    assert await world.rows(sa.select(tables.ask.c.reach)) == [("delivered",)]


async def test_whoever_blocks_the_bot_counts_as_not_reached_until_they_speak_again(each_world: World) -> None:
    world = each_world
    lan = await world.enrolled("lan")
    lost = sa.select(tables.address.c.lost_at.is_not(None))
    await lan.says(Left("blocked"))
    assert await world.rows(lost) == [(True,)]
    await world.clock_strikes("07:00")
    lan.sees_not("Khai báo y tế")
    await lan.in_group("-5").type("/status")
    assert await world.rows(lost) == [(True,)], "speaking in a group opens no private chat"
    await lan.says(Joined())
    assert await world.rows(lost) == [(False,)]
    await world.clock_strikes("07:30")
    lan.sees("🔔 Nhắc khai báo")


async def at_the_phone_step(database: Database, phone: str = "+84912345678") -> tuple[World, Phone]:
    """Somebody who has just used a code where the channel can vouch for a number."""
    world = await build(database, capabilities=replace(EVERYTHING, phone=True))
    lan = world.phone("lan")
    await lan.type(await world.code_for(await world.person("lan", phone=phone)))
    return world, lan


async def verified(world: World) -> bool:
    return bool((await world.rows(sa.select(tables.address.c.phone_verified_at)))[0][0])


async def test_ones_own_matching_number_confirms(database: Database) -> None:
    world, lan = await at_the_phone_step(database)
    lan.sees("[Gửi số điện thoại của tôi]", "[Bỏ qua bước này]")
    lan.sees_not("[Tôi đồng ý]")
    await lan.share_phone("84912345678")
    lan.sees("số điện thoại đã khớp", "[Tôi đồng ý]")
    assert await verified(world)


async def test_ones_own_differing_number_is_told_and_noted(database: Database) -> None:
    world, lan = await at_the_phone_step(database)
    await lan.share_phone("84987654321")
    lan.sees("khác với số trong danh sách", "[Tôi đồng ý]")
    assert not await verified(world)
    assert ("phone_differs",) in await world.rows(sa.select(tables.audit.c.action))


async def test_those_close_by_hear_of_a_differing_number_but_not_the_number(database: Database) -> None:
    world = await build(database, capabilities=replace(EVERYTHING, phone=True))
    await world.unit("P1")
    await world.unit("P2")
    chief = await world.enrolled("sáu", role=Role.HEAD)
    focal = await world.enrolled("bình", "P1", role=Role.FOCAL)
    other = await world.enrolled("dũng", "P2", role=Role.HEAD)
    lan = world.phone("lan")
    await lan.type(await world.code_for(await world.person("lan", "P1", phone="+84912345678")))
    for _ in range(2):
        await lan.share_phone("84987654321")
    for one in (chief, focal):
        assert one.screen.count("Số điện thoại mà Lan (Phòng P1) gửi khi đăng ký khác") == 1
        one.sees_not("987654321", "912345678")
    other.sees_not("Lan")


async def test_somebody_elses_contact_confirms_nothing(database: Database) -> None:
    world, lan = await at_the_phone_step(database)
    await lan.share_phone("84912345678", own=False)
    assert "không phải số của chính tài khoản này" in lan.last and "[Bỏ qua bước này]" in lan.last
    assert not await verified(world)


@pytest.mark.parametrize("how", ["tap", "type"])
async def test_the_phone_step_can_be_skipped(database: Database, how: str) -> None:
    world, lan = await at_the_phone_step(database)
    await (lan.tap("Bỏ qua bước này") if how == "tap" else lan.type("bo qua buoc nay"))
    lan.sees("[Tôi đồng ý]")
    assert not await verified(world)


async def test_the_phone_step_is_left_out_where_the_roster_has_no_number(database: Database) -> None:
    _, lan = await at_the_phone_step(database, phone="")
    lan.sees("[Tôi đồng ý]")
    lan.sees_not("số điện thoại của tôi")
