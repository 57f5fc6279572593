"""Zones in words: a unit's colour and why, the table of all units, and what would turn a unit green."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from zoneinfo import ZoneInfo

import texts
from domain.campaign import Campaign
from domain.chat import Language
from domain.rules import KNOWN_LEVELS, Level
from domain.zone import COLOURS, Facts, Reason, Zone
from summaries.message import MOST_TEXT, Words, fitting
from summaries.zones import UnitZone, Zones

SIGNS = {Zone.GREEN: "🟢", Zone.PENDING: "⚪", Zone.YELLOW: "🟡", Zone.ORANGE: "🟠", Zone.RED: "🔴"}
RISKS = tuple(level for level in KNOWN_LEVELS if level is not Level.LOW)


def name(zone: Zone, language: Language) -> str:
    """`🟢 Vùng xanh`."""
    return f"{SIGNS[zone]} {texts.text(language, f'zone.{zone.value}')}"


def reason(campaign: Campaign, one: Reason, language: Language) -> str:
    """One thing that speaks for a zone, with its figure."""
    condition = campaign.zones.condition(one.key)
    words = condition.reason[language] if condition else texts.text(language, f"zone.why_{one.key}")
    return f"{SIGNS[one.zone]} {words}" + (f": {one.figure}" if one.figure else "")


def reasons(campaign: Campaign, found: Sequence[Reason], language: Language) -> list[str]:
    return [f"• {reason(campaign, one, language)}" for one in found]


def colours(zone: UnitZone) -> str:
    """How many units of a subtree are in each zone: `🟢 40 · 🟡 10`."""
    order = (*COLOURS, Zone.PENDING)
    return " · ".join(f"{SIGNS[one]} {zone.colours[one]}" for one in order if zone.colours[one])


def risks(facts: Facts, language: Language) -> str:
    """How many people are at a raised risk, of each level."""
    found = [
        f"{texts.text(language, f'declaration.level_{level.value}')} {number}"
        for level in RISKS
        if (number := facts.levels.get(level.value, 0))
    ]
    return "; ".join(found) or texts.text(language, "zone.no_risks")


def line(zone: UnitZone, language: Language) -> str:
    """The zone in one line, for boards and summaries; with more than one unit below, how many are in each."""
    if zone.rolled is None:
        return ""
    shown = texts.text(language, "zone.line", zone=name(zone.rolled, language))
    if zone.override:
        shown = texts.text(language, "zone.line_override", zone=name(zone.rolled, language))
    return f"{shown} ({colours(zone)})" if zone.colours.total() > 1 else shown


def explained(campaign: Campaign, zones: Zones, of: UnitZone, language: Language, zone: ZoneInfo) -> Words:
    """Why a unit has its zone: the facts in counts, the rules' version, what would turn it green."""
    title = texts.text(language, "zone.title", unit=of.unit.name, day=texts.day(language, zones.day))
    if of.rolled is None:
        return Words(title, texts.text(language, "zone.nobody"))
    lines = [line(of, language)]
    if of.override:
        given = of.override
        lines.append(
            texts.text(
                language,
                "zone.override",
                who=given.given_by,
                reason=given.override.reason,
                computed=name(of.computed or of.rolled, language),
                last=f"{given.override.last_day:%d/%m}",
            )
        )
    lines += ["", *_own_lines(campaign, of, language)]
    lines += _units_below(zones, of, language, MOST_TEXT - sum(map(len, lines)))
    lines += ["", texts.text(language, "zone.as_of", at=texts.clock(zones.at, zone), version=zones.rule_version)]
    return Words(title, "\n".join(lines).strip())


def _own_lines(campaign: Campaign, of: UnitZone, language: Language) -> list[str]:
    if of.facts is None or of.own is None:
        return []
    lines = [_figures(of.facts, language), texts.text(language, "zone.risks", risks=risks(of.facts, language))]
    if of.reasons:
        lines += [texts.text(language, "zone.why"), *reasons(campaign, of.reasons, language)]
    if of.is_held and of.held:
        rest = campaign.zones.hold_days - of.held.clear_days + 1
        lines.append(texts.text(language, "zone.held", zone=name(of.own, language), days=max(rest, 1)))
    if of.own is not Zone.GREEN:
        lines += ["", texts.text(language, "zone.remedy"), *_remedies(campaign, of, language)]
    return lines


