"""A schedule read back in a sentence that, typed again, means the same schedule."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import time

import texts
from domain.chat import Language
from domain.schedule_words import Hours
from domain.workdays import WEEKDAYS
from storage.schedules import Schedule


def hours_of(schedule: Schedule) -> Hours:
    return Hours(
        schedule.opens,
        schedule.reminders,
        schedule.missing_list,
        schedule.closes,
        schedule.weekdays,
        schedule.on_holidays,
    )


def sentence(language: Language, kind: str, hours: Hours) -> str:
    """`Buổi sáng: mở 07:00, nhắc 07:30, 08:15, …`, in the words that `domain.schedule_words` understands."""
    parts = [
        texts.text(language, "console.says_opens", at=_hm(hours.opens)),
        _reminders(language, hours.reminders),
        _missing_list(language, hours.missing_list),
        texts.text(language, "console.says_closes", at=_hm(hours.closes)),
    ]
    held = "console.says_holidays" if hours.on_holidays else "console.says_no_holidays"
    ends = [_weekdays(language, hours.weekdays), texts.text(language, held)]
    kind = texts.text(language, f"console.says_{kind}")
    return f"{kind}: {', '.join(parts)}; {'; '.join(ends)}"


def _reminders(language: Language, reminders: Sequence[time]) -> str:
    if not reminders:
        return texts.text(language, "console.says_no_reminder")
    return texts.text(language, "console.says_reminds", at=", ".join(map(_hm, reminders)))


def _missing_list(language: Language, at: time | None) -> str:
    if at is None:
        return texts.text(language, "console.says_no_list")
    return texts.text(language, "console.says_list", at=_hm(at))


def _weekdays(language: Language, weekdays: frozenset[str]) -> str:
    """Days in a row as from one to the other, three or more; others one by one."""
    numbers = sorted(WEEKDAYS.index(day) for day in weekdays)
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(_run(language, run) for run in runs)


def _run(language: Language, run: Sequence[int]) -> str:
    names = [texts.text(language, f"console.says_{WEEKDAYS[number]}") for number in run]
    if len(names) < 3:
        return ", ".join(names)
    return texts.text(language, "console.says_from_to", first=names[0], last=names[-1])


def _hm(at: time) -> str:
    return f"{at:%H:%M}"
