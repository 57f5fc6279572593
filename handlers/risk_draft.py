"""What a risk update looks like to whoever confirms it: the draft, its figures, what has changed and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256

import texts
from domain.chat import Button, Keyboard, Language
from domain.rules import Level
from domain.zone import Correction, Facts, Zone
from handlers.screens import Screen
from handlers.turn import House
from storage import risk_updates
from storage.database import Session
from storage.risk_updates import RiskUpdate
from summaries import zone_words, zones
from summaries.zones import UnitZone

ITEMS = (Level.VERY_HIGH.value, Level.HIGH.value, Level.MEDIUM.value)
"""What can be corrected: how many people at work are of each raised level."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A unit's update as it would be confirmed now. `same` if confirming says just what was confirmed last time."""

    update: RiskUpdate
    facts: Facts
    zone: Zone
    unit_zone: UnitZone
    before: RiskUpdate | None
    corrections: tuple[Correction, ...]
    same: bool

    @property
    def fingerprint(self) -> str:
        """Tells one draft from another, so that what is confirmed is what was read."""
        levels = [(one, self.facts.levels.get(one, 0), self.facts.present.get(one, 0)) for one in ITEMS]
        said = (levels, self.facts.missing, self.zone.value, [(one.item, one.now) for one in self.corrections])
        return sha256(repr(said).encode()).hexdigest()[:6]


async def drafts(
    session: Session,
    house: House,
    day: date,
    updates: Sequence[RiskUpdate],
    now: datetime,
    corrections: dict[int, tuple[Correction, ...]] | None = None,
) -> list[Draft]:
    """These updates as they stand now, with the corrections of those who are about to confirm."""
    trying = corrections or {}
    found = await zones.on(session, house.campaign, day, now, trying=trying)
    by_unit = {one.unit.id: one for one in found.units}
    if not updates:
        return []
    earliest = min(one.opens_at for one in updates)
    before = await risk_updates.last_confirmed(session, [one.unit_id for one in updates], earliest)
    return [
        _draft(one, by_unit[one.unit_id], before.get(one.unit_id), trying.get(one.unit_id, one.corrections))
        for one in updates
    ]


def _draft(
    update: RiskUpdate, unit_zone: UnitZone, before: RiskUpdate | None, corrections: tuple[Correction, ...]
) -> Draft:
    facts, zone = unit_zone.facts or Facts(), unit_zone.proposed or Zone.YELLOW
    same = before is not None and before.zone is zone and _risks(before.facts) == _risks(facts)
    is_fresh = before is not None and before.day == update.day  # something happened: to be looked at anew
    return Draft(update, facts, zone, unit_zone, before, corrections, same and not corrections and not is_fresh)


def _risks(facts: Facts) -> list[tuple[int, int]]:
    return [(facts.levels.get(one, 0), facts.present.get(one, 0)) for one in ITEMS]


def screen(
    house: House, language: Language, draft: Draft, now: datetime, *, heading: str = "risk.title", note: str = ""
) -> Screen:
    """Confirm in one tap, or correct: the zone, the counts, what has changed since last time, and why."""
    update = draft.update
    title = texts.text(language, heading, unit=update.unit_name, day=texts.day(language, update.day))
    deadline = "risk.deadline" if now < update.closes_at else "risk.deadline_over"
    lines = [
        *([note, ""] if note else []),
        texts.text(language, "risk.proposed", zone=zone_words.name(draft.zone, language)),
        *figures(house, language, draft),
        "",
        texts.text(language, deadline, at=texts.clock(update.closes_at, house.zone)),
    ]
    return Screen(title, "\n".join(lines), _buttons(language, draft))


def figures(house: House, language: Language, draft: Draft) -> list[str]:
    facts, found = draft.facts, draft.unit_zone.proposed_reasons
    lines = [
        texts.text(
            language,
            "zone.figures",
            answered=facts.answered,
            expected=facts.due - facts.excused,
            excused=facts.excused,
        ),
        texts.text(language, "zone.risks", risks=zone_words.risks(facts, language)),
        *(correction_line(language, one) for one in draft.corrections),
        _changes(language, draft),
    ]
    if found:
        lines += [texts.text(language, "zone.why"), *zone_words.reasons(house.campaign, found, language)]
    if draft.unit_zone.proposed_is_held:
        days = house.campaign.zones.hold_days
        zone = zone_words.name(draft.zone, language)
        lines.append(texts.text(language, "zone.held_for", zone=zone, days=days))
    return lines


def correction_line(language: Language, one: Correction) -> str:
    what = item_name(language, one.item)
    return texts.text(language, "risk.correction", what=what, was=one.was, now=one.now, reason=one.reason)


def item_name(language: Language, item: str) -> str:
    return texts.text(language, f"declaration.level_{item}")


def _changes(language: Language, draft: Draft) -> str:
    before = draft.before
    if before is None:
        return texts.text(language, "risk.first")
    if before.day == draft.update.day:
        return texts.text(language, "risk.again")
    found = [
        texts.text(language, "risk.change", what=item_name(language, one), was=was, now=now)
        for one in ITEMS
        if (was := before.facts.levels.get(one, 0)) != (now := draft.facts.levels.get(one, 0))
    ]
    if before.zone and before.zone is not draft.zone:
        signs = zone_words.SIGNS
        found.append(f"{signs[before.zone]} → {signs[draft.zone]}")
    day = f"{before.day:%d/%m}"
    if not found:
        return texts.text(language, "risk.no_changes", day=day)
    return texts.text(language, "risk.changes", day=day, changes="; ".join(found))


def _buttons(language: Language, draft: Draft) -> Keyboard:
    number, zone = draft.update.id, zone_words.name(draft.zone, language)
    key, verb = ("risk.same", "risk_same") if draft.same else ("risk.confirm", "risk_ok")
    confirm = Button(texts.text(language, key, zone=zone), f"{verb}:{number}:{draft.fingerprint}", style="success")
    return ((confirm,), (Button(texts.text(language, "risk.fix"), f"risk_fix:{number}"),))
