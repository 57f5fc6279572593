"""The roster from a phone: a file is shown before it changes anything, taken over with one tap, and taken back."""

from __future__ import annotations

import sqlalchemy as sa

from domain.chat import File
from domain.policy import Role
from storage import tables
from tests.console import administrator, audited, id_of, opened
from tests.phone import Phone
from tests.rosters import as_csv, as_xlsx, made_up
from tests.world import World

HEAD = "Mã cán bộ,Họ và tên,Số điện thoại,Đơn vị,Mã đơn vị,Vai trò"
STAFF = (
    "CB-lan,Lan,,Phòng Kế hoạch,P1,thủ trưởng",
    "CB-minh,Minh,,Phòng Tổ chức,P2,",
    "CB-nam,Nam,0912345678,Phòng Tổ chức,P2,",
    "CB-oanh,Oanh,,Phòng Tổ chức,P2,",
    "CB-hoa,Hoa,,Sở Nông nghiệp,ORG,",
    "CB-new,Trần Mới,,Phòng Kế hoạch,P1,",
)


async def sends(phone: Phone, *rows: str, name: str = "ds.csv") -> None:
    await opened(phone, "Danh sách cán bộ")
    content = "\r\n".join([HEAD, *rows]).encode()
    await phone.says(File("f", name, "text/csv", len(content), content))


async def staff(world: World) -> list[tuple[str, str]]:
    """Who is here, and in which unit."""
    query = sa.select(tables.person.c.name, tables.unit.c.code).join_from(tables.person, tables.unit)
    rows = await world.rows(query.where(tables.person.c.left_at.is_(None)).order_by(tables.person.c.name))
    return [(row.name, row.code) for row in rows]


async def test_shown_taken_over_and_taken_back(each_world: World) -> None:
    world = each_world
    hoa = await administrator(world)
    before = await staff(world)
    await sends(hoa, *STAFF)
    hoa.sees("Đang đọc tệp ds.csv")
    assert "Xem trước danh sách ds.csv" in hoa.last and "chưa có gì thay đổi" in hoa.last
    assert "Vào mới: 1\n• Trần Mới (CB-new) → P1" in hoa.last
    assert "Chuyển đơn vị: 1\n• Minh (CB-minh): P1 → P2" in hoa.last
    assert "• Nam (CB-nam), Số điện thoại: (trống) → +84912345678" in hoa.last
    assert "• Lan (CB-lan): thủ trưởng, P1" in hoa.last
    assert await staff(world) == before
    at, yes = hoa.button("Nhập danh sách này")
    await hoa.tap("Nhập danh sách này")
    assert "Đã nhập danh sách. Mã lần nhập: 1." in hoa.last and "Có thể hoàn tác đến 06:00 30/11/2026" in hoa.last
    assert ("Trần Mới", "P1") in await staff(world) and ("Minh", "P2") in await staff(world)
    await hoa.press(yes.data, at)
    assert "Nút này đã cũ" in hoa.last
    assert await world.count(tables.roster_import) == 1
    lines = await audited(world, "roster_sent", "roster_imported")
    assert {one["actor"] for one in lines} == {str(await id_of(world, "hoa"))} and len(lines) == 2
    await opened(hoa, "Danh sách cán bộ")
    assert "Lần nhập gần nhất: số 1, tệp ds.csv, lúc 06:00 23/11/2026, do Hoa." in hoa.last
    await hoa.tap("Hoàn tác")
    assert "1 người mới vào lại rời đi" in hoa.last
    await hoa.tap("Xác nhận")
    assert "Đã hoàn tác lần nhập 1." in hoa.last and await staff(world) == before
    assert await world.count(tables.roster_file, tables.roster_file.c.content != b"") == 0, "the list is not kept"


async def test_the_posts_it_asks_for_are_one_tap_away(world: World) -> None:
    hoa = await administrator(world)
    await sends(hoa, *STAFF)
    await hoa.tap("Nhập danh sách này")
    assert "⏳ Chức trách chờ xác nhận: 1" in hoa.last
    await hoa.tap("Xem chức trách chờ xác nhận")
    assert "thủ trưởng: Lan – Phòng Kế hoạch" in hoa.last


async def test_a_file_with_errors_changes_nothing_and_says_where(world: World) -> None:
    hoa = await administrator(world)
    await sends(hoa, *STAFF, "CB-lan,Lan Hai,,Phòng Kế hoạch,P1,", ",Vô Danh,0912345679,Phòng Kế hoạch,P1,")
    assert "Lỗi – Dòng 9, cột Mã cán bộ: Thiếu mã cán bộ." in hoa.last
    assert "Mã cán bộ CB-lan trùng với dòng" in hoa.last and "Danh sách còn lỗi nên chưa nhập được" in hoa.last
    assert "[✓" not in hoa.last


async def test_many_problems_are_counted_and_come_as_a_file(world: World) -> None:
    hoa = await administrator(world)
    await sends(hoa, *STAFF, *(f",Vô Danh,09123456{number},Phòng Kế hoạch,P1," for number in range(10, 24)))
    assert "Vấn đề: 14" in hoa.last and "… và 4 mục nữa" in hoa.last and "tệp kèm theo" in hoa.last
    attached = hoa.messages[-1][1].attached
    assert attached and attached.content.decode("utf-8-sig").count("Thiếu mã cán bộ") == 14


