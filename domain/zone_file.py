"""Reads and checks `zones.toml`: what sets a unit's zone, and the columns of the file for the national map."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from domain.questions import Question, Words
from domain.rules import KNOWN_LEVELS, Level
from domain.toml_reader import Section
from domain.zone import COLOURS, CompletionBelow, Condition, People, Unconfirmed, When, Zone, ZoneRules

_LONGEST_REASON, _LONGEST_TITLE = 200, 60
_MOST_DAYS = 60
MAP_FIELDS = (
    "day",
    "unit_code",
    "unit_name",
    "zone",
    "due",
    "answered",
    "excused",
    "missing",
    "low",
    "medium",
    "high",
    "very_high",
    "corrections",
    "confirmed_by",
    "confirmed_at",
    "late",
    "entered_by",
    "entered_at",
)
"""What a column of the map file can show; `low` to `very_high` count people."""


@dataclass(frozen=True, slots=True)
class MapColumn:
    field: str
    title: Words


@dataclass(frozen=True, slots=True)
class ZoneFile:
    rules: ZoneRules
    map_columns: tuple[MapColumn, ...]


def read_zones(file: Section, workplace: Question | None) -> ZoneFile:
    """Workplaces may be only those that the campaign asks for; None when that could not be read."""
    known = [option.key for option in workplace.options] if workplace else None
    present = file.some_of("present", known) if known else file.texts("present", 40)
    hold_days = file.whole("hold_days", 0, _MOST_DAYS)
    conditions: list[Condition] = []
    for section in file.sections("conditions", 1):
        condition = _condition(section)
        if condition.key in {"unknown", "missing", "update", *(each.key for each in conditions if each.key)}:
            section.fault("key", f'expected a key of its own, "{condition.key}" is taken')
        conditions.append(condition)
    columns = tuple(_column(section) for section in file.sections("map_columns", 1))
    file.finish()
    return ZoneFile(ZoneRules(tuple(conditions), hold_days, frozenset(present)), columns)


def _condition(section: Section) -> Condition:
    key = section.name("key")
    zone = Zone(section.one_of("zone", [colour.value for colour in COLOURS[1:]]))
    reason, remedy = section.words("reason", _LONGEST_REASON), section.words("remedy", _LONGEST_REASON)
    when = section.section("when", "a table with level, completion_below or unconfirmed")
    found = _when(when) if when else Unconfirmed()
    section.finish()
    return Condition(key, zone, reason, remedy, found)


def _when(section: Section) -> When:
    kinds = [name for name in ("level", "completion_below", "unconfirmed") if section.has(name)]
    found: When = Unconfirmed()
    if kinds == ["level"]:
        found = _people(section)
    elif kinds == ["completion_below"]:
        found = CompletionBelow(_share(section, "completion_below"))
    elif kinds != ["unconfirmed"] or not section.flag("unconfirmed"):
        section.fault("", "expected just one of level, completion_below, unconfirmed = true")
    section.finish()
    return found


def _people(section: Section) -> People:
    level = Level(section.one_of("level", [level.value for level in KNOWN_LEVELS[1:]]))
    at_work = section.flag("at_work", default=False)
    days = section.whole("days", 1, _MOST_DAYS) if section.has("days") else 1
    share = _share(section, "share") if section.has("share") else None
    if days > 1 and (not at_work or share is not None):
        section.fault("days", "expected at_work = true and no share: only who was at work is looked back at")
    return People(level, at_work, days, share)


def _share(section: Section, name: str) -> Fraction:
    value = section.number(name)
    if not 0 < value <= 1:
        section.fault(name, f"expected a share between 0 and 1, found {value:g}")
    return Fraction(str(value))


def _column(section: Section) -> MapColumn:
    column = MapColumn(section.one_of("field", MAP_FIELDS), section.words("title", _LONGEST_TITLE))
    section.finish()
    return column
