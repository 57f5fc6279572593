"""A kill and a stop in the middle of work, in small: `python -m bench.cold_start` has 10,000 prompts due."""

from __future__ import annotations

from pathlib import Path

from bench.cold_start import measure


async def test_a_killed_process_is_back_and_a_stopped_one_ends(tmp_path: Path) -> None:
    report = await measure(tmp_path, people=200, updates=100, kills=1, stops=1)
    assert report.stopped_badly == 0
    assert len(report.starts) == 2
    assert max(report.stops) < 10  # the figures themselves are for a machine that does nothing else
