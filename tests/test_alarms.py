"""The alarm: told within the turn, taken on by the first, climbing at 10 and 20 minutes whatever happens, ended."""

from __future__ import annotations

from datetime import time, timedelta
from random import Random

import pytest
import sqlalchemy as sa

from domain.chat import Address, Left
from domain.incident import HEALTH, climbs_at, height, told_after
from domain.policy import Role
from storage import incidents, posts, tables, units
from tests.morning import REST, UNWELL, WELL, taps
from tests.phone import Phone
from tests.storm import another, exception, staff
from tests.team import F0, TOLD_AT_ONCE, Team, report, stored, team
from tests.world import MONDAY, World

ALARM = "⚠️ Việc bất thường #1 – Tổ Một"
FEVER = (UNWELL, "Sốt", "Tiếp tục", "38,0", *REST, "Gửi bản khai")


def told(world: World) -> list[str]:
    """The chats to which alarms went, in order: one entry each time."""
    return [message.to.chat_id for key, message in world.telegram.sent if key.startswith("incident:1:")]


def names(people: Team, chats: list[str]) -> list[str]:
    who = {people.of(name).chat_id: name for name in Team.__slots__}
    return [who[chat] for chat in chats]


async def incident_at(world: World, at: str = "14:59") -> Team:
    people = await team(world)
    await world.clock_strikes(at)
    await report(people.lan)
    return people


async def blocked(world: World, *phones: Phone) -> None:
    for phone in phones:
        world.telegram.blocked.add(phone.chat_id)
        await phone.says(Left("blocked"))


async def test_focal_person_head_and_every_head_above_are_told_within_the_turn(each_world: World) -> None:
    people = await team(each_world)
    await each_world.clock_strikes("14:59")
    ticked = each_world.now
    await report(people.lan)
    assert each_world.now == ticked
    assert sorted(names(people, told(each_world))) == sorted(TOLD_AT_ONCE)
    for name in TOLD_AT_ONCE:
        people.of(name).sees(ALARM, "Việc: Phát hiện ca F0", "Nội dung: Ở phòng 302", "[Tôi tiếp nhận]")
    for phone in (people.sen, people.chu, people.tam):
        phone.sees_not("Việc bất thường #")


async def test_the_first_who_takes_it_on_ends_the_climbing_and_everybody_learns_who(each_world: World) -> None:
    world = each_world
    people = await incident_at(world)
    world.now += timedelta(minutes=3)
    await people.hoa.tap("Tôi tiếp nhận")
    for name in TOLD_AT_ONCE:
        people.of(name).sees("✅ thủ trưởng Phòng An (Hoa) tiếp nhận lúc 15:02.")
        people.of(name).sees_not("[Tôi tiếp nhận]")
    people.lan.sees("✅ Việc #1 anh/chị báo lúc 14:59 đã có người tiếp nhận: thủ trưởng Phòng An, lúc 15:02.")
    people.lan.sees("✅ Đã có người tiếp nhận lúc 15:02: thủ trưởng Phòng An.")
    people.lan.sees_not("Hoa")
    before = len(told(world))
    await world.clock_strikes("16:00")
    assert len(told(world)) == before
    assert await stored(world, "climbed", "climbs_at") == [(0, None)]


async def test_the_second_to_take_it_on_reads_who_was_first(world: World) -> None:
    people = await incident_at(world)
    at, late = people.nam.button("Tôi tiếp nhận")
    await people.mai.tap("Tôi tiếp nhận")
    sent = len(told(world))
    await people.nam.press(late.data, at)
    people.nam.sees("✅ đầu mối Tổ Một (Mai) tiếp nhận lúc 14:59.")
    assert len(told(world)) == sent


