"""Reading a CSV file from anybody: which encoding, which separator, then rows."""

from __future__ import annotations

import codecs
import csv
import re

from domain.roster import MAX_PEOPLE, RosterRefused, Sheet
from domain.roster_header import find_header, meaning
from domain.roster_sheet import words

SEPARATORS = (",", ";", "\t", "|")
TRIED_LINES = 80
MAX_CELLS = 3_000_000
MAX_COLUMNS = 1_000
SPARE_ROWS = 2_000

_BINARY = re.compile("[\x00-\x08\x0e-\x19\x1b-\x1f\x7f]")
_SEPARATOR_LINE = re.compile(r"\ufeff?sep=(.)\r?\n", re.IGNORECASE)
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
for _name in ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1258"):
    codecs.lookup(_name)  # the child may open no file later, not even a codec


def read_text(content: bytes, name: str) -> list[Sheet]:
    """The one sheet of a CSV file. Raises RosterRefused if the bytes are not text, or hold too much."""
    text = decoded(content)
    if separator := _SEPARATOR_LINE.match(text):
        return [_sheet(text[separator.end() :], separator[1], name)]
    return [_sheet(text, _separator(text), name)]


def decoded(content: bytes) -> str:
    """UTF-8, UTF-16 (marked or not) or Windows' Vietnamese code page, whichever gives text."""
    encodings = [encoding for mark, encoding in _MARKS if content.startswith(mark)][:1]
    for encoding in encodings or ["utf-8", *_sixteen_bits(content), "cp1258"]:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if not _BINARY.search(text):
            return text
    raise RosterRefused("roster.not_a_roster")


def _sixteen_bits(content: bytes) -> list[str]:
    """Unmarked UTF-16 shows as zero bytes on every other place of the ASCII in it."""
    sample = content[:4096]
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    if max(even, odd) * 8 < len(sample) or min(even, odd) * 8 > max(even, odd):
        return []
    return ["utf-16-le" if odd > even else "utf-16-be"]


def _separator(text: str) -> str:
    """The one under which the header says most."""
    lines = "\n".join(text[: TRIED_LINES * 4096].splitlines()[:TRIED_LINES])
    return max(SEPARATORS, key=lambda separator: _understood(lines, separator))


def _understood(lines: str, separator: str) -> tuple[int, int]:
    sheet = _sheet(lines, separator, "")
    header = find_header(sheet)
    known = sum(meaning(words(label)) is not None for label in header.labels.values()) if header else 0
    return known, max((len(row) for row in sheet.rows), default=0)


def _sheet(text: str, separator: str, name: str) -> Sheet:
    rows: list[list[str]] = []
    cells, people = MAX_CELLS, MAX_PEOPLE + SPARE_ROWS
    try:
        for row in csv.reader(text.splitlines(keepends=True), delimiter=separator):
            cells -= len(row)
            people -= any(row)
            if cells < 0 or len(row) > MAX_COLUMNS:
                raise RosterRefused("roster.too_many_cells")
            if people < 0:
                raise RosterRefused("roster.too_many_rows", {"most": MAX_PEOPLE})
            rows.append(row)
    except csv.Error as error:
        raise RosterRefused("roster.damaged") from error
    return Sheet(name, rows)
