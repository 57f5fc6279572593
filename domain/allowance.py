"""How much and when a person is written to without having asked: so many messages a day, and none at night."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from domain.timetable import instant, local_day, local_time, parse_time

KEPT = {"prompt": 2, "risk": 1, "missing_list": 1}
"""Of a day's messages, for what the organisation's day stands on: what must be answered, and who has not answered."""
STALE_TOMORROW = frozenset(KEPT) | {"reminder", "risk_reminder"}
"""What is of no use on another day."""


@dataclass(frozen=True, slots=True)
class Quiet:
    """Hours of the night, such as from 20:00 to 06:00; from a time to the same time is no hours at all."""

    since: time
    until: time


USUAL_QUIET = Quiet(time(20), time(6))


@dataclass(frozen=True, slots=True)
class Allowance:
    """What holds for everybody in one place. Days and hours are those of a wall clock in `zone`."""

    zone: ZoneInfo
    per_day: int
    quiet: Quiet

    def quiet_until(self, now: datetime) -> datetime | None:
        """When the night is over, if it is night now."""
        since, until = self.quiet.since, self.quiet.until
        at, today = local_time(now, self.zone), local_day(now, self.zone)
        if since < until:
            is_quiet, ends_on = since <= at < until, today
        else:
            is_quiet, ends_on = since != until and not until <= at < since, today + timedelta(days=at >= since)
        return instant(ends_on, until, self.zone) if is_quiet else None

    def day_began(self, now: datetime) -> datetime:
        return instant(local_day(now, self.zone), time(0), self.zone)

    def next_day(self, now: datetime) -> datetime:
        """When a new day's messages may be sent."""
        began = instant(local_day(now, self.zone) + timedelta(days=1), time(0), self.zone)
        return self.quiet_until(began) or began

    def permits(self, kind: str, had: Collection[str]) -> bool:
        """Whether a person who had messages of these kinds today may be sent one more of this kind.

        What must be answered has its own room, which nothing else takes up.
        """
        counts = Counter(had)
        own_room = counts[kind] < KEPT.get(kind, 0)
        kept = sum(max(0, number - counts[one]) for one, number in KEPT.items() if not (own_room and one == kind))
        return len(had) + kept < self.per_day


def parse_quiet(words: str) -> Quiet | None:
    """`20:00-06:00`; None for anything else."""
    since, _, until = words.partition("-")
    first, last = parse_time(since.strip()), parse_time(until.strip())
    return Quiet(first, last) if first and last else None
