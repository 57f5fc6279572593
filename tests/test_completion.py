"""Completion ties out, adds up, and never flatters."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.completion import Tally, completion, percent_text


@st.composite
def tallies(draw: st.DrawFn) -> Tally:
    answered, excused, missed = (draw(st.integers(0, 3000)) for _ in range(3))
    late, proxy, corrected = (draw(st.integers(0, answered)) for _ in range(3))
    return Tally(answered + excused + missed, answered, late, excused, proxy, corrected)


@given(tallies(), tallies())
def test_tallies_tie_out_alone_and_added(one: Tally, two: Tally) -> None:
    both = one + two
    for tally in (one, two, both):
        assert tally.answered + tally.excused + tally.missed == tally.due
    assert both.missed == one.missed + two.missed
    assert sum([one, two], start=Tally()) == both == two + one


@given(tallies())
def test_completion_is_a_share_and_full_only_when_nobody_is_missing(tally: Tally) -> None:
    share = tally.completion
    if tally.due == tally.excused:
        assert share is None
    else:
        assert share is not None
        assert 0 <= share <= 1
        assert (share == 1) == (tally.missed == 0)


@given(tallies(), st.sampled_from(["vi", "en"]))
def test_percent_shows_all_only_for_all_and_none_only_for_none(tally: Tally, language: str) -> None:
    share = tally.completion
    if share is not None:
        shown = percent_text(share, "vi" if language == "vi" else "en")
        assert (shown == "100%") == (tally.missed == 0)
        assert (shown == "0%") == (tally.answered == 0)


@pytest.mark.parametrize(
    ("share", "vi", "en"),
    [
        (Fraction(0), "0%", "0%"),
        (Fraction(1), "100%", "100%"),
        (Fraction(9996, 10000), "99,9%", "99.9%"),
        (Fraction(2283, 2284), "99,9%", "99.9%"),
        (Fraction(1, 2284), "0,1%", "0.1%"),
        (Fraction(1, 2), "50%", "50%"),
        (Fraction(2, 3), "66,7%", "66.7%"),
    ],
)
def test_percent_reads_in_both_languages(share: Fraction, vi: str, en: str) -> None:
    assert percent_text(share, "vi") == vi
    assert percent_text(share, "en") == en


@pytest.mark.parametrize(
    ("due", "answered", "excused", "share"),
    [(0, 0, 0, None), (5, 0, 5, None), (10, 6, 2, Fraction(3, 4)), (10, 0, 0, Fraction(0))],
)
def test_the_excused_are_not_expected(due: int, answered: int, excused: int, share: Fraction | None) -> None:
    assert completion(due, answered, excused) == share


@pytest.mark.parametrize(
    "counts",
    [
        {"due": -1},
        {"due": 3, "answered": 2, "excused": 2},
        {"due": 3, "answered": 1, "late": 2},
        {"due": 3, "answered": 1, "proxy": 2},
        {"due": 3, "answered": 1, "corrected": 2},
    ],
)
def test_counts_that_cannot_tie_out_are_refused(counts: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"count|than"):
        Tally(**counts)
