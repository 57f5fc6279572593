"""Tables as files that a spreadsheet opens: every cell is text, and no text becomes a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

import xlsxwriter

MOST_ROWS = 1_048_575
"""Of a sheet, below its heading."""
_BEGINS_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class TooManyRows(Exception):
    """More than one sheet holds."""


def harmless(cell: str) -> str:
    """The text with an apostrophe before it if a spreadsheet would calculate it."""
    return f"'{cell}" if cell.startswith(_BEGINS_FORMULA) else cell


def csv_line(cells: Sequence[str]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\r\n").writerow([harmless(cell) for cell in cells])
    return line.getvalue()


def write_xlsx(path: Path, heading: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """One sheet in little memory, whatever its length. Raises TooManyRows."""
    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "in_memory": False,
    }
    with xlsxwriter.Workbook(str(path), options) as book:
        bold = book.add_format({"bold": True})
        sheet = book.add_worksheet()
        sheet.freeze_panes(1, 0)
        for column, title in enumerate(heading):
            sheet.write_string(0, column, title, bold)
        for number, row in enumerate(rows, start=1):
            if number > MOST_ROWS:
                raise TooManyRows
            for column, cell in enumerate(row):
                sheet.write_string(number, column, cell)
