"""Invitations on paper: everybody has a slip that can be scanned, typed and read."""

from __future__ import annotations

import io
import random
import re

import pytest
import segno
from pypdf import PdfReader

from domain.chat import Language
from domain.codes import new_code, shown
from summaries.sheet import SheetInvite, UnitSheet, invite_sheets, qr_svg, scanned_link

LINK = "https://t.me/made_up_bot?start=4F7QZ00000000000000000000W"


def test_each_unit_has_its_own_pages_with_every_name_and_code() -> None:
    office, farm = unit("Văn phòng", 7, "vi"), unit("Trạm Thú y", 2, "en")

    pages = printed(office, farm)

    assert len(pages) == 3
    assert "Trang 1/2" in pages[0]
    assert "Trang 2/2" in pages[1]
    assert "Page 1/1" in pages[2]
    for sheet, text in ((office, pages[0] + pages[1]), (farm, pages[2])):
        assert sheet.organisation in text
        assert text.count("07:30 24/11/2026") == 2 * len(sheet.people)
        for invite in sheet.people:
            expected = (invite.name, invite.staff_code, invite.code_shown, invite.telegram_link, invite.web_link)
            assert [part for part in expected if str(part) not in text] == []


def test_the_instruction_is_in_both_languages_the_units_own_first() -> None:
    [vietnamese] = printed(unit("Văn phòng", 1, "vi"))
    [english] = printed(unit("Văn phòng", 1, "en"))

    assert vietnamese.index("Cắt theo đường") < vietnamese.index("Cut along")
    assert english.index("Cut along") < english.index("Cắt theo đường")


@pytest.mark.parametrize(
    "name",
    [
        '#eval("1+1") #panic()',
        "*đậm* _nghiêng_ $x^2$ `mã`",
        "[a](b) <nhãn> @end-0 \\ // /* ~ --- '\"",
        '{"name": "x"}',
    ],
)
def test_a_hostile_name_is_printed_as_it_stands(name: str) -> None:
    invite = SheetInvite(name, "#S1", "4F7QZ", LINK, None)

    [text] = printed(UnitSheet(name, "#U", [invite], "#org *x*", "07:30", "vi"))

    assert text.count(name) >= 2
    assert "#S1" in text


def test_a_name_too_long_for_the_slip_leaves_the_code_on_it() -> None:
    long = SheetInvite("Nguyễn Thị Ánh " * 40, "S" * 200, "4F7QZ-W", None, "https://example.vn/" + "a" * 200)

    [text] = printed(UnitSheet("Văn phòng " * 30, "VP", [long], "Sở", "07:30", "vi"))

    assert "4F7QZ-W" in text


def test_the_qr_code_opens_telegram_or_else_the_web_page() -> None:
    both = SheetInvite("Lan", "S1", "4F7QZ", LINK, "https://example.vn/chat/join")
    web_only = SheetInvite("Lan", "S1", "4F7QZ", None, "https://example.vn/chat/join")
    neither = SheetInvite("Lan", "S1", "4F7QZ", None, None)

    assert [scanned_link(one) for one in (both, web_only, neither)] == [LINK, "https://example.vn/chat/join", None]
    [text] = printed(UnitSheet("Văn phòng", "VP", [neither], "Sở", "07:30", "vi"))
    assert "quét mã QR" not in text


def test_the_picture_of_the_qr_code_has_exactly_its_modules() -> None:
    drawn = modules(qr_svg(LINK))

    assert drawn == [[bool(module) for module in row] for row in segno.make_qr(LINK, error="m", mask=2).matrix]


def test_nobody_to_invite_is_an_error() -> None:
    with pytest.raises(ValueError, match="nobody"):
        invite_sheets([unit("Văn phòng", 0, "vi")])


def unit(name: str, people: int, language: Language) -> UnitSheet:
    bits = random.Random(name).getrandbits
    codes = [new_code(bits) for _ in range(people)]
    invites = [
        SheetInvite(
            f"Đặng Thị Ngọc Ưởng {number}",
            f"CB{number:03}",
            shown(code),
            f"https://t.me/made_up_bot?start={code}",
            f"https://example.vn/chat/join?code={code}",
        )
        for number, code in enumerate(codes)
    ]
    return UnitSheet(name, "VP", invites, "Sở Nông nghiệp tỉnh Mẫu", "07:30 24/11/2026", language)


def printed(*sheets: UnitSheet) -> list[str]:
    return [page.extract_text() for page in PdfReader(io.BytesIO(invite_sheets(sheets))).pages]


def modules(svg: str) -> list[list[bool]]:
    """The dark squares that the single path of an SVG draws, row by row."""
    size = int(re.findall(r'viewBox="0 0 (\d+)', svg)[0])
    rows = [[False] * size for _ in range(size)]
    x, y = 0.0, 0.0
    for command, numbers in re.findall(r"([Mmh])([-\d. ]+)", re.findall(r' d="([^"]+)"', svg)[0]):
        steps = [float(number) for number in numbers.split()]
        if command == "h":
            for column in range(int(x), int(x + steps[0])):
                rows[int(y)][column] = True
            x += steps[0]
        else:
            x, y = (steps[0], steps[1]) if command == "M" else (x + steps[0], y + steps[1])
    return rows
