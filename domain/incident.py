"""Something abnormal, reported at once: who is told of it, how it climbs while nobody answers, how it ends."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.names import folded
from domain.policy import Role
from domain.questions import Words
from domain.rules import Level

HEALTH = "health"
"""The kind of an alarm that a declaration raised; nobody chooses it."""
SERIOUS = (Level.HIGH, Level.VERY_HIGH)
"""Levels of a declaration that raise such an alarm."""
OUTCOMES = ("handled", "handed_over", "watched", "mistaken")
CLIMBS_AFTER = (timedelta(minutes=10), timedelta(minutes=20))
MOST_TEXT = 500
MOST_NAMED = 10
"""People named one by one; a larger group is reported by its number."""

_COUNT = re.compile(r"(?:khoang |about )?([0-9]{1,4}) ?(?:nguoi|ca|can bo|people|persons?|cases?)?")


@dataclass(frozen=True, slots=True)
class IncidentKind:
    """What may be reported, as a campaign words it."""

    key: str
    label: Words


def height(reported_at: datetime, now: datetime) -> int:
    """How often an incident that nobody has acknowledged has climbed by now; an outage does not slow it down."""
    return sum(reported_at + after <= now for after in CLIMBS_AFTER)


def climbs_at(reported_at: datetime, climbed: int) -> datetime | None:
    """When it climbs next; None once it has reached the committee."""
    return reported_at + CLIMBS_AFTER[climbed] if climbed < len(CLIMBS_AFTER) else None


def told_after(role: Role, post_path: str, unit_path: str) -> int:
    """How often an incident in `unit_path` has climbed when the holder of this post over it is told.

    At once its own focal persons and every head; then the focal persons above; at last the committee.
    """
    if role is Role.HEAD:
        return 0
    if role is Role.FOCAL:
        return 0 if post_path == unit_path else 1
    return len(CLIMBS_AFTER)


def count_in(typed: str) -> int | None:
    """The number of people in `3`, `3 người` or `khoảng 12 ca`; None if it is not just a number."""
    found = _COUNT.fullmatch(folded(typed))
    return int(found[1]) or None if found else None
