"""The real process killed and stopped while people tap, in small: `make torture` does it 1,000 and 200 times."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.torture import WAYS, torment


@pytest.fixture(params=WAYS, ids="-".join)
def way(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, str, str]:
    """How updates come in, the store, and its URL."""
    mode, store = request.param
    url: str = f"sqlite:///{tmp_path / 'bot.db'}" if store == "sqlite" else request.getfixturevalue("postgres_url")
    return mode, store, url


async def test_whatever_moment_it_ends_at_nothing_is_lost_or_done_twice(
    way: tuple[str, str, str], tmp_path: Path
) -> None:
    mode, store, url = way
    tally = await torment(mode, store, 5, 5, seed=7, folder=tmp_path, url=url)
    assert tally.problems == []
    assert (tally.kills, tally.stops, tally.lost, tally.twice) == (5, 5, 0, 0)
    assert tally.acknowledged > 20 and tally.versions > 5 and tally.prompts > 5
