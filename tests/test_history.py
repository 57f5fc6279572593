"""What a person sees of their own declarations, and nobody else of them."""

from __future__ import annotations

from domain.policy import Role
from tests.world import World


async def test_nothing_yet(world: World) -> None:
    lan = await world.enrolled("lan")
    await lan.type("/history")
    assert "chưa có đợt khai báo nào" in lan.last


async def test_two_weeks_newest_first_each_as_it_stands(world: World) -> None:
    lan = await world.enrolled("lan")
    await world.clock_strikes("07:20")
    await lan.tap("Tôi khỏe")
    await world.clock_strikes("18:45")
    for label in ("Tôi có điều", "Ho", "Tiếp tục", "Không đo", "Có, với F1", "Không đến", "Chưa xét nghiệm", "Gửi"):
        await lan.tap(label)
    await world.clock_strikes("09:30", days=2)
    await lan.type("/leave")
    for label in ("Nghỉ ốm", "Từ ngày mai", "26/11"):
        await lan.tap(label)
    await world.clock_strikes("16:40")
    await lan.type("/history")
    assert lan.last.splitlines() == [
        "Khai báo của anh/chị trong 14 ngày qua",
        "25/11 buổi chiều: đang chờ anh/chị khai",
        "25/11 buổi sáng: chưa khai",
        "23/11 buổi chiều: khai muộn lúc 18:45, nguy cơ trung bình",
        "23/11 buổi sáng: đã khai lúc 07:20, nguy cơ thấp",
    ]
    await world.clock_strikes("12:00", days=1)
    await lan.type("/history")
    assert "26/11 buổi sáng: Nghỉ ốm (không phải khai)" in lan.last
    await world.clock_strikes("12:00", days=19)
    await lan.type("/history")
    assert "23/11" not in lan.last


async def test_history_is_ones_own(world: World) -> None:
    await world.unit("P1")
    lan = await world.enrolled("lan", "P1")
    chief = await world.enrolled("hoa", "P1", role=Role.HEAD)
    await world.clock_strikes("07:00")
    await lan.tap("Tôi khỏe")
    await chief.type("/history")
    assert chief.last.splitlines()[1:] == ["23/11 buổi sáng: đang chờ anh/chị khai"]
