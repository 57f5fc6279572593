"""Which rounds a day has: schedules, exceptions, pauses and the calendar put together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from domain.timetable import instant
from domain.workdays import is_working_day


class Scheduled(Protocol):
    """What a plan needs to know of a schedule."""

    @property
    def kind(self) -> str: ...
    @property
    def unit_path(self) -> str: ...
    @property
    def opens(self) -> time: ...
    @property
    def reminders(self) -> Sequence[time]: ...
    @property
    def missing_list(self) -> time | None: ...
    @property
    def closes(self) -> time: ...
    @property
    def weekdays(self) -> frozenset[str]: ...
    @property
    def on_holidays(self) -> bool: ...
    @property
    def is_off(self) -> bool: ...
    @property
    def once_on(self) -> date | None: ...
    @property
    def since_day(self) -> date: ...


class Paused(Protocol):
    @property
    def kind(self) -> str: ...
    @property
    def unit_path(self) -> str: ...
    @property
    def first_day(self) -> date: ...
    @property
    def last_day(self) -> date: ...


@dataclass(frozen=True, slots=True)
class Moment:
    """Something a round does at a time: `remind` (numbered from 1), `missing_list`, `close`."""

    what: str
    number: int
    at: datetime


def happens(
    schedule: Scheduled, day: date, pauses: Iterable[Paused], overrides: Mapping[tuple[date, str], bool]
) -> bool:
    """Whether this schedule has a round on this day. The override and pause of the nearest unit above count."""
    if schedule.is_off or day < schedule.since_day:
        return False
    if any(_pauses(pause, schedule, day) for pause in pauses):
        return False
    if schedule.once_on is not None:
        return schedule.once_on == day
    above = {path: worked for (when, path), worked in overrides.items() if when == day and _covers(path, schedule)}
    mine = {day: above[max(above, key=len)]} if above else {}
    return is_working_day(day, schedule.weekdays, mine, schedule.on_holidays)


def responsible(schedules: Sequence[Scheduled], schedule: Scheduled, unit_path: str) -> bool:
    """Whether `schedule` is the one for this unit: no other of its kind is nearer to it in the tree."""
    if not unit_path.startswith(schedule.unit_path):
        return False
    if schedule.once_on is not None:
        return True
    return not any(
        other.kind == schedule.kind
        and other.once_on is None
        and len(other.unit_path) > len(schedule.unit_path)
        and unit_path.startswith(other.unit_path)
        for other in schedules
    )


def window(schedule: Scheduled, day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """When the day's round opens and closes. A closing time before the opening is the next morning's."""
    opens, closes = instant(day, schedule.opens, zone), instant(day, schedule.closes, zone)
    return opens, closes if closes > opens else instant(day + timedelta(days=1), schedule.closes, zone)


def moments(schedule: Scheduled, day: date, zone: ZoneInfo) -> list[Moment]:
    """What the day's round does and when, in order."""
    opens, closes = window(schedule, day, zone)

    def within(at: time) -> datetime:
        moment = instant(day, at, zone)
        return moment if moment > opens else instant(day + timedelta(days=1), at, zone)

    found = [Moment("remind", number, within(at)) for number, at in enumerate(schedule.reminders, start=1)]
    if schedule.missing_list:
        found.append(Moment("missing_list", 0, within(schedule.missing_list)))
    found = [moment for moment in found if moment.at < closes]
    return sorted([*found, Moment("close", 0, closes)], key=lambda moment: moment.at)


def _pauses(pause: Paused, schedule: Scheduled, day: date) -> bool:
    return (
        pause.kind in ("", schedule.kind)
        and schedule.unit_path.startswith(pause.unit_path)
        and pause.first_day <= day <= pause.last_day
    )


def _covers(path: str, schedule: Scheduled) -> bool:
    return schedule.unit_path.startswith(path)
