"""Rosters as offices lay them out: headers, merged cells, sections, totals, unit trees, and what is wrong where."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.roster import ParsedRoster, Sheet, parse_roster
from domain.roster_header import find_header, meaning
from domain.roster_sheet import Area, Cell, date_of, letter, words
from texts import text

TODAY = date(2026, 3, 2)
HEADER: list[Cell] = ["STT", "Mã CB", "Họ và tên", "Số điện thoại", "Đơn vị", "Chức vụ", "Vai trò", "Ngày sinh"]
LAN: list[Cell] = [1.0, "CB01", "Lê Thị Lan", "0381590830", "Văn phòng", "Chuyên viên", "", "14/07/1980"]
MINH: list[Cell] = [2.0, "CB02", "Bùi Minh", 898700221.0, "Thanh tra", "Kế toán", "", date(1990, 2, 1)]


def read(*rows: Sequence[Cell], merged: Sequence[Area] = ()) -> ParsedRoster:
    return parse_roster([Sheet("DS", rows, merged)], TODAY)


def keys(roster: ParsedRoster) -> list[tuple[int, str, str]]:
    return [(it.row, it.column, it.key.removeprefix("roster.")) for it in roster.problems]


def people(roster: ParsedRoster) -> list[tuple[str, str]]:
    return [(entry.staff_code, entry.unit) for entry in roster.entries]


def tree(roster: ParsedRoster) -> dict[str, str | None]:
    return {unit.code: unit.parent for unit in roster.units}


def test_titles_blank_rows_numbering_totals_and_signatures_are_passed_over() -> None:
    roster = read(
        ["SỞ NÔNG NGHIỆP"], ["DANH SÁCH CÁN BỘ"], [], HEADER, ["(1)", "(2)", "(3)", "(4)", "(5)", "(6)", "(7)", "(8)"],
        LAN, [None, None], MINH, HEADER, [],
        ["Tổng cộng: 2 người"], ["", "", "", "", "", "Hà Nội, ngày 2 tháng 3 năm 2026"],
        ["", "NGƯỜI LẬP BIỂU", "", "", "", "GIÁM ĐỐC"], ["", "(Ký, ghi rõ họ tên)"], [], ["", "", "Nguyễn Văn Ký"],
    )  # fmt: skip
    assert roster.problems == []
    assert people(roster) == [("CB01", "van-phong"), ("CB02", "thanh-tra")]
    lan, minh = roster.entries
    assert (lan.row, lan.name, lan.phone, lan.title) == (6, "Lê Thị Lan", "+84381590830", "Chuyên viên")
    assert (minh.row, minh.phone, minh.birth_date) == (8, "+84898700221", date(1990, 2, 1))


@pytest.mark.parametrize(
    "header",
    [
        ["Mã nhân viên", "Họ tên", "SĐT", "Phòng ban", "Ngày, tháng, năm sinh"],
        ["MA SO CAN BO", "HO VA TEN", "DIEN THOAI", "PHONG/BAN", "NGAY SINH"],
        ["Staff code", "Full name", "Mobile", "Department", "Date of birth"],
        ["Mã số CBCCVC *", "Họ & tên (có dấu)", "Đ.T", "Đơn vị công tác", "Ngày sinh (dd/mm/yyyy)"],
        ["Mã\u00a0NV", "Ho\u0323 va\u0300 te\u0302n", "Di động:", "Tên đơn vị", "Sinh ngày"],
    ],
)
def test_headers_in_any_wording_and_order(header: list[Cell]) -> None:
    row: list[Cell] = ["A7", "Lê Lan", "0381590830", "Tổ một", "01/02/1980"]
    for shift in range(5):
        turned = header[shift:] + header[:shift]
        roster = read(turned, row[shift:] + row[:shift])
        assert keys(roster) == []
        (entry,) = roster.entries
        assert (entry.staff_code, entry.name, entry.unit) == ("A7", "Lê Lan", "to-mot")
        assert (entry.phone, entry.birth_date) == ("+84381590830", date(1980, 2, 1))


@pytest.mark.parametrize(
    ("label", "field"),
    [
        ("Mã đơn vị", "unit_code"), ("Unit code", "unit_code"), ("Thuộc", "parent"), ("Đơn vị cấp trên", "parent"),
        ("Trực thuộc", "parent"), ("Belongs to", "parent"), ("E-mail", "email"), ("Chức danh", "title"),
        ("Role", "role"), ("Ghi chú", None), ("", None), ("Danh sách cán bộ", None), ("No.", "number"), ("#", "number"),
    ],
)  # fmt: skip
def test_a_label_means(label: str, field: str | None) -> None:
    assert meaning(label) == field


def test_a_header_of_two_lines_with_the_name_in_two_columns() -> None:
    roster = read(
        ["STT", "Mã CB", "Họ và tên", None, "Liên hệ", None, "Đơn vị"],
        [None, None, "Họ đệm", "Tên", "SĐT", "Email", None],
        [1.0, "CB01", "Lê Thị", "Lan", "0381590830", "lan@example.test", "Văn phòng"],
        merged=[((0, 2), (0, 3)), ((0, 4), (0, 5)), ((0, 0), (1, 0)), ((0, 1), (1, 1)), ((0, 6), (1, 6))],
    )
    assert [(entry.name, entry.phone, entry.unit) for entry in roster.entries] == [
        ("Lê Thị Lan", "+84381590830", "van-phong")
    ]


def test_one_merged_name_header_over_two_columns() -> None:
    roster = read(
        ["Mã CB", "Họ và tên", None, "Đơn vị"], ["CB01", "Lê Thị", "Lan", "Văn phòng"], merged=[((0, 1), (0, 2))]
    )
    assert [entry.name for entry in roster.entries] == ["Lê Thị Lan"]


def test_merged_unit_cells_fill_their_area_and_no_further() -> None:
    header: list[Cell] = ["Mã CB", "Họ tên", "Đơn vị"]
    rows: list[list[Cell]] = [["A1", "Lê Lan", "Văn phòng"], ["A2", "Lê Mai", ""], ["A3", "Lê An", ""]]
    roster = read(header, *rows, merged=[((1, 2), (2, 2))])
    assert people(roster) == [("A1", "van-phong"), ("A2", "van-phong")]
    assert keys(roster) == [(4, "Đơn vị", "unit_missing")]


def test_a_unit_written_once_holds_until_the_next() -> None:
    roster = read(
        ["Mã CB", "Họ tên", "Đơn vị"],
        ["A1", "Lê Lan", "Văn phòng"], ["A2", "Lê Mai", None], ["A3", "Lê An", "Thanh tra"], ["A4", "Lê Bình", ""],
    )  # fmt: skip
    assert people(roster) == [("A1", "van-phong"), ("A2", "van-phong"), ("A3", "thanh-tra"), ("A4", "thanh-tra")]


def test_where_the_unit_stands_in_each_row_a_blank_is_an_error() -> None:
    roster = read(
        ["Mã CB", "Họ tên", "Đơn vị"],
        ["A1", "Lê Lan", "Văn phòng"], ["A2", "Lê Mai", "Văn phòng"], ["A3", "Lê An", ""],
    )  # fmt: skip
    assert keys(roster) == [(4, "Đơn vị", "unit_missing")]


def test_section_rows_name_the_unit() -> None:
    roster = read(
        ["STT", "Mã CB", "Họ và tên", "SĐT"],
        ["I", "VĂN PHÒNG SỞ (2 người)"],
        [1.0, "A1", "Lê Lan", "0381590830"],
        [2.0, "A2", "Lê Mai", ""],
        ["Cộng: 2 người"],
        ["II. Thanh tra Sở"],
        [1.0, "A3", "Lê An", ""],
        [3.0, "", "Chi cục Kiểm lâm", ""],
        [1.0, "A4", "Lê Bình", ""],
    )
    assert keys(roster) == []
    assert [unit.name for unit in roster.units] == ["VĂN PHÒNG SỞ", "Thanh tra Sở", "Chi cục Kiểm lâm"]
    assert [unit for _, unit in people(roster)] == ["van-phong-so", "van-phong-so", "thanh-tra-so", "chi-cuc-kiem-lam"]


def test_a_sheet_for_each_unit() -> None:
    rows = [["Mã CB", "Họ tên"], ["A1", "Lê Lan"]]
    more = [["Mã CB", "Họ tên"], ["A2", "Lê Mai"]]
    roster = parse_roster([Sheet("Văn phòng", rows), Sheet("Ghi chú", [["x"]]), Sheet("Thanh tra", more)], TODAY)
    assert people(roster) == [("A1", "van-phong"), ("A2", "thanh-tra")]


def test_the_tree_by_a_belongs_to_column() -> None:
    roster = read(
        ["Mã CB", "Họ tên", "Đơn vị", "Thuộc"],
        ["A1", "Lê Lan", "Hạt Hồ Trong", "Chi cục Kiểm lâm"],
        ["A2", "Lê Mai", "Chi cục Kiểm lâm", "Sở"],
        ["A3", "Lê An", "CHI CỤC KIỂM LÂM", ""],
    )
    assert keys(roster) == []
    assert tree(roster) == {"chi-cuc-kiem-lam": "so", "hat-ho-trong": "chi-cuc-kiem-lam", "so": None}


def test_the_tree_by_codes_and_by_a_list_of_units() -> None:
    header: list[Cell] = ["Mã CB", "Họ tên", "Mã đơn vị"]
    staff: list[list[Cell]] = [header, ["A1", "Lê Lan", "P01.02.03"], ["A2", "Lê Mai", "SNN-TT-01"]]
    units: list[list[Cell]] = [["Mã đơn vị", "Tên đơn vị"], ["P01", "Chi cục"], ["P01.02", "Hạt"], ["SNN", "Sở"]]
    roster = parse_roster([Sheet("CB", staff), Sheet("ĐV", units)], TODAY)
    assert keys(roster) == []
    assert tree(roster) == {"P01": None, "P01.02": "P01", "SNN": None, "P01.02.03": "P01.02", "SNN-TT-01": "SNN"}


def test_a_superior_named_by_its_code_before_it_is_met() -> None:
    roster = read(
        ["Mã CB", "Họ tên", "Mã đơn vị", "Đơn vị", "Thuộc"],
        ["A1", "Lê Lan", "H2", "Hạt Hồ Trong", "KL"],
        ["A2", "Lê Mai", "KL", "Chi cục Kiểm lâm", ""],
    )
    assert [(unit.code, unit.name, unit.parent) for unit in roster.units] == [
        ("KL", "Chi cục Kiểm lâm", None),
        ("H2", "Hạt Hồ Trong", "KL"),
    ]


def test_the_finer_of_two_unit_columns_is_the_unit() -> None:
    roster = read(
        ["Mã CB", "Họ tên", "Phòng", "Đơn vị"],
        ["A1", "Lê Lan", "Hành chính", "Chi cục Kiểm lâm"],
        ["A2", "Lê Mai", "Hành chính", "Chi cục Thuỷ lợi"],
        ["A3", "Lê An", "", "Chi cục Thuỷ lợi"],
    )
    assert keys(roster) == []
    first, second, third = (unit for _, unit in people(roster))
    assert first != second
    assert tree(roster)[first] == "chi-cuc-kiem-lam"
    assert tree(roster)[second] == third == "chi-cuc-thuy-loi"


@pytest.mark.parametrize("spelling", ["PHÒNG HOÀ GIẢI", "Phòng  Hòa giải", "Phòng\u00a0Hoà giải "])
def test_one_unit_in_several_spellings(spelling: str) -> None:
    roster = read(["Mã CB", "Họ tên", "Đơn vị"], ["A1", "Lê Lan", "Phòng Hoà giải"], ["A2", "Lê Mai", spelling])
    assert [unit.name for unit in roster.units] == ["Phòng Hoà giải"]


def test_units_that_differ_in_marks_alone_keep_codes_apart() -> None:
    roster = read(["Mã CB", "Họ tên", "Đơn vị"], ["A1", "Lê Lan", "Xã Tân Lập"], ["A2", "Lê Mai", "Xã Tân Lấp"])
    assert len({unit for _, unit in people(roster)}) == 2


def test_a_circle_of_units_is_one_error() -> None:
    roster = read(
        ["Mã CB", "Họ tên", "Đơn vị", "Thuộc"],
        ["A1", "Lê Lan", "Tổ A", "Tổ B"], ["A2", "Lê Mai", "Tổ B", "Tổ C"], ["A3", "Lê An", "Tổ C", "Tổ A"],
    )  # fmt: skip
    assert [key for _, _, key in keys(roster)] == ["unit_circle"]
    assert set(tree(roster).values()) == {None}


def test_a_unit_in_two_places_and_a_name_shared_by_two_units() -> None:
    header: list[Cell] = ["Mã CB", "Họ tên", "Mã đơn vị", "Đơn vị", "Thuộc"]
    roster = read(header, ["A1", "Lê Lan", "T1", "Tổ 1", "Sở"], ["A2", "Lê Mai", "T1", "Tổ một", "Chi cục"])
    assert keys(roster) == [(3, "Đơn vị", "unit_two_names"), (3, "Đơn vị", "unit_two_parents")]
    uncoded: list[list[Cell]] = [
        [f"A{n}", "Lê Lan", "", "Tổ 1", above] for n, above in enumerate(("Sở", "Chi cục", ""))
    ]
    roster = read(header, *uncoded)
    assert keys(roster) == [(4, "Đơn vị", "unit_ambiguous")]


@pytest.mark.parametrize(
    ("column", "cell", "key", "kept"),
    [
        (1, "", "code_missing", False), (1, "CB 0=1", "code_odd", False), (1, "C" * 60, "code_odd", False),
        (2, "", "name_missing", False), (2, "???", "name_unreadable", False), (2, "=cmd|' /C calc'", "name_odd", True),
        (3, "abc", "phone_unreadable", True), (3, "0728237831", "phone_unusual", True),
        (3, "0961590830/0912345678", "phone_several", True),
        (4, "x" * 300, "unit_unreadable", False),
        (6, "quản trị", "role_not_by_import", True), (6, "Ban chỉ đạo", "role_not_by_import", True),
        (6, "bảo vệ", "role_not_by_import", True), (6, "admin", "role_not_by_import", True),
        (6, "vua", "role_unknown", True),
        (7, "32/13/1980", "birth_unreadable", True), (7, "sắp", "birth_unreadable", True),
        (7, "1980", "birth_year_only", True), (7, 1980.0, "birth_year_only", True),
        (7, "01/01/2030", "birth_future", True), (7, "01/01/2020", "birth_age", True),
        (7, "01/01/1910", "birth_age", True),
    ],
)  # fmt: skip
def test_a_cell_that_is_wrong_is_named_by_row_and_column(column: int, cell: Cell, key: str, kept: bool) -> None:
    wrong: list[Cell] = ["9", "CB09", "Lê Mai", "", "Văn phòng", "", "", ""]
    wrong[column] = cell
    roster = read(["DANH SÁCH"], HEADER, LAN, wrong, ["3", "CB10", "Lê An", "", "Thanh tra", "", "", ""])
    assert keys(roster) == [(4, HEADER[column], key)]
    assert ("CB09" in [entry.staff_code for entry in roster.entries]) is kept
    (problem,) = roster.problems
    for language in ("vi", "en"):
        assert text(language, problem.key, **problem.values)


@pytest.mark.parametrize("cell", ["", "-", "không có", "chưa có", None, 0.0])
def test_no_phone_is_no_problem(cell: Cell) -> None:
    roster = read(HEADER, [*LAN[:3], cell, *LAN[4:]])
    assert keys(roster) == []
    assert roster.entries[0].phone is None


def test_a_code_twice_is_an_error_on_each_row_and_a_phone_twice_a_warning() -> None:
    roster = read(HEADER, LAN, [*MINH[:1], "cb01", *MINH[2:]], [*MINH[:1], "CB03", *MINH[2:]])
    assert keys(roster) == [
        (2, "Mã CB", "code_twice"), (3, "Mã CB", "code_twice"),
        (3, "Số điện thoại", "phone_twice"), (4, "Số điện thoại", "phone_twice"),
    ]  # fmt: skip
    assert people(roster) == [("CB03", "thanh-tra")]


@pytest.mark.parametrize(
    ("cell", "roles"),
    [
        ("thủ trưởng", {"head"}), ("Trưởng phòng", {"head"}), ("HEAD", {"head"}), ("đầu mối", {"focal"}),
        ("Cán bộ đầu mối", {"focal"}), ("focal person", {"focal"}), ("thủ trưởng, đầu mối", {"head", "focal"}),
        ("Thủ trưởng và đầu mối", {"head", "focal"}), ("", set()), ("nhân viên", set()), ("không", set()),
    ],
)  # fmt: skip
def test_roles_that_a_roster_may_wish_for(cell: str, roles: set[str]) -> None:
    roster = read(HEADER, [*LAN[:6], cell, *LAN[7:]])
    assert keys(roster) == []
    assert roster.entries[0].roles == roles


def test_a_position_is_not_a_role() -> None:
    roster = read(["Mã CB", "Họ tên", "Đơn vị", "Chức vụ"], ["A1", "Lê Lan", "Văn phòng", "Trưởng phòng"])
    assert roster.entries[0].roles == frozenset()
    assert roster.entries[0].title == "Trưởng phòng"


@pytest.mark.parametrize(
    ("rows", "key"),
    [
        ([], "empty_file"),
        ([["", None], []], "empty_file"),
        ([["xin chào"], ["1", "2"]], "no_header"),
        ([["Mã CB", "SĐT", "Đơn vị"], ["A1", "0381590830", "Văn phòng"]], "no_name_column"),
        ([["STT", "Họ và tên", "SĐT", "Đơn vị"], ["1", "Lê Lan", "0381590830", "Văn phòng"]], "no_code_column"),
        ([HEADER], "no_people"),
        ([HEADER, *([n, f"CB{n}", "Lê Lan", "", "Văn phòng"] for n in range(20_001))], "too_many_rows"),
    ],
)
def test_a_file_that_is_no_roster_has_one_clear_problem(rows: list[list[Cell]], key: str) -> None:
    roster = read(*rows)
    assert keys(roster) == [(0, "", key)]
    assert roster.entries == ()
    assert [text(language, f"roster.{key}", **roster.problems[0].values) for language in ("vi", "en")]


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("14/07/1969", date(1969, 7, 14)), ("4-7-1969", date(1969, 7, 4)), ("4.7.1969", date(1969, 7, 4)),
        ("1969-07-14", date(1969, 7, 14)), ("1969-07-14 00:00:00", date(1969, 7, 14)),
        ("ngày 14 tháng 7 năm 1969", date(1969, 7, 14)), ("\u00a014/07/1969 ", date(1969, 7, 14)),
        (25398.0, date(1969, 7, 14)), (25398, date(1969, 7, 14)), ("25398", date(1969, 7, 14)),
        (date(1969, 7, 14), date(1969, 7, 14)), (datetime.fromisoformat("1969-07-14T08:00"), date(1969, 7, 14)),
        ("30/02/1969", None), ("", None), (None, None), (1969.0, None), ("1969", None), (-1.0, None), (1e300, None),
    ],
)  # fmt: skip
def test_dates(cell: Cell, expected: date | None) -> None:
    assert date_of(cell) == expected


def test_columns_have_letters_and_numbers_lose_their_point() -> None:
    assert [letter(0), letter(25), letter(26), letter(701), letter(702)] == ["A", "Z", "AA", "ZZ", "AAA"]
    assert [words(12.0), words(1.5), words(None), words(date(2026, 3, 2))] == ["12", "1.5", "", "02/03/2026"]


CELLS = st.one_of(
    st.none(), st.text(max_size=12), st.floats(), st.integers(), st.dates(),
    st.sampled_from([*HEADER, "Thuộc", "Mã đơn vị", "Tên", "Họ", "Tổng cộng", "I", "CB01", "Lê Lan", "Văn phòng"]),
)  # fmt: skip
AREAS = st.tuples(st.tuples(st.integers(0, 9), st.integers(0, 9)), st.tuples(st.integers(0, 30), st.integers(0, 30)))


@settings(max_examples=60)
@given(st.lists(st.lists(CELLS, max_size=8), max_size=8), st.lists(AREAS, max_size=3), st.booleans())
def test_any_sheet_is_read_without_an_exception(rows: list[list[Cell]], merged: list[Area], headed: bool) -> None:
    roster = parse_roster([Sheet("S", [HEADER, *rows] if headed else rows, merged)], TODAY)
    codes = {unit.code for unit in roster.units}
    assert len(codes) == len(roster.units)
    assert all(entry.unit in codes and entry.staff_code and entry.name for entry in roster.entries)
    assert {problem.row for problem in roster.errors}.isdisjoint(entry.row for entry in roster.entries)


def test_no_sheet_no_header() -> None:
    assert find_header(Sheet("S", [])) is None
    assert keys(parse_roster([], TODAY)) == [(0, "", "empty_file")]


def test_the_quieter_spelling_of_a_unit_wins() -> None:
    roster = read(["Mã CB", "Họ tên", "Đơn vị"], ["A1", "Lê Lan", "VĂN PHÒNG"], ["A2", "Lê Mai", "Văn phòng"])
    assert [unit.name for unit in roster.units] == ["Văn phòng"]


def test_a_unit_that_belongs_to_itself_stands_at_the_top() -> None:
    roster = read(["Mã CB", "Họ tên", "Đơn vị", "Thuộc"], ["A1", "Lê Lan", "Sở", "Sở"])
    assert (keys(roster), tree(roster)) == ([], {"so": None})


def test_made_codes_avoid_written_ones_and_stay_short() -> None:
    long = "Trung tâm " + "rất dài " * 12
    roster = read(
        ["Mã CB", "Họ tên", "Mã đơn vị", "Đơn vị"],
        ["A1", "Lê Lan", "van-phong", "Thanh tra"],
        ["A2", "Lê Mai", "", "Văn phòng"],
        ["A3", "Lê An", "", long],
    )
    codes = [unit for _, unit in people(roster)]
    assert codes[0] == "van-phong"
    assert len(set(codes)) == 3
    assert max(map(len, codes)) <= 60
    assert [unit.made for unit in roster.units] == [False, True, True]


def test_a_sheet_of_units_gives_the_tree_and_a_sheet_without_codes_is_named() -> None:
    staff: list[list[Cell]] = [["Mã CB", "Họ tên", "Đơn vị"], ["A1", "Lê Lan", "Hạt Hồ Trong"]]
    units: list[list[Cell]] = [["Tên đơn vị", "Trực thuộc"], ["Hạt Hồ Trong", "Chi cục"], ["", ""], ["Lẻ", ""]]
    guests: list[list[Cell]] = [["Họ tên", "SĐT"], ["Lê Khách", "0381590830"]]
    roster = parse_roster([Sheet("CB", staff), Sheet("ĐV", units), Sheet("Khách", guests)], TODAY)
    assert tree(roster) == {"hat-ho-trong": "chi-cuc", "chi-cuc": None}
    assert (roster.errors, [it.key for it in roster.warnings]) == ([], ["roster.sheet_without_codes"])


@pytest.mark.parametrize(
    ("header", "cells"),
    [
        (["Mã CB", "Tên", "Đơn vị"], ["A1", "Lê Lan", "V"]),
        (["Mã CB", "Họ và tên đệm", "Đơn vị"], ["A1", "Lê Lan", "V"]),
        (["Mã CB", "Họ và tên", "Tên", "Đơn vị"], ["A1", "Lê", "Lan", "V"]),
        (["Mã CB", "Họ và tên", "Đơn vị", "Tên"], ["A1", "Lê Lan", "V", "Lan"]),
    ],
)
def test_names_in_one_column_or_two(header: list[Cell], cells: list[Cell]) -> None:
    assert [entry.name for entry in read(header, cells).entries] == ["Lê Lan"]


def test_a_name_without_a_code_amid_people_is_not_taken_for_a_unit() -> None:
    roster = read(HEADER, LAN, ["2", "", "Lê Thị Mai"], MINH)
    assert keys(roster) == [(3, "Mã CB", "code_missing")]
    roster = read(
        ["STT", "Mã CB", "Họ tên"], ["Văn phòng"], ["1", "A1", "Lê Lan"], ["2", "", "Lê Mai"], ["3", "A3", "Lê An"]
    )
    assert keys(roster) == [(4, "Mã CB", "code_missing")]
    assert people(roster) == [("A1", "van-phong"), ("A3", "van-phong")]