async def test_most_of_the_staff_gone_needs_a_tap_of_its_own(world: World) -> None:
    hoa = await administrator(world)
    await sends(hoa, *STAFF[-2:])
    assert "4 trong 5 người hiện có không nằm trong danh sách" in hoa.last
    hoa.sees_not("Nhập danh sách này")
    await hoa.tap("Đúng là có nhiều người rời đi")
    assert "Cần xem lại" in hoa.last and "Rời cơ quan: 4" in hoa.last
    await hoa.tap("Nhập danh sách này")
    assert await staff(world) == [("Hoa", "ORG"), ("Trần Mới", "P1")]


async def test_nobody_takes_over_a_list_without_themselves(world: World) -> None:
    hoa = await administrator(world)
    await sends(hoa, *(row for row in STAFF if "Hoa" not in row))
    assert "Trong tệp không có chính anh/chị, nên chưa nhập được" in hoa.last
    hoa.sees_not("Nhập danh sách này")


async def test_what_changed_meanwhile_is_shown_again(world: World) -> None:
    hoa = await administrator(world)
    await sends(hoa, *STAFF)
    await world.person("phuc", "P1")
    await hoa.tap("Nhập danh sách này")
    assert "Rời cơ quan: 1\n• Phuc (CB-phuc), P1" in hoa.last and await world.count(tables.roster_import) == 0
    await hoa.tap("Nhập danh sách này")
    assert await world.count(tables.roster_import) == 1


async def test_nothing_is_taken_over_for_somebody_who_lost_the_right(world: World) -> None:
    hoa = await administrator(world)
    await sends(hoa, *STAFF)
    async with world.transaction() as session:
        await session.execute(tables.post.update().values(until_at=world.now))
    await hoa.tap("Nhập danh sách này")
    assert "Nút này đã cũ" in hoa.last and await world.count(tables.roster_import) == 0


async def test_dropped_or_followed_by_another_file(world: World) -> None:
    hoa = await administrator(world)
    await sends(hoa, *STAFF)
    at, first = hoa.button("Nhập danh sách này")
    await sends(hoa, *STAFF[:-1], name="ds2.csv")
    await hoa.press(first.data, at)
    assert "Nút này đã cũ" in hoa.last
    await hoa.tap("✗ Bỏ")
    hoa.sees("Đã bỏ tệp vừa gửi. Không có gì thay đổi.")
    hoa.sees_not("ds2.csv\nĐây là bản xem trước")
    assert await world.count(tables.roster_import) == 0


async def test_what_the_store_refuses_is_told_and_changes_nothing(world: World) -> None:
    hoa = await administrator(world)
    await sends(hoa, *STAFF)
    before = await staff(world)
    async with world.transaction() as session:
        full = "CREATE TRIGGER full BEFORE INSERT ON roster_import BEGIN SELECT RAISE(ABORT, 'full'); END"
        await session.execute(sa.text(full))
    await hoa.tap("Nhập danh sách này")
    assert "Chưa lưu được do lỗi hệ thống" in hoa.last and await staff(world) == before


async def test_a_restart_forgets_no_file(world: World) -> None:
    """The turn only keeps the file; whichever process comes next reads it."""
    hoa = await administrator(world)
    await opened(hoa, "Danh sách cán bộ")
    content = "\r\n".join([HEAD, *STAFF]).encode()
    await world.receive([hoa.update(File("f", "ds.csv", "text/csv", len(content), content))])
    hoa.sees_not("Xem trước danh sách")
    await world.restart()
    assert "Xem trước danh sách ds.csv" in hoa.last


async def test_what_is_no_roster_is_refused_in_one_sentence(world: World) -> None:
    hoa = await administrator(world)
    await opened(hoa, "Danh sách cán bộ")
    await hoa.says(File("f", "anh.png", "image/png", 9, b"\x89PNG\r\n\x1a\n\x00"))
    assert "Tệp không phải là bảng tính XLSX hay CSV." in hoa.last


async def test_a_file_from_anybody_else_is_not_expected(world: World) -> None:
    await administrator(world)
    lan = await world.enrolled("tam", "P1", role=Role.HEAD)
    await lan.says(File("f", "ds.csv", "text/csv", 3, b"a,b"))
    assert "Bot chưa chờ tệp" in lan.last and await world.count(tables.roster_file) == 0


async def test_a_workbook_of_a_whole_department(world: World) -> None:
    """The full list as an office has it, first as a workbook, then the same as text: nothing left to change."""
    hoa = await administrator(world)
    people = made_up(300)
    async with world.transaction() as session:
        code = {"staff_code": people[0].staff_code}
        await session.execute(tables.person.update().where(tables.person.c.name == "Hoa").values(code))
    await opened(hoa, "Danh sách cán bộ")
    await hoa.says(File("f", "ds.xlsx", "", 0, as_xlsx(people)))
    assert "Vào mới: 299" in hoa.last
    await hoa.tap("Đúng là có nhiều người rời đi")
    await hoa.tap("Nhập danh sách này")
    assert await world.count(tables.person, tables.person.c.left_at.is_(None)) == 300
    assert await world.count(tables.unit, tables.unit.c.closed_at.is_(None)) > 50
    await opened(hoa, "Danh sách cán bộ")
    await hoa.says(File("f", "ds.csv", "", 0, as_csv(people).encode()))
    assert "Danh sách trùng khớp với hiện tại, không có gì thay đổi." in hoa.last