async def test_unanswered_it_climbs_after_10_and_20_minutes(each_world: World) -> None:
    world = each_world
    people = await incident_at(world)
    await world.clock_strikes("15:08")
    assert len(told(world)) == 4
    await world.clock_strikes("15:09")
    assert sorted(names(people, told(world)[4:])) == sorted([*TOLD_AT_ONCE, "sen"])
    people.sen.sees("🔔 Đã hơn 10 phút chưa có người tiếp nhận.")
    people.chu.sees_not("Việc bất thường #")
    await world.clock_strikes("15:19")
    assert sorted(names(people, told(world)[9:])) == sorted([*TOLD_AT_ONCE, "sen", "chu"])
    people.chu.sees("🔔 Đã hơn 20 phút chưa có người tiếp nhận.")
    sent = len(told(world))
    await world.clock_strikes("18:00")
    assert len(told(world)) == sent
    await people.chu.tap("Tôi tiếp nhận")
    people.mai.sees("✅ ban chỉ đạo (Chu) tiếp nhận lúc 18:00.")
    people.mai.sees_not("[Tôi tiếp nhận]")


@pytest.mark.parametrize("restarts", [False, True])
async def test_after_an_outage_it_stands_where_it_would_have_climbed_to(each_world: World, restarts: bool) -> None:
    world = each_world
    people = await incident_at(world)
    await world.clock_strikes("15:01")
    if restarts:
        await world.restart()
    await world.down_until("15:40")
    assert await stored(world, "climbed", "climbs_at") == [(2, None)]
    assert sorted(names(people, told(world)[4:])) == sorted([*TOLD_AT_ONCE, "sen", "chu"]), "once, not twice"


async def test_two_processes_let_it_climb_once(each_world: World) -> None:
    world = each_world
    await incident_at(world)
    other = another(world, world.database)
    world.now += timedelta(minutes=10)
    async with world.database.reading() as session:
        (due,) = await incidents.due(session, world.now)
    assert [await app.ticks._climb(due, world.now) for app in (world.app, other)] == [1, 0]


async def test_what_was_taken_on_meanwhile_does_not_climb(each_world: World) -> None:
    world = each_world
    people = await incident_at(world)
    async with world.database.reading() as session:
        (due,) = await incidents.due(session, world.now + timedelta(minutes=10))
    await people.mai.tap("Tôi tiếp nhận")
    assert await world.app.ticks._climb(due, world.now + timedelta(minutes=10)) == 0


async def test_a_head_without_a_chat_is_named_to_the_others(world: World) -> None:
    people = await team(world)
    await world.person("quân", "A1", role=Role.HEAD)
    await blocked(world, people.hoa)
    await report(people.lan)
    people.nam.sees("Chưa nhắn được qua bot:", "Quân (thủ trưởng Tổ Một)", "Hoa (thủ trưởng Phòng An)")
    people.lan.sees("Đã báo: đầu mối Tổ Một; thủ trưởng Tổ Một; thủ trưởng Sở Nông nghiệp.")


async def test_if_nobody_near_can_be_reached_the_committee_is_told_at_once(world: World) -> None:
    people = await team(world)
    await blocked(world, *(people.of(name) for name in TOLD_AT_ONCE))
    await report(people.lan)
    people.chu.sees(ALARM, "[Tôi tiếp nhận]")
    people.lan.sees("Đã báo: đầu mối Phòng An; ban chỉ đạo.")


async def test_chats_found_to_be_lost_in_sending_count_as_not_reached(each_world: World) -> None:
    world = each_world
    people = await team(world)
    elsewhere = await world.also_on("nam", "webchat")
    world.now += timedelta(minutes=1)
    await people.nam.type("/help")
    world.telegram.blocked |= {people.of(name).chat_id for name in TOLD_AT_ONCE}
    await report(people.lan)
    await world.settle()
    assert ALARM in elsewhere.screen, "told in the other chat without waiting for the ten minutes"
    people.chu.sees_not("Việc bất thường #")
    world.webchat.blocked.add(elsewhere.chat_id)
    await report(people.lan)
    await world.settle()
    people.chu.sees("⚠️ Việc bất thường #2 – Tổ Một")


