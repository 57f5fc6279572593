"""Finding the header of a roster: which row it is and which column holds what, in the wordings offices use."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from domain.names import folded
from domain.roster_sheet import Cell, Sheet, filled, letter, words

SEARCHED_ROWS = 60
LONGEST_LABEL = 60

_WHO = (
    r"(?:can bo|cb|cbcc|cbccvc|cbcnv|cnv|cong chuc|vien chuc|nhan vien|nv|nhan su|ns|nguoi lao dong|nld|ho so"
    r"|can bo cong chuc(?: vien chuc)?|the)"
)
_UNIT = r"(?:don vi|dv|co quan|phong ban|phong|pb|bo phan|to|unit|department|dept|division|office|team|section)"
_PATTERNS: Mapping[str, str] = {
    "number": r"stt|so tt|tt|so thu tu|no|#|order|serial|s/n",
    "unit_code": rf"(?:ma|ma so|ky hieu|so hieu) {_UNIT}|{_UNIT} (?:code|id|no)|ma {_UNIT} cong tac",
    "parent": (
        r"(?:truc )?thuoc(?: don vi| co quan| phong| so)?|don vi (?:cap tren|cha|chu quan|quan ly)(?: truc tiep)?"
        r"|cap tren(?: truc tiep)?|co quan (?:cap tren|chu quan|quan ly)|parent(?: unit| department)?"
        r"|belongs to|part of|reports to"
    ),
    "code": (
        rf"(?:ma|ma so|so hieu|so) {_WHO}|ma|ma so|ma dinh danh(?: {_WHO})?|id|code|personnel (?:code|number|no|id)"
        r"|(?:staff|employee|person|member) ?(?:code|id|no|number)|msnv|mscb|macb|manv"
    ),
    "name": (
        rf"(?:ho va ten|ho ten|ho & ten|ho, ten|ten day du|ho ten day du|ho va ten day du|hoten)(?: {_WHO})?|ten {_WHO}"
        r"|(?:full|staff|employee|person) ?name|name"
    ),
    "family": (
        r"ho dem|ho va dem|ho va ten dem|ho, ten dem|ho ten dem|ho lot|ho va chu dem|ho|last name|surname|family name"
    ),
    "given": r"ten|first name|given name|forename",
    "phone": (
        r"(?:so )?(?:dien thoai|dt|dtdd|di dong|dthoai)(?: di dong| lien he| lien lac| ca nhan| zalo)?|sdt(?: .{1,20})?"
        r"|so (?:lien he|lien lac|zalo|may)|zalo|lien he|(?:mobile|cell|phone|telephone|tel)(?: ?(?:phone|number|no))?"
    ),
    "role": r"vai tro(?: .{1,30})?|phan quyen|quyen|quyen han|roles?(?: .{1,20})?",
    "title": (
        r"chuc vu(?:[ ,/&]+(?:va )?chuc danh)?|chuc danh(?:[ ,/&]+(?:va )?chuc vu)?|vi tri(?: viec lam| cong tac)?"
        r"|cong viec|nghe nghiep|position|job(?: title)?|title|post|rank"
    ),
    "birth": (
        r"ngay(?:,? ?thang)?(?:,? ?nam)? sinh|sinh ngay|nam sinh|ngay thang nam sinh|ntns|date of birth|dob"
        r"|birth ?(?:date|day)|born(?: on)?|year of birth"
    ),
    "email": r"e-?mail(?: .{1,20})?|thu dien tu|hop thu|dia chi e-?mail",
}
_COMPILED = {field: re.compile(pattern) for field, pattern in _PATTERNS.items()}

# Broadest first: of two such columns the finer one is the unit, and the broader one is what it belongs to.
_UNIT_WIDTH = (
    re.compile(r"(?:ten )?(?:co quan|so|nganh|organisation|organization|agency)"),
    re.compile(
        r"(?:ten )?(?:don vi|dv|co quan[ ,/]+don vi|don vi truc thuoc|phong(?:[ ,/]+ban)?[ ,/]+don vi"
        r"|don vi[ ,/]+phong(?:[ ,/]+ban)?)(?: cong tac| lam viec)?|noi (?:cong tac|lam viec)"
        r"|unit|unit name|department|dept|workplace"
    ),
    re.compile(
        r"(?:ten )?(?:phong(?:[ ,/]+ban)?|phong[ ,/]+(?:chi cuc|trung tam)"
        r"|khoa[ ,/]*(?:phong)?|phong chuyen mon|ban)(?: cong tac)?|division|office"
    ),
    re.compile(r"(?:ten )?(?:bo phan|to|doi|tram|nhom)(?: cong tac| chuyen mon)?|team|section|group"),
)
_NOTE = re.compile(r"\(.*?\)|\[.*?\]|[*:]+")
_SLASH = re.compile(r" ?/ ?")
_NUMBERING = re.compile(r"\(?(?:\d{1,2}|[a-z])\)?")


@dataclass(frozen=True, slots=True)
class Header:
    """`columns` maps a field to its column; `units` holds the unit columns, broadest first; data starts at `first`."""

    columns: Mapping[str, int]
    units: tuple[int, ...]
    labels: Mapping[int, str]
    first: int

    def label(self, field: str) -> str:
        """The header as written; for a field without a column, nothing."""
        return self.labels.get(self.columns.get(field, -1), "")

    def unit_label(self) -> str:
        return self.labels.get(self.units[-1], "") if self.units else ""

    @property
    def lists_people(self) -> bool:
        return bool({"name", "given"} & self.columns.keys())

    @property
    def lists_units(self) -> bool:
        """A sheet of units: their codes or what they belong to, and nobody's name."""
        return not self.lists_people and bool(self.units) and bool({"unit_code", "parent"} & self.columns.keys())


