"""A working day as people live it."""

from __future__ import annotations

from domain.policy import Role
from tests.world import World


async def test_a_day_in_a_unit(each_world: World) -> None:
    world = each_world
    await world.unit("P1", "Phòng Kế hoạch")
    lan = await world.enrolled("lan", "P1")
    minh = await world.enrolled("minh", "P1", on="webchat")
    chief = await world.enrolled("hoa", "P1", role=Role.HEAD)
    deputy = await world.enrolled("nam", "P1", role=Role.HEAD, agrees=False)
    group = await world.bound_group("-100", chief, deputy)
    await world.person("moi", "P1")

    await world.clock_strikes("07:00")
    lan.sees("Khai báo y tế buổi sáng, Thứ Hai, 23/11/2026")
    group.sees("Theo dõi khai báo buổi sáng – Phòng Kế hoạch", "Đã khai: 0/5")
    await lan.tap("Tôi khỏe")
    await world.clock_strikes("08:30")
    group.sees("Đã khai: 1/5 (20%)")
    assert lan.screen.count("🔔") == 0 and minh.screen.count("🔔") == 2
    chief.sees("• Minh: đã nhận, chưa trả lời", "• Moi: chưa đăng ký", "• Nam: chưa chọn đồng ý hay không")
    chief.sees_not("• Lan")

    await world.clock_strikes("09:00")
    group.sees("Tổng hợp khai báo buổi sáng – Phòng Kế hoạch", "Mức nguy cơ: thấp 1")
    await minh.tap("Tôi khỏe")
    minh.sees("Ghi nhận là khai muộn")
    await world.clock_strikes("09:05")
    group.sees("Đã khai: 2/5 (40%)", "Trong đó khai muộn: 1")

    await world.clock_strikes("16:30")
    for phone in (lan, minh, chief):
        assert "Khai báo y tế buổi chiều" in phone.last
        await phone.tap("Tôi khỏe")
    await world.clock_strikes("18:30")
    group.sees("Tổng hợp khai báo buổi chiều", "Đã khai: 3/5 (60%)")
    said = len(world.telegram.sent) + len(world.webchat.sent)
    await world.clock_strikes("23:00", days=1)
    assert len(world.telegram.sent) + len(world.webchat.sent) == said, "the 24th is a holiday"
