"""A named answer is seen by few, each look is recorded, and the person sees who looked, by which post and when."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from domain.policy import Role
from storage import tables
from tests.morning import REST
from tests.office_day import Morning, actions, ask_of, lose_post, morning
from tests.phone import Phone
from tests.world import World


async def coughing(world: World) -> Morning:
    """Lan has declared herself well, and corrected that."""
    start = await morning(world)
    await start.lan.tap("Tôi khỏe")
    for label in ("Sửa bản khai", "Tôi có điều", "Ho", "Tiếp tục", "37,0", *REST, "Gửi bản khai"):
        await start.lan.tap(label)
    return start


async def look(phone: Phone, name: str = "Lan") -> None:
    for label in ("Đã khai", name, "Xem bản khai"):
        if label == "Đã khai":
            await phone.type("/missing P1")
        await phone.tap(label)


async def test_the_head_sees_the_answer_and_its_earlier_version_and_lan_sees_who_looked(each_world: World) -> None:
    world = each_world
    start = await coughing(world)
    world.now += timedelta(minutes=12)
    await look(start.hoa)
    start.hoa.sees("Lan, khai lúc 07:40", "Triệu chứng: Ho", "Mức nguy cơ: trung bình", "Lần xem này được ghi lại")
    await start.hoa.tap("Bản 1, lúc 07:40")
    assert "Tôi xin khai báo trung thực" in start.hoa.last and "Triệu chứng" not in start.hoa.last
    await start.lan.type("/history")
    assert (
        start.lan.last.splitlines()[-2:]
        == ["• 23/11 07:52: Hoa, thủ trưởng Phòng Kế hoạch (bản khai buổi sáng 23/11)"] * 2
    )
    assert [one for one in await actions(world) if one == "looked"] == ["looked"] * 2
    await start.minh.type("/history")
    assert "Hoa" not in start.minh.last


async def test_the_post_is_told_as_it_was_held_then(world: World) -> None:
    start = await coughing(world)
    chi = await world.enrolled("chi", role=Role.COMMITTEE)
    await look(start.hoa)
    await look(chi)
    world.now += timedelta(minutes=1)
    await lose_post(world, "hoa")
    await start.lan.type("/history")
    start.lan.sees("Hoa, thủ trưởng Phòng Kế hoạch", "Chi, ban chỉ đạo")


async def test_the_days_other_round_is_one_tap_away(world: World) -> None:
    start = await coughing(world)
    await world.clock_strikes("16:31")
    await start.lan.tap("Tôi khỏe")
    await look(start.hoa)
    assert "Bản khai buổi chiều" in start.hoa.last
    await start.hoa.tap("Buổi sáng")
    assert "Bản khai buổi sáng" in start.hoa.last and "Triệu chứng: Ho" in start.hoa.last
    assert await world.count(tables.look) == 2


@pytest.mark.parametrize("role", [None, Role.FOCAL, Role.ADMIN, Role.GUARD])
async def test_nobody_else_sees_an_answer_and_nothing_is_recorded(world: World, role: Role | None) -> None:
    await coughing(world)
    one = await world.enrolled("an", "P1", role=role)
    lan = (await ask_of(world, "lan")).id
    for ask in (lan, 999):
        await one.press(world.house.seal.button(f"look:{ask}", one.address))
        assert "Không có danh sách hay bản khai để xem ở đây" in one.last
    one.sees_not("Triệu chứng")
    assert await world.count(tables.look) == 0


async def test_nothing_declared_is_nothing_to_record(world: World) -> None:
    start = await morning(world)
    await start.hoa.type("/missing")
    await start.hoa.tap("Minh")
    await start.hoa.tap("Xem bản khai")
    assert "chưa có bản khai" in start.hoa.last
    assert await world.count(tables.look) == 0


async def test_many_looks_are_counted_instead_of_listed(world: World) -> None:
    start = await coughing(world)
    await look(start.hoa)
    at, again = start.hoa.button("Bản 1")
    for _ in range(16):
        await start.hoa.press(again.data, at)
    await start.lan.type("/history")
    assert "… và 2 lần khác" in start.lan.last
    assert await world.count(tables.look, sa.true()) == 17
