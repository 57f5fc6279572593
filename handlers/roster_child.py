"""What the child process runs: limits itself, reads a roster file from its input, writes what it says as JSON.

After the limits no file or socket can be opened, so everything needed is imported before them.
"""

from __future__ import annotations

import gc
import resource
import sys
from collections.abc import Iterator
from datetime import date

import msgspec

from domain.phones import e164
from domain.roster import ParsedRoster, RosterRefused, parse_roster
from handlers.roster_text import read_text
from handlers.roster_workbook import read_workbook

MEMORY = 512 * 1024 * 1024
CPU_SECONDS = 15
PART = 500
READ, REFUSED = b"+", b"-"

_OLE = bytes.fromhex("d0cf11e0a1b11ae1")
_ENCRYPTED_PACKAGE = "EncryptedPackage".encode("utf-16-le")


def limit() -> None:  # pragma: no cover - whoever runs it can measure nothing any more
    """No file may be opened, written or left behind, no process started; memory and processor time are bounded."""
    bounds = {
        resource.RLIMIT_CPU: CPU_SECONDS,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_NOFILE: 3,
        resource.RLIMIT_NPROC: 0,
        resource.RLIMIT_CORE: 0,
    }
    if sys.platform == "linux":  # elsewhere the address space of a fresh process may already be larger
        bounds[resource.RLIMIT_AS] = MEMORY
    for what, most in bounds.items():
        resource.setrlimit(what, (most, most))


def parsed(content: bytes, today: date) -> ParsedRoster:
    """Tell the kind of file by its content and read it."""
    if not content.strip():
        raise RosterRefused("roster.empty_file")
    if content.startswith(_OLE):
        raise RosterRefused("roster.encrypted" if _ENCRYPTED_PACKAGE in content else "roster.legacy_xls")
    sheets = read_workbook(content) if content.startswith(b"PK") else read_text(content, "")
    return parse_roster(sheets, today)


def in_parts(roster: ParsedRoster) -> Iterator[ParsedRoster]:
    """Pieces that the parent takes in one at a time, so that a long roster never holds its event loop."""
    yield ParsedRoster(units=roster.units)
    for first in range(0, len(roster.entries), PART):
        yield ParsedRoster(entries=roster.entries[first : first + PART])
    for first in range(0, len(roster.problems), PART):
        yield ParsedRoster(problems=roster.problems[first : first + PART])


def reply(content: bytes, today: date) -> bytes:
    """What the parent is told: the roster in parts, or the one reason for refusing it."""
    try:
        roster = parsed(content, today)
        return b"\n".join(READ + msgspec.json.encode(part) for part in in_parts(roster))
    except RosterRefused as refusal:
        return REFUSED + msgspec.json.encode((refusal.key, refusal.values))
    except MemoryError:
        return REFUSED + msgspec.json.encode(("roster.too_heavy", {}))


def main() -> None:  # pragma: no cover
    """Called with the date as the last argument."""
    e164("0912345678")  # loads the numbering plan, which is a file
    gc.disable()  # it lives for a second or two
    limit()
    sys.stdout.buffer.write(reply(sys.stdin.buffer.read(), date.fromisoformat(sys.argv[-1])))
    sys.stdout.buffer.flush()
