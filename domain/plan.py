"""When a day's round opens, reminds, lists the missing and closes; and what a plan is made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from domain.timetable import instant


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
