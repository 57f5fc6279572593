"""One sheet of a roster file: its cells as text, codes and dates, its merged areas, and what is wrong where."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Literal

from domain.names import folded, tidy

Cell = str | int | float | date | None
Area = tuple[tuple[int, int], tuple[int, int]]
Severity = Literal["error", "warning"]

EXCEL_DAY_ZERO = date(1899, 12, 30)
LONGEST_REPEATED = 60
FIRST_SERIAL, LAST_SERIAL = 3_654, 99_999  # 1 January 1910; smaller numbers are years of birth
_DAY_FIRST = re.compile(r"(?:ngay )?(\d{1,2})\s*[/.\-]\s*(\d{1,2})\s*[/.\-]\s*(\d{4})(?:[ t]\d{1,2}:\d{2}(?::\d{2})?)?")
_IN_WORDS = re.compile(r"(?:ngay )?(\d{1,2}) thang (\d{1,2}) nam (\d{4})")
_YEAR_FIRST = re.compile(r"(\d{4})[/.\-](\d{1,2})[/.\-](\d{1,2})(?:[ t]\d{1,2}:\d{2}(?::\d{2})?)?")
_SERIAL = re.compile(r"\d{5}(?:\.\d+)?")


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong in one cell. `row` counts from 1 as the spreadsheet does; 0 means the whole file.

    `column` is the header as written (or the column's letter), `key` the text to show with `values`.
    An error keeps its row out of the entries; a warning does not.
    """

    row: int
    column: str
    severity: Severity
    key: str
    values: Mapping[str, str | int] = field(default_factory=dict)
    sheet: str = ""


@dataclass(frozen=True, slots=True)
class Sheet:
    """Rows as they stand in the file, from its first row and column, with the merged areas (0-based, inclusive)."""

    name: str
    rows: Sequence[Sequence[Cell]]
    merged: Sequence[Area] = ()

    def at(self, row: int, column: int) -> Cell:
        cells = self.rows[row] if 0 <= row < len(self.rows) else ()
        return cells[column] if 0 <= column < len(cells) else None


def letter(column: int) -> str:
    """`A` for 0, `AA` for 26."""
    name = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        name = chr(65 + rest) + name
    return name


def words(cell: Cell) -> str:
    """The cell as tidy text: whole numbers without `.0`, dates as dd/mm/yyyy, nothing as an empty string."""
    if isinstance(cell, str):
        return tidy(cell) if len(cell) > LONGEST_REPEATED else _often(cell)
    if cell is None:
        return ""
    if isinstance(cell, date):
        return f"{cell:%d/%m/%Y}"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell)


# Units, positions and roles stand in a roster many times over.
_often = lru_cache(maxsize=2048)(tidy)


def filled(cells: Sequence[Cell]) -> Iterator[tuple[int, str]]:
    """Columns that say something, with what they say."""
    for column, cell in enumerate(cells):
        if cell is not None and cell != "" and (text := words(cell)):
            yield column, text


def date_of(cell: Cell) -> date | None:
    """A date cell, a text such as 14/07/1969 or 1969-07-14, or Excel's serial number; None if it is none of these."""
    if cell is None or isinstance(cell, date):
        return cell.date() if isinstance(cell, datetime) else cell
    if isinstance(cell, str):
        return _date_in(cell) or _date_in(folded(cell))
    return EXCEL_DAY_ZERO + timedelta(days=int(cell)) if FIRST_SERIAL <= cell <= LAST_SERIAL else None


def _date_in(text: str) -> date | None:
    if match := _DAY_FIRST.fullmatch(text) or _IN_WORDS.fullmatch(text):
        return _date(int(match[3]), int(match[2]), int(match[1]))
    if match := _YEAR_FIRST.fullmatch(text):
        return _date(int(match[1]), int(match[2]), int(match[3]))
    return EXCEL_DAY_ZERO + timedelta(days=int(float(text))) if _SERIAL.fullmatch(text) else None


def year_of(cell: Cell) -> int | None:
    """A year of birth standing alone."""
    text = words(cell)
    return int(text) if re.fullmatch(r"(?:19|20)\d\d", text) else None


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
