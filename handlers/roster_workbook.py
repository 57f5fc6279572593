"""Opening an XLSX file from anybody: each part is unpacked, counted and checked before the spreadsheet reader."""

from __future__ import annotations

import codecs
import io
import re
import zipfile
import zlib
from collections.abc import Iterator

from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from domain.roster import MAX_PEOPLE, RosterRefused, Sheet
from domain.roster_sheet import Cell

MAX_UNPACKED = 50 * 1024 * 1024
MAX_PARTS = 1_000
MAX_CELLS = 3_000_000
MAX_COLUMNS = 1_000
MAX_MERGED = 50_000
MAX_SHEETS = 200
SPARE_ROWS = 2_000
CHUNK = 64 * 1024

_ENTITY = re.compile(rb"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_XML_PART = re.compile(r"\.(?:xml|rels|vml)$", re.IGNORECASE)
codecs.lookup("cp437")  # names in old archives; the child may open no file later, not even a codec
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError, ValueError, UnicodeError)


def read_workbook(content: bytes) -> list[Sheet]:
    """The visible sheets. Raises RosterRefused with the reason for anything that is not a plain, modest XLSX file."""
    try:
        clean = _checked(content)
    except _DAMAGED as error:
        raise RosterRefused("roster.damaged") from error
    try:
        with CalamineWorkbook.from_filelike(clean) as book:
            return list(_sheets(book))
    except PasswordError as error:
        raise RosterRefused("roster.encrypted") from error
    except (CalamineError, OSError, ValueError) as error:
        raise RosterRefused("roster.damaged") from error


def _checked(content: bytes) -> io.BytesIO:
    """The XML parts packed anew, so that the spreadsheet reader sees exactly the bytes that were counted here."""
    clean = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as packed, zipfile.ZipFile(clean, "w") as repacked:
        parts = packed.infolist()
        _check_names(parts)
        left = MAX_UNPACKED
        for part in parts:
            data = _unpacked(packed, part, left)
            left -= len(data)
            if _XML_PART.search(part.filename) or data.lstrip()[:1] == b"<":
                _check_xml(data)
                repacked.writestr(zipfile.ZipInfo(part.filename), data)
    clean.seek(0)
    return clean


def _check_names(parts: list[zipfile.ZipInfo]) -> None:
    if len(parts) > MAX_PARTS:
        raise RosterRefused("roster.too_many_parts", {"parts": len(parts), "most": MAX_PARTS})
    names = [part.filename for part in parts]
    if any(part.flag_bits & 0x1 for part in parts):
        raise RosterRefused("roster.encrypted")
    if any(part.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for part in parts):
        raise RosterRefused("roster.damaged")
    if len({name.casefold() for name in names}) < len(names) or any(map(_leads_outside, names)):
        raise RosterRefused("roster.odd_parts")
    if "xl/workbook.xml" not in names:
        raise RosterRefused("roster.not_a_roster")


def _leads_outside(name: str) -> bool:
    return name.startswith("/") or ":" in name or "\\" in name or "\0" in name or ".." in name.split("/")


def _unpacked(packed: zipfile.ZipFile, part: zipfile.ZipInfo, left: int) -> bytes:
    """The part's bytes; stops as soon as more came out than the file may hold, whatever size it declares."""
    data = bytearray()
    with packed.open(part) as stream:
        while chunk := stream.read(CHUNK):
            data += chunk
            if len(data) > left:
                raise RosterRefused("roster.too_big_unpacked", {"most": MAX_UNPACKED // 1024 // 1024})
    if len(data) != part.file_size:
        raise zipfile.BadZipFile("a part is not as long as it says")
    return bytes(data)


def _check_xml(data: bytes) -> None:
    # Without its zero bytes UTF-16 reads as ASCII here, so a declaration cannot hide in another encoding.
    plain = data.replace(b"\0", b"") if b"\0" in data[:CHUNK] else data
    if _ENTITY.search(plain):
        raise RosterRefused("roster.entities")


def _sheets(book: CalamineWorkbook) -> Iterator[Sheet]:
    shown = [
        about
        for about in book.sheets_metadata
        if about.typ == SheetTypeEnum.WorkSheet and about.visible == SheetVisibleEnum.Visible
    ]
    if len(shown) > MAX_SHEETS:
        raise RosterRefused("roster.too_many_parts", {"parts": len(shown), "most": MAX_SHEETS})
    cells, rows = MAX_CELLS, MAX_PEOPLE + SPARE_ROWS
    for about in shown:
        sheet = book.get_sheet_by_name(about.name)
        cells -= sheet.total_height * sheet.total_width
        if cells < 0 or sheet.total_width > MAX_COLUMNS:
            raise RosterRefused("roster.too_many_cells")
        read = _sheet(sheet)
        rows -= sum(any(cell != "" and cell is not None for cell in row) for row in read.rows)
        if rows < 0:
            raise RosterRefused("roster.too_many_rows", {"most": MAX_PEOPLE})
        yield read


def _sheet(sheet: CalamineSheet) -> Sheet:
    merged = sheet.merged_cell_ranges or []
    if len(merged) > MAX_MERGED:
        raise RosterRefused("roster.too_many_cells")
    return Sheet(sheet.name, [[_cell(cell) for cell in row] for row in sheet.to_python(skip_empty_area=False)], merged)


def _cell(cell: object) -> Cell:
    """Truth values and hours of the day are words here."""
    if isinstance(cell, bool):
        return str(cell)
    return cell if isinstance(cell, Cell) else str(cell)
