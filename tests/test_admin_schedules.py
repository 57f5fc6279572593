"""Schedules, pauses and days off from a phone: said in words, shown before and after, confirmed with one tap."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from domain.policy import Role
from storage import tables
from tests.console import administrator, audited, id_of, opened
from tests.phone import Phone
from tests.world import World

SENTENCE = "07:15 và 16:45, thứ 2 đến thứ 7, trừ ngày lễ; nhắc +30, +75"


async def rounds(world: World) -> list[tuple[str, str]]:
    """The rounds there have been, by day and kind."""
    stored = tables.round_.c
    return [
        (f"{row.day:%d/%m}", row.kind)
        for row in await world.rows(sa.select(stored.day, stored.kind).order_by(stored.id))
    ]


async def test_a_sentence_is_read_back_with_tomorrow_and_confirmed(each_world: World) -> None:
    world = each_world
    hoa, lan = await administrator(world), await world.enrolled("phuc", "P1")
    await opened(hoa, "Lịch khai báo")
    assert (
        "• Buổi sáng: mở 07:00, nhắc 07:30, 08:15, danh sách chưa khai 08:30, đóng 09:00; thứ 2 đến thứ 6; trừ ngày lễ"
    ) in hoa.last
    await hoa.type(SENTENCE)
    assert (
        "Sẽ là: Buổi sáng: mở 07:15, nhắc 07:45, 08:30, danh sách chưa khai 08:45, đóng 09:15; thứ 2 đến thứ 7"
        in hoa.last
    )
    assert "Sẽ là: Buổi chiều: mở 16:45, nhắc 17:15, 18:00" in hoa.last
    assert "Áp dụng từ Thứ Hai, 23/11/2026." in hoa.last
    assert "Ngày mai, Thứ Ba, 24/11/2026:\n• Sở Nông nghiệp: buổi sáng: không hỏi, ngày lễ (" in hoa.last
    await hoa.tap("Xác nhận")
    assert "✅ Đã đổi lịch." in hoa.last and "mở 07:15" in hoa.last
    await world.clock_strikes("07:14")
    lan.sees_not("Khai báo y tế")
    await world.clock_strikes("07:15")
    lan.sees("Khai báo y tế buổi sáng")
    morning, afternoon = await audited(world, "schedule_set")
    assert (morning["actor"], morning["kind"]) == (str(await id_of(world, "hoa")), "morning")
    assert (morning["before"]["opens"], morning["after"]["opens"]) == ("07:00", "07:15")
    assert afternoon["after"]["weekdays"] == ["mon", "tue", "wed", "thu", "fri", "sat"]


async def test_in_english_word_for_word(world: World) -> None:
    hoa = await administrator(world, language="en")
    await opened(hoa, "Schedules")
    await hoa.type("07:00 and 16:30, Monday to Friday, not on holidays; remind +20")
    assert (
        "Will be: Morning: opens 07:00, reminds 07:20, list of the missing 08:30, closes 09:00; Monday to Friday"
        in hoa.last
    )
    await hoa.tap("Confirm")
    assert "The schedule is changed." in hoa.last


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("vâng ạ", "Bot chưa hiểu phần “vang a”."),
        ("7h, 9h, 11h", "Có nhiều giờ quá"),
        ("sáng 7h đóng 6h", "đợt khai báo phải đóng sau khi mở"),
        ("sáng 15h", "đợt sáng sẽ đóng lúc 17:00, sau khi đợt chiều mở (16:30)"),
        ("chiều 23h", "Với giờ mở này, có việc rơi sang ngày hôm sau"),
    ],
)
async def test_what_cannot_be_is_said_and_can_be_typed_anew(world: World, said: str, answer: str) -> None:
    hoa = await administrator(world)
    await opened(hoa, "Lịch khai báo")
    await hoa.type(said)
    assert answer.casefold() in hoa.last.casefold()
    await hoa.type("sáng 7h30")
    assert "mở 07:30" in hoa.last and await audited(world, "schedule_set") == []


async def test_the_label_of_a_button_is_no_sentence(world: World) -> None:
    hoa = await administrator(world)
    for words in ("/admin", "lịch khai báo", "xem 7 ngày tới"):
        await hoa.type(words)
    hoa.sees("Thứ Bảy, 28/11/2026\n• buổi sáng: không hỏi")


async def test_both_rounds_move_past_each_others_old_hours(world: World) -> None:
    hoa = await administrator(world)
    await opened(hoa, "Lịch khai báo")
    await hoa.type("15:00 và 19:00")
    await hoa.tap("Xác nhận")
    assert "mở 15:00" in hoa.last and "mở 19:00" in hoa.last


async def test_todays_round_that_would_fall_out_is_pointed_at(world: World) -> None:
    hoa = await administrator(world)
    await world.clock_strikes("06:50")
    await opened(hoa, "Lịch khai báo")
    await hoa.type("sáng 6h45")
    assert "⚠️ Đợt buổi sáng hôm nay chưa mở và sẽ không diễn ra." in hoa.last
    assert "Áp dụng từ Thứ Ba, 24/11/2026." in hoa.last


async def test_an_old_confirm_button_shows_what_is_true_now(world: World) -> None:
    hoa, binh = await administrator(world), await administrator(world, "binh")
    await opened(hoa, "Lịch khai báo")
    await hoa.type("sáng 7h30")
    await opened(binh, "Lịch khai báo")
    await binh.type("sáng 7h10")
    await binh.tap("Xác nhận")
    await hoa.tap("Xác nhận")
    hoa.sees("Hiện nay: Buổi sáng: mở 07:10")
    assert len(await audited(world, "schedule_set")) == 1
    await hoa.tap("Xác nhận")
    assert len(await audited(world, "schedule_set")) == 2


async def test_a_unit_of_its_own_then_as_all(world: World) -> None:
    hoa = await administrator(world)
    await opened(hoa, "Lịch khai báo", "Đơn vị khác", "Phòng Tổ chức")
    await hoa.type("sáng 7h30, không nhắc")
    await hoa.tap("Xác nhận")
    assert "Buổi sáng: mở 07:30, không nhắc" in hoa.last
    await opened(hoa, "Lịch khai báo", "Không hỏi nữa: buổi chiều")
    assert "Sẽ là: Đợt buổi chiều: không hỏi" in hoa.last
    assert "• Phòng Tổ chức: buổi sáng: không hỏi, ngày lễ" not in hoa.last, "it fares as the organisation does"
    await hoa.tap("Xác nhận")
    assert "• Đợt buổi chiều: không hỏi" in hoa.last
    await hoa.tap("Hỏi trở lại: buổi chiều")
    await hoa.tap("Xác nhận")
    assert "Buổi chiều: mở 16:30" in hoa.last
    await opened(hoa, "Lịch khai báo", "Đơn vị khác", "Phòng Tổ chức", "Bỏ lịch riêng: buổi sáng")
    assert "Hiện nay: Buổi sáng: mở 07:30" in hoa.last and "Sẽ là: Buổi sáng: mở 07:00" in hoa.last
    await hoa.tap("Xác nhận")
    assert "Buổi sáng: mở 07:00" in hoa.last
    await hoa.tap("Xem 7 ngày tới")
    assert "Thứ Ba, 24/11/2026\n• buổi sáng: không hỏi, ngày lễ" in hoa.last
    assert "Thứ Bảy, 28/11/2026\n• buổi sáng: không hỏi, ngày này không có trong lịch" in hoa.last


async def paused(hoa: Phone, label: str, *said: str) -> None:
    await opened(hoa, "Tạm dừng, ngày nghỉ", label)
    for words in said:
        await hoa.type(words)


async def test_today_is_paused_with_a_reason_and_resumed(each_world: World) -> None:
    world = each_world
    hoa, lan = await administrator(world), await world.enrolled("phuc", "P1")
    await paused(hoa, "Tạm dừng hôm nay", "bão số 5")
    assert "Hiện nay: Sở Nông nghiệp khai báo theo lịch." in hoa.last
    assert "Sẽ là: Sở Nông nghiệp không có đợt nào, 23/11. Lý do: bão số 5" in hoa.last
    await hoa.tap("Xác nhận")
    assert "⏸ Tạm dừng mọi đợt: 23/11. Lý do: bão số 5" in hoa.last
    await world.clock_strikes("07:00")
    lan.sees_not("Khai báo y tế buổi sáng")
    await hoa.type("/admin")
    assert "Đợt buổi sáng: đang tạm dừng hôm nay" in hoa.last
    await opened(hoa, "Tạm dừng, ngày nghỉ", "Khai báo trở lại", "Xác nhận")
    hoa.sees("✅ Đã trở lại khai báo theo lịch.", "Không có đợt nào tạm dừng.")
    lan.sees("Khai báo y tế buổi sáng")
    assert [one["action"] for one in await audited(world, "schedule_paused", "schedule_resumed")] == [
        "schedule_paused",
        "schedule_resumed",
    ]


async def test_a_unit_is_paused_until_a_day(world: World) -> None:
    hoa = await administrator(world)
    lan, nam = await world.enrolled("phuc", "P1"), await world.enrolled("quy", "P2")
    await opened(hoa, "Tạm dừng, ngày nghỉ", "Đơn vị khác", "Phòng Kế hoạch", "Tạm dừng đến ngày")
    await hoa.type("31/2")
    assert "Ngày này chưa đúng" in hoa.last
    for words in ("25/11", "sửa chữa trụ sở"):
        await hoa.type(words)
    await hoa.tap("Xác nhận")
    await world.clock_strikes("07:00")
    await world.clock_strikes("07:00", days=2)
    lan.sees_not("Khai báo y tế buổi")
    nam.sees("Khai báo y tế buổi sáng, Thứ Tư, 25/11/2026")
    await world.clock_strikes("07:00", days=1)
    lan.sees("Khai báo y tế buổi sáng, Thứ Năm, 26/11/2026")


async def test_a_swapped_saturday_and_a_day_off(world: World) -> None:
    hoa = await administrator(world)
    await paused(hoa, "ngày làm bù", "28/11")
    assert "Hiện nay: ngày này không có trong lịch" in hoa.last and "Sẽ là: ngày làm việc, có khai báo" in hoa.last
    await hoa.tap("Xác nhận")
    await paused(hoa, "Thêm một ngày nghỉ", "thứ tư 25/11")
    assert "Thứ Tư, 25/11/2026 – Sở Nông nghiệp" in hoa.last and "Hiện nay: ngày làm việc" in hoa.last
    await hoa.tap("Xác nhận")
    assert "• Thứ Tư, 25/11/2026: ngày nghỉ" in hoa.last and "• Thứ Bảy, 28/11/2026: ngày làm việc" in hoa.last
    await world.clock_strikes("06:00", days=6)
    assert [day for day, kind in await rounds(world) if kind == "morning"] == ["23/11", "26/11", "27/11", "28/11"]
    worked, off = await audited(world, "day_declared")
    assert (worked["working"], worked["before"], off["working"]) == (True, None, False)


async def test_a_head_plans_nothing(world: World) -> None:
    await administrator(world)
    tam = await world.enrolled("tam", "P1", role=Role.HEAD)
    for verb in ("adm_plan:1", "adm_days:1", "adm_pause_ok:1:20261123:20261130", "adm_day_ok:1:20261130:0"):
        await tam.press(world.house.seal.button(verb, tam.address))
        assert "Nút này đã cũ" in tam.last
    assert await world.count(tables.pause) == await world.count(tables.calendar_override) == 0