async def test_nobody_at_all_can_be_reached_and_the_reporter_is_told_so(world: World) -> None:
    await world.unit("A", "Phòng An")
    lan = await world.enrolled("lan", "A")
    await report(lan)
    lan.sees("Chưa có người phụ trách nào nhận được tin qua bot", "gọi điện trực tiếp")
    hoa = await world.enrolled("hoa", "A", role=Role.HEAD)
    world.now += timedelta(minutes=10)
    await world.settle()
    hoa.sees("🔔 Đã hơn 10 phút", "[Tôi tiếp nhận]")


async def test_a_head_who_reports_is_not_told_and_cannot_answer_it_alone(world: World) -> None:
    people = await team(world)
    await report(people.nam)
    assert sorted(names(people, told(world))) == ["giang", "hoa", "mai"]
    await people.nam.type("/incident")
    await people.nam.tap("#1")
    await people.nam.tap("Tôi tiếp nhận")
    assert "nên cần một người khác tiếp nhận" in people.nam.last
    assert await stored(world, "acknowledged_by_id") == [(None,)]


@pytest.mark.parametrize(
    "verb", ["incident", "incident_take", "incident_end", "incident_ended", "incident_note", "incident_photo"]
)
async def test_a_foreign_or_forged_tap_does_nothing_and_tells_nothing(world: World, verb: str) -> None:
    people = await incident_at(world)
    before = await world.facts()
    for stranger in (people.tam, people.lan):
        here = Address("telegram", stranger.chat_id)
        for number in (1, 999):
            await stranger.press(world.house.seal.button(f"{verb}:{number}:handled", here))
            if stranger is people.tam or number == 999 or verb in ("incident_take", "incident_end", "incident_ended"):
                assert "Nút này đã cũ" in stranger.last and "302" not in stranger.last
    _, take = people.nam.button("Tôi tiếp nhận")
    await people.tam.press(take.data)
    after = await world.facts()
    assert {name for name in after if after[name] != before[name]} <= {"dialogue"}


async def test_a_post_lost_meanwhile_takes_the_buttons_with_it(world: World) -> None:
    people = await incident_at(world)
    async with world.transaction() as session:
        unit = await units.by_code(session, "A")
        found = await session.execute(sa.select(tables.person.c.id).where(tables.person.c.name == "Hoa"))
        assert unit and await posts.end(session, found.scalar_one(), unit.id, Role.HEAD, world.now)
    await people.hoa.tap("Tôi tiếp nhận")
    assert "Nút này đã cũ" in people.hoa.last
    await world.clock_strikes("15:09")
    assert people.hoa.chat_id not in told(world)[4:]


async def test_notes_reach_those_told_and_stay_from_the_reporter(each_world: World) -> None:
    world = each_world
    people = await incident_at(world)
    await people.nam.tap("Ghi thêm")
    await people.nam.type("x" * 501)
    assert "dài 501 ký tự" in people.nam.last
    await people.nam.sends_photo()
    assert "chỉ nhận chữ" in people.nam.last
    await people.nam.type("Đã gọi trạm y tế, Minh đang cách ly")
    assert "• 14:59 Nam: Đã gọi trạm y tế" in people.nam.last
    for name in ("mai", "hoa", "giang"):
        people.of(name).sees("📝 Nam ghi thêm: Đã gọi trạm y tế, Minh đang cách ly")
    await people.lan.tap("Ghi thêm")
    await people.lan.type("Thêm một người nữa bị sốt")
    people.nam.sees("📝 Lan ghi thêm: Thêm một người nữa bị sốt")
    await people.nam.tap("Xem việc này")
    assert "• 14:59 Lan: Thêm một người nữa bị sốt" in people.nam.last
    people.lan.sees_not("Minh")


