"""Which units a schedule asks on a day: exceptions, pauses and the calendar, each for its own part of the tree."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, time

import pytest

from domain.asked import NotAsked, Plans
from domain.workdays import OFFICE_WEEK

MON, TUE, SAT = date(2026, 11, 23), date(2026, 11, 24), date(2026, 11, 28)  # the Tuesday is a holiday
ORG, P1, P2, P11 = "/1/", "/1/2/", "/1/3/", "/1/2/4/"
EVERYBODY = {ORG, P1, P2, P11}


@dataclass(frozen=True)
class Hours:
    unit_path: str = ORG
    kind: str = "morning"
    opens: time = time(7)
    reminders: tuple[time, ...] = ()
    missing_list: time | None = None
    closes: time = time(9)
    weekdays: frozenset[str] = OFFICE_WEEK
    on_holidays: bool = False
    is_off: bool = False
    once_on: date | None = None
    since_day: date = date(2026, 1, 1)


@dataclass(frozen=True)
class Break:
    unit_path: str = ORG
    kind: str = ""
    first_day: date = MON
    last_day: date = MON


ORGANISATION = Hours()
OWN = Hours(P1, opens=time(6))


def asked(plans: Plans[Hours], schedule: Hours, day: date) -> set[str]:
    found = {path for path in EVERYBODY if plans.is_asked(schedule, path, day)}
    assert plans.has_round(schedule, day, EVERYBODY) == bool(found)
    return found


@pytest.mark.parametrize(
    ("plans", "schedule", "day", "who"),
    [
        (Plans([ORGANISATION], [], {}), ORGANISATION, MON, EVERYBODY),
        (Plans([ORGANISATION], [], {}), ORGANISATION, TUE, set()),
        (Plans([ORGANISATION], [], {}), ORGANISATION, SAT, set()),
        (Plans([ORGANISATION, OWN], [], {}), ORGANISATION, MON, {ORG, P2}),
        (Plans([ORGANISATION, OWN], [], {}), OWN, MON, {P1, P11}),
        (Plans([ORGANISATION, replace(OWN, is_off=True)], [], {}), ORGANISATION, MON, {ORG, P2}),
        (Plans([ORGANISATION, replace(OWN, since_day=TUE)], [], {}), ORGANISATION, MON, EVERYBODY),
        (Plans([ORGANISATION], [Break()], {}), ORGANISATION, MON, set()),
        (Plans([ORGANISATION], [Break(kind="afternoon")], {}), ORGANISATION, MON, EVERYBODY),
        (Plans([ORGANISATION], [Break(P1)], {}), ORGANISATION, MON, {ORG, P2}),
        (Plans([ORGANISATION, OWN], [Break()], {}), OWN, MON, set()),
        (Plans([ORGANISATION], [], {(MON, ORG): False}), ORGANISATION, MON, set()),
        (Plans([ORGANISATION], [], {(MON, ORG): False, (MON, P1): True}), ORGANISATION, MON, {P1, P11}),
        (Plans([ORGANISATION], [], {(SAT, P1): True, (SAT, P11): False}), ORGANISATION, SAT, {P1}),
        (Plans([ORGANISATION], [], {(TUE, P2): True}), ORGANISATION, TUE, {P2}),
        (Plans([Hours(P1, once_on=SAT), ORGANISATION], [], {}), Hours(P1, once_on=SAT), SAT, {P1, P11}),
        (Plans([Hours(P1, once_on=SAT)], [], {}), Hours(P1, once_on=SAT), MON, set()),
        (Plans([Hours(P1, once_on=MON), ORGANISATION], [], {}), ORGANISATION, MON, EVERYBODY),
    ],
)
def test_who_is_asked(plans: Plans[Hours], schedule: Hours, day: date, who: set[str]) -> None:
    assert asked(plans, schedule, day) == who


def test_why_somebody_is_not_asked() -> None:
    plans = Plans([ORGANISATION], [Break(P1)], {(SAT, P2): False})
    assert plans.why_not(ORGANISATION, P1, MON) == NotAsked("paused")
    assert plans.why_not(ORGANISATION, P2, TUE, "en") == NotAsked("holiday", "Vietnam Cultural Day")
    assert plans.why_not(ORGANISATION, P2, SAT) == NotAsked("override")
    assert plans.why_not(ORGANISATION, P1, SAT) == NotAsked("weekday")
    assert plans.why_not(replace(ORGANISATION, is_off=True), ORG, MON) == NotAsked("off")
    assert plans.why_not(replace(ORGANISATION, since_day=TUE), ORG, MON) == NotAsked("not_yet")
    assert plans.nearest("afternoon", ORG, MON) is None
