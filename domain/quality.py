"""Signs that a unit's data may not say how things are. They name nobody, and nothing else is computed from them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import Literal

LOOK_BACK_DAYS = 21
FEWEST_PEOPLE = 5
"""Units with fewer are never shown singly: what is said of two people is said of each."""
INSTANT_DAYS, INSTANT_SHARE = 5, Fraction(1, 10)
"""Answers within a second of the question's arrival: on so many days, and so large a part of all."""
FEWEST_MEASURED = 10
UNVARIED_DAYS = 10
"""Working days with declarations that must be alike before three weeks are called unvaried."""
FEWEST_CONTROLS = 5


@dataclass(slots=True)
class UnitData:
    """What was declared in one unit, or in several together, as counts.

    `measured` and `declared` hold the smallest and the largest of what was said, which are one where all is alike.
    """

    people: int = 0
    timed: int = 0
    instant: int = 0
    absent: int = 0
    days: set[date] = field(default_factory=set)
    instant_days: set[date] = field(default_factory=set)
    measurements: int = 0
    measured: set[str] = field(default_factory=set)
    declared: set[str] = field(default_factory=set)
    right: int = 0
    wrong: int = 0

    def take_in(self, other: UnitData) -> None:
        self.people += other.people
        self.timed += other.timed
        self.instant += other.instant
        self.absent += other.absent
        self.days |= other.days
        self.instant_days |= other.instant_days
        self.measurements += other.measurements
        self.measured |= other.measured
        self.declared |= other.declared
        self.right += other.right
        self.wrong += other.wrong


def together(units: Collection[UnitData]) -> UnitData | None:
    """Small units as one; None while even together they are too few to be shown."""
    joined = UnitData()
    for one in units:
        joined.take_in(one)
    return joined if joined.people >= FEWEST_PEOPLE else None


Sign = Literal["instant", "temperature", "unvaried", "control"]


def signs(data: UnitData) -> list[Sign]:
    """What is worth a conversation with the unit."""
    answered = data.right + data.wrong
    found: dict[Sign, bool] = {
        "instant": len(data.instant_days) >= INSTANT_DAYS and data.instant >= data.timed * INSTANT_SHARE,
        "temperature": data.measurements >= FEWEST_MEASURED and len(data.measured) == 1,
        "unvaried": len(data.days) >= UNVARIED_DAYS and len(data.declared) == 1 and not data.absent,
        "control": answered >= FEWEST_CONTROLS and data.right * 2 < answered,
    }
    return [sign for sign, is_there in found.items() if is_there]
