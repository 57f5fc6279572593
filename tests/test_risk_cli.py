"""The risk round at a terminal: in the status for scripts, and the file for the national map."""

from __future__ import annotations

import csv
import io

import python_calamine

from domain.policy import Role
from tests.office import Office, empty_office, office, started_store
from tests.world import World

__all__ = ["empty_office", "office", "started_store"]


async def afternoon(world: World) -> None:
    """Two units; the first is confirmed and on the map, the second is late."""
    await world.unit("KT", "Phòng Kỹ thuật")
    await world.unit("HC", "=Phòng Hành chính")
    hoa = await world.enrolled("hoa", "KT", role=Role.FOCAL)
    mai = await world.enrolled("mai", "HC", role=Role.FOCAL)
    await world.clock_strikes("07:00")
    await hoa.tap("Tôi khỏe")
    await mai.tap("Tôi khỏe")
    await world.clock_strikes("14:05")
    await hoa.tap("✓ Xác nhận 🟢")
    await hoa.tap("Đã nhập lên bản đồ")
    await world.clock_strikes("15:01")


def test_the_status_for_scripts_has_the_risk_round_and_zones(office: Office) -> None:
    office.lives(afternoon)
    found = office.types("status", "--json").json
    kinds = {one["kind"]: one for one in found["rounds"]}
    assert list(kinds) == ["morning", "risk", "afternoon"]
    risk = kinds["risk"]
    assert (risk["state"], risk["due"], risk["answered"], risk["late"], risk["missed"]) == ("closed", 2, 1, 0, 1)
    assert {one["code"]: (one["answered"], one["zone"]) for one in risk["units"]} == {
        "KT": (1, "green"),
        "HC": (0, "yellow"),
    }
    assert {one["code"]: one["zone"] for one in kinds["morning"]["units"]} == {
        "ORG": "yellow",
        "KT": "green",
        "HC": "yellow",
    }
    assert "yellow" in office.does("status")


def test_the_file_for_the_national_map_has_every_unit_and_who_entered_it(office: Office) -> None:
    office.lives(afternoon)
    days = ("--from", "2026-11-23", "--to", "2026-11-23")
    heading, *rows = list(csv.reader(io.StringIO(office.does("export", "map", *days, "--format", "csv"))))
    assert heading[:4] == ["Ngày", "Mã đơn vị", "Tên đơn vị", "Mức nguy cơ (màu)"]
    by_code = {row[1]: dict(zip(heading, row, strict=True)) for row in rows}
    assert by_code["KT"]["Mức nguy cơ (màu)"] == "🟢 Vùng xanh"
    assert (by_code["KT"]["Giờ xác nhận"], by_code["KT"]["Người nhập lên bản đồ"]) == ("14:05", "Hoa")
    assert by_code["HC"]["Mức nguy cơ (màu)"] == by_code["HC"]["Giờ nhập"] == ""
    assert by_code["HC"]["Tên đơn vị"] == "'=Phòng Hành chính", "no name becomes a formula"
    file = office.folder / "map.xlsx"
    office.does("export", "map", *days, "--format", "xlsx", "--output", str(file))
    sheet = python_calamine.CalamineWorkbook.from_path(str(file)).get_sheet_by_index(0).to_python()
    assert len(sheet) == 3 and sheet[0] == heading


def test_a_risk_round_is_set_and_closed_like_any_other(office: Office) -> None:
    office.does(
        "schedule",
        "set",
        "risk",
        "--opens",
        "13:30",
        "--reminders",
        "14:00",
        "--closes",
        "14:30",
        "--missing-list",
        "14:10",
    )
    assert "13:30" in office.does("schedule", "list")

    async def until_two(world: World) -> None:
        await world.unit("KT", "Phòng Kỹ thuật")
        hoa = await world.enrolled("hoa", "KT", role=Role.FOCAL)
        await world.clock_strikes("07:00")
        await hoa.tap("Tôi khỏe")
        await world.clock_strikes("14:00")

    office.lives(until_two)
    assert "closed" in office.does("round", "close", "risk")
