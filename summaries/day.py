"""A day's rounds as scripts and operators read them: those that have opened, with figures, and those to come."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal
from zoneinfo import ZoneInfo

from domain.plan import window
from storage import planned, rounds
from storage.database import Session
from storage.rounds import Round
from storage.schedules import Schedule
from storage.units import Unit
from summaries import status
from summaries.status import Standing, Status

State = Literal["planned", "open", "closed"]


@dataclass(frozen=True, slots=True)
class UnitOfDay:
    """A unit and everything below it. `zone` is None until risk updates are made."""

    code: str
    name: str
    due: int
    answered: int
    late: int
    excused: int
    zone: str | None = None


@dataclass(frozen=True, slots=True)
class RoundOfDay:
    """One kind of round for a subtree. `missed` is whoever is neither answered nor excused, also while it is open."""

    kind: str
    opens_at: datetime
    closes_at: datetime
    state: State
    due: int
    answered: int
    late: int
    excused: int
    missed: int
    units: tuple[UnitOfDay, ...]


@dataclass(frozen=True, slots=True)
class Day:
    """Instants are in the organisation's zone."""

    day: date
    at: datetime
    rounds: tuple[RoundOfDay, ...]


async def of_unit(session: Session, zone: ZoneInfo, day: date, unit: Unit, now: datetime) -> Day:
    """How the day stands for this unit and everything below it, from one consistent read."""
    opened = await rounds.on(session, day)
    had = {schedule_id for schedule_id, when in await rounds.since(session, day) if when == day}
    to_come = [
        one
        for one in await planned.rounds_on(session, day)
        if one.id not in had and window(one, day, zone)[1] > now and _touches(one.unit_path, unit)
    ]
    kinds = {one.kind for one in opened if _touches(one.unit_path, unit)}
    found = [
        _opened(standing, each, opened, to_come, unit, zone)
        for each in await status.of_day(session, day, now)
        if each.kind in kinds and (standing := each.of(unit.path))
    ]
    found += [_planned(to_come, kind, day, unit, zone) for kind in {one.kind for one in to_come} - kinds]
    return Day(day, now.astimezone(zone).replace(microsecond=0), tuple(sorted(found, key=lambda one: one.opens_at)))


def _touches(path: str, unit: Unit) -> bool:
    return unit.path.startswith(path) or path.startswith(unit.path)


def _opened(
    of: Standing, status: Status, opened: list[Round], to_come: list[Schedule], unit: Unit, zone: ZoneInfo
) -> RoundOfDay:
    mine = [one for one in opened if one.kind == status.kind and _touches(one.unit_path, unit)]
    above = [one for one in mine if unit.path.startswith(one.unit_path)]
    # Of several rounds of a kind, the one that can still be answered, then the nearest.
    main = max(above or mine, key=lambda one: (one.closed_at is None, len(one.unit_path)))
    more = any(one.kind == status.kind for one in to_come)
    is_closed = all(one.closed_at is not None for one in mine) and not more
    excused = of.excused.total()
    return RoundOfDay(
        status.kind,
        main.opens_at.astimezone(zone),
        main.closes_at.astimezone(zone),
        "closed" if is_closed else "open",
        of.due,
        of.answered,
        of.late,
        excused,
        of.due - of.answered - excused,
        tuple(_unit(one) for one in status.units if one.unit.is_below(unit)),
    )


def _unit(of: Standing) -> UnitOfDay:
    return UnitOfDay(of.unit.code, of.unit.name, of.due, of.answered, of.late, of.excused.total())


def _planned(to_come: list[Schedule], kind: str, day: date, unit: Unit, zone: ZoneInfo) -> RoundOfDay:
    mine = [one for one in to_come if one.kind == kind]
    above = [one for one in mine if unit.path.startswith(one.unit_path)]
    main = max(above, key=lambda one: len(one.unit_path)) if above else min(mine, key=lambda one: one.opens)
    opens_at, closes_at = window(main, day, zone)
    return RoundOfDay(kind, opens_at.astimezone(zone), closes_at.astimezone(zone), "planned", 0, 0, 0, 0, 0, ())