async def test_it_ends_with_an_outcome_that_everybody_learns(each_world: World) -> None:
    world = each_world
    people = await team(world)
    group = await world.bound_group("-100", people.nam, people.hoa, "A1")
    await world.clock_strikes("14:59")
    await report(people.lan)
    group.sees("⚠️ Có 1 việc bất thường đang xử lý, mở lúc 14:59.")
    await people.nam.tap("Tôi tiếp nhận")
    await world.clock_strikes("15:40")
    at, old = people.mai.button("Kết thúc việc này")
    await people.nam.tap("Kết thúc việc này")
    await people.nam.tap("Quay lại")
    await taps(people.nam, "Kết thúc việc này", "Đã chuyển cơ quan y tế")
    for name in TOLD_AT_ONCE:
        people.of(name).sees("(đã kết thúc)", "kết thúc lúc 15:40: Đã chuyển cơ quan y tế, chức năng.")
    people.lan.sees("Việc #1 anh/chị báo lúc 14:59 đã kết thúc lúc 15:40: Đã chuyển cơ quan y tế, chức năng.")
    group.sees("✅ Việc bất thường mở lúc 14:59 đã kết thúc lúc 15:40.")
    group.sees_not("đang xử lý", "Lan", "F0", "302")
    await people.mai.press(old.data, at)
    people.mai.sees("(đã kết thúc)")
    assert await stored(world, "outcome") == [("handed_over",)]


async def test_ended_before_anybody_took_it_on_it_climbs_no_more(world: World) -> None:
    people = await incident_at(world)
    await taps(people.mai, "Kết thúc việc này", "Báo nhầm")
    sent = len(told(world))
    await world.clock_strikes("16:00")
    assert len(told(world)) == sent


async def test_the_list_begins_with_what_is_open(world: World) -> None:
    people = await incident_at(world)
    await report(people.lan, "Ngộ độc thực phẩm", "Ở bếp ăn")
    await people.hoa.type("/incident")
    assert [one.label for at, one in people.hoa.buttons if at == people.hoa.messages[-1][0]] == [
        "⚠️ #2 14:59 Ngộ độc thực phẩm", "⚠️ #1 14:59 Phát hiện ca F0", "⚠️ Báo việc mới",
    ]  # fmt: skip
    await people.hoa.tap("#1")
    await people.hoa.tap("Tôi tiếp nhận")
    await people.tam.type("/incident")
    assert "bước 1/4" in people.tam.last
    await people.lan.type("/incident")
    await people.lan.tap("✅ #1")
    assert "Đã có người tiếp nhận" in people.lan.last and "Hoa" not in people.lan.last


async def test_a_drill_is_marked_everywhere_and_counted_nowhere(world: World) -> None:
    people = await team(world)
    group = await world.bound_group("-100", people.nam, people.hoa, "A1")
    updates = await world.count(tables.risk_update)
    await people.nam.type("/incident")
    await people.nam.tap("Bắt đầu diễn tập")
    assert "Đây là diễn tập" in people.nam.last
    for label in (F0, "Bỏ qua", "Bỏ qua", "Gửi ngay"):
        assert people.nam.last.startswith("[DIỄN TẬP]")
        await people.nam.tap(label)
    world.now += timedelta(minutes=21)
    await world.settle()
    await people.mai.tap("Tôi tiếp nhận")
    await people.mai.tap("Ghi thêm")
    await people.mai.type("Đã đến nơi")
    await taps(people.hoa, "Kết thúc việc này", "Đã xử lý xong")
    spoken = [message for key, message in world.telegram.sent if key.startswith("incident:1:")]
    assert len(spoken) > 10
    assert all("[DIỄN TẬP]" in f"{message.title}{message.text}" for message in spoken)
    group.sees("[DIỄN TẬP] ✅ Việc bất thường mở lúc 06:00 đã kết thúc")
    assert await world.count(tables.risk_update) == updates
    async with world.database.reading() as session:
        assert await incidents.between(session, MONDAY, MONDAY + timedelta(days=1)) == []
        assert await incidents.open_of(session, ["/"]) == []


