"""Days as people write them: found in a sentence, short for a span, compact for a button."""

from __future__ import annotations

import re
from datetime import date

_DAY = re.compile(r"(?<![\d/.\-])(\d{1,2})[/.\-](\d{1,2})(?:[/.\-](\d{4}|\d{2}))?(?![/.\-]?\d)")


def day_in(text: str, first: date, last: date) -> date | None:
    """The day that the text names, if it lies between these; without a year, the earliest such one that does."""
    found = _DAY.search(text)
    if found is None:
        return None
    year = int(found[3]) + (2000 if len(found[3]) == 2 else 0) if found[3] else None
    years = [year] if year else range(first.year, last.year + 1)
    days = [_day(one, int(found[2]), int(found[1])) for one in years]
    return next((day for day in days if day and first <= day <= last), None)


def without_day(text: str) -> str:
    """The rest of the text."""
    return " ".join(_DAY.sub(" ", text, count=1).split())


def span(first: date, last: date) -> str:
    return f"{first:%d/%m}" if first == last else f"{first:%d/%m} – {last:%d/%m}"


def compact(day: date) -> str:
    """`20261123`, for a button."""
    return f"{day:%Y%m%d}"


def from_compact(digits: str) -> date:
    return date(int(digits[:4]), int(digits[4:6]), int(digits[6:8]))


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
