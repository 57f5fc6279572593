"""Which units are asked on which days, and when their round does what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.asked import Plans
from domain.campaign import AFTERNOON, MORNING
from domain.plan import moments, window
from domain.workdays import WEEKDAYS
from storage.schedules import Pause, Schedule
from storage.units import Unit
from tests.storm import plain_schedule
from tests.world import ZONE

ROOT, ONE, TWO = (Unit(n, f"U{n}", "", None, path) for n, path in ((1, "/1/"), (2, "/1/2/"), (3, "/1/2/3/")))
MONDAY = date(2026, 11, 23)


def plans(
    *schedules: Schedule, pauses: Sequence[Pause] = (), overrides: Mapping[tuple[date, str], bool] | None = None
) -> Plans[Schedule]:
    return Plans(schedules, pauses, overrides or {})


@pytest.mark.parametrize(
    ("day", "asked"),
    [
        (MONDAY, True),
        (date(2026, 11, 28), False),  # Saturday
        (date(2026, 2, 17), False),  # Tết
        (date(2026, 9, 2), False),  # National Day
        (date(2026, 8, 22), True),  # a Saturday worked instead of …
        (date(2026, 8, 31), False),  # … this Monday
        (date(2025, 12, 31), False),  # before the schedule began
    ],
)
def test_a_day_is_asked_as_the_calendar_says(day: date, asked: bool) -> None:
    known = plans(plain_schedule(ROOT))
    assert known.is_asked(known.schedules[0], ROOT.path, day) is asked
    assert known.has_round(known.schedules[0], day, [ROOT.path]) is asked


def test_those_who_work_holidays_are_asked_on_them() -> None:
    known = plans(plain_schedule(ROOT, on_holidays=True))
    assert known.is_asked(known.schedules[0], ROOT.path, date(2026, 9, 2))


def test_the_override_of_the_nearest_unit_counts() -> None:
    saturday = date(2026, 11, 28)
    known = plans(
        plain_schedule(ROOT),
        overrides={(saturday, "/1/2/"): True, (saturday, "/1/2/3/"): False, (MONDAY, "/1/"): False},
    )
    of = known.schedules[0]
    assert [known.is_asked(of, one.path, saturday) for one in (ROOT, ONE, TWO)] == [False, True, False]
    assert known.has_round(of, saturday, ["/1/", "/1/2/", "/1/2/3/"])
    assert not known.has_round(of, MONDAY, ["/1/", "/1/2/"])


def test_a_pause_is_of_a_kind_and_a_subtree() -> None:
    known = plans(
        plain_schedule(ROOT),
        plain_schedule(ROOT, AFTERNOON, id=1),
        pauses=[Pause(MORNING, "/1/2/", MONDAY, MONDAY), Pause("", "/1/2/3/", MONDAY, date(2026, 11, 25))],
    )
    morning, afternoon = known.schedules
    assert [known.is_asked(morning, one.path, MONDAY) for one in (ROOT, ONE, TWO)] == [True, False, False]
    assert [known.is_asked(afternoon, one.path, MONDAY) for one in (ROOT, ONE, TWO)] == [True, True, False]
    assert known.is_asked(morning, ONE.path, date(2026, 11, 25))


def test_an_exception_begins_on_its_day_and_may_mean_not_asked_at_all() -> None:
    known = plans(plain_schedule(ROOT), plain_schedule(ONE, id=1, is_off=True, since_day=date(2026, 11, 25)))
    of, off = known.schedules
    assert known.is_asked(of, ONE.path, MONDAY)
    assert not known.is_asked(of, ONE.path, date(2026, 11, 25))
    assert not known.is_asked(off, ONE.path, date(2026, 11, 25))
    assert known.is_asked(of, ROOT.path, date(2026, 11, 25))


def test_a_one_off_round_is_beside_the_regular_one() -> None:
    known = plans(plain_schedule(ROOT), plain_schedule(ONE, id=1, once_on=MONDAY, since_day=MONDAY))
    assert [known.is_asked(one, ONE.path, MONDAY) for one in known.schedules] == [True, True]
    assert not known.is_asked(known.schedules[1], ONE.path, date(2026, 11, 25))


def test_a_round_that_closes_past_midnight() -> None:
    of = plain_schedule(ROOT, opens=time(22), closes=time(2), reminders=(time(23), time(1), time(3)), missing_list=None)
    opens, closes = window(of, MONDAY, ZONE)
    assert (closes - opens).total_seconds() == 4 * 3600
    assert [(one.what, one.number) for one in moments(of, MONDAY, ZONE)] == [("remind", 1), ("remind", 2), ("close", 0)]


def test_what_a_round_does_is_in_order() -> None:
    of = plain_schedule(ROOT, reminders=(time(7, 30), time(8, 45)))
    assert [one.what for one in moments(of, MONDAY, ZONE)] == ["remind", "missing_list", "remind", "close"]


trees = st.lists(st.integers(0, 7), min_size=1, max_size=8).map(
    lambda parents: [_path(parents[:n]) for n in range(len(parents))]
)


def _path(parents: list[int]) -> str:
    """The path of a unit whose parent is one of those before it."""
    paths = ["/0/"]
    for number, parent in enumerate(parents, start=1):
        paths.append(f"{paths[parent % number]}{number}/")
    return paths[-1]


@settings(max_examples=150)
@given(
    paths=trees,
    picks=st.lists(st.tuples(st.integers(0, 7), st.sampled_from((MORNING, AFTERNOON)), st.integers(0, 2)), max_size=8),
)
def test_every_unit_has_exactly_one_responsible_schedule_per_kind(
    paths: list[str], picks: list[tuple[int, str, int]]
) -> None:
    everyday = frozenset(WEEKDAYS)
    made = {(kind, "/0/"): 0 for kind in (MORNING, AFTERNOON)}
    made |= {
        (kind, paths[pick % len(paths)]): later for pick, kind, later in picks if paths[pick % len(paths)] != "/0/"
    }
    known = plans(
        *(
            plain_schedule(
                Unit(n, "", "", None, path), kind, id=n, weekdays=everyday, on_holidays=True,
                since_day=date(2026, 11, 22 + later),
            )
            for n, ((kind, path), later) in enumerate(made.items())
        )
    )  # fmt: skip
    for path in paths:
        for kind in (MORNING, AFTERNOON):
            mine = [one for one in known.schedules if one.kind == kind and known.is_asked(one, path, MONDAY)]
            assert mine == [known.nearest(kind, path, MONDAY)]
