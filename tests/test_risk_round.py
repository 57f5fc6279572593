"""The risk update of a unit through its afternoon: drafted, confirmed in one tap, corrected, late, and told to all."""

from __future__ import annotations

from datetime import timedelta

from domain.policy import Role
from handlers import risk_round
from storage import people, posts, tables, units
from tests.morning import REST, UNWELL, taps
from tests.phone import Phone
from tests.storm import statements
from tests.world import ZONE, World


async def unit_of_three(world: World) -> tuple[Phone, Phone, Phone]:
    """Lan and Minh, and Hoa, their focal person; everybody has agreed."""
    await world.unit("KT", "Phòng Kỹ thuật")
    hoa = await world.enrolled("hoa", "KT", role=Role.FOCAL)
    return await world.enrolled("lan", "KT"), await world.enrolled("minh", "KT"), hoa


async def all_well(world: World, *phones: Phone) -> None:
    await world.clock_strikes("07:00")
    for phone in phones:
        await phone.tap("Tôi khỏe")


async def test_the_focal_person_confirms_in_one_tap(world: World) -> None:
    everybody = await unit_of_three(world)
    hoa = everybody[2]
    await all_well(world, *everybody)
    await hoa.type("/zone")
    hoa.sees("⚪ Chưa đủ dữ liệu", "Chưa có cập nhật nguy cơ được xác nhận")
    await world.clock_strikes("14:00")
    hoa.sees("Cập nhật nguy cơ – Phòng Kỹ thuật", "Đề xuất: 🟢 Vùng xanh", "Đã khai 3/3 lượt", "Hạn xác nhận: 15:00")
    await hoa.tap("✓ Xác nhận 🟢 Vùng xanh")
    hoa.sees("Đã xác nhận lúc 14:00")
    await hoa.type("/zone")
    hoa.sees("Đơn vị đang ở 🟢 Vùng xanh")
    before = len(hoa.messages)
    await world.clock_strikes("15:10")
    assert len(hoa.messages) == before, "who has confirmed is not reminded"


async def test_who_does_not_confirm_is_reminded_then_the_head_then_the_committee_sees_it(world: World) -> None:
    lan, minh, hoa = await unit_of_three(world)
    chief = await world.enrolled("chief", "KT", role=Role.HEAD)
    boss = await world.enrolled("boss", role=Role.COMMITTEE)
    await all_well(world, lan, minh, hoa, chief, boss)
    await world.clock_strikes("14:30")
    hoa.sees("Nhắc: cập nhật nguy cơ")
    chief.sees_not("cập nhật nguy cơ – Phòng")
    await world.clock_strikes("14:50")
    chief.sees("Chưa cập nhật nguy cơ – Phòng Kỹ thuật")
    await world.clock_strikes("15:00")
    boss.sees("Chưa xác nhận (2):", "Phòng Kỹ thuật: đầu mối chưa trả lời", "🟡")
    await world.clock_strikes("15:12")
    await chief.tap("✓ Xác nhận 🟢 Vùng xanh")
    chief.sees("Ghi nhận muộn (hạn 15:00)")
    hoa.sees("Chief đã xác nhận lúc 15:12: 🟢 Vùng xanh")
    boss.sees("Xác nhận muộn (1):", "Phòng Kỹ thuật: 15:12")
    boss.sees_not("Phòng Kỹ thuật: đầu mối chưa trả lời")


async def test_a_figure_is_corrected_with_a_reason_and_the_zone_follows(world: World) -> None:
    lan, minh, hoa = await unit_of_three(world)
    await all_well(world, lan, minh)
    await taps(hoa, UNWELL, "Sốt", "Tiếp tục", "Không đo", *REST, "Gửi bản khai")
    await world.clock_strikes("14:00")
    hoa.sees("Đề xuất: 🟠 Vùng cam", "cao 1", "Có F1 hoặc người nguy cơ cao đang làm việc: 1")
    await taps(hoa, "Sửa số liệu", "cao: 1")
    hoa.sees("hiện là 1. Số đúng là bao nhiêu")
    await hoa.type("một")
    hoa.sees("Xin gõ một số từ 0 đến 9999")
    await hoa.type("0")
    await hoa.type("x" * 201)
    hoa.sees("Lý do dài quá 200 ký tự")
    await hoa.type("Đã về nhà từ 8 giờ")
    hoa.sees("Đề xuất: 🟢 Vùng xanh", "Sửa: cao 1 → 0 (lý do: Đã về nhà từ 8 giờ)")
    await hoa.tap("✓ Xác nhận 🟢")
    hoa.sees("Đã xác nhận lúc 14:00")
    await minh.tap("Sửa bản khai")
    await taps(minh, UNWELL, "Khó thở", "Tiếp tục", "Không đo", *REST, "Gửi bản khai")
    await hoa.type("/zone")
    hoa.sees("🟠 Vùng cam")


