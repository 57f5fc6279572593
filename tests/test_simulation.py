"""Forty simulated days under faults, every day that ever broke a promise, and defects that a day must reveal."""

from __future__ import annotations

import pytest

from tests.simulation.runs import ROOT, hunt, run

JOBS = 1
"""The tests are spread over processes already."""
PARTS = 10
DAYS = 4


@pytest.mark.parametrize("part", range(PARTS))
def test_what_is_promised_holds_on_every_day(part: int) -> None:
    tally = run(range(part * DAYS, (part + 1) * DAYS), JOBS)
    assert tally.problems == {}
    assert tally.seeds == DAYS


def test_days_that_once_broke_a_promise_do_so_no_more() -> None:
    lines = (ROOT / "tests/simulation/regressions.txt").read_text(encoding="utf-8").splitlines()
    seeds = [int(line.split()[0]) for line in lines if not line.startswith("#")]
    assert run(seeds, JOBS).problems == {}


def test_the_same_seed_is_the_same_day_to_the_byte() -> None:
    """In two processes, one of which has lived through another day before."""
    digests: list[tuple[int, str]] = []
    for seeds in ((7,), (4, 7)):
        run(seeds, JOBS, told=lambda result: digests.append((result["seed"], result["digest"])))
    first, _, again = digests
    assert first == again


@pytest.mark.parametrize("mutant", ["acknowledged_before_the_commit", "silence_counts_as_an_answer"])
def test_a_planted_defect_is_caught(mutant: str) -> None:
    assert hunt(mutant) is not None
