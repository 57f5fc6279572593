"""A drill looks like a round, says so everywhere, and counts nowhere."""

from __future__ import annotations

from datetime import date

from domain.policy import Role
from storage import tables
from summaries import answers, status
from tests.console import administrator, audited, opened
from tests.world import World

MONDAY = date(2026, 11, 23)


async def begun(world: World, minutes: int = 30) -> None:
    hoa = world.phone("hoa")
    await opened(hoa, "Diễn tập", f"trong {minutes} phút")
    assert "hỏi ngay" in hoa.last and "không tính vào số liệu nào" in hoa.last
    await hoa.tap("Xác nhận")


async def test_a_whole_drill_says_that_it_is_one(each_world: World) -> None:
    world = each_world
    hoa = await administrator(world)
    lan, tam = await world.enrolled("phuc", "P1"), await world.enrolled("tam", "P1", role=Role.HEAD)
    group = await world.bound_group("-100", tam, await world.enrolled("thu", "P1", role=Role.HEAD), "P1")
    await begun(world)
    assert "✅ Diễn tập bắt đầu ngay bây giờ." in hoa.screen
    lan.sees("Khai báo y tế [DIỄN TẬP], Thứ Hai, 23/11/2026")
    group.sees("Theo dõi khai báo [DIỄN TẬP] – Phòng Kế hoạch")
    await lan.tap("Tôi khỏe")
    lan.sees("Bản khai [DIỄN TẬP], Thứ Hai, 23/11/2026")
    await world.clock_strikes("06:15")
    tam.sees("🔔 Nhắc khai báo [DIỄN TẬP]")
    await world.clock_strikes("06:30")
    group.sees("Tổng hợp khai báo [DIỄN TẬP] – Phòng Kế hoạch", "Đã khai: 1/5 (20%)")
    assert len(await audited(world, "round_opened_by_hand")) == 1


async def test_it_counts_nowhere(world: World) -> None:
    await administrator(world)
    lan = await world.enrolled("phuc", "P1")
    committee = await world.enrolled("chu", role=Role.COMMITTEE)
    await begun(world)
    await lan.tap("Tôi có điều cần khai báo thêm")
    await lan.tap("Sốt")
    for said in ("tiếp tục", "39", "1", "1", "1"):
        await lan.type(said)
    await lan.tap("Gửi bản khai")
    await committee.type("/status")
    assert "chưa có đợt khai báo nào mở" in committee.last
    await lan.type("/history")
    assert "[DIỄN TẬP]" not in lan.last and "06:00" not in lan.last
    async with world.database.reading() as session:
        assert await status.of_day(session, MONDAY, world.now) == []
        assert await answers.of_day(session, world.house.zone, MONDAY) == []
    await world.clock_strikes("07:00")
    lan.sees("Khai báo y tế buổi sáng")
    await committee.type("/status")
    assert "Đã khai: 0/" in committee.last and "[DIỄN TẬP]" not in committee.last


async def test_the_real_rounds_go_on_as_if_there_were_none(world: World) -> None:
    """A drill makes no earlier prompt lapse, and its answer hides none."""
    await administrator(world)
    lan = await world.enrolled("phuc", "P1")
    await world.clock_strikes("07:00")
    morning_at, morning = lan.button("Tôi khỏe")
    await begun(world)
    at, well = lan.button("Tôi khỏe")
    assert at != morning_at
    await lan.press(well.data, at)
    await lan.type("/today")
    assert "Khai báo y tế buổi sáng" in lan.last
    await world.clock_strikes("16:30")
    await lan.press(morning.data, morning_at)
    lan.sees("Bản khai buổi sáng")
    states = await world.rows(tables.ask.select().where(tables.ask.c.state == "answered"))
    assert len(states) == 2


async def test_one_drill_a_day_and_closed_early(world: World) -> None:
    hoa = await administrator(world)
    await world.enrolled("phuc", "P1")
    await begun(world, 60)
    await opened(hoa, "Diễn tập")
    assert "Đang diễn tập, đóng lúc 07:00." in hoa.last
    await hoa.tap("Kết thúc diễn tập")
    assert "diễn tập đang mở → đóng ngay" in hoa.last
    await hoa.tap("Xác nhận")
    await opened(hoa, "Diễn tập", "trong 15 phút", "Xác nhận")
    assert "Hôm nay mọi người tại Sở Nông nghiệp đều đã có đợt [DIỄN TẬP]." in hoa.last


async def test_a_head_opens_no_drill(world: World) -> None:
    await administrator(world)
    tam = await world.enrolled("tam", "P1", role=Role.HEAD)
    for verb in ("adm_drill:1", "adm_drill_ok:1:30", "adm_drill_stop:1"):
        await tam.press(world.house.seal.button(verb, tam.address))
        assert "Nút này đã cũ" in tam.last
    assert await world.count(tables.round_) == 0
