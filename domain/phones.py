"""Phone numbers as offices write them, made E.164; Vietnamese unless they say otherwise."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

import phonenumbers

from domain.names import tidy

Cell = str | int | float | None

VIETNAM = 84
PLANNED_DIGITS = 4  # the plan tells numbers apart by their first three
_BETWEEN = re.compile(r"[/;,|\n&]| - | hoặc | và | or ", re.IGNORECASE)
_PUNCTUATION = re.compile(r"[\s.\-()–‐‑_']+")
_FLOAT = re.compile(r"\d+\.0+|\d\.\d+[eE]\+?\d{1,2}")
_VIETNAMESE = re.compile(r"(?:\+84|0084|84|0)?0?(\d{9})")
_OLD_MOBILE = re.compile(r"(?:\+84|0084|84|0)?(1[2-9]\d)(\d{7})")
_LANDLINE = re.compile(r"(?:\+84|0084|84|0)?0?(2\d{9})")
_ABROAD = re.compile(r"\+(?!84)[1-9]\d{7,14}")
_SEVERAL = re.compile(r"(?:(?:\+84|84|0)\d{9}){2,4}")
_ONE_OF_SEVERAL = re.compile(r"(?:\+84|84|0)\d{9}")

# The eleven-digit mobile numbers lost a digit on 15 September 2018; old lists still hold them.
_RENUMBERED = {
    "120": "70", "121": "79", "122": "77", "126": "76", "128": "78",
    "123": "83", "124": "84", "125": "85", "127": "81", "129": "82",
    "162": "32", "163": "33", "164": "34", "165": "35", "166": "36", "167": "37", "168": "38", "169": "39",
    "186": "56", "188": "58", "199": "59",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Phone:
    """`is_usual` is false for a number that can be dialled but that no known operator or line has."""

    e164: str
    is_usual: bool = True


def read_phones(cell: Cell) -> tuple[Phone, ...]:
    """Every number in a cell, in order, once each. Pieces that are no number are left out."""
    found = [phone for piece in _pieces(cell) if (phone := _read(piece)) is not None]
    return tuple({phone.e164: phone for phone in found}.values())


def read_phone(cell: Cell) -> Phone | None:
    """The first number in the cell, or None."""
    found = read_phones(cell)
    return found[0] if found else None


def e164(text: Cell) -> str | None:
    """The number as `+84…`, for storing and comparing; None if it is none."""
    phone = read_phone(text)
    return phone.e164 if phone else None


def _pieces(cell: Cell) -> list[str]:
    if isinstance(cell, bool) or cell is None:
        return []
    if isinstance(cell, int | float):
        return [str(int(cell))] if cell == cell and 0 < cell < 1e15 and cell == int(cell) else []
    pieces: list[str] = []
    for piece in _BETWEEN.split(cell):
        text = tidy(piece)
        digits = str(int(float(text))) if _FLOAT.fullmatch(text) else _PUNCTUATION.sub("", text)
        pieces += _ONE_OF_SEVERAL.findall(digits) if _SEVERAL.fullmatch(digits) else [digits]
    return pieces


def _read(digits: str) -> Phone | None:
    if not digits.isascii():
        return None
    if _ABROAD.fullmatch(digits):
        return Phone(digits, is_usual=False)
    if match := _VIETNAMESE.fullmatch(digits) or _LANDLINE.fullmatch(digits):
        return _vietnamese(match[1])
    if (match := _OLD_MOBILE.fullmatch(digits)) and match[1] in _RENUMBERED:
        return _vietnamese(_RENUMBERED[match[1]] + match[2])
    return None


def _vietnamese(national: str) -> Phone | None:
    if national[0] == "0":
        return None
    return Phone(f"+{VIETNAM}{national}", _is_mobile(national[:PLANNED_DIGITS], len(national)))


@cache
def _is_mobile(prefix: str, length: int) -> bool:
    """Whether the numbering plan gives numbers of this length and beginning to mobile phones."""
    number = phonenumbers.PhoneNumber(country_code=VIETNAM, national_number=int(prefix.ljust(length, "0")))
    return phonenumbers.number_type(number) == phonenumbers.PhoneNumberType.MOBILE