async def test_only_those_who_answer_for_a_unit_or_configure_start_a_drill(world: World) -> None:
    people = await team(world)
    admin = await world.enrolled("quản trị", role=Role.ADMIN)
    await admin.type("/incident")
    admin.button("Bắt đầu diễn tập")
    await people.lan.type("/incident")
    people.lan.sees_not("Bắt đầu diễn tập")
    here = Address("telegram", people.lan.chat_id)
    for data in ("incident_new:drill", "incident_kind:f0:drill"):
        await people.lan.press(world.house.seal.button(data, here))
        assert "Nút này đã cũ" in people.lan.last


async def test_figures_count_what_is_open_in_a_subtree_and_what_was_reported_in_a_span(each_world: World) -> None:
    world = each_world
    people = await incident_at(world)
    await report(people.tam)
    await taps(people.giang, "Kết thúc việc này", "Đã xử lý xong")
    async with world.database.reading() as session:
        a, b = await units.by_code(session, "A"), await units.by_code(session, "B")
        assert a and b
        assert [one.id for one in await incidents.open_of(session, [a.path])] == [1]
        assert [one.id for one in await incidents.open_of(session, [b.path])] == []
        assert [one.id for one in await incidents.between(session, MONDAY, world.now + timedelta(seconds=1))] == [1, 2]
        assert await incidents.between(session, MONDAY, world.now) == []


async def test_a_serious_declaration_is_told_in_private_with_its_reasons(each_world: World) -> None:
    world = each_world
    people = await team(world)
    group = await world.bound_group("-100", people.nam, people.hoa, "A1")
    await world.clock_strikes("07:00")
    await taps(people.lan, *FEVER)
    assert sorted(names(people, told(world))) == sorted(TOLD_AT_ONCE)
    people.nam.sees("Lan khai lúc 07:00 ngày 23/11.", "Việc: Bản khai có mức nguy cơ cao", "Lý do: Sốt, hoặc nhiệt độ")
    group.sees_not("việc bất thường", "Lan")
    await people.mai.tap("Tôi tiếp nhận")
    people.lan.sees("✅ Bản khai của anh/chị lúc 07:00 đã có người tiếp nhận: đầu mối Tổ Một, lúc 07:00.")
    assert await stored(world, "kind", "is_drill") == [(HEALTH, False)]


async def test_a_corrected_declaration_leaves_a_note_and_raises_nothing_new(world: World) -> None:
    people = await team(world)
    await world.clock_strikes("07:00")
    await taps(people.lan, *FEVER)
    await taps(people.lan, "Sửa bản khai", WELL)
    people.nam.sees("📝 Lan ghi thêm: Đã sửa bản khai: mức nguy cơ nay là thấp.")
    await taps(people.lan, "Sửa bản khai", *FEVER)
    people.nam.sees("📝 Lan ghi thêm: Đã sửa bản khai: mức nguy cơ nay là cao.")
    assert len(await stored(world, "id")) == 1
    await taps(people.lan, "Sửa bản khai", UNWELL, "Sửa: Triệu chứng", "Ho", "Tiếp tục", "Gửi bản khai")
    assert len(await world.rows(sa.select(tables.incident_note.c.id))) == 2, "the level is what it was"


async def test_a_declaration_that_is_not_serious_raises_nothing(world: World) -> None:
    people = await team(world)
    await world.clock_strikes("07:00")
    await taps(people.lan, UNWELL, "Ho", "Tiếp tục", "37,0", *REST, "Gửi bản khai")
    assert await stored(world, "id") == []


async def test_an_unanswered_declaration_climbs_like_any_incident(world: World) -> None:
    people = await team(world)
    await world.clock_strikes("07:00")
    await taps(people.lan, *FEVER)
    await world.clock_strikes("07:20")
    people.chu.sees("🔔 Đã hơn 20 phút", "Lan khai lúc 07:00")


async def test_a_declaration_in_a_drill_raises_a_drill(world: World) -> None:
    people = await team(world)
    await exception(world, "A1", is_drill=True, once_on=MONDAY.date(), opens=time(6, 30), closes=time(6, 50))
    await world.clock_strikes("06:30")
    await taps(people.lan, *FEVER)
    people.nam.sees("[DIỄN TẬP] ⚠️ Việc bất thường #1")
    assert await stored(world, "is_drill") == [(True,)]


