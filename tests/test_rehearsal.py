"""The real processes together, in small: `make rehearsal` does the same with 2,284 people and 20 kills."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.rehearsal import rehearse


@pytest.fixture(params=["sqlite", "postgres"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'bot.db'}"
    url: str = request.getfixturevalue("postgres_url")
    return url


async def test_a_department_declares_though_the_bot_is_killed(store_url: str, tmp_path: Path) -> None:
    report = await rehearse(24, 3, seed=11, folder=tmp_path, database_url=store_url)
    assert report.problems == []
    assert (report.stored, report.summary) == (24, "24/24")
