"""The page that tells a week of the demonstration's department says what the program does."""

from __future__ import annotations

from tests import a_week


async def test_the_page_tells_what_really_happens() -> None:
    told = await a_week.tell()
    assert a_week.PAGE.read_text("utf-8") == told, "write it again: python -m tests.a_week"
