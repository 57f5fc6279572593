"""The file for the national map: one line for each unit and day, in the columns that the campaign names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from domain.chat import Language
from domain.zone import COLOURS
from domain.zone_file import MapColumn
from storage import risk_updates, units
from storage.database import Session
from storage.risk_updates import RiskUpdate
from summaries import zone_words


@dataclass(frozen=True, slots=True)
class MapLine:
    """One unit's update of a day. Counts of people by level are as confirmed; `zone` is "" until it is confirmed.

    `answered` and the other counts of asks are those of the moment of confirmation. Instants are in the organisation's
    zone.
    """

    day: date
    unit_code: str
    unit_name: str
    zone: str
    due: int
    answered: int
    excused: int
    missing: int
    low: int
    medium: int
    high: int
    very_high: int
    corrections: str
    confirmed_by: str
    confirmed_at: datetime | None
    late: bool
    entered_by: str
    entered_at: datetime | None


async def of_day(session: Session, zone: ZoneInfo, day: date) -> list[MapLine]:
    """The day's updates, confirmed or not, of several of one unit the last."""
    codes = {one.id: one.code for one in await units.everything(session)}
    latest = {one.unit_id: one for one in await risk_updates.on(session, day)}
    return [_line(one, codes[one.unit_id], zone) for one in sorted(latest.values(), key=lambda one: one.unit_path)]


def heading(columns: Sequence[MapColumn], language: Language) -> list[str]:
    return [column.title[language] for column in columns]


def cells(line: MapLine, columns: Sequence[MapColumn], language: Language) -> list[str]:
    """The line as texts: colours by name, times as `14:05`."""
    return [_cell(line, column.field, language) for column in columns]


def _line(one: RiskUpdate, code: str, zone: ZoneInfo) -> MapLine:
    levels = one.facts.levels
    return MapLine(
        one.day,
        code,
        one.unit_name,
        one.zone.value if one.zone else "",
        one.facts.due,
        one.facts.answered,
        one.facts.excused,
        one.facts.due - one.facts.answered - one.facts.excused,
        levels.get("low", 0),
        levels.get("medium", 0),
        levels.get("high", 0),
        levels.get("very_high", 0),
        "; ".join(f"{each.item} {each.was} → {each.now}: {each.reason}" for each in one.corrections),
        one.confirmed_by or "",
        _local(one.confirmed_at, zone),
        one.late,
        one.entered_by or "",
        _local(one.entered_at, zone),
    )


def _local(at: datetime | None, zone: ZoneInfo) -> datetime | None:
    return at.astimezone(zone).replace(microsecond=0) if at else None


def _cell(line: MapLine, field: str, language: Language) -> str:
    value = getattr(line, field)
    if field == "zone":
        named = {colour.value: zone_words.name(colour, language) for colour in COLOURS}
        return named.get(line.zone, "")
    if isinstance(value, datetime):
        return f"{value:%H:%M}"
    if isinstance(value, date):
        return f"{value:%d/%m/%Y}"
    if isinstance(value, bool):
        return "x" if value else ""
    return "" if value is None else str(value)
