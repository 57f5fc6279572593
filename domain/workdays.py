"""Which days are working days: public holidays, the Saturdays worked instead, and what the organisation says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Literal

import holidays

from domain.chat import Language

WEEKDAYS: tuple[str, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
OFFICE_WEEK = frozenset(WEEKDAYS[:5])

WORKED_INSTEAD: Mapping[date, date] = {
    date(2024, 5, 4): date(2024, 4, 29),  # 2450/VPCP-KGVX, 11 April 2024
    date(2025, 4, 26): date(2025, 5, 2),  # 6150/TB-BLDTBXH, 3 December 2024
    date(2026, 1, 10): date(2026, 1, 2),  # 12729/VPCP-KGVX, 25 December 2025
    date(2026, 8, 22): date(2026, 8, 31),  # announced with the National Day leave of 2026
}
"""Rest day worked -> working day given away for it, as the Government announced them for the public sector."""

GIVEN_AWAY: Mapping[date, date] = {given: worked for worked, given in WORKED_INSTEAD.items()}

SWAP_NAMES: Mapping[Language, str] = {"vi": "Ngày nghỉ (làm bù ngày {})", "en": "Day off (worked on {})"}

Off = Literal["weekday", "holiday", "override"]


@dataclass(frozen=True, slots=True)
class DayOff:
    """Why nothing is due on a day; `holiday` is its name when the reason is a public holiday."""

    reason: Off
    holiday: str = ""


@cache
def _public_holidays(year: int, language: Language) -> Mapping[date, str]:
    return dict(holidays.country_holidays("VN", years=year, language="en_US" if language == "en" else "vi"))


def holiday_name(day: date, language: Language = "vi") -> str | None:
    """The public holiday on this day (substitute days off included), or None."""
    if worked := GIVEN_AWAY.get(day):
        return SWAP_NAMES[language].format(f"{worked:%d/%m/%Y}")
    return _public_holidays(day.year, language).get(day)


def is_scheduled_weekday(day: date, weekdays: frozenset[str]) -> bool:
    """Whether the day, or the working day it is worked instead of, is one of `weekdays`."""
    stands_for = WORKED_INSTEAD.get(day, day)
    return WEEKDAYS[day.weekday()] in weekdays or WEEKDAYS[stands_for.weekday()] in weekdays


def why_off(
    day: date,
    weekdays: frozenset[str],
    overrides: Mapping[date, bool],
    on_holidays: bool = False,
    language: Language = "vi",
) -> DayOff | None:
    """Why `day` is not a working day of a schedule on `weekdays`, or None when it is one.

    An override (day -> is worked) wins over weekday and holiday. `on_holidays` is for those who work them.
    """
    if day in overrides:
        return None if overrides[day] else DayOff("override", holiday_name(day, language) or "")
    if not is_scheduled_weekday(day, weekdays):
        return DayOff("weekday")
    name = None if on_holidays else holiday_name(day, language)
    return DayOff("holiday", name) if name else None
