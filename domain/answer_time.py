"""How soon people answer: percentiles of the minutes since the prompt, and a better hour if the data show one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import time

FEWEST = 5
"""Answers, and people, below which no percentile is given: it would tell when somebody in particular answered."""
DAYS_FOR_ADVICE = 10
LATE_HALF = 60
"""Minutes: more than half of the answers come later than that where the prompt comes too early."""
ONE_HOUR = 60
"""Minutes: within so many the middle half must lie, so that there is one good hour and not several."""
EARLIEST = time(6)
_STEP = 5


@dataclass(frozen=True, slots=True)
class Spread:
    """After how many minutes 25, 50, 75 and 95 in a hundred of the answers were there."""

    p25: float
    p50: float
    p75: float
    p95: float


def spread(minutes: Sequence[float]) -> Spread | None:
    """The percentiles, or None where there are too few answers for any."""
    if len(minutes) < FEWEST:
        return None
    ordered = sorted(minutes)
    return Spread(*(percentile(ordered, percent) for percent in (25, 50, 75, 95)))


def percentile(ordered: Sequence[float], percent: int) -> float:
    """The value up to which so many in a hundred lie; between two values in proportion."""
    place, part = divmod(percent * (len(ordered) - 1), 100)
    if part == 0:
        return ordered[place]
    return (ordered[place] * (100 - part) + ordered[place + 1] * part) / 100


def better_prompt(prompt: time, minutes: Sequence[float], days: int) -> time | None:
    """When to ask instead; None where the data are no reason to change anything.

    They are one if they cover at least ten working days, more than half of the answers come more than an hour after
    the prompt, and the middle half of them lies within one hour. Then it is the 25th percentile, rounded down to five
    minutes, and never before 06:00. It is a suggestion: only an administrator changes a schedule.
    """
    found = spread(minutes)
    if found is None or days < DAYS_FOR_ADVICE or found.p50 <= LATE_HALF or found.p75 - found.p25 > ONE_HOUR:
        return None
    exact = prompt.hour * 60 + prompt.minute + int(found.p25)
    at = max(exact - exact % _STEP, EARLIEST.hour * 60)
    better = time(at // 60, at % 60) if at < 24 * 60 else prompt
    return better if better > prompt else None
