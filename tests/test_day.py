"""A working day as people live it."""

from __future__ import annotations

from domain.policy import Role
from tests.world import World


async def test_a_morning_in_a_unit(each_world: World) -> None:
    world = each_world
    await world.unit("P1", "Phòng Kế hoạch")
    lan = await world.enrolled("lan", "P1")
    minh = await world.enrolled("minh", "P1", on="webchat")
    chief = await world.enrolled("hoa", "P1", role=Role.HEAD)
    await world.clock_strikes("07:00")
    lan.sees("Khai báo y tế buổi sáng")
    await lan.tap("Tôi khỏe")
    print(lan.screen)
    await world.clock_strikes("08:30")
    print(minh.screen); print("=====")
    print(chief.screen)
    await world.clock_strikes("09:00")
    print("=====")
    print(chief.screen)
    await minh.tap("Tôi khỏe")
    print(minh.screen)