async def test_prompts_on_their_way_do_not_hold_an_alarm_back(world: World) -> None:
    people = await team(world)
    await staff(world, "B", 200)
    await world.clock_strikes("06:59")
    await people.lan.type("/incident")
    await taps(people.lan, F0, "Bỏ qua", "Bỏ qua")
    world.now += timedelta(minutes=1)
    await world.app.ticks.tick(world.now)
    await people.lan.tap("Gửi ngay")
    sent = [key.split(":")[0] for key, _ in world.telegram.sent]
    assert max(at for at, kind in enumerate(sent) if kind == "incident") < sent.index("prompt")


async def test_what_was_said_is_forgotten_in_time_and_that_it_happened_is_not(world: World) -> None:
    people = await team(world)
    await people.lan.type("/incident")
    await people.lan.tap(F0)
    await people.lan.sends_photo()
    await people.lan.type("Ở phòng 302")
    await people.lan.type("CB-mai")
    await taps(people.lan, "Tiếp tục", "Gửi ngay")
    await people.nam.tap("Ghi thêm")
    await people.nam.type("Đã gọi trạm y tế")
    await world.app.ticks.tidy(world.now + timedelta(days=91))
    assert await stored(world, "kind", "text", "attachment_id") == [("f0", "", None)]
    for table in (tables.incident_note, tables.incident_person, tables.attachment):
        assert await world.count(table) == 0


@pytest.mark.parametrize("seed", range(8))
async def test_after_20_minutes_every_incident_is_taken_on_or_with_the_committee(world: World, seed: int) -> None:
    """Reports, answers, lost chats, outages and restarts at random."""
    chance = Random(seed)
    people = await team(world)
    for _ in range(30):
        phone = people.of(chance.choice(Team.__slots__))
        match chance.randrange(6):
            case 0:
                reporter = people.of(chance.choice(("lan", "tam", "nam")))
                world.telegram.blocked.discard(reporter.chat_id)
                await report(reporter)
            case 1 if any(one.label == "Tôi tiếp nhận" for _, one in phone.buttons):
                await phone.tap("Tôi tiếp nhận")
            case 2:
                await blocked(world, phone)
            case 3:
                world.telegram.blocked.discard(phone.chat_id)
                await phone.type("/help")
            case 4:
                await world.restart()
            case _:
                world.now += timedelta(minutes=chance.randrange(9))
                await world.settle()
    world.now += timedelta(minutes=20)
    await world.settle()
    for answered, climbed, due in await stored(world, "acknowledged_at", "climbed", "climbs_at"):
        assert due is None and (answered or climbed == 2)


@pytest.mark.parametrize(("minutes", "climbed"), [(0, 0), (9, 0), (10, 1), (19, 1), (20, 2), (6000, 2), (-5, 0)])
def test_how_far_it_has_climbed(minutes: int, climbed: int) -> None:
    assert height(MONDAY, MONDAY + timedelta(minutes=minutes)) == climbed


def test_each_climb_has_its_time_and_the_last_none() -> None:
    assert [climbs_at(MONDAY, step) for step in range(3)] == [
        MONDAY + timedelta(minutes=10), MONDAY + timedelta(minutes=20), None,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("role", "over", "after"),
    [(Role.FOCAL, "/1/2/3/", 0), (Role.HEAD, "/1/2/3/", 0), (Role.HEAD, "/1/", 0), (Role.FOCAL, "/1/2/", 1),
     (Role.FOCAL, "/1/", 1), (Role.COMMITTEE, "/1/", 2), (Role.COMMITTEE, "/1/2/3/", 2)],
)  # fmt: skip
def test_who_is_told_when(role: Role, over: str, after: int) -> None:
    assert told_after(role, over, "/1/2/3/") == after
