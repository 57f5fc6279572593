"""The declaration as people live it: one tap, the questions, corrections, late and old buttons, restarts."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from domain.chat import Tap
from domain.policy import Role
from storage import tables
from tests.morning import REST, UNWELL, WELL, asked, taps, the_asks, versions
from tests.world import World


async def test_one_tap_when_well_gives_a_receipt_with_the_time(each_world: World) -> None:
    lan = await asked(each_world)
    shown = len(lan.messages)
    each_world.now += timedelta(minutes=12)
    await lan.tap(WELL)
    lan.sees("✅ Đã nhận khai báo lúc 07:12", "Bản khai buổi sáng, Thứ Hai, 23/11/2026", "[Sửa bản khai]")
    lan.sees("Tôi xin khai báo trung thực", "Nơi làm việc: Tại cơ quan")
    lan.sees_not(WELL + ", không", "Không đo")
    assert len(lan.messages) == shown
    ((version, answers, level, late),) = await versions(each_world)
    assert (version, level, late) == (1, "low", False)
    assert answers == each_world.house.campaign.healthy_answers()


async def test_a_double_tap_is_one_version_and_a_repeated_update_has_no_effect(world: World) -> None:
    lan = await asked(world)
    message_id, button = lan.button(WELL)
    await lan.says(Tap(button.data, message_id), key="once")
    await lan.says(Tap(button.data, message_id))
    before, said = await world.facts(), len(world.telegram.sent)
    receipt = await lan.says(Tap(button.data, message_id), key="once")
    assert receipt.saved and await world.facts() == before and len(world.telegram.sent) == said
    assert len(await versions(world)) == 1


async def test_two_taps_in_one_batch_are_one_version(each_world: World) -> None:
    lan = await asked(each_world)
    message_id, button = lan.button(WELL)
    await each_world.receive([lan.update(Tap(button.data, message_id)) for _ in range(3)])
    await each_world.settle()
    assert len(await versions(each_world)) == 1


async def test_not_well_goes_through_the_questions_to_a_review_and_a_receipt_with_the_level(each_world: World) -> None:
    lan = await asked(each_world)
    shown = len(lan.messages)
    await taps(lan, UNWELL, "Ho", "Đau họng", "Ho")
    lan.sees("☐ Ho", "☑ Đau họng", "Câu 1/5")
    await lan.tap("Không có triệu chứng")
    lan.sees("☐ Đau họng", "☑ Không có triệu chứng")
    await taps(lan, "Sốt", "Ho")
    lan.sees("☑ Sốt", "☑ Ho", "☐ Không có triệu chứng")
    await lan.tap("Tiếp tục")
    await lan.type("37,8")
    await taps(lan, *REST)
    lan.sees("Xem lại trước khi gửi", "Triệu chứng: Sốt, Ho", "Nhiệt độ: 37,8 °C", "Nơi làm việc: Tại cơ quan")
    lan.sees("Tiếp xúc: Không tiếp xúc", "Nơi đã đến: Không đến các vùng này", "Xét nghiệm: Chưa xét nghiệm")
    assert await versions(each_world) == []
    await lan.tap("Gửi bản khai")
    lan.sees("✅ Đã nhận khai báo", "Triệu chứng: Sốt, Ho")
    lan.sees("Mức nguy cơ: cao (Sốt, hoặc nhiệt độ từ 37,5 °C; Có một triệu chứng khác)")
    lan.sees_not("Gửi bản khai")
    assert len(lan.messages) == shown + 1, "only the typed answer made a new message"
    ((_, answers, level, _),) = await versions(each_world)
    assert level == "high" and answers["temperature"] == 37.8 and answers["symptoms"] == ["fever", "cough"]


async def test_nothing_ticked_is_no_answer(world: World) -> None:
    lan = await asked(world)
    await taps(lan, UNWELL, "Tiếp tục")
    lan.sees("đánh dấu ít nhất một mục", "Câu 1/5")
    await taps(lan, "Ho", "Ho", "Tiếp tục")
    lan.sees("đánh dấu ít nhất một mục", "Câu 1/5")


@pytest.mark.parametrize(
    ("how", "shown"),
    [("37.5", "Nhiệt độ: 37,5 °C"), ("Không đo", "Nhiệt độ: Không đo")],
    ids=["tapped", "skipped"],
)
async def test_the_temperature_is_tapped_or_skipped(world: World, how: str, shown: str) -> None:
    lan = await asked(world)
    await taps(lan, UNWELL, "Ho", "Tiếp tục", how.replace(".", ","), *REST)
    lan.sees(shown)


async def test_back_from_every_screen_keeps_what_was_answered(world: World) -> None:
    lan = await asked(world)
    await taps(lan, UNWELL, "Ho", "Tiếp tục", "37,0", *REST, "Quay lại")
    lan.sees("Câu 5/5", "● Chưa xét nghiệm")
    await taps(lan, "Quay lại", "Quay lại")
    lan.sees("Câu 3/5", "● Không tiếp xúc")
    await lan.tap("Quay lại")
    lan.sees("Câu 2/5", "● 37,0 °C")
    await lan.tap("Quay lại")
    lan.sees("Câu 1/5", "☑ Ho")
    await lan.tap("Tiếp tục")
    lan.sees("Xem lại trước khi gửi")
    await taps(lan, *["Quay lại"] * 5)
    at, old = lan.button("Ho")
    await lan.tap("Quay lại")
    lan.sees("Khai báo y tế buổi sáng", WELL)
    await lan.press(old.data, at)
    lan.sees("Khai báo y tế buổi sáng", WELL)
    assert await versions(world) == []


async def test_the_review_lets_each_answer_be_changed(world: World) -> None:
    lan = await asked(world)
    await taps(lan, UNWELL, "Ho", "Tiếp tục", "37,0", *REST)
    await taps(lan, "Sửa: Tiếp xúc", "Có, với F1")
    lan.sees("Xem lại trước khi gửi", "Tiếp xúc: Có, với F1", "Triệu chứng: Ho")
    await taps(lan, "Sửa: Triệu chứng", "Đau họng", "Tiếp tục")
    lan.sees("Triệu chứng: Ho, Đau họng")
    await taps(lan, "Sửa: Nhiệt độ")
    lan.sees("● 37,0 °C")
    await lan.tap("Tiếp tục")
    lan.sees("Xem lại trước khi gửi", "Nhiệt độ: 37,0 °C")
    await taps(lan, "Đổi nơi làm việc", "Làm việc tại nhà")
    lan.sees("Xem lại trước khi gửi", "Nơi làm việc: Làm việc tại nhà")
    await taps(lan, "Đổi nơi làm việc", "Quay lại", "Gửi bản khai")
    lan.sees("✅ Đã nhận khai báo", "Nơi làm việc: Làm việc tại nhà", "Tiếp xúc: Có, với F1")


async def test_a_reminder_in_the_middle_goes_on_where_the_questions_were(world: World) -> None:
    lan = await asked(world)
    await taps(lan, UNWELL, "Ho", "Tiếp tục", "37,0")
    await world.clock_strikes("07:30")
    assert "🔔 Nhắc khai báo" in lan.last
    await lan.tap(UNWELL)
    assert "Câu 3/5" in lan.last
    await taps(lan, *REST, "Gửi")
    lan.sees("Triệu chứng: Ho", "Nhiệt độ: 37,0 °C")


async def test_an_old_review_sends_only_what_it_shows(world: World) -> None:
    lan = await asked(world)
    await taps(lan, UNWELL, "Ho", "Tiếp tục", "37,0", *REST)
    message_id, old = lan.button("Gửi bản khai")
    await taps(lan, "Sửa: Tiếp xúc", "Có, với F0")
    await lan.press(old.data, message_id)
    assert await versions(world) == []
    lan.sees("Xem lại trước khi gửi", "Có, với F0")
    await lan.tap("Gửi bản khai")
    lan.sees("Mức nguy cơ: cao")


async def test_buttons_of_screens_long_left_bring_back_the_screen_that_counts(world: World) -> None:
    lan = await asked(world)
    await lan.tap(UNWELL)
    at, tick = lan.button("Ho")
    _, go_on = lan.button("Tiếp tục")
    _, back = lan.button("Quay lại")
    await taps(lan, "Ho", "Tiếp tục")
    _, measured = lan.button("37,0")
    await lan.press(tick.data, at)
    lan.sees("Câu 2/5")
    await taps(lan, "37,0", *REST)
    _, change = lan.button("Sửa: Tiếp xúc")
    _, send = lan.button("Gửi")
    await lan.tap("Gửi")
    for old in (tick, go_on, back, measured, change, send):
        await lan.press(old.data, at)
        assert lan.last.startswith("✅ Đã nhận khai báo"), old.label
    assert len(await versions(world)) == 1


async def test_a_correction_keeps_every_version_and_the_first_answers_time(each_world: World) -> None:
    world = each_world
    lan = await asked(world)
    await lan.tap(WELL)
    first = (await world.rows(sa.select(tables.ask.c.answered_at)))[0][0]
    await world.clock_strikes("10:00")
    await lan.tap("Sửa bản khai")
    lan.sees("Sửa khai báo buổi sáng, Thứ Hai, 23/11/2026", "[Giữ nguyên bản khai]")
    await taps(lan, UNWELL, "Khó thở", "Tiếp tục", "Không đo", *REST, "Gửi")
    lan.sees("✅ Đã sửa khai báo lúc 10:00", "Mức nguy cơ: cao (Khó thở)")
    lan.sees_not("muộn")
    stored = [(one.version, one.level, one.late) for one in await versions(world)]
    assert stored == [(1, "low", False), (2, "high", True)]
    assert (await the_asks(world))[0][:2] == ("answered", False)
    assert (await world.rows(sa.select(tables.ask.c.answered_at)))[0][0] == first


async def test_correcting_a_report_begins_with_what_it_said(world: World) -> None:
    lan = await asked(world)
    await taps(lan, UNWELL, "Ho", "Tiếp tục", "37,0", *REST, "Gửi", "Sửa bản khai", UNWELL)
    lan.sees("Xem lại trước khi gửi", "Triệu chứng: Ho")
    await taps(lan, "Sửa: Nhiệt độ", "38,0", "Gửi")
    lan.sees("✅ Đã sửa khai báo", "Nhiệt độ: 38,0 °C", "Mức nguy cơ: cao")
    await taps(lan, "Sửa bản khai", WELL)
    assert [one.level for one in await versions(world)] == ["medium", "high", "low"]


async def test_a_correction_can_be_left_alone(world: World) -> None:
    lan = await asked(world)
    await taps(lan, WELL, "Sửa bản khai", "Đổi nơi làm việc", "Làm việc tại nhà")
    lan.sees("Sửa khai báo buổi sáng", "Nơi làm việc: Làm việc tại nhà")
    await lan.tap("Giữ nguyên")
    lan.sees("✅ Đã nhận khai báo lúc 07:00", "Nơi làm việc: Tại cơ quan")
    assert len(await versions(world)) == 1


async def test_a_correction_counts_until_the_round_after_next_opens_then_is_refused_kindly(world: World) -> None:
    lan = await asked(world)
    await lan.tap(WELL)
    at, old = lan.button("Sửa bản khai")
    await world.clock_strikes("16:30")
    await lan.press(old.data, at)
    assert "Sửa khai báo buổi sáng" in dict(lan.messages)[at].title
    await lan.tap("Giữ nguyên")
    await world.clock_strikes("07:00", days=2)
    before = await world.facts()
    await lan.press(old.data, at)
    shown = dict(lan.messages)[at]
    assert "buổi sáng, Thứ Hai, 23/11/2026 đã hết hạn sửa" in shown.text and "Tôi xin khai báo" in shown.text
    assert [one.label for row in shown.keyboard for one in row] == ["⚠️ Báo việc bất thường"]
    assert await world.facts() == before


async def test_a_late_answer_is_kept_and_marked_late(each_world: World) -> None:
    lan = await asked(each_world)
    await each_world.clock_strikes("09:30")
    await lan.tap(WELL)
    lan.sees("✅ Đã nhận khai báo lúc 09:30", "Ghi nhận là khai muộn")
    assert await the_asks(each_world) == [("answered", True, "office", "")]
    await lan.tap("Sửa bản khai")
    await taps(lan, UNWELL, "Ho", "Tiếp tục", "Không đo", *REST, "Gửi")
    assert (await the_asks(each_world))[0].late


async def test_an_old_button_files_to_the_round_printed_on_it(world: World) -> None:
    lan = await asked(world)
    morning = lan.button(WELL)
    await world.clock_strikes("16:30")
    afternoon = lan.button(WELL)
    assert morning[1].data != afternoon[1].data
    await lan.press(morning[1].data, morning[0])
    assert [(one.state, one.late) for one in await the_asks(world)] == [("answered", True), ("due", False)]
    await world.clock_strikes("07:05", days=2)
    await lan.press(afternoon[1].data, afternoon[0])
    states = [(one.state, one.late) for one in await the_asks(world)]
    assert states == [("answered", True), ("answered", True), ("due", False)]
    lan.sees("Bản khai buổi chiều, Thứ Hai, 23/11/2026")


async def test_a_button_too_old_to_count_says_which_day_it_was_for(world: World) -> None:
    lan = await asked(world)
    at, old = lan.button(WELL)
    await world.clock_strikes("07:00", days=2)
    await lan.press(old.data, at)
    shown = dict(lan.messages)[at]
    assert "Khai báo buổi sáng, Thứ Hai, 23/11/2026 đã hết hạn" in shown.text
    assert await versions(world) == []


async def test_answering_on_one_channel_closes_the_copies_on_the_other(each_world: World) -> None:
    world = each_world
    lan = await asked(world)
    at_desk = await world.also_on("lan", "webchat")
    at_desk.sees("Khai báo y tế buổi sáng", WELL)
    await world.clock_strikes("07:30")
    at_desk.sees("🔔 Nhắc khai báo")
    await at_desk.tap(WELL)
    lan.sees("✅ Anh/chị đã khai báo lúc 07:30.")
    for phone in (lan, at_desk):
        phone.sees_not("[" + WELL)
    sent = len(world.telegram.sent) + len(world.webchat.sent)
    await world.clock_strikes("08:29")
    assert len(world.telegram.sent) + len(world.webchat.sent) == sent


@pytest.mark.parametrize("steps", range(8))
async def test_the_conversation_survives_a_restart_at_any_point(world: World, steps: int) -> None:
    lan = await asked(world)
    path = [UNWELL, "Ho", "Tiếp tục", "37,0", *REST]
    await taps(lan, *path[:steps])
    await world.restart()
    await taps(lan, *path[steps:], "Gửi")
    lan.sees("✅ Đã nhận khai báo", "Triệu chứng: Ho", "Nhiệt độ: 37,0 °C")


async def test_no_health_fact_stands_beside_a_name_in_any_group(world: World) -> None:
    await world.unit("P1", "Phòng Kế hoạch")
    chief = await world.enrolled("hoa", "P1", role=Role.HEAD)
    deputy = await world.enrolled("binh", "P1", role=Role.HEAD)
    group = await world.bound_group("-77", chief, deputy)
    canary = await world.enrolled("zuliquandor", "P1")
    await world.clock_strikes("07:00")
    await taps(canary, UNWELL, "Ho", "Mất vị giác", "Tiếp tục", "38,0", "Có, với F0", "Có, vùng cấp 4", "Dương tính")
    await canary.tap("Gửi")
    await canary.in_group("-77").type("/today")
    await canary.in_group("-77").type("/history")
    await group.type("/status")
    await world.clock_strikes("19:00")
    group.sees("Tổng hợp khai báo buổi sáng", "rất cao 1")
    for _, message in world.telegram.sent:
        if message.to.chat_id == "-77":
            words = f"{message.title}\n{message.text}".lower()
            canaries = ("zuliquandor", "hoa", "mất vị giác", "38", "f0", "dương tính")
            assert not [word for word in canaries if word in words]
