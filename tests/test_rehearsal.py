"""The real processes together, in small: `make rehearsal` does the same with 2,284 people and 20 kills."""

from __future__ import annotations

from pathlib import Path

from tests.rehearsal import rehearse


async def test_a_department_declares_though_the_bot_is_killed(tmp_path: Path) -> None:
    report = await rehearse(24, 3, seed=11, folder=tmp_path)
    assert report.problems == []
    assert (report.stored, report.summary) == (24, "24/24")
