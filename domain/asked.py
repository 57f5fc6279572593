"""Who is asked on a day and who is not and why: schedules, exceptions, pauses and the calendar, unit by unit."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Generic, Literal, TypeVar

from domain.chat import Language
from domain.plan import Paused, Scheduled
from domain.workdays import why_off

AnySchedule = TypeVar("AnySchedule", bound=Scheduled)
Off = Literal["no_schedule", "off", "not_yet", "paused", "weekday", "holiday", "override"]


@dataclass(frozen=True, slots=True)
class NotAsked:
    """Why; `holiday` is its name when that is the reason."""

    why: Off
    holiday: str = ""


@dataclass(frozen=True, slots=True)
class Plans(Generic[AnySchedule]):
    """Everything that decides whether a unit is asked on a day. `overrides`: day and unit path -> is worked."""

    schedules: Sequence[AnySchedule]
    pauses: Sequence[Paused]
    overrides: Mapping[tuple[date, str], bool]

    def nearest(self, kind: str, unit_path: str, day: date) -> AnySchedule | None:
        """The regular schedule that counts for this unit on this day: one set for tomorrow does not count today."""
        mine = [
            one
            for one in self.schedules
            if one.kind == kind and one.once_on is None and one.since_day <= day and unit_path.startswith(one.unit_path)
        ]
        return max(mine, key=lambda one: len(one.unit_path), default=None)

    def why_not(self, schedule: AnySchedule, unit_path: str, day: date, language: Language = "vi") -> NotAsked | None:
        """Why this unit is not asked by this schedule on this day, or None if it is. What is nearest to it counts."""
        if schedule.is_off:
            return NotAsked("off")
        if day < schedule.since_day or schedule.once_on not in (None, day):
            return NotAsked("not_yet")
        if self.is_paused(schedule.kind, unit_path, day):
            return NotAsked("paused")
        if schedule.once_on is not None:
            return None
        above = {path: is_worked for (when, path), is_worked in self.overrides.items() if when == day}
        nearest = max((path for path in above if unit_path.startswith(path)), key=len, default=None)
        mine = {} if nearest is None else {day: above[nearest]}
        off = why_off(day, schedule.weekdays, mine, schedule.on_holidays, language)
        return NotAsked(off.reason, off.holiday) if off else None

    def is_paused(self, kind: str, unit_path: str, day: date) -> bool:
        return any(
            pause.kind in ("", kind)
            and unit_path.startswith(pause.unit_path)
            and pause.first_day <= day <= pause.last_day
            for pause in self.pauses
        )

    def is_asked(self, schedule: AnySchedule, unit_path: str, day: date) -> bool:
        """Whether the people of this very unit are asked by this schedule on this day."""
        if not unit_path.startswith(schedule.unit_path) or self.why_not(schedule, unit_path, day):
            return False
        return schedule.once_on is not None or self.nearest(schedule.kind, unit_path, day) == schedule

    def has_round(self, schedule: AnySchedule, day: date, unit_paths: Collection[str]) -> bool:
        """Whether anybody in these units is asked by this schedule on this day."""
        if self._is_plain(day):
            return self.why_not(schedule, schedule.unit_path, day) is None
        return any(self.is_asked(schedule, path, day) for path in unit_paths)

    def _is_plain(self, day: date) -> bool:
        """No pause and no override touches the day, so all units of a schedule fare alike."""
        paused = any(pause.first_day <= day <= pause.last_day for pause in self.pauses)
        return not paused and not any(when == day for when, _ in self.overrides)
