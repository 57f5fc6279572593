"""A unit's zone by pure rules: the worst condition that applies, why, and how a better colour comes back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from enum import Enum
from fractions import Fraction
from typing import Literal

from domain.completion import completion
from domain.questions import Words
from domain.rules import KNOWN_LEVELS, Level


class Zone(Enum):
    """Colours rise from green to red. Pending, too little is known yet, stands above green: unknown is never green."""

    GREEN = "green"
    PENDING = "pending"
    YELLOW = "yellow"
    ORANGE = "orange"
    RED = "red"

    @property
    def rank(self) -> int:
        return tuple(Zone).index(self)


COLOURS = (Zone.GREEN, Zone.YELLOW, Zone.ORANGE, Zone.RED)
Update = Literal["none", "awaited", "overdue", "confirmed"]
"""The day's risk update: not asked for yet, asked for, not confirmed by its deadline, confirmed."""


def worst(zones: Iterable[Zone]) -> Zone | None:
    return max(zones, key=lambda zone: zone.rank, default=None)


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a unit's own people on one day.

    `due` to `missing` count asks: missing are those unanswered in rounds that have closed. `unknown` counts people who
    are due and have declared nothing that day. `levels` counts people by the highest level they declared, `present`
    those of them who are at work, or did not say where they are.
    """

    due: int = 0
    answered: int = 0
    excused: int = 0
    missing: int = 0
    unknown: int = 0
    levels: Mapping[str, int] = field(default_factory=dict)
    present: Mapping[str, int] = field(default_factory=dict)

    @property
    def declared(self) -> int:
        """How many people have declared."""
        return sum(self.levels.values())

    @property
    def completion(self) -> Fraction | None:
        """Of the rounds that have closed, and of what is answered already in those that have not."""
        return completion(self.answered + self.missing, self.answered, 0)


@dataclass(frozen=True, slots=True)
class People:
    """Holds with at least one person (or at least `share` of those who declared) of this level or a higher one.

    `at_work` counts only those at work; with `days`, also who was at work on one of so many days, today included.
    """

    level: Level
    at_work: bool = False
    days: int = 1
    share: Fraction | None = None


@dataclass(frozen=True, slots=True)
class CompletionBelow:
    share: Fraction


@dataclass(frozen=True, slots=True)
class Unconfirmed:
    """The day's risk update was not confirmed by its deadline."""


When = People | CompletionBelow | Unconfirmed


@dataclass(frozen=True, slots=True)
class Condition:
    """If `when` holds, the zone is at least `zone`. `remedy` says what would end it."""

    key: str
    zone: Zone
    reason: Words
    remedy: Words
    when: When


@dataclass(frozen=True, slots=True)
class ZoneRules:
    """Conditions, days a better colour waits, and the workplaces at which somebody counts as at work."""

    conditions: tuple[Condition, ...]
    hold_days: int
    present: frozenset[str]

    @property
    def looks_back(self) -> int:
        """How many earlier days any condition counts."""
        return max((one.when.days for one in self.conditions if isinstance(one.when, People)), default=1) - 1

    def condition(self, key: str) -> Condition | None:
        return next((one for one in self.conditions if one.key == key), None)


Why = Literal["unknown", "missing", "update"]
"""What keeps a unit from being green although no condition holds."""


@dataclass(frozen=True, slots=True)
class Reason:
    """A condition that holds (its key), or one of `Why`; `figure` is how many people or asks, or the share reached."""

    key: str
    zone: Zone
    figure: str = ""


@dataclass(frozen=True, slots=True)
class Assessed:
    """The zone that the facts of one day give by themselves, and everything that speaks for it, the worst first."""

    zone: Zone
    reasons: tuple[Reason, ...]


