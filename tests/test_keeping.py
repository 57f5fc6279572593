"""Which backups stay: all of about a day, one an hour for three days, one a day for as long as is said."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from domain.keeping import NEWEST, superfluous
from tests.world import MONDAY, ZONE

QUARTER = timedelta(minutes=15)


def after(days: float) -> list[datetime]:
    """What is there after so many days of a backup every quarter of an hour, each of which was pruned after."""
    kept: list[datetime] = []
    for number in range(int(days * 96)):
        now = MONDAY + number * QUARTER
        kept.append(now)
        dropped = superfluous(kept, now, ZONE, 35)
        kept = [at for at in kept if at not in dropped]
    return kept


def test_after_forty_days() -> None:
    kept = after(40)
    now = kept[-1]
    age = [now - at for at in kept]
    recent = [one for one in age if one < timedelta(days=1)]
    assert len(recent) == 96
    hours = {int(one / timedelta(hours=1)) for one in age if one < timedelta(days=3)}
    assert hours == set(range(72))
    days = {at.astimezone(ZONE).date() for at in kept}
    today = now.astimezone(ZONE).date()
    assert days >= {today - timedelta(days=number) for number in range(35)}
    assert max(age) <= timedelta(days=35)
    assert len(kept) == 179


@pytest.mark.parametrize(
    ("taken", "now", "dropped"),
    [
        ([], date(2027, 1, 1), 0),
        ([MONDAY], date(2027, 1, 1), 0),  # the newest stay, however old
        ([MONDAY + number * QUARTER for number in range(NEWEST)], date(2200, 1, 1), 0),  # a clock that jumped
        ([MONDAY + number * QUARTER for number in range(NEWEST + 8)], date(2026, 11, 24), 6),
        ([MONDAY + number * QUARTER for number in range(NEWEST + 8)], date(2026, 12, 24), 7),
        ([MONDAY + number * QUARTER for number in range(NEWEST + 8)], date(2027, 1, 24), 8),
    ],
)
def test_what_is_dropped(taken: list[datetime], now: date, dropped: int) -> None:
    at = datetime(now.year, now.month, now.day, 12, tzinfo=ZONE)
    assert len(superfluous(taken, at, ZONE, 35)) == dropped
