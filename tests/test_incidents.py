"""Reporting something abnormal: at most four steps, from any screen, by anybody, at any hour, and nothing is lost."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from domain.incident import MOST_NAMED, MOST_TEXT, count_in
from domain.policy import Role
from storage import tables
from tests.phone import PHOTO, Phone
from tests.team import F0, report, stored, team
from tests.world import World


async def at_step(world: World, *words: str) -> Phone:
    """Lan at the step after these labels and typed words."""
    await world.unit("A", "Phòng An")
    lan = await world.enrolled("lan", "A")
    await lan.type("/incident")
    for word in words:
        labels = [one.label for _, one in lan.buttons]
        await (lan.tap(word) if word in labels else lan.type(word))
    return lan


async def test_four_steps_and_a_receipt_with_number_time_and_the_posts_told(each_world: World) -> None:
    world = each_world
    people = await team(world)
    lan = people.lan
    await world.clock_strikes("14:59")
    await lan.type("/incident")
    assert "bước 1/4" in lan.last and "115" in lan.last
    await lan.tap(F0)
    assert "bước 2/4" in lan.last
    await lan.type("Ở phòng 302, từ sáng nay")
    assert "bước 3/4" in lan.last
    await lan.type("mai")
    assert "Người liên quan: Mai (Tổ Một)" in lan.last
    await lan.tap("Tiếp tục")
    assert "bước 4/4" in lan.last
    lan.sees("Việc: Phát hiện ca F0\nNội dung: Ở phòng 302, từ sáng nay\nNgười liên quan: Mai (Tổ Một)")
    await lan.sends_photo()
    assert "Có một ảnh kèm theo" in lan.last
    await lan.tap("Gửi ngay")
    lan.sees("✅ Đã gửi lúc 14:59 – việc #1")
    lan.sees("Đã báo: đầu mối Tổ Một; thủ trưởng Tổ Một; thủ trưởng Phòng An; thủ trưởng Sở Nông nghiệp.")
    lan.sees("Người liên quan: Mai (Tổ Một)\nCó một ảnh kèm theo.")
    lan.sees_not("Nam", "Hoa")
    assert await stored(world, "kind", "text", "people", "is_drill") == [("f0", "Ở phòng 302, từ sáng nay", 0, False)]
    named = sa.select(tables.person.c.name).join(
        tables.incident_person, tables.incident_person.c.person_id == tables.person.c.id
    )
    assert await world.rows(named) == [("Mai",)]
    hoa = people.hoa
    hoa.sees("⚠️ Việc bất thường #1 – Tổ Một", "Lan báo lúc 14:59 ngày 23/11.", "Người liên quan: Mai (Tổ Một)")
    await hoa.tap("Xem ảnh")
    picture = hoa.messages[-1][1].attached
    assert picture and picture.content == PHOTO


async def test_the_shortest_report_is_four_taps(world: World) -> None:
    lan = await at_step(world, F0, "Bỏ qua", "Bỏ qua", "Gửi ngay")
    lan.sees("✅ Đã gửi")
    assert len([one for _, one in lan.messages if "việc" in one.title.lower()]) == 1, "all in one message"
    assert await stored(world, "kind", "text") == [("f0", "")]


async def test_words_may_come_first_and_labels_may_be_typed(world: World) -> None:
    lan = await at_step(world)
    await lan.type("Có khói ở kho tầng 2")
    assert "Đã ghi lời mô tả" in lan.last
    await lan.type("tai nạn, cháy nổ")
    assert "bước 3/4" in lan.last
    for said in ("bo qua", "gửi ngay"):
        await lan.type(said)
    await lan.type("/incident Một người ngất ở sảnh")
    await lan.tap("Việc bất thường khác")
    await lan.tap("Chính tôi")
    lan.sees("Người liên quan: Lan (Phòng An)")
    await lan.tap("Tiếp tục")
    await lan.tap("Gửi ngay")
    assert await stored(world, "kind", "text") == [
        ("accident", "Có khói ở kho tầng 2"),
        ("other", "Một người ngất ở sảnh"),
    ]


async def test_a_text_too_long_is_asked_for_again_and_nothing_else_is_lost(world: World) -> None:
    lan = await at_step(world, F0)
    await lan.type("a" * (MOST_TEXT + 1))
    assert f"dài {MOST_TEXT + 1} ký tự, tối đa {MOST_TEXT}" in lan.last and "Việc: Phát hiện ca F0" in lan.last
    await lan.type("b" * MOST_TEXT)
    for label in ("Bỏ qua", "Gửi ngay"):
        await lan.tap(label)
    assert await stored(world, "kind", "text") == [("f0", "b" * MOST_TEXT)]


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("3 người", "Số người liên quan: 3"),
        ("khoảng 12", "Số người liên quan: 12"),
        ("CB-minh", "Người liên quan: Minh (Phòng An)"),
        ("minh", "Người liên quan: Minh (Phòng An)"),
        ("ai đó", "Không tìm thấy ai"),
        ("người", "Có 9 người phù hợp"),
        ("12345 người", "Không tìm thấy ai"),
    ],
)
async def test_whom_it_concerns_is_typed(world: World, typed: str, shown: str) -> None:
    lan = await at_step(world, F0, "Bỏ qua")
    await world.person("minh", "A")
    for number in range(9):
        await world.person(f"người {number}", "A")
    await lan.type(typed)
    assert shown in lan.last


async def test_the_right_one_of_several_is_chosen_and_can_be_chosen_again(world: World) -> None:
    lan = await at_step(world, F0, "Bỏ qua")
    await world.unit("B", "Phòng Bình")
    for name, unit in (("lê thị hà", "A"), ("trần thu hà", "B")):
        await world.person(name, unit)
    await lan.type("ha")
    await lan.tap("Trần Thu Hà – Phòng Bình")
    await lan.type("hà")
    await lan.tap("Lê Thị Hà – Phòng An")
    lan.sees("Lê Thị Hà (Phòng An)", "Trần Thu Hà (Phòng Bình)")
    await lan.tap("Chọn lại từ đầu")
    assert "Hà" not in lan.last
    await lan.type("20 người")
    await lan.tap("Gửi ngay")
    assert await stored(world, "people") == [(20,)] and await world.count(tables.incident_person) == 0


async def test_more_than_so_many_are_not_named_one_by_one(world: World) -> None:
    lan = await at_step(world, F0, "Bỏ qua")
    for number in range(MOST_NAMED + 1):
        await world.person(f"a{number:02}", "A")
    for number in range(MOST_NAMED + 1):
        await lan.type(f"CB-a{number:02}")
    assert f"Đã chọn {MOST_NAMED} người" in lan.last


async def test_back_and_change_keep_what_was_said(world: World) -> None:
    lan = await at_step(world, F0, "Ở phòng 302", "3 người", "Sửa nội dung")
    assert "Nội dung: Ở phòng 302" in lan.last
    await lan.tap("Quay lại")
    await lan.tap("Nhiều người cùng ốm")
    assert "bước 3/4" in lan.last and "Số người liên quan: 3" in lan.last
    await lan.tap("Tiếp tục")
    lan.sees("Việc: Nhiều người cùng ốm\nNội dung: Ở phòng 302\nSố người liên quan: 3")
    await lan.tap("Hủy, không gửi")
    lan.sees("Đã hủy, chưa gửi gì")
    assert await stored(world, "id") == []


async def test_old_and_repeated_buttons_send_nothing_twice(world: World) -> None:
    lan = await at_step(world, F0, "Bỏ qua", "Bỏ qua")
    at, old = lan.button("Gửi ngay")
    await lan.type("thế nào nữa")
    assert "bấm một nút" in lan.last
    await lan.tap("Sửa nội dung")
    await lan.type("Ở kho")
    await lan.tap("Bỏ qua")
    await lan.press(old.data, at)
    assert await stored(world, "id") == [], "an older review is shown anew first"
    at, send = lan.button("Gửi ngay")
    for _ in range(3):
        await lan.press(send.data, at)
    assert await stored(world, "text") == [("Ở kho",)]
    assert "đã gửi hoặc đã cũ" in lan.last
    lan.sees("✅ Đã gửi")
    await world.clock_strikes("08:00")
    for _, one in list(lan.buttons):
        await lan.press(one.data)
    assert len(await stored(world, "id")) == 1


@pytest.mark.parametrize("content", [b"%PDF-1.7", b"", b"just words"])
async def test_only_a_photo_is_taken(world: World, content: bytes) -> None:
    lan = await at_step(world, F0)
    await lan.sends_document(content)
    assert "chỉ nhận ảnh" in lan.last and "bước 2/4" in lan.last
    await lan.sends_photo()
    assert "Có một ảnh kèm theo" in lan.last


async def test_half_a_report_survives_a_restart_but_not_the_hour(world: World) -> None:
    lan = await at_step(world, F0, "Ở phòng 302")
    await world.restart()
    await lan.type("2 người")
    assert "bước 4/4" in lan.last
    await world.clock_strikes("08:00")
    await lan.tap("Gửi ngay")
    assert "đã cũ" in lan.last and await stored(world, "id") == []


async def test_the_button_is_on_every_screen_and_leaves_the_question_there(world: World) -> None:
    people = await team(world)
    lan = people.lan
    await world.clock_strikes("07:00")
    await lan.tap("Báo việc bất thường")
    assert "bước 1/4" in lan.last
    lan.sees("Tôi khỏe")
    await lan.tap("Tôi có điều")
    for screen in ("Ho", "Tiếp tục", "37,0", "Không tiếp xúc", "Không đến", "Chưa xét nghiệm", "Gửi bản khai"):
        lan.sees("[⚠️ Báo việc bất thường]")
        await lan.tap(screen)
    lan.sees("✅ Đã nhận khai báo", "[⚠️ Báo việc bất thường]")
    await lan.type("/help")
    assert "/incident" in lan.last and "[⚠️ Báo việc bất thường]" in lan.last


async def test_whoever_declined_to_declare_can_report_at_any_hour(world: World) -> None:
    await world.unit("A", "Phòng An")
    head = await world.enrolled("hoa", "A", role=Role.HEAD)
    lan = await world.enrolled("lan", "A", agrees=False)
    await lan.tap("Tôi không đồng ý")
    await world.clock_strikes("02:30", days=1)
    await lan.tap("Báo việc bất thường")
    for label in (F0, "Bỏ qua", "Bỏ qua", "Gửi ngay"):
        await lan.tap(label)
    lan.sees("✅ Đã gửi lúc 02:30")
    head.sees("Lan báo lúc 02:30 ngày 24/11.")


async def test_not_in_a_group_and_not_by_strangers(world: World) -> None:
    people = await team(world)
    await people.lan.in_group("-1").type("/incident")
    await world.phone("ai do").type("/incident")
    assert "bước 1/4" not in world.phone("ai do").screen and "-1" not in world.telegram.screens


async def test_an_english_speaker_reports_to_vietnamese_heads(world: World) -> None:
    await world.unit("A", "Phòng An")
    head = await world.enrolled("hoa", "A", role=Role.HEAD)
    ann = await world.enrolled("ann", "A", language="en")
    await ann.type("/incident")
    for label in ("Food poisoning", "Skip", "Skip", "Send now"):
        await ann.tap(label)
    ann.sees("✅ Sent at 06:00 – incident #1", "Told: head of Phòng An.")
    head.sees("Việc: Ngộ độc thực phẩm")
    await head.tap("Tôi tiếp nhận")
    ann.sees("was taken on at 06:00: head of Phòng An")


async def test_an_incident_asks_for_a_fresh_risk_update_of_the_unit(world: World) -> None:
    people = await team(world)
    await world.clock_strikes("15:30")
    before = await world.count(tables.risk_update)
    await report(people.lan)
    assert await world.count(tables.risk_update) == before + 1


@given(st.text(max_size=40))
def test_any_words_are_a_number_or_not(typed: str) -> None:
    found = count_in(typed)
    assert found is None or 0 < found < 10_000


@pytest.mark.parametrize(
    ("typed", "number"),
    [("3", 3), (" 12 người ", 12), ("khoảng 7 ca", 7), ("about 5 people", 5), ("0", None), ("phòng 302", None),
     ("12345", None), ("-3", None), ("", None), ("ba", None)],
)  # fmt: skip
def test_how_many(typed: str, number: int | None) -> None:
    assert count_in(typed) == number
