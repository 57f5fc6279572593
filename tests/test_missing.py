"""The list of the missing: who sees it, every name a button, paged; reminding with a cap, and earlier days."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.policy import Role
from storage import asks, tables
from storage.database import Database
from summaries import status
from tests.office_day import actions, ask_of, lose_post, morning, open_card
from tests.phone import Phone
from tests.storm import all_well, away, prompts_to, staff, statements
from tests.test_summaries import DAY, empty
from tests.world import World, build

NOTHING = "Không có danh sách hay bản khai để xem ở đây"


async def test_the_list_says_who_is_missing_and_why_and_every_name_is_a_button(each_world: World) -> None:
    world = each_world
    await world.unit("P1", "Phòng Kế hoạch")
    hoa = await world.enrolled("hoa", "P1", role=Role.HEAD)
    await world.enrolled("lan", "P1")
    await world.enrolled("tú", "P1", agrees=False)
    await world.person("khách", "P1")
    dung = await world.enrolled("dũng", "P1", agrees=False)
    await dung.tap("Tôi không đồng ý")
    world.telegram.blocked.add((await world.enrolled("minh", "P1")).chat_id)
    await world.clock_strikes("07:10")
    await hoa.tap("Tôi khỏe")
    await hoa.type("/missing")
    assert "Chưa khai báo buổi sáng – Phòng Kế hoạch, Thứ Hai, 23/11/2026" in hoa.last
    assert "Đã khai: 1/6" in hoa.last
    whys = {
        "Lan": "đã nhận, chưa trả lời",
        "Tú": "chưa chọn đồng ý hay không",
        "Khách": "chưa đăng ký",
        "Dũng": "không đồng ý",
        "Minh": "đã chặn bot",
    }
    for name, why in whys.items():
        assert f"• {name}: {why}" in hoa.last and f"[{name}]" in hoa.last
    assert "[Nhắc tất cả (5)]" in hoa.last and "[Đã khai (1)]" in hoa.last
    await hoa.tap("Dũng")
    assert "không khai hộ được" in hoa.last and "[Khai hộ]" not in hoa.last


async def test_120_people_are_reached_page_by_page_each_once(world: World) -> None:
    await world.unit("P1", "Phòng Kế hoạch")
    await staff(world, "P1", 120)
    hoa = await world.enrolled("hoa", "P1", role=Role.HEAD)
    await world.clock_strikes("07:10")
    await hoa.tap("Tôi khỏe")
    await hoa.type("/missing")
    seen: list[str] = []
    for page in range(15):
        message = hoa.messages[-1][1]
        assert len(message.text) < 1000
        seen += [row[0].label for row in message.keyboard if row[0].label.startswith("Người")]
        if page < 14:
            await hoa.tap(f"{page * 8 + 9}–{page * 8 + 16} / 120 ›")
    assert len(seen) == len(set(seen)) == 120
    await hoa.tap(seen[-1])
    assert hoa.messages[-1][1].title == f"{seen[-1]} – Phòng Kế hoạch"
    await hoa.tap("‹ Danh sách")
    assert seen[-1] in hoa.last, "back on the page it was opened from"


async def test_a_page_that_has_emptied_meanwhile_is_the_last_one_there_is(world: World) -> None:
    people = await staff(world, "", 9)
    chi = await world.enrolled("chi", role=Role.COMMITTEE)
    await world.clock_strikes("07:10")
    await chi.tap("Tôi khỏe")
    await chi.type("/missing")
    at, last = chi.button("9 / 9 ›")
    await all_well(world, people[:8])
    await chi.press(last.data, at)
    assert dict(chi.messages)[at].keyboard[0][0].label == f"Người {people[8]}"


async def test_no_statement_for_each_person_on_a_list(world: World) -> None:
    await world.unit("P1")
    hoa = await world.enrolled("hoa", "P1", role=Role.HEAD)
    counted = []
    for number in (3, 30):
        await staff(world, "P1", number)
        await world.clock_strikes("07:10", days=2)
        with statements(world.database) as seen:
            await hoa.type("/missing")
            await hoa.tap("Nhắc tất cả")
        counted.append(len([one for one in seen if "SELECT" in one and "outbox" not in one]))
    assert counted[0] == counted[1]


@pytest.mark.parametrize("role", [Role.HEAD, Role.FOCAL, Role.COMMITTEE])
async def test_who_answers_for_a_unit_sees_its_list_and_a_named_answer_only_by_the_post(
    world: World, role: Role
) -> None:
    await world.unit("P1", "Phòng Kế hoạch")
    one = await world.enrolled("hoa", "" if role == Role.COMMITTEE else "P1", role=role)
    await world.enrolled("lan", "P1")
    await world.clock_strikes("07:10")
    await one.type("/missing P1")
    await one.tap("Lan")
    assert "[Nhắc khai báo]" in one.last and "[Khai hộ]" in one.last and "[Ghi nhận vắng mặt]" in one.last
    assert ("[Xem bản khai]" in one.last) == (role != Role.FOCAL)


async def test_absent_and_forbidden_look_alike_to_everybody_without_the_post(world: World) -> None:
    start = await morning(world)
    await world.unit("P2", "Phòng Khác")
    other = await world.enrolled("dũng", "P2", role=Role.HEAD)
    await open_card(start.hoa, "Lan")
    buttons = [one for _, one in start.hoa.buttons if one.data.split(":")[0].startswith(("1.missing", "1.look"))]
    for nobody in (start.lan, other, await world.enrolled("an", "P1", role=Role.ADMIN)):
        said = []
        for word in ("/missing P1", "/missing X9", "/missing p1 20/11"):
            await nobody.type(word)
            said.append(nobody.messages[-1][1].text)
        for one in buttons:
            verb_and_args = one.data.removeprefix("1.").rpartition(".")[0]
            await nobody.press(world.house.seal.button(verb_and_args, nobody.address))
            said.append(nobody.messages[-1][1].text)
        assert len(said) > 5 and all(NOTHING in one for one in said), nobody.name
        nobody.sees_not("• Minh")


async def test_a_post_lost_between_list_and_tap_leaves_nothing_to_see_or_do(each_world: World) -> None:
    world = each_world
    start = await morning(world)
    await open_card(start.hoa, "Lan")
    await lose_post(world, "hoa")
    said = len(start.lan.messages)
    for label in ("Nhắc khai báo", "Ghi nhận vắng mặt", "Xem bản khai", "‹ Danh sách"):
        at, one = start.hoa.button(label)
        await start.hoa.press(one.data, at)
        assert NOTHING in start.hoa.messages[-1][1].text, label
    at, one = start.hoa.button("Khai hộ")
    await start.hoa.press(one.data, at)
    assert "Không khai hộ được" in start.hoa.messages[-1][1].text
    assert len(start.lan.messages) == said


async def test_the_committee_goes_down_the_tree_by_unit(world: World) -> None:
    await world.unit("A", "Phòng An")
    await world.unit("A1", "Tổ Một", parent="A")
    await world.enrolled("lan", "A1")
    await world.enrolled("minh", "A")
    chi = await world.enrolled("chi", role=Role.COMMITTEE)
    await world.clock_strikes("07:10")
    await chi.type("/missing")
    assert "• Lan (Tổ Một)" in chi.last and "• Minh (Phòng An)" in chi.last
    await chi.tap("Theo đơn vị")
    await chi.tap("Phòng An: chưa khai 2/2")
    assert "– Phòng An" in chi.last
    await chi.tap("Theo đơn vị")
    await chi.tap("Tổ Một: chưa khai 1/1")
    assert "• Lan: đã nhận" in chi.last and "Minh" not in chi.last


async def test_who_answers_for_two_units_chooses(world: World) -> None:
    for code in ("P1", "P2", "P3"):
        await world.unit(code)
        await staff(world, code, 1)
    binh = await world.enrolled("bình", "P1", role=Role.FOCAL)
    async with world.transaction() as session:
        second = await session.execute(sa.select(tables.unit.c.id).where(tables.unit.c.code == "P2"))
        mine = (await session.execute(sa.select(tables.post))).one()._asdict()
        await session.execute(tables.post.insert().values({**mine, "id": 99, "unit_id": second.scalar_one()}))
    await world.clock_strikes("07:10")
    await binh.type("/missing")
    assert "Phòng P1: chưa khai 2/2" in binh.last and "Phòng P3" not in binh.last
    await binh.tap("Phòng P2: chưa khai 1/1")
    assert "– Phòng P2" in binh.last


async def test_the_0830_letter_has_the_same_buttons_as_the_command(world: World) -> None:
    start = await morning(world)
    await start.hoa.type("/missing")
    by_command = start.hoa.messages[-1][1].keyboard
    await world.clock_strikes("08:30")
    letter = start.hoa.messages[-1][1]
    assert letter.title == "Chưa khai báo buổi sáng – Phòng Kế hoạch, Thứ Hai, 23/11/2026"
    assert [row[0].label for row in letter.keyboard] == [row[0].label for row in by_command]
    await start.hoa.tap("Lan")
    assert "[Nhắc khai báo]" in start.hoa.last


async def test_the_boards_button_answers_in_private_and_tells_the_group_nothing(each_world: World) -> None:
    world = each_world
    start = await morning(world)
    group = await world.bound_group("-7", start.hoa, await world.enrolled("chi", role=Role.COMMITTEE), "P1")
    world.now += timedelta(seconds=10)
    await world.settle()
    shown = group.screen
    for one in (start.hoa, start.lan, world.phone("khách lạ")):
        await one.in_group("-7").tap("Ai chưa khai?")
    assert group.screen == shown
    assert "• Lan: đã nhận" in start.hoa.last and "[Nhắc tất cả (2)]" in start.hoa.last
    assert NOTHING in start.lan.last and world.phone("khách lạ").screen == "(nothing)"


async def test_a_reminder_names_who_asks_and_brings_the_rounds_prompt(each_world: World) -> None:
    world = each_world
    start = await morning(world)
    await open_card(start.hoa, "Lan")
    await start.hoa.tap("Nhắc khai báo")
    start.hoa.sees("✅ Đã nhắc: 1 người.", "Hôm nay đã nhắc: 07:40 Hoa.")
    assert "🔔 Nhắc khai báo buổi sáng" in start.lan.last and "Hoa đề nghị anh/chị khai báo." in start.lan.last
    await start.lan.tap("Tôi khỏe")
    start.lan.sees("✅ Đã nhận khai báo lúc 07:40")
    at, again = start.hoa.button("Nhắc khai báo")
    await start.hoa.press(again.data, at)
    assert prompts_to(world.telegram, "nudge")[start.lan.chat_id] == 1
    assert "reminded" in await actions(world)


async def test_nobody_is_reminded_by_those_responsible_more_than_twice_a_day(world: World) -> None:
    start = await morning(world)
    await world.person("khách", "P1")
    for minutes, phone in ((0, start.hoa), (2, start.binh), (4, start.hoa)):
        world.now += timedelta(minutes=minutes)
        await phone.type("/missing")
        await phone.tap("Nhắc tất cả")
    start.hoa.sees("✅ Đã nhắc: 0 người.", "đã nhắc đủ số lần, không nhắc thêm: 2 người.")
    assert prompts_to(world.telegram, "nudge") == {start.lan.chat_id: 2, start.minh.chat_id: 2}
    assert await world.count(tables.nudge) == 4
    await world.clock_strikes("16:35")
    await start.hoa.type("/missing")
    await start.hoa.tap("Nhắc tất cả")
    assert "đủ số lần" in start.hoa.last, "the cap is a person's, not a round's"
    await world.clock_strikes("07:35", days=2)
    await start.hoa.type("/missing")
    await start.hoa.tap("Nhắc tất cả")
    assert "✅ Đã nhắc: 3 người." in start.hoa.last, "a new day"


async def test_the_head_hears_who_can_only_be_called(world: World) -> None:
    await world.unit("P1")
    hoa = await world.enrolled("hoa", "P1", role=Role.HEAD)
    await world.person("khách", "P1")
    await world.enrolled("tú", "P1", agrees=False)
    await world.enrolled("lan", "P1")
    await world.clock_strikes("07:10")
    await hoa.type("/missing")
    await hoa.tap("Nhắc tất cả")
    hoa.sees("✅ Đã nhắc: 1 người.", "cần gọi điện hoặc gặp: 2 người.")
    assert hoa.chat_id not in prompts_to(world.telegram, "nudge"), "nobody is reminded by themselves"


async def test_a_closed_round_is_nobodys_to_remind_of(world: World) -> None:
    start = await morning(world)
    await start.hoa.type("/missing")
    at, everybody = start.hoa.button("Nhắc tất cả")
    await world.clock_strikes("09:05")
    await start.hoa.press(everybody.data, at)
    assert prompts_to(world.telegram, "nudge") == {}
    await start.hoa.type("/missing")
    assert "Nhắc tất cả" not in start.hoa.last and "• Lan: đã nhận, chưa trả lời" in start.hoa.last
    await start.hoa.tap("Lan")
    assert "[Khai hộ]" in start.hoa.last and "Nhắc" not in start.hoa.last


async def look_back(world: World) -> Phone:
    """A head two working days after a morning in which Lan answered and Minh did not."""
    start = await morning(world)
    await start.lan.tap("Tôi khỏe")
    await world.clock_strikes("07:10", days=2)
    return start.hoa


async def test_an_earlier_day_by_command_and_by_button(world: World) -> None:
    hoa = await look_back(world)
    await hoa.type("/missing 23/11")
    assert "Chưa khai báo buổi chiều – Phòng Kế hoạch, Thứ Hai, 23/11/2026" in hoa.last
    await hoa.tap("Buổi sáng")
    assert "Đã khai: 3/4" in hoa.last and "• Minh: đã nhận, chưa trả lời" in hoa.last and "Lan" not in hoa.last
    await hoa.tap("25/11 ›")
    assert "Thứ Tư, 25/11/2026" in hoa.last and "Đã khai: 0/4" in hoa.last
    await hoa.tap("‹ 23/11")
    assert "Thứ Hai, 23/11/2026" in hoa.last
    await hoa.type("/missing P1 22/11")
    assert "22/11/2026: chưa có đợt khai báo nào mở" in hoa.last


async def test_status_of_an_earlier_day_has_the_same_figures(world: World) -> None:
    hoa = await look_back(world)
    await hoa.type("/status 23/11")
    hoa.sees("Theo dõi khai báo buổi sáng – Phòng Kế hoạch, Thứ Hai, 23/11/2026", "Đã khai: 3/4")
    await hoa.tap("25/11 ›")
    assert "Thứ Tư, 25/11/2026" in hoa.last and "Đã khai: 0/4" in hoa.last
    await hoa.tap("‹ 23/11")
    assert "Thứ Hai, 23/11/2026" in hoa.last


@pytest.mark.parametrize("day", ["31/2", "26/11", "20/8", "1/1/2024"])
@pytest.mark.parametrize("command", ["/status", "/missing"])
async def test_a_day_out_of_reach_is_asked_again(world: World, command: str, day: str) -> None:
    hoa = await world.enrolled("hoa", role=Role.HEAD)
    await hoa.type(f"{command} {day}")
    assert "Bot chưa rõ ngày" in hoa.last and "90 ngày" in hoa.last and command in hoa.last


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    people=st.lists(
        st.tuples(st.booleans(), st.sampled_from(("due", "answered", "proxy", "excused", "contested"))),
        min_size=1,
        max_size=20,
    )
)
async def test_the_three_lists_are_everybody_due_and_proxies_are_among_the_answered(
    database: Database, people: list[tuple[bool, str]]
) -> None:
    await empty(database)
    world = await build(database)
    for code in ("P1", "P2"):
        await world.unit(code)
    ids = [(await staff(world, "P1" if first else "P2", 1))[0] for first, _ in people]
    for person_id, (_, kind) in zip(ids, people, strict=True):
        if kind == "excused":
            await away(world, person_id, DAY, DAY)
    world.now += timedelta(hours=1)
    await world.app.ticks.tick(world.now)
    async with world.transaction() as session:
        stored = (await session.execute(sa.select(tables.ask.c.id, tables.ask.c.person_id))).all()
        kinds = {person_id: kind for person_id, (_, kind) in zip(ids, people, strict=True)}
        for ask_id, person_id in stored:
            if kinds[person_id] in ("answered", "proxy", "contested"):
                theirs = (await asks.of_people(session, {ask_id: person_id}))[ask_id]
                proxy = kinds[person_id] != "answered"
                given = theirs.answered("low", "office", world.now, late=False, proxy=proxy)
                await asks.answered(session, [given], world.now)
            if kinds[person_id] == "contested":
                await asks.contested(session, ask_id, world.now)
    async with world.database.reading() as session:
        found = await status.of_kind(session, DAY, "morning", world.now)
        assert found
        for of in found.units:
            lists = [
                await asks.listed(session, [one.id for one in found.rounds], states, [of.unit.path])
                for states in (asks.MISSING, ("answered",), ("excused",))
            ]
            assert [len(one) for one in lists] == [of.missing.total(), of.answered, of.excused.total()]
            assert of.due == sum(len(one) for one in lists)
            assert of.proxy == sum(one.proxy for one in lists[1]) <= of.answered
            assert of.missing["contested"] == sum(one.reach == "contested" for one in lists[0])


async def test_a_contested_answer_stays_contested_on_the_list_whatever_reaches_the_person(world: World) -> None:
    start = await morning(world)
    await open_card(start.hoa, "Lan")
    for label in ("Khai hộ", "Điện thoại hỏng", "Đúng như trên"):
        await start.hoa.tap(label)
    await start.lan.tap("Không đúng, tôi khai lại")
    await start.lan.type("/today")
    await world.clock_strikes("08:15")
    assert "🔔 Nhắc khai báo" in start.lan.last
    assert ((await ask_of(world, "lan")).state, (await ask_of(world, "lan")).reach) == ("due", "contested")
    await start.hoa.type("/missing")
    assert "• Lan: khai hộ bị phản đối, chờ khai lại" in start.hoa.last