def assess_zone(
    rules: ZoneRules, facts: Facts, update: Update, earlier: Sequence[tuple[int, Mapping[str, int]]] = ()
) -> Assessed:
    """The worst condition that applies; green only if everybody due has declared low and the update is confirmed.

    `earlier` has the people present by level on earlier days, each with how many days ago that was.
    """
    found = [
        Reason(one.key, one.zone, figure)
        for one in rules.conditions
        if (figure := _figure(one.when, facts, update, earlier)) is not None
    ]
    found.sort(key=lambda reason: -reason.zone.rank)
    if facts.missing:
        found.append(Reason("missing", Zone.YELLOW, str(facts.missing)))
    if facts.unknown and not facts.missing:
        found.append(Reason("unknown", Zone.PENDING, str(facts.unknown)))
    if update in ("none", "awaited"):
        found.append(Reason("update", Zone.PENDING))
    zone = worst(reason.zone for reason in found) or Zone.GREEN
    return Assessed(zone, tuple(found))


def _figure(when: When, facts: Facts, update: Update, earlier: Sequence[tuple[int, Mapping[str, int]]]) -> str | None:
    """What makes the condition hold, in figures; None if it does not."""
    match when:
        case Unconfirmed():
            return "" if update == "overdue" else None
        case CompletionBelow(share):
            reached = facts.completion
            below = facts.missing and reached is not None and reached < share
            return f"{facts.answered}/{facts.answered + facts.missing}" if below else None
        case People(level, at_work, days, None):
            days_counts = [facts.present if at_work else facts.levels]
            days_counts += [counts for ago, counts in earlier if ago < days]
            number = max(at_least(level, counts) for counts in days_counts)
            return str(number) if number else None
        case People(level, at_work, _, share):
            number = at_least(level, facts.present if at_work else facts.levels)
            holds = number and Fraction(number, max(facts.declared, 1)) >= (share or 0)
            return f"{number}/{facts.declared}" if holds else None


def at_least(level: Level, counts: Mapping[str, int]) -> int:
    """How many people of this level or a higher one."""
    return sum(counts.get(one.value, 0) for one in KNOWN_LEVELS if one.rank >= level.rank)


@dataclass(frozen=True, slots=True)
class Held:
    """The zone shown after a day, and how many days in a row the facts have been better than it."""

    zone: Zone
    clear_days: int = 0


def hold(before: Held | None, raw: Zone, hold_days: int) -> Held:
    """Up at once; down one colour at a time, each after `hold_days` whole days whose facts were better.

    `before` is how the last day ended on which the unit was assessed. Where too little is known yet, the zone of that
    day is shown if it is worse than green.
    """
    if before is None or raw.rank >= before.zone.rank or before.zone is Zone.PENDING:
        return Held(raw)
    if before.clear_days < hold_days:
        return Held(before.zone, before.clear_days + 1)
    below = COLOURS[max(COLOURS.index(before.zone) - 1, 0)]
    zone = worst((below, raw)) or below
    return Held(zone, int(raw.rank < zone.rank))


@dataclass(frozen=True, slots=True)
class Correction:
    """A focal person's own figure for those at work of a level (`item`), for a reason; `was` is what was computed."""

    item: str
    was: int
    now: int
    reason: str


def corrected(facts: Facts, corrections: Sequence[Correction]) -> Facts:
    """The facts with these figures put in; what has been declared since a correction was made counts on top."""
    present, levels = dict(facts.present), dict(facts.levels)
    for one in corrections:
        computed = present.get(one.item, 0)
        figure = one.now + max(computed - one.was, 0)
        levels[one.item] = max(levels.get(one.item, 0) + figure - computed, figure)
        present[one.item] = figure
    return replace(facts, levels=levels, present=present)


@dataclass(frozen=True, slots=True)
class Override:
    """Another zone than the rules say. `computed` is what they said when it was given."""

    zone: Zone
    computed: Zone
    reason: str
    last_day: date


def overridden(zone: Zone, override: Override | None, day: date) -> Zone:
    """The zone to show: the override's, until its last day or until the rules say something worse than then."""
    if override is None or day > override.last_day or zone.rank > override.computed.rank:
        return zone
    return override.zone
