"""A roster file somebody uploaded, read in a child process that can do nothing else."""

from __future__ import annotations

import asyncio
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from contextlib import suppress
from datetime import date
from pathlib import Path

import msgspec
import structlog

from domain.roster import Entry, ParsedRoster, Problem, RosterRefused, Unit

MAX_BYTES = 5 * 1024 * 1024
MAX_REPLY = 24 * 1024 * 1024
PATIENCE_SECONDS = 45.0

_ROOT = Path(__file__).resolve().parent.parent
_LAUNCH = "import sys; sys.path.insert(0, sys.argv[1]); from handlers.roster_child import main; main()"
_OVERRUN = frozenset({-signal.SIGXCPU, -signal.SIGKILL, -signal.SIGABRT, -signal.SIGSEGV})

log = structlog.get_logger(__name__)


async def read_roster_file(content: bytes, today: date, patience: float = PATIENCE_SECONDS) -> ParsedRoster:
    """What the file says, whatever its name: XLSX or CSV, told by content. `today` is for ages, `patience` in seconds.

    Raises RosterRefused, with one sentence for the person, for everything that is not a readable roster.
    """
    if len(content) > MAX_BYTES:
        raise RosterRefused("roster.too_big", {"most": MAX_BYTES // 1024 // 1024})
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-I", "-c", _LAUNCH, str(_ROOT), today.isoformat(),
        stdin=PIPE, stdout=PIPE, stderr=DEVNULL, cwd="/", env={}, start_new_session=True,
    )  # fmt: skip
    try:
        async with asyncio.timeout(patience):
            reply, _ = await asyncio.gather(_reply(child), _give(child, content))
            status = await child.wait()
    except TimeoutError as error:
        raise RosterRefused("roster.too_heavy") from error
    finally:
        await _end(child)
    return await _read(reply, status)


async def _give(child: Process, content: bytes) -> None:
    assert child.stdin is not None
    with suppress(BrokenPipeError, ConnectionResetError):  # it ended early; its status says why
        child.stdin.write(content)
        await child.stdin.drain()
    child.stdin.close()


async def _reply(child: Process) -> bytes:
    assert child.stdout is not None
    reply = bytearray()
    while chunk := await child.stdout.read(256 * 1024):
        reply += chunk
        if len(reply) > MAX_REPLY:
            raise RosterRefused("roster.too_heavy")
    return bytes(reply)


async def _end(child: Process) -> None:
    if child.returncode is None:
        child.kill()
        await child.wait()


async def _read(reply: bytes, status: int) -> ParsedRoster:
    if status == 0 and reply.startswith(b"-"):
        key, values = msgspec.json.decode(memoryview(reply)[1:], type=tuple[str, dict[str, str | int]])
        raise RosterRefused(key, values)
    if status != 0 or not reply.startswith(b"+"):
        log.warning("roster_child_failed", status=status)
        raise RosterRefused("roster.too_heavy" if status in _OVERRUN else "roster.damaged")
    entries: list[Entry] = []
    units: list[Unit] = []
    problems: list[Problem] = []
    for line in reply.split(b"\n"):
        part = msgspec.json.decode(memoryview(line)[1:], type=ParsedRoster)
        entries += part.entries
        units += part.units
        problems += part.problems
        await asyncio.sleep(0)
    return ParsedRoster(entries, units, problems)
