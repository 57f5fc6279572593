"""Files that mean harm, or are broken: each ends in one sentence, soon, and the parent hardly notices."""

from __future__ import annotations

import asyncio
import io
import random
import resource
import struct
import sys
import time
import zipfile
import zlib
from asyncio.subprocess import PIPE
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path

import pytest

from domain.roster import ParsedRoster, RosterRefused
from handlers.roster_child import reply
from handlers.roster_file import MAX_BYTES, read_roster_file
from tests.rosters import as_csv, as_xlsx, grid_xlsx, made_up
from texts import text

TODAY = date(2026, 3, 2)
MEGABYTE = 1024 * 1024
PLAIN = grid_xlsx(("DS", [["Mã CB", "Họ tên", "Đơn vị"], ["A1", "Lê Lan", "Văn phòng"]]))
SHEET = "xl/worksheets/sheet1.xml"
OPENING = '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
ONE = '<row r="1"><c r="A1"><v>1</v></c></row>'
EVERYTHING = '<mergeCell ref="A1:XFD1048576"/>'
END = b"</sheetData>"
OLE = bytes.fromhex("d0cf11e0a1b11ae1")


def parts(content: bytes = PLAIN) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        return {name: packed.read(name) for name in packed.namelist()}


def packed(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name), data, method)
    return buffer.getvalue()


def with_part(name: str, data: bytes) -> bytes:
    return packed(parts() | {name: data})


def with_sheet(cells: str, after: str = "") -> bytes:
    return with_part(SHEET, f"{OPENING}{cells}</sheetData>{after}</worksheet>".encode())


def doctored(head: str, name: str = "xl/workbook.xml", encoding: str = "utf-8") -> bytes:
    body = parts()[name].decode().split("?>", 1)[1]
    return with_part(name, f'<?xml version="1.0" encoding="{encoding}"?>{head}{body}'.encode(encoding))


SIZES = ((b"PK\x01\x02", 24), (b"PK\x03\x04", 22))


def declaring(number: int, fields: Sequence[tuple[bytes, int]] = SIZES) -> bytes:
    """Every part says that it unpacks to `number` bytes (or has that checksum), in the directory and in its header."""
    content = bytearray(PLAIN)
    for signature, offset in fields:
        place = content.find(signature)
        while place >= 0:
            struct.pack_into("<I", content, place + offset, number)
            place = content.find(signature, place + 4)
    return bytes(content)


def overlapping(copies: int) -> bytes:
    """One part of a few kilobytes that many directory entries share, as in the densest archive bombs."""
    kernel = zlib.compress(b"<a>" + b"\0" * (2 * MEGABYTE), 9)[2:-4]
    crc = zlib.crc32(b"<a>" + b"\0" * (2 * MEGABYTE))
    sizes = struct.pack("<III", crc, len(kernel), 2 * MEGABYTE + 3)
    name = b"xl/workbook.xml"
    local = b"PK\x03\x04" + struct.pack("<HHHHH", 20, 0, 8, 0, 0) + sizes
    local += struct.pack("<HH", len(name), 0) + name + kernel
    directory = b""
    for number in range(copies):
        called = name if not number else b"xl/w%06d.xml" % number
        directory += b"PK\x01\x02" + struct.pack("<HHHHHH", 20, 20, 0, 8, 0, 0) + sizes
        directory += struct.pack("<HHHHHII", len(called), 0, 0, 0, 0, 0, 0) + called
    end = struct.pack("<HHHHIIH", 0, 0, copies, copies, len(directory), len(local), 0)
    return local + directory + b"PK\x05\x06" + end


def encrypted_flag() -> bytes:
    content = bytearray(PLAIN)
    for signature, offset in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        place = content.find(signature)
        content[place + offset] |= 1
    return bytes(content)


def rows_of_people(count: int) -> bytes:
    lines = [f"CB{number:05},Lê Lan,Văn phòng" for number in range(count)]
    return "\n".join(["Mã CB,Họ tên,Đơn vị", *lines]).encode()


def rows_of_problems(count: int) -> bytes:
    lines = [f"CB{number:05},Lê <Lan>,không phải số,Văn phòng,31/02/2000,vua" for number in range(count)]
    return "\n".join(["Mã CB,Họ tên,SĐT,Đơn vị,Ngày sinh,Vai trò", *lines]).encode()


def many_shared_strings() -> bytes:
    return b"<sst>" + b"<si><t>x</t></si>" * 2_500_000 + b"</sst>"


