"""Made-up rosters with the quirks of real ones: the same people for the same seed."""

from __future__ import annotations

import csv
import io
import random
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any

import xlsxwriter

FAMILIES = (
    "Nguyễn", "Trần", "Lê", "Phạm", "Hoàng", "Vũ", "Võ", "Đặng", "Bùi", "Đỗ", "Hồ", "Ngô", "Dương", "Lý",
    "Trịnh", "Đoàn", "Lương",
)  # fmt: skip
MIDDLES = (
    "Văn", "Thị", "Đình", "Đức", "Thanh", "Minh", "Bích", "Công", "Duy", "Hồng", "Ngọc", "Quang", "Hữu", "Xuân",
    "Kim", "Thu",
)  # fmt: skip
GIVEN = (
    "An", "Bình", "Chi", "Dũng", "Giang", "Hà", "Hương", "Khánh", "Lan", "Minh", "Nam", "Oanh", "Phúc", "Quỳnh",
    "Sơn", "Thuý", "Tuấn", "Vân", "Yến", "Đạt",
)  # fmt: skip
OFFICES = (
    "Văn phòng Sở", "Phòng Tổ chức cán bộ", "Phòng Kế hoạch - Tài chính", "Thanh tra Sở", "Chi cục Kiểm lâm",
    "Chi cục Thuỷ lợi", "Chi cục Thuỷ sản", "Trung tâm Khuyến nông", "Chi cục Chăn nuôi và Thú y", "Vườn quốc gia",
)  # fmt: skip
PLACES = (
    "Bản Sen", "Cầu Mây", "Đồi Chè", "Giếng Đá", "Hồ Trong", "Khe Lau", "Lũng Xanh", "Núi Voi", "Suối Bạc",
    "Thung Nắng",
)  # fmt: skip
STATIONS = (
    "Hạt Kiểm lâm", "Trạm Khuyến nông", "Trạm Thú y", "Trạm Bảo vệ thực vật", "Trạm Thuỷ nông",
)  # fmt: skip
TITLES = (
    "Chuyên viên", "Kế toán", "Văn thư", "Lái xe", "Bảo vệ", "Kiểm lâm viên", "Kỹ thuật viên",
)  # fmt: skip
PREFIXES = (
    "32", "33", "34", "35", "36", "37", "38", "39", "70", "76", "77", "78", "79", "81", "82", "83", "84", "85",
    "86", "88", "90", "91", "93", "94", "96", "97", "98",
)  # fmt: skip
HEADER = ("STT", "Mã CB", "Họ và tên", "Số điện thoại", "Đơn vị", "Chức vụ", "Vai trò", "Ngày sinh")
WRITTEN_ON = datetime.fromisoformat("2026-01-05T08:00")


@dataclass(frozen=True, slots=True)
class MadeUp:
    """One person as they ought to come out of the import."""

    staff_code: str
    name: str
    phone: str
    unit: str
    title: str
    role: str
    birth_date: date


def unit_names(count: int) -> list[str]:
    """Offices first, then stations, then numbered teams."""
    names = [*OFFICES, *(f"{station} {place}" for place in PLACES for station in STATIONS)]
    names += [f"Đội {number}" for number in range(1, count - len(names) + 1)]
    return names[:count]


