"""The zone of every unit, own people and rolled up over the tree, with what speaks for it: from one query per table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from domain.campaign import Campaign
from domain.zone import (
    Assessed,
    Correction,
    Facts,
    Held,
    Reason,
    Update,
    Zone,
    assess_zone,
    corrected,
    hold,
    overridden,
    worst,
)
from storage import overrides, risk_updates, unit_days, units
from storage.database import Session
from storage.overrides import Given
from storage.risk_updates import RiskUpdate
from storage.unit_days import UnitDay
from storage.units import Unit


@dataclass(slots=True)
class UnitZone:
    """How one unit stands. `own` is about its own people and None if nobody of them was due; `rolled` about all below.

    `proposed` is the zone that a confirmation of these facts would give, with its reasons; `computed` the rolled-up
    zone by the rules alone. `colours` counts the units in the subtree that have people of their own by their zone.
    """

    unit: Unit
    facts: Facts | None = None
    update: RiskUpdate | None = None
    assessed: Assessed | None = None
    held: Held | None = None
    proposed: Zone | None = None
    proposed_reasons: tuple[Reason, ...] = ()
    proposed_is_held: bool = False
    own: Zone | None = None
    override: Given | None = None
    rolled: Zone | None = None
    computed: Zone | None = None
    colours: Counter[Zone] = field(default_factory=Counter)

    @property
    def reasons(self) -> Sequence[Reason]:
        return self.assessed.reasons if self.assessed else ()

    @property
    def is_held(self) -> bool:
        """Worse than today's facts, because a better colour waits."""
        return bool(self.assessed and self.own and self.own.rank > self.assessed.zone.rank)


@dataclass(frozen=True, slots=True)
class Zones:
    """Every unit's zone on a day as known at `at`, each after its parent."""

    day: date
    at: datetime
    units: tuple[UnitZone, ...]
    rule_version: int

    def of(self, path: str) -> UnitZone | None:
        return next((one for one in self.units if one.unit.path == path), None)

    def below(self, path: str) -> list[UnitZone]:
        """Those in the subtree that have people of their own."""
        return [one for one in self.units if one.own and one.unit.path.startswith(path)]


async def on(
    session: Session,
    campaign: Campaign,
    day: date,
    now: datetime,
    *,
    as_known_at: datetime | None = None,
    trying: Mapping[int, Sequence[Correction]] | None = None,
) -> Zones:
    """The zones of a day as they are now, or as they were at a past moment of it, computed anew.

    `trying` has corrections by unit that stand in for those confirmed.
    """
    rules = campaign.zones
    if as_known_at is None:
        facts = await unit_days.facts(session, day, rules.present)
    else:
        facts = await unit_days.facts_at(session, day, rules.present, as_known_at)
    at = as_known_at or now
    updates = {one.unit_id: one for one in await risk_updates.on(session, day, as_known_at)}
    earlier = await unit_days.before(session, day, rules.looks_back)
    given = await overrides.in_force(session, day, at)
    found = {}
    for unit, history in _with_history(await units.everything(session), earlier):
        one = UnitZone(unit, facts.get(unit.id), updates.get(unit.id))
        confirmed = one.update.corrections if one.update and one.update.confirmed_at else ()
        found[unit.id] = _own(campaign, one, (trying or {}).get(unit.id, confirmed), history, day, at)
    _roll_up(found, given, day)
    shown = tuple(one for one in found.values() if one.unit.is_open or one.own)
    return Zones(day, at, shown, campaign.version)


def to_record(zones: Zones) -> list[UnitDay]:
    """What later days look back at."""
    return [
        UnitDay(
            one.unit.id,
            zones.day,
            one.facts,
            one.assessed.zone,
            one.held.zone,
            one.held.clear_days,
            one.assessed.reasons,
            zones.rule_version,
        )
        for one in zones.units
        if one.facts and one.assessed and one.held
    ]


def update_state(update: RiskUpdate | None, at: datetime) -> Update:
    if update is None:
        return "none"
    if update.confirmed_at is not None:
        return "confirmed"
    has_closed = update.closed_at is not None and update.closed_at <= at
    return "overdue" if has_closed or at >= update.closes_at else "awaited"


def _with_history(tree: Sequence[Unit], earlier: Sequence[UnitDay]) -> list[tuple[Unit, list[UnitDay]]]:
    by_unit: dict[int, list[UnitDay]] = {}
    for one in earlier:
        by_unit.setdefault(one.unit_id, []).append(one)
    return [(unit, by_unit.get(unit.id, [])) for unit in tree]


def _own(
    campaign: Campaign,
    one: UnitZone,
    corrections: Sequence[Correction],
    history: Sequence[UnitDay],
    day: date,
    at: datetime,
) -> UnitZone:
    """Assess the unit's own people, if any were due that day."""
    if one.facts is None:
        return one
    rules, present, before = campaign.zones, _present(history, day), _before(history)
    one.facts = corrected(one.facts, corrections)
    one.assessed = assess_zone(rules, one.facts, update_state(one.update, at), present)
    one.held = hold(before, one.assessed.zone, rules.hold_days)
    one.own = one.held.zone
    if_confirmed = assess_zone(rules, one.facts, "confirmed", present)
    one.proposed = hold(before, if_confirmed.zone, rules.hold_days).zone
    one.proposed_reasons = if_confirmed.reasons
    one.proposed_is_held = one.proposed.rank > if_confirmed.zone.rank
    return one


def _before(history: Sequence[UnitDay]) -> Held | None:
    return Held(history[-1].zone, history[-1].clear_days) if history else None


def _present(history: Sequence[UnitDay], day: date) -> list[tuple[int, Mapping[str, int]]]:
    return [((day - one.day).days, one.facts.present) for one in history]


def _roll_up(found: dict[int, UnitZone], given: Mapping[int, Given], day: date) -> None:
    """A unit is as its worst part; an override stands for everything it was given over. From the leaves to the root."""
    for one in sorted(found.values(), key=lambda each: -len(each.unit.path)):
        below = [each for each in found.values() if each.unit.parent_id == one.unit.id]
        one.computed = worst(zone for zone in (one.own, *(each.rolled for each in below)) if zone)
        for each in below:
            one.colours += each.colours
        override = given.get(one.unit.id)
        one.rolled = one.computed
        if override and one.computed and one.computed.rank <= override.override.computed.rank:
            one.rolled = overridden(one.computed, override.override, day)
            one.override = override
        if one.own:
            is_overridden = one.override is not None and not below
            one.colours[(one.rolled if is_overridden else None) or one.own] += 1