BILLION_LAUGHS = '<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "nothing": (lambda: b"", "empty_file"),
    "only blanks": (lambda: b" \n\t\n" * 100, "empty_file"),
    "six megabytes": (lambda: b"a," * (MAX_BYTES // 2 + 1), "too_big"),
    "random bytes": (lambda: random.Random(1).randbytes(100_000), "not_a_roster"),
    "binary named csv": (lambda: b"Ma CB,Ho ten\n\x00\x01\x02\x03\xff", "not_a_roster"),
    "zero bytes in text": (lambda: b"Ma CB,Ho ten,Don vi\nA1,Le\x00 Lan,V\n", "not_a_roster"),
    "all zero bytes": (lambda: b"\0" * 100_000, "not_a_roster"),
    "a program": (lambda: b"\x7fELF\x02\x01\x01" + b"\0" * 5_000, "not_a_roster"),
    "a picture": (lambda: b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20, "not_a_roster"),
    "a page": (lambda: b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n\x01\x02", "not_a_roster"),
    "old excel": (lambda: OLE + b"\0" * 4_096, "legacy_xls"),
    "a password": (lambda: OLE + "EncryptedPackage".encode("utf-16-le") + b"\0" * 4_096, "encrypted"),
    "encrypted parts": (encrypted_flag, "encrypted"),
    "an archive in an archive": (lambda: packed({"inner.zip": PLAIN}), "not_a_roster"),
    "a word file": (lambda: packed({"word/document.xml": b"<w/>"}), "not_a_roster"),
    "a cut archive": (lambda: PLAIN[: len(PLAIN) // 2], "damaged"),
    "only the start": (lambda: b"PK\x03\x04", "damaged"),
    "a wrong checksum": (lambda: declaring(0xDEADBEEF, ((b"PK\x01\x02", 16), (b"PK\x03\x04", 14))), "damaged"),
    "a hundredfold bomb": (lambda: with_part("xl/media/x.bin", b"\0" * (60 * MEGABYTE)), "too_big_unpacked"),
    "bombs in many parts": (
        lambda: packed(parts() | {f"xl/m{n}.bin": b"\0" * (2 * MEGABYTE) for n in range(30)}), "too_big_unpacked",
    ),
    "overlapping parts": (lambda: overlapping(500), ""),
    "two gigabytes declared": (lambda: declaring(2**31), ""),
    "no bytes declared": (lambda: declaring(0), ""),
    "many parts": (lambda: packed(parts() | {f"xl/p{n}.xml": b"<a/>" for n in range(1_001)}), "too_many_parts"),
    "a path upwards": (lambda: with_part("../../etc/cron.d/x", b"x"), "odd_parts"),
    "an absolute path": (lambda: with_part("/etc/passwd", b"x"), "odd_parts"),
    "a windows path": (lambda: with_part("C:\\x", b"x"), "odd_parts"),
    "the same part twice": (lambda: with_part("XL/Workbook.xml", b"<a/>"), "odd_parts"),
    "an odd compression": (lambda: packed(parts(), zipfile.ZIP_LZMA), "damaged"),
    "growing entities": (lambda: doctored(BILLION_LAUGHS), "entities"),
    "an outside entity": (lambda: doctored('<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>'), "entities"),
    "entities in the strings": (lambda: doctored(BILLION_LAUGHS, "xl/sharedStrings.xml"), "entities"),
    "entities in sixteen bits": (lambda: doctored(BILLION_LAUGHS, encoding="utf-16"), "entities"),
    "a small doctype": (lambda: doctored('<!doctype a SYSTEM "http://192.0.2.1/x">'), "entities"),
    "no XML at all": (lambda: with_part("xl/workbook.xml", b"hello"), ""),
    "deep nesting": (lambda: with_part(SHEET, b"<a>" * 1_000_000), ""),
    "a far corner": (
        lambda: with_sheet(ONE + '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'), "",
    ),
    "a million columns": (
        lambda: with_sheet('<row r="1"><c r="A1"><v>1</v></c><c r="ZZZZZZ1"><v>1</v></c></row>'), "",
    ),
    "very wide": (
        lambda: with_sheet('<row r="1"><c r="A1"><v>1</v></c><c r="XFD1"><v>1</v></c></row>'), "too_many_cells",
    ),
    "many merged areas": (
        lambda: with_sheet(ONE, f"<mergeCells>{EVERYTHING * 60_000}</mergeCells>"), "too_many_cells",
    ),
    "wide text": (lambda: b"Ma CB,Ho ten" + b"," * 2_000_000, "too_many_cells"),
    "tall text": (lambda: b"x\n" * 2_000_000, "too_many_rows"),
    "an endless cell": (lambda: b'Ma CB,Ho ten\n"' + b"x" * 1_000_000, "damaged"),
}  # fmt: skip

# Only a process with a memory limit may try these, or the parent looks at the size first.
NEEDS_THE_CHILD = {"a far corner", "a million columns", "six megabytes"}

READ: dict[str, tuple[Callable[[], bytes], int]] = {
    "twenty thousand rows": (lambda: rows_of_people(20_000), 20_000),
    "many shared strings": (lambda: with_part("xl/unused.xml", many_shared_strings()), 1),
    "a stretched area": (
        lambda: with_part(
            SHEET, parts()[SHEET].replace(END, END + b'<mergeCells><mergeCell ref="C2:XFD1048576"/></mergeCells>')
        ), 1,
    ),
    "formatted to the last row": (
        lambda: with_part(
            SHEET, parts()[SHEET].replace(END, b'<row r="1048576"><c r="C1048576" s="1"/></row>' + END)
        ), 1,
    ),
}  # fmt: skip


async def outcome(content: bytes) -> ParsedRoster | RosterRefused:
    try:
        return await read_roster_file(content, TODAY)
    except RosterRefused as refusal:
        return refusal


def refusal(found: ParsedRoster | RosterRefused) -> tuple[str, Mapping[str, str | int]]:
    """The one sentence about the whole file."""
    if isinstance(found, RosterRefused):
        return found.key, found.values
    (problem,) = found.problems
    assert (problem.row, problem.severity, found.entries) == (0, "error", [])
    return problem.key, problem.values


@pytest.mark.parametrize("kind", REFUSED)
async def test_a_hostile_file_is_refused_in_one_sentence(kind: str) -> None:
    make, key = REFUSED[kind]
    content = make()
    started = time.monotonic()
    found = await outcome(content)
    assert time.monotonic() - started < 15
    said, values = refusal(found)
    assert not key or said == f"roster.{key}"
    for language in ("vi", "en"):
        sentence = text(language, said, **values)
        assert "Traceback" not in sentence
        assert "\n" not in sentence


@pytest.mark.parametrize("kind", sorted(REFUSED.keys() - NEEDS_THE_CHILD))
def test_the_reading_itself_gives_the_same_reason(kind: str) -> None:
    make, key = REFUSED[kind]
    said = reply(make(), TODAY)
    if said.startswith(b"-"):
        assert f"roster.{key}".encode() in said
    else:
        assert b'"severity":"error"' in said


@pytest.mark.parametrize("kind", READ)
async def test_a_large_but_honest_file_is_read(kind: str) -> None:
    make, people = READ[kind]
    found = await outcome(make())
    assert isinstance(found, ParsedRoster), found
    assert len(found.entries) == people


async def test_problems_beyond_a_bound_are_counted() -> None:
    found = await outcome(rows_of_problems(2_000))
    assert isinstance(found, ParsedRoster)
    assert len(found.entries) == 2_000
    assert len(found.problems) == 5_001
    assert (found.problems[0].key, found.problems[0].values) == ("roster.more_problems", {"n": 3_000})


async def test_one_person_too_many() -> None:
    found = await outcome(rows_of_people(20_001))
    assert refusal(found) == ("roster.too_many_rows", {"rows": 20_001, "most": 20_000})


async def test_the_name_of_a_file_does_not_matter_its_content_does() -> None:
    people = made_up(3)
    for content in (as_xlsx(people), as_csv(people).encode()):
        found = await outcome(content)
        assert isinstance(found, ParsedRoster)
        assert len(found.entries) == 3


async def test_files_cut_or_changed_anywhere_never_raise_anything_else() -> None:
    chance = random.Random(7)
    whole = as_xlsx(made_up(40))
    for _ in range(6):
        broken = bytearray(whole)
        for _ in range(chance.randrange(1, 20)):
            broken[chance.randrange(len(broken))] = chance.randrange(256)
        await outcome(bytes(broken[: chance.randrange(100, len(broken))] if chance.random() < 0.3 else broken))


MEASURE = """
import asyncio, resource, sys
from datetime import date
from pathlib import Path

sys.path.insert(0, sys.argv[1])
from domain.roster import RosterRefused
from handlers.roster_child import reply
from handlers.roster_file import read_roster_file

async def main() -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for path in sys.argv[2:]:
        try:
            await read_roster_file(Path(path).read_bytes(), date(2026, 3, 2))
        except RosterRefused:
            pass
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)

asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="counts kilobytes as Linux does")
async def test_the_parent_grows_by_less_than_fifty_megabytes(tmp_path: Path) -> None:
    contents = [REFUSED[kind][0]() for kind in ("a hundredfold bomb", "a far corner")] + [rows_of_problems(20_000)]
    paths = [tmp_path / str(number) for number in range(len(contents))]
    for path, content in zip(paths, contents, strict=True):
        path.write_bytes(content)
    root = str(Path(__file__).parent.parent)
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", MEASURE, root, *map(str, paths), stdout=PIPE)
    grown, _ = await child.communicate()
    assert int(grown.split()[-1]) * 1024 < 50 * MEGABYTE


async def test_a_child_that_takes_too_long_is_ended() -> None:
    with pytest.raises(RosterRefused, match="too_heavy"):
        await read_roster_file(PLAIN, TODAY, patience=0.01)


@pytest.mark.skipif(sys.platform != "linux", reason="reads the limits of a process as Linux tells them")
async def test_the_parent_keeps_its_own_limits() -> None:
    before = [resource.getrlimit(what) for what in (resource.RLIMIT_AS, resource.RLIMIT_NOFILE, resource.RLIMIT_CPU)]
    await outcome(PLAIN)
    after = [resource.getrlimit(what) for what in (resource.RLIMIT_AS, resource.RLIMIT_NOFILE, resource.RLIMIT_CPU)]
    assert after == before