async def test_what_is_confirmed_is_what_was_read(world: World) -> None:
    lan, minh, hoa = await unit_of_three(world)
    await all_well(world, lan, minh, hoa)
    await world.clock_strikes("14:00")
    await lan.tap("Sửa bản khai")
    await taps(lan, UNWELL, "Ho", "Tiếp tục", "Không đo", *REST, "Gửi bản khai")
    await hoa.tap("✓ Xác nhận 🟢")
    hoa.sees("Số liệu vừa thay đổi, xin xem lại", "Đề xuất: 🟡 Vùng vàng")
    hoa.sees_not("Đã xác nhận lúc")
    await hoa.tap("✓ Xác nhận 🟡")
    hoa.sees("Đã xác nhận lúc 14:00")


async def test_without_a_focal_person_it_goes_to_the_head_then_further_up(world: World) -> None:
    await world.unit("KT", "Phòng Kỹ thuật")
    await world.unit("TT", "Trạm Thú y", parent="KT")
    lan = await world.enrolled("lan", "TT", role=Role.FOCAL)
    chief = await world.enrolled("chief", "KT", role=Role.HEAD)
    boss = await world.enrolled("boss", role=Role.COMMITTEE)
    await lan.type("/leave")
    await taps(lan, "Nghỉ phép", "ôm nay", f"{world.now.astimezone(ZONE):%d/%m}")
    await all_well(world, chief, boss)
    await world.clock_strikes("14:00")
    lan.sees_not("Cập nhật nguy cơ")
    chief.sees("Cập nhật nguy cơ – Trạm Thú y", "Đầu mối đang vắng", "Cập nhật nguy cơ – Phòng Kỹ thuật")
    boss.sees("Đơn vị chưa có đầu mối nên bot gửi anh/chị.")
    boss.sees_not("Trạm Thú y")


async def test_who_answers_for_many_units_gets_one_list(world: World) -> None:
    boss = await world.enrolled("boss", role=Role.COMMITTEE)
    staff = []
    for number in range(5):
        await world.unit(f"U{number}", f"Trạm {number}")
        staff.append(await world.enrolled(f"anh{number}", f"U{number}"))
    await all_well(world, boss, *staff)
    await world.clock_strikes("14:00")
    assert [message.title[:15] for _, message in boss.messages].count("Cập nhật nguy c") == 1
    boss.sees("Bấm vào đơn vị để xem và xác nhận")
    await boss.tap("Trạm 3")
    await boss.tap("✓ Xác nhận 🟢")
    await world.clock_strikes("14:31")
    assert "Trạm 4" in boss.last and "Trạm 3" not in boss.last
    await boss.type("/risk")
    assert "🟢 Trạm 3" in boss.last and "… Trạm 4" in boss.last


async def test_same_as_last_time_only_where_the_facts_are_the_same(world: World) -> None:
    lan, minh, hoa = await unit_of_three(world)
    await all_well(world, lan, minh, hoa)
    await world.clock_strikes("14:00")
    hoa.sees("Đây là lần cập nhật đầu tiên.")
    await hoa.tap("✓ Xác nhận 🟢")
    await world.clock_strikes("16:30")
    for phone in (lan, minh, hoa):
        await phone.tap("Tôi khỏe")
    await world.clock_strikes("07:00", days=2)
    for phone in (lan, minh, hoa):
        await phone.tap("Tôi khỏe")
    await world.clock_strikes("14:00")
    hoa.sees("So với lần trước (23/11): không thay đổi")
    await hoa.tap("✓ Như lần trước: 🟢 Vùng xanh")
    await world.clock_strikes("16:30")
    for phone in (lan, minh, hoa):
        await phone.tap("Tôi khỏe")
    await world.clock_strikes("07:00", days=1)
    for phone in (lan, minh):
        await phone.tap("Tôi khỏe")
    await taps(hoa, UNWELL, "Ho", "Tiếp tục", "Không đo", *REST, "Gửi bản khai")
    await world.clock_strikes("14:00")
    hoa.sees("So với lần trước (25/11): trung bình 0 → 1; 🟢 → 🟡")
    assert "Như lần trước" not in hoa.last


