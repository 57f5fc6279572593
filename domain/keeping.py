"""Which backups are kept: every recent one, then the first of each hour, then the first of each day."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

NEWEST = 100
"""Never dropped, about a day of them: a clock that jumps ahead must not cost what there is."""
HOURLY = timedelta(days=3)


def superfluous(taken: Iterable[datetime], now: datetime, zone: ZoneInfo, days: int) -> set[datetime]:
    """Those that nobody needs any more, of backups begun at these instants; `days` is how long the last are kept.

    The first of an hour and of a day is what stays, so that pruning again and again keeps the same ones.
    """
    found = sorted(set(taken))
    older = found[:-NEWEST]
    hourly = _firsts(found, lambda at: at.replace(minute=0, second=0, microsecond=0))
    daily = _firsts(found, lambda at: at.astimezone(zone).date())
    kept = {at for at in hourly if now - at <= HOURLY} | {at for at in daily if now - at <= timedelta(days=days)}
    return set(older) - kept


def _firsts(instants: Iterable[datetime], period: Callable[[datetime], datetime | date]) -> set[datetime]:
    first: dict[datetime | date, datetime] = {}
    for at in instants:
        first.setdefault(period(at), at)
    return set(first.values())
