"""Working days in Vietnam: holidays, Saturdays worked instead, and the organisation's own word."""

from __future__ import annotations

from datetime import date

import holidays
import pytest

from domain.workdays import (
    GIVEN_AWAY,
    OFFICE_WEEK,
    WEEKDAYS,
    WORKED_INSTEAD,
    DayOff,
    holiday_name,
    why_off,
)

EVERY_DAY = frozenset(WEEKDAYS)


@pytest.mark.parametrize(
    ("day", "working"),
    [
        ("2024-02-07", True),
        ("2024-02-08", False),  # Tết, the day moved from a Saturday
        ("2024-02-14", False),
        ("2024-02-15", True),
        ("2024-04-18", False),  # Hùng Kings
        ("2024-04-29", False),  # given away
        ("2024-05-04", True),  # worked instead
        ("2024-05-11", False),  # a common Saturday
        ("2025-01-27", False),
        ("2025-04-26", True),
        ("2025-05-02", False),
        ("2025-09-01", False),
        ("2026-01-02", False),
        ("2026-01-10", True),
        ("2026-04-27", False),  # Hùng Kings fell on a Sunday
        ("2026-08-22", True),
        ("2026-08-31", False),
        ("2026-11-24", False),  # Culture Day
        ("2027-05-03", False),  # Labour Day fell on a Saturday
        ("2027-05-04", True),
    ],
)
def test_the_office_week(day: str, working: bool) -> None:
    assert (why_off(date.fromisoformat(day), OFFICE_WEEK, {}) is None) is working


def test_an_override_wins_over_holiday_weekday_and_swap() -> None:
    tet, sunday, monday, swapped = date(2025, 1, 29), date(2025, 3, 2), date(2025, 3, 3), date(2025, 4, 26)
    overrides = {tet: True, sunday: True, monday: False, swapped: False}
    assert why_off(tet, OFFICE_WEEK, overrides) is None
    assert why_off(sunday, OFFICE_WEEK, overrides) is None
    assert why_off(monday, OFFICE_WEEK, overrides) == DayOff("override")
    assert why_off(swapped, OFFICE_WEEK, overrides) == DayOff("override")


def test_those_who_work_holidays_keep_their_weekdays() -> None:
    tet = date(2025, 1, 29)
    assert why_off(tet, EVERY_DAY, {}) == DayOff("holiday", holiday_name(tet) or "")
    assert why_off(tet, EVERY_DAY, {}, on_holidays=True) is None
    assert why_off(tet, frozenset({"mon"}), {}, on_holidays=True) == DayOff("weekday")


def test_a_swapped_saturday_belongs_to_the_weekday_given_away() -> None:
    saturday = date(2024, 5, 4)
    assert why_off(saturday, frozenset({"mon"}), {}) is None
    assert why_off(saturday, frozenset({"tue"}), {}) == DayOff("weekday")
    assert why_off(saturday, frozenset({"sat"}), {}) is None


def test_the_reason_names_the_holiday_in_both_languages() -> None:
    day = date(2025, 9, 2)
    assert why_off(day, OFFICE_WEEK, {}) == DayOff("holiday", "Quốc khánh")
    assert why_off(day, OFFICE_WEEK, {}, language="en") == DayOff("holiday", "National Day")
    assert why_off(date(2025, 9, 6), OFFICE_WEEK, {}) == DayOff("weekday")
    assert holiday_name(date(2026, 1, 2)) == "Ngày nghỉ (làm bù ngày 10/01/2026)"
    assert holiday_name(date(2026, 1, 2), "en") == "Day off (worked on 10/01/2026)"
    assert holiday_name(date(2025, 9, 3)) is None


def test_every_swap_is_a_weekend_day_for_a_working_day() -> None:
    for worked, given in WORKED_INSTEAD.items():
        assert worked.weekday() >= 5
        assert given.weekday() < 5
        assert GIVEN_AWAY[given] == worked


def test_the_holiday_library_knows_no_swap_that_is_missing_here() -> None:
    known = holidays.country_holidays("VN", years=range(2024, 2031)).weekend_workdays
    assert {day for day in known if day.year >= 2024} <= set(WORKED_INSTEAD)
