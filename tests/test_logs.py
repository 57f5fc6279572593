"""What the program prints, whatever happens and however talkative everything in it is."""

from __future__ import annotations

import io
import json
import logging
from pathlib import Path

import structlog

from bot import logs
from tests.private import privacy_leaks
from tests.world import World


async def test_a_whole_morning_at_the_lowest_level_says_nothing_private(world: World, log_file: Path) -> None:
    for library in ("aiosqlite", "sqlalchemy"):
        logging.getLogger(library).setLevel(logging.DEBUG)
    before = log_file.stat().st_size
    await world.unit("P1")
    canary = await world.enrolled("canary", "P1")
    await world.clock_strikes("07:00")
    await canary.tap("Tôi có điều cần khai báo thêm")
    await canary.type("đau họng, khó thở")
    await canary.type("38,5")
    await world.clock_strikes("09:00")
    for library in ("aiosqlite", "sqlalchemy"):
        logging.getLogger(library).setLevel(logging.WARNING)
    lines = log_file.read_bytes()[before:].decode().splitlines()
    assert any(json.loads(line)["event"] == "library" for line in lines)
    said = "\n".join(lines).casefold()
    assert not [leak for line in lines for leak in privacy_leaks(line)]
    assert not any(secret in said for secret in ("canary", "họng", "38,5"))


def test_a_librarys_line_keeps_only_where_it_came_from(log_file: Path) -> None:
    before = log_file.stat().st_size
    try:
        raise ValueError("Nguyễn Văn Canary")
    except ValueError:
        logging.getLogger("apscheduler").exception("sending to %s failed", "Nguyễn Văn Canary")
    line = json.loads(log_file.read_bytes()[before:])
    assert line.keys() == {"level", "timestamp", "event", "logger", "at", "error"}
    assert (line["logger"], line["error"]) == ("apscheduler", "ValueError")


def test_a_token_is_blanked_in_our_own_lines() -> None:
    stream = io.StringIO()
    line = logs.without_secrets(None, "", {"event": "x", "url": "/bot123456:" + "A" * 35 + "/getMe"})
    structlog.PrintLogger(stream).msg(str(line))
    assert "AAAA" not in stream.getvalue()
