"""Telling the rows of a roster apart: people, section titles naming a unit, totals, signatures."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from domain.names import folded
from domain.roster_header import Header, is_numbering, repeats
from domain.roster_sheet import Cell, Sheet, filled, words

_TOTAL = re.compile(
    r"(?:tong cong|tong so|tong|cong|cong chung|grand total|total|danh sach (?:nay )?co|an dinh danh sach|bang chu)"
    r"(?:\s*[:.(\d].*|\s+(?:\d|so|la|co|toan|nguoi|can bo).*)?"
)
_ORDER = re.compile(r"(?:[ivxlc]{1,6}|[a-h]|\d{1,3}(?:\.\d{1,2})*)\s*[.)/:\-–]\s*(?=\S)", re.IGNORECASE)
_HEADCOUNT = re.compile(
    r"\s*[:(\-–]*\s*(?:tổng số\s*:?\s*)?\d+\s*(?:người|cán bộ|đồng chí|đ/c|people|staff)\s*\)?$", re.IGNORECASE
)
_COUNT_ONLY = re.compile(r"(?:[ivxlc]{1,6}|[a-h]|\d{1,5})[.)]?(?: ?(?:nguoi|can bo|people|staff))?")
_NOT_A_UNIT = re.compile(r"ngay .* thang|\(?ky\b|ghi chu|nguoi lap|ke toan truong|xac nhan|noi nhan|page |trang \d")
_UNIT_WORD = re.compile(
    r"(?:phong|ban|chi cuc|cuc|trung tam|tt|van phong|so|doi|to|khoa|tram|hat|vuon|don vi|thanh tra|lanh dao|bo phan"
    r"|chi nhanh|cong ty|truong|benh vien|nong truong|trai|xi nghiep|vien|uy ban|ubnd|khoi|nhom|cum|xa|phuong|thi tran"
    r"|unit|department|dept|office|division|team|section|board|centre|center|school|hospital|station)\b"
)
_USUAL_CODE = re.compile(r"[A-Za-z.\-]{0,8}\d{2,}")
LONGEST_SECTION = 160


@dataclass(frozen=True, slots=True)
class PersonRow:
    """A row about a person: `row` counts from 0, `section` is the unit named by the last section title above."""

    row: int
    cells: Sequence[Cell]
    section: str = ""


def person_rows(sheet: Sheet, header: Header) -> list[PersonRow]:
    """The rows about people below the header, in order."""
    found: list[PersonRow] = []
    section = ""
    pending = 0
    for number in range(header.first, len(sheet.rows)):
        cells = sheet.rows[number]
        if _is_plainly_person(cells, header):
            found.append(PersonRow(number, cells, section))
            pending = 0
            continue
        texts = dict(filled(cells))
        if not texts or is_numbering(cells) or repeats(header, cells):
            continue
        kind = _kind(texts, header)
        if kind == "person":
            found.append(PersonRow(number, cells, section))
            pending = 0
        elif kind == "section":
            section = _section(texts)
        elif kind == "partial":
            found.append(PersonRow(number, cells, section))
            pending += 1
    return found[: len(found) - pending] if pending and _is_foot(found[len(found) - pending :], header) else found


def _is_plainly_person(cells: Sequence[Cell], header: Header) -> bool:
    """The usual row, told without reading all of it: a code of figures beside a name."""
    code, name = header.columns.get("code", -1), header.columns.get("name", -1)
    if not (0 <= code < len(cells) and 0 <= name < len(cells)):
        return False
    said, called = cells[code], cells[name]
    if not (isinstance(said, str) and isinstance(called, str)):
        return False
    return len(called) > 3 and called[:1] not in "(0123456789" and _USUAL_CODE.fullmatch(said) is not None


def _kind(texts: Mapping[int, str], header: Header) -> str:
    """`person`, `partial` (something of a person is missing), `section`, or `other`."""
    columns = header.columns
    code = columns.get("code", -1) in texts
    name = columns.get("name", -1) in texts or columns.get("given", -1) in texts
    if code and name:
        return "person"
    first = folded(next(iter(texts.values())))
    if _TOTAL.fullmatch(first) or any(_TOTAL.fullmatch(folded(text)) for text in list(texts.values())[:3]):
        return "other"
    if _is_section(texts, header):
        return "section"
    known = {columns[field] for field in ("phone", "birth", "title", "role") if field in columns}
    evidence = sum(column in texts for column in known) + texts.get(columns.get("number", -1), "").isdigit()
    return "partial" if name or (code and evidence) else "other"


def _is_section(texts: Mapping[int, str], header: Header) -> bool:
    """One cell of words, at most beside an order number or a headcount; in the name column it must look like a unit."""
    said = [(column, text) for column, text in texts.items() if not _COUNT_ONLY.fullmatch(folded(text))]
    if not said or len({text for _, text in said}) > 1:
        return False
    column, text = said[0]
    if column > max(header.columns.get("name", 0), header.columns.get("code", 0), *header.units, 2):
        return False
    bare = folded(_ORDER.sub("", text, count=1))
    if len(text) > LONGEST_SECTION or _NOT_A_UNIT.search(bare):
        return False
    in_names = column in (header.columns.get("name"), header.columns.get("family"), header.columns.get("given"))
    numbered = texts.get(header.columns.get("number", -1), "").isdigit()
    return not in_names or bool(_UNIT_WORD.match(bare)) or not (header.units or numbered)


def _section(texts: Mapping[int, str]) -> str:
    text = next(text for text in texts.values() if not _COUNT_ONLY.fullmatch(folded(text)))
    return _HEADCOUNT.sub("", _ORDER.sub("", text, count=1)).rstrip(" :-–") or text


def _is_foot(rows: Sequence[PersonRow], header: Header) -> bool:
    """Whether half-filled rows at the very end are signatures: no figures in any known column."""
    columns = [header.columns[field] for field in ("number", "code", "phone", "birth") if field in header.columns]
    cells = [words(row.cells[column]) for row in rows for column in columns if column < len(row.cells)]
    return not any(any(sign.isdigit() for sign in cell) for cell in cells)