def made_up(n: int, seed: int = 1, units: int | None = None) -> list[MadeUp]:
    """`n` people by unit; the first of each unit is its head, the second its focal person."""
    chance = random.Random(seed)
    names = unit_names(units or max(1, min(n // 3, 55)))
    phones = chance.sample(range(10_000_000), n)
    people: list[MadeUp] = []
    for number in range(n):
        unit = names[number * len(names) // n]
        place = sum(1 for person in people[-2:] if person.unit == unit)
        role = ("thủ trưởng", "đầu mối", "")[place]
        people.append(
            MadeUp(
                staff_code=f"CB{number + 1:05}",
                name=" ".join(map(chance.choice, (FAMILIES, MIDDLES, GIVEN))),
                phone=f"+84{PREFIXES[phones[number] % len(PREFIXES)]}{phones[number]:07}",
                unit=unit,
                title="Trưởng phòng" if role == "thủ trưởng" else chance.choice(TITLES),
                role=role,
                birth_date=date(1964, 1, 1) + timedelta(days=chance.randrange(365 * 40)),
            )
        )
    return people


def messy_name(name: str, chance: random.Random) -> str:
    """The name with the spaces, case or Unicode form of a careless typist."""
    return chance.choice(
        (
            name,
            name,
            name.upper(),
            name.replace(" ", "\u00a0"),
            f"  {name.replace(' ', '  ')} ",
            unicodedata.normalize("NFD", name),
            f"{name}\u200b",
        )
    )


def messy_phone(phone: str, chance: random.Random) -> str | float:
    """The number as one of the people who keep such lists would write it; a float where Excel took it for a number."""
    national = phone.removeprefix("+84")
    return chance.choice(
        (
            f"0{national}",
            f"0{national} ",
            float(national),
            f"84{national}",
            f"+84 {national[:3]} {national[3:]}",
            f"0{national[:3]}.{national[3:6]}.{national[6:]}",
        )
    )


def as_xlsx(people: Sequence[MadeUp], seed: int = 1, header: Sequence[str] = HEADER) -> bytes:
    """A workbook with title rows, merged unit cells, names, phones and dates in every form, and a totals row."""
    chance = random.Random(seed)
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True})
    book.set_properties({"created": WRITTEN_ON})
    sheet = book.add_worksheet("DS cán bộ")
    day = book.add_format({"num_format": "dd/mm/yyyy"})
    sheet.merge_range(0, 0, 0, len(header) - 1, "SỞ NÔNG NGHIỆP VÀ MÔI TRƯỜNG")
    sheet.merge_range(1, 0, 1, len(header) - 1, "DANH SÁCH CÁN BỘ, CÔNG CHỨC, VIÊN CHỨC")
    sheet.write_row(3, 0, header)
    row = 4
    for unit, members in groupby(people, key=lambda person: person.unit):
        first = row
        for person in members:
            _write_person(sheet, row, person, chance, day)
            row += 1
        if row - first > 1:
            sheet.merge_range(first, 4, row - 1, 4, unit)
        else:
            sheet.write_string(first, 4, unit)
    sheet.write_string(row + 1, 0, f"Tổng cộng: {len(people)} người")
    book.close()
    return buffer.getvalue()


def _write_person(sheet: Any, row: int, person: MadeUp, chance: random.Random, day: Any) -> None:
    sheet.write_number(row, 0, row - 3)
    sheet.write_string(row, 1, person.staff_code)
    sheet.write_string(row, 2, messy_name(person.name, chance))
    sheet.write(row, 3, messy_phone(person.phone, chance))
    sheet.write_string(row, 5, person.title)
    sheet.write_string(row, 6, person.role)
    form = chance.randrange(3)
    if form == 0:
        sheet.write_string(row, 7, f"{person.birth_date:%d/%m/%Y}")
    elif form == 1:
        sheet.write_datetime(row, 7, datetime.combine(person.birth_date, datetime.min.time()), day)
    else:
        sheet.write_number(row, 7, (person.birth_date - date(1899, 12, 30)).days)


def as_csv(people: Sequence[MadeUp], seed: int = 1, separator: str = ",", header: Sequence[str] = HEADER) -> str:
    """The same list as text, each unit written once, in its first row."""
    chance = random.Random(seed)
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=separator)
    writer.writerow(["DANH SÁCH CÁN BỘ"])
    writer.writerow(header)
    for number, person in enumerate(people):
        shown = person.unit if not number or people[number - 1].unit != person.unit else ""
        phone = messy_phone(person.phone, chance)
        born = f"{person.birth_date:%d/%m/%Y}"
        name = messy_name(person.name, chance)
        writer.writerow((number + 1, person.staff_code, name, phone, shown, person.title, person.role, born))
    writer.writerow([f"Tổng cộng: {len(people)} người"])
    return buffer.getvalue()


def grid_xlsx(*sheets: tuple[str, Sequence[Sequence[object]]], merged: Sequence[str] = ()) -> bytes:
    """A workbook of plain cells; `merged` are areas such as `A1:C1` of the first sheet."""
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True})
    book.set_properties({"created": WRITTEN_ON})
    for number, (name, rows) in enumerate(sheets):
        sheet = book.add_worksheet(name)
        for row, cells in enumerate(rows):
            for column, cell in enumerate(cells):
                sheet.write(row, column, cell)
        for area in merged if number == 0 else ():
            sheet.merge_range(area, None)
    book.close()
    return buffer.getvalue()
