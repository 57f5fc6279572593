"""Hours and days: a wall clock in a zone made an instant, an instant made a day, and the words of a schedule read."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from domain.names import folded
from domain.workdays import OFFICE_WEEK, WEEKDAYS

_TIME = re.compile(r"(\d{1,2})(?::(\d{2})(?::00)?| ?(?:h|g|gio) ?(\d{2})?(?: ?(?:p|phut))?)")
_VIETNAMESE_DAY = re.compile(r"(?:thu|t) ?([2-7]|hai|ba|tu|nam|sau|bay)|(chu nhat|cn)")
_VIETNAMESE = {"hai": 2, "ba": 3, "tu": 4, "nam": 5, "sau": 6, "bay": 7}
_ENGLISH_DAY = re.compile(r"(mon|tue|wed|thu|fri|sat|sun)(?:day|s|sday|nesday|rs|rsday|urday)?s?")
_RANGE = re.compile(r" *(?:-|–|\.\.|\bden\b|\btoi\b|\bto\b|\buntil\b|\bthrough\b) *")
_LIST = re.compile(r" *(?:[,;+&/]|\bva\b|\band\b) *")
_WHOLE = {
    "every day": frozenset(WEEKDAYS), "daily": frozenset(WEEKDAYS), "all": frozenset(WEEKDAYS),
    "hang ngay": frozenset(WEEKDAYS), "moi ngay": frozenset(WEEKDAYS), "ca tuan": frozenset(WEEKDAYS),
    "weekdays": OFFICE_WEEK, "working days": OFFICE_WEEK, "ngay lam viec": OFFICE_WEEK,
    "weekend": frozenset(WEEKDAYS[5:]), "weekends": frozenset(WEEKDAYS[5:]), "cuoi tuan": frozenset(WEEKDAYS[5:]),
}  # fmt: skip


def instant(day: date, at: time, zone: ZoneInfo) -> datetime:
    """The UTC instant at which a clock in `zone` shows `at` on `day`.

    An hour that summer time skips is taken as long after midnight as if nothing were skipped (02:30 rings at 03:30);
    an hour that comes twice is its first coming.
    """
    return datetime.combine(day, at.replace(fold=0, tzinfo=None), zone).astimezone(UTC)


def local_day(now: datetime, zone: ZoneInfo) -> date:
    """The date on a wall calendar in `zone` at `now`, which must be aware."""
    return _local(now, zone).date()


def local_time(now: datetime, zone: ZoneInfo) -> time:
    """What a wall clock in `zone` shows at `now`, to the second."""
    return _local(now, zone).time().replace(microsecond=0, fold=0)


def _local(now: datetime, zone: ZoneInfo) -> datetime:
    if now.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    return now.astimezone(zone)


def parse_time(words: str) -> time | None:
    """`07:00`, `7h`, `7h30`, `7 giờ 30`; None for anything else."""
    match = _TIME.fullmatch(folded(words))
    if match is None:
        return None
    hour, minute = int(match[1]), int(match[2] or match[3] or 0)
    return time(hour, minute) if hour < 24 and minute < 60 else None


def parse_weekdays(words: str) -> frozenset[str] | None:
    """`mon-fri`, `mon,wed`, `thứ 2 đến thứ 6`, `T2-T6, CN`, `daily`; None for anything else.

    Names come back as in `WEEKDAYS`. Bare numbers are refused: Monday is 2 here, 1 there and 0 elsewhere.
    """
    text = folded(words)
    if text in _WHOLE:
        return _WHOLE[text]
    days: set[str] = set()
    vietnamese = False
    for part in _LIST.split(re.sub(r"^(from|tu(?= (?:thu|t\d|cn|chu)))\s+", "", text)):
        ends = [_weekday(end, vietnamese) for end in _RANGE.split(part)]
        vietnamese = vietnamese or _VIETNAMESE_DAY.match(part) is not None
        if len(ends) == 2 and ends[1] is None:
            ends[1] = _weekday(_RANGE.split(part)[1], vietnamese)
        if len(ends) > 2 or None in ends:
            return None
        first, last = [end for end in (ends[0], ends[-1]) if end is not None]
        days.update(WEEKDAYS[(first + step) % 7] for step in range((last - first) % 7 + 1))
    return frozenset(days)


def _weekday(word: str, vietnamese: bool) -> int | None:
    """Monday is 0. After one `thứ`, a bare 2 to 7 counts on: `thứ 2, 4, 6`."""
    if match := _ENGLISH_DAY.fullmatch(word):
        return WEEKDAYS.index(match[1])
    if vietnamese and re.fullmatch("[2-7]", word):
        return int(word) - 2
    if match := _VIETNAMESE_DAY.fullmatch(word):
        return 6 if match[2] else (_VIETNAMESE.get(match[1]) or int(match[1])) - 2
    return None
