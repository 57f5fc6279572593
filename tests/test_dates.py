"""Days as people write them."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.dates import compact, day_in, from_compact, span, without_day

FIRST, LAST = date(2026, 8, 25), date(2026, 11, 23)


@pytest.mark.parametrize(
    ("words", "day", "rest"),
    [
        ("20/11", date(2026, 11, 20), ""),
        ("P1 20/11", date(2026, 11, 20), "P1"),
        ("20.11.2026  P1", date(2026, 11, 20), "P1"),
        ("20-11-26", date(2026, 11, 20), ""),
        ("24/11", None, ""),
        ("24/8", None, ""),
        ("31/9", None, ""),
        ("20/11/2025", None, ""),
        ("20/11/20267", None, "20/11/20267"),
        ("P1", None, "P1"),
    ],
)
def test_the_day_in_a_sentence_and_the_rest_of_it(words: str, day: date | None, rest: str) -> None:
    assert (day_in(words, FIRST, LAST), without_day(words)) == (day, rest)


@given(first=st.dates(date(2020, 1, 1), date(2035, 1, 1)), ahead=st.integers(0, 180), written=st.booleans())
def test_a_day_without_its_year_is_the_one_in_reach(first: date, ahead: int, written: bool) -> None:
    day = first + timedelta(days=ahead)
    words = f"{day.day}/{day.month}/{day.year}" if written else f"{day.day}/{day.month}"
    assert day_in(words, first, first + timedelta(days=180)) == day


@given(st.dates(date(1000, 1, 1)))
def test_a_day_on_a_button_comes_back_as_it_went(day: date) -> None:
    assert from_compact(compact(day)) == day


def test_one_day_is_no_span() -> None:
    assert span(FIRST, FIRST) == "25/08" and span(FIRST, LAST) == "25/08 – 23/11"