async def test_what_is_on_the_map_is_noted_and_reminded_of_until_done(world: World) -> None:
    lan, minh, hoa = await unit_of_three(world)
    await all_well(world, lan, minh, hoa)
    await world.clock_strikes("14:00")
    await hoa.tap("✓ Xác nhận 🟢")
    await world.clock_strikes("15:30")
    hoa.sees("Nhắc nhập bản đồ", "chưa nhập lên bản đồ: 1 đơn vị")
    await hoa.tap("✓ Phòng Kỹ thuật")
    hoa.sees("Hôm nay các đơn vị đã xác nhận đều đã được nhập.")
    count = len(hoa.messages)
    await world.clock_strikes("16:31")
    assert "Nhắc nhập bản đồ" not in "\n".join(message.title for _, message in hoa.messages[count:])
    await hoa.type("/risk")
    hoa.sees("Đã ghi: Hoa nhập lúc 15:30.")


async def test_an_update_belongs_to_those_who_answer_for_the_unit_and_to_its_day(world: World) -> None:
    lan, minh, hoa = await unit_of_three(world)
    await world.unit("HC", "Phòng Hành chính")
    other = await world.enrolled("other", "HC", role=Role.HEAD)
    await all_well(world, lan, minh, hoa, other)
    await world.clock_strikes("14:00")
    [(message_id, confirm)] = [one for one in hoa.buttons if "Xác nhận" in one[1].label]
    meaning = world.house.seal.opened(confirm.data, hoa.address)
    assert meaning is not None
    forged = world.house.seal.button(":".join((meaning.verb, *meaning.args)), other.address)
    await other.press(forged, message_id)
    other.sees("Mục này không còn dùng được.")
    async with world.transaction() as session:
        person = await people.by_staff_code(session, "CB-hoa")
        assert person is not None
        await posts.end(session, person.id, person.unit_id, Role.FOCAL, world.now)
    await hoa.tap("✓ Xác nhận 🟢")
    hoa.sees("Mục này không còn dùng được.")
    assert await world.count(tables.risk_update, tables.risk_update.c.confirmed_at.is_not(None)) == 0


async def test_an_old_button_says_that_its_day_is_over(world: World) -> None:
    everybody = await unit_of_three(world)
    await all_well(world, *everybody)
    await world.clock_strikes("14:00")
    await world.clock_strikes("08:00", days=1)
    await everybody[2].tap("✓ Xác nhận 🟢")
    everybody[2].sees("đã khép")


async def test_after_an_outage_of_the_afternoon_the_drafts_still_come_and_count_as_late(world: World) -> None:
    lan, minh, hoa = await unit_of_three(world)
    await all_well(world, lan, minh, hoa)
    await world.clock_strikes("13:00")
    await world.down_until("15:20")
    hoa.sees("Đã quá hạn 15:00")
    await hoa.tap("✓ Xác nhận 🟢")
    hoa.sees("Ghi nhận muộn (hạn 15:00)")


async def test_a_forced_update_is_asked_for_at_once_and_only_of_that_unit(world: World) -> None:
    lan, minh, hoa = await unit_of_three(world)
    await world.unit("HC", "Phòng Hành chính")
    other = await world.enrolled("other", "HC", role=Role.FOCAL)
    await all_well(world, lan, minh, hoa, other)
    await world.clock_strikes("10:05")
    async with world.transaction() as session:
        unit = await units.by_code(session, "KT")
        assert unit is not None
        for _ in range(2):
            await risk_round.force(session, world.house, unit.id, world.now, "test")
    await world.settle()
    hoa.sees("Cập nhật nguy cơ – Phòng Kỹ thuật", "Hạn xác nhận: 11:05")
    other.sees_not("Cập nhật nguy cơ")
    await hoa.tap("✓ Xác nhận 🟢")
    await world.clock_strikes("14:00")
    other.sees("Cập nhật nguy cơ – Phòng Hành chính")
    assert hoa.last.count("Hạn xác nhận: 15:00") == 1, "the day's own update comes all the same"


async def test_drafts_cost_no_more_statements_for_more_units(world: World) -> None:
    costs: list[int] = []
    for units_more in (2, 10):
        for number in range(units_more):
            code = f"U{len(costs)}{number}"
            await world.unit(code)
            await world.enrolled(f"anh {code}", code, role=Role.FOCAL)
        await world.clock_strikes("13:59", days=2 * len(costs))
        world.now += timedelta(minutes=1)
        with statements(world.database) as seen:
            await world.app.ticks.tick(world.now)
        costs.append(len(seen))
    assert costs[1] <= costs[0]