@lru_cache(maxsize=4096)
def meaning(label: str) -> str | None:
    """The field a header cell names: one of the patterns above, `unit0` to `unit3`, or None."""
    text = _SLASH.sub("/", " ".join(_NOTE.sub(" ", folded(label).replace(".", "")).split()))
    if not text or len(text) > LONGEST_LABEL:
        return "number" if label.strip() == "#" else None
    for field, pattern in _COMPILED.items():
        if pattern.fullmatch(text):
            return field
    for width, pattern in enumerate(_UNIT_WIDTH):
        if pattern.fullmatch(text):
            return f"unit{width}"
    return None


def find_header(sheet: Sheet) -> Header | None:
    """The best header row among the first rows, of one or two lines; None if no row looks like one."""
    best: tuple[int, Header] | None = None
    for row in range(min(len(sheet.rows), SEARCHED_ROWS)):
        one = _labels(sheet, row)
        score = _score(one)
        if score < 2 and not (score and len(one) > 2):
            continue  # a title, or a row of data
        below = _labels(sheet, row + 1)
        both = _two_lines(one, below) if _continues(sheet, row + 1, below) else None
        if both is not None and _score(both) > score:
            candidate = (_score(both), _header(both, row + 2))
        else:
            candidate = (score, _header(one, row + 1))
        if best is None or candidate[0] > best[0]:
            best = candidate
    return best[1] if best else None


def is_numbering(cells: Sequence[Cell]) -> bool:
    """The row of column numbers under many official headers: (1) (2) (3), or A B 1 2 3."""
    texts = [folded(text) for _, text in filled(cells)]
    return len(texts) > 2 and all(_NUMBERING.fullmatch(text) for text in texts)


def repeats(header: Header, cells: Sequence[Cell]) -> bool:
    """Whether the header stands here once more, as at the top of each printed page."""
    same = sum(header.labels.get(column) == text for column, text in filled(cells))
    return same >= 2 and same >= len(header.labels) - 1


def _labels(sheet: Sheet, row: int) -> dict[int, str]:
    """Header cells of a row; a merged cell names every column it spans."""
    if row >= len(sheet.rows):
        return {}
    labels = dict(filled(sheet.rows[row][:512]))
    for (top, left), (bottom, right) in sheet.merged:
        if top <= row <= bottom and (text := words(sheet.at(top, left))) and right - left < 64:
            labels.update(dict.fromkeys(range(left, right + 1), text))
    return labels


def _score(labels: Mapping[int, str]) -> int:
    fields = {"unit" if field.startswith("unit") and field != "unit_code" else field for field in _meanings(labels)}
    return len(fields)


def _meanings(labels: Mapping[int, str]) -> list[str]:
    return [field for label in labels.values() if (field := meaning(label)) is not None]


def _continues(sheet: Sheet, row: int, labels: Mapping[int, str]) -> bool:
    """Whether this row can be the second line of a header: labels only, no figures, at least one known."""
    own = [text for _, text in filled(sheet.rows[row])] if row < len(sheet.rows) else []
    return bool(own) and bool(_meanings(labels)) and not any(any(sign.isdigit() for sign in text) for text in own)


def _two_lines(upper: Mapping[int, str], lower: Mapping[int, str]) -> dict[int, str]:
    """The lower label where it means something, else the upper one, else both together."""
    merged: dict[int, str] = {}
    for column in upper.keys() | lower.keys():
        over, under = upper.get(column, ""), lower.get(column, "")
        together = over if over == under else f"{over} {under}".strip()
        known = next((label for label in (under, together, over) if label and meaning(label)), None)
        merged[column] = known or together
    return merged


def _header(labels: Mapping[int, str], first: int) -> Header:
    columns: dict[str, int] = {}
    units: list[tuple[int, int]] = []
    for column in sorted(labels):
        field = meaning(labels[column])
        if field is None:
            continue
        if field.startswith("unit") and field != "unit_code":
            units.append((int(field[4:]), column))
        elif field == "name" and columns.get("name") == column - 1:
            columns["family"], columns["given"] = columns.pop("name"), column
        else:
            columns.setdefault(field, column)
    return Header(_settled(columns), tuple(column for _, column in sorted(units)), dict(labels), first)


def _settled(columns: dict[str, int]) -> dict[str, int]:
    """A lone `Tên` or `Họ và tên đệm` beside nothing else is the whole name."""
    settled = dict(columns)
    if "name" in settled:
        if settled.get("given") == settled["name"] + 1 and "family" not in settled:
            # One merged "Họ và tên" over two columns of which only the second is labelled again.
            settled["family"] = settled.pop("name")
        else:
            settled.pop("given", None)
            settled.pop("family", None)
    elif "given" in settled and "family" not in settled:
        settled["name"] = settled.pop("given")
    elif "family" in settled and "given" not in settled:
        settled["name"] = settled.pop("family")
    return settled


def column_title(header: Header, column: int) -> str:
    """How to point at a column: its header, else its letter."""
    return header.labels.get(column) or letter(column)