def _figures(facts: Facts, language: Language) -> str:
    return texts.text(
        language,
        "zone.figures",
        answered=facts.answered,
        expected=facts.due - facts.excused,
        excused=facts.excused,
    )


def _remedies(campaign: Campaign, of: UnitZone, language: Language) -> list[str]:
    """What has to come about, each once."""
    found = []
    for one in of.reasons:
        condition = campaign.zones.condition(one.key)
        found.append(condition.remedy[language] if condition else texts.text(language, f"zone.remedy_{one.key}"))
    if of.is_held:
        found.append(texts.text(language, "zone.remedy_held", days=campaign.zones.hold_days))
    return [f"• {one}" for one in dict.fromkeys(found)]


def _units_below(zones: Zones, of: UnitZone, language: Language, room: int) -> list[str]:
    below = [one for one in zones.below(of.unit.path) if one.unit.id != of.unit.id and one.own]
    if not below:
        return []
    below.sort(key=lambda one: -(one.own or Zone.GREEN).rank)
    lines = [f"{SIGNS[one.rolled or Zone.PENDING]} {one.unit.name}" for one in below]
    shown = fitting(lines, room - 100)
    more = len(lines) - len(shown)
    rest = [texts.text(language, "summary.units_more", n=more)] if more else []
    return ["", texts.text(language, "summary.units_heading"), *shown, *rest]


def table(
    campaign: Campaign,
    zones: Zones,
    of: UnitZone,
    vacancies: Mapping[int, str],
    language: Language,
    zone: ZoneInfo,
) -> Words:
    """How all units below stand at the deadline of the risk update, and who is late. `vacancies`: why, by unit."""
    asked = [one for one in zones.below(of.unit.path) if one.update]
    title = texts.text(language, "risk.table_title", unit=of.unit.name, day=texts.day(language, zones.day))
    done = [one for one in asked if one.update and one.update.confirmed_at]
    waiting = [one for one in asked if one.update and not one.update.confirmed_at]
    late = [one for one in done if one.update and one.update.late]
    lines = [colours(of), texts.text(language, "risk.table_confirmed", done=len(done), of=len(asked))]
    if waiting:
        lines += ["", texts.text(language, "risk.table_waiting", n=len(waiting))]
        lines += [f"• {one.unit.name}: {_vacancy(vacancies.get(one.unit.id, ''), language)}" for one in waiting]
    if late:
        lines += ["", texts.text(language, "risk.table_late", n=len(late))]
        for one in late:
            at = one.update.confirmed_at if one.update else None
            lines.append(f"• {one.unit.name}: {texts.clock(at, zone) if at else ''}")
    worse = [one for one in asked if one.own and one.own is not Zone.GREEN and one.reasons]
    worse.sort(key=lambda one: -(one.own or Zone.GREEN).rank)
    if worse:
        lines += ["", texts.text(language, "risk.table_worse")]
        lines += [f"• {one.unit.name} – {_first_reason(campaign, one, language)}" for one in worse]
    lines.append("")
    as_of = texts.text(language, "summary.as_of", at=texts.clock(zones.at, zone))
    shown = fitting(lines, MOST_TEXT)
    more = [] if len(shown) == len(lines) else [texts.text(language, "risk.table_more")]
    return Words(title, "\n".join([*shown, *more, as_of]).strip())


def _first_reason(campaign: Campaign, one: UnitZone, language: Language) -> str:
    if one.is_held and one.own:
        return f"{SIGNS[one.own]} {texts.text(language, 'zone.why_held')}"
    return reason(campaign, one.reasons[0], language)


def _vacancy(why: str, language: Language) -> str:
    return texts.text(language, f"risk.waiting_{why or 'silent'}")
