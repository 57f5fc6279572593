"""The real processes together, in small: `make rehearsal` does the same with 2,284 people and 20 kills."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.rehearsal import rehearse


@pytest.mark.parametrize("store", ["sqlite", "postgres"])
async def test_a_department_declares_though_the_bot_is_killed(
    store: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url = request.getfixturevalue("postgres_url") if store == "postgres" else ""
    report = await rehearse(24, 3, seed=11, folder=tmp_path, database_url=url)
    assert report.problems == []
    assert (report.stored, report.summary) == (24, "24/24")
