"""Wall clocks, summer time, and the words people write a schedule in."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.timetable import instant, local_day, local_time, parse_time, parse_weekdays
from domain.workdays import OFFICE_WEEK, WEEKDAYS

HANOI = ZoneInfo("Asia/Ho_Chi_Minh")
ZONES = [HANOI, *map(ZoneInfo, ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca"))]


def utc(words: str) -> datetime:
    return datetime.fromisoformat(words).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("day", "at", "zone", "expected"),
    [
        ("2026-03-02", "07:00", "Asia/Ho_Chi_Minh", "2026-03-02T00:00"),
        ("2026-03-02", "06:59", "Asia/Ho_Chi_Minh", "2026-03-01T23:59"),
        ("2026-03-29", "02:30", "Europe/Berlin", "2026-03-29T01:30"),  # skipped: rings at 03:30
        ("2026-10-25", "02:30", "Europe/Berlin", "2026-10-25T00:30"),  # comes twice: the first
        ("2026-10-25", "03:00", "Europe/Berlin", "2026-10-25T02:00"),
    ],
)
def test_a_wall_clock_becomes_an_instant(day: str, at: str, zone: str, expected: str) -> None:
    assert instant(date.fromisoformat(day), time.fromisoformat(at), ZoneInfo(zone)) == utc(expected)


@given(
    day=st.dates(date(1990, 1, 1), date(2037, 12, 31)),
    at=st.times(),
    zone=st.sampled_from(ZONES),
)
def test_an_instant_falls_on_its_own_day_and_hour(day: date, at: time, zone: ZoneInfo) -> None:
    moment = instant(day, at, zone)
    assert moment.tzinfo is UTC
    shown = moment.astimezone(zone).replace(tzinfo=None)
    assert timedelta(0) <= shown - datetime.combine(day, at) <= timedelta(hours=1)
    assert local_day(moment, zone) in (day, day + timedelta(days=1))


@given(day=st.dates(date(1990, 1, 1), date(2037, 12, 31)), at=st.times())
def test_without_summer_time_day_and_hour_come_back(day: date, at: time) -> None:
    moment = instant(day, at, HANOI)
    assert (local_day(moment, HANOI), local_time(moment, HANOI)) == (day, at.replace(microsecond=0))


def test_an_instant_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        local_day(datetime.fromisoformat("2026-03-02T07:00"), HANOI)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("07:00", time(7)), ("7:05", time(7, 5)), ("7h", time(7)), ("7h30", time(7, 30)), ("7H30", time(7, 30)),
        ("7 giờ", time(7)), ("7 giờ 30", time(7, 30)), ("7 giờ 30 phút", time(7, 30)), ("16g30", time(16, 30)),
        ("07:00:00", time(7)), (" 23:59 ", time(23, 59)), ("0h", time(0)),
        ("24:00", None), ("7:60", None), ("7h3", None), ("7", None), ("0700", None), ("", None), ("sáng", None),
    ],
)  # fmt: skip
def test_times(words: str, expected: time | None) -> None:
    assert parse_time(words) == expected


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("mon-fri", OFFICE_WEEK), ("Mon - Fri", OFFICE_WEEK), ("monday to friday", OFFICE_WEEK),
        ("thứ 2 đến thứ 6", OFFICE_WEEK), ("từ thứ hai đến thứ sáu", OFFICE_WEEK), ("T2-T6", OFFICE_WEEK),
        ("thứ 2-6", OFFICE_WEEK), ("weekdays", OFFICE_WEEK), ("ngày làm việc", OFFICE_WEEK),
        ("mon,wed", {"mon", "wed"}), ("thứ 2, 4, 6", {"mon", "wed", "fri"}), ("thứ tư và chủ nhật", {"wed", "sun"}),
        ("thu 4", {"wed"}), ("thu", {"thu"}), ("thứ tư", {"wed"}), ("sat-mon", {"sat", "sun", "mon"}),
        ("T2-T6, CN", OFFICE_WEEK | {"sun"}), ("Tuesdays and Thursdays", {"tue", "thu"}), ("Saturday", {"sat"}),
        ("hằng ngày", set(WEEKDAYS)), ("daily", set(WEEKDAYS)), ("cuối tuần", {"sat", "sun"}),
        ("1-5", None), ("2-6", None), ("0", None), ("", None), ("mon-", None), ("mon-wed-fri", None), ("thứ 8", None),
        ("xyz", None), ("mon,,tue", None),
    ],
)  # fmt: skip
def test_weekdays(words: str, expected: set[str] | None) -> None:
    assert parse_weekdays(words) == expected


@given(st.text(max_size=30))
def test_any_words_are_read_or_refused(words: str) -> None:
    assert parse_time(words) is None or isinstance(parse_time(words), time)
    days = parse_weekdays(words)
    assert days is None or (days and days <= set(WEEKDAYS))
