"""A day's rounds as scripts and operators read them: those that have opened, with figures, and those to come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal
from zoneinfo import ZoneInfo

from domain.campaign import RISK, Campaign
from domain.plan import window
from domain.zone import Zone
from storage import planned, risk_updates, rounds
from storage.database import Session
from storage.risk_updates import RiskUpdate
from storage.rounds import Round
from storage.schedules import Schedule
from storage.units import Unit
from summaries import status, zones
from summaries.status import Standing, Status
from summaries.zones import Zones

State = Literal["planned", "open", "closed"]


@dataclass(frozen=True, slots=True)
class UnitOfDay:
    """A unit and everything below it. `zone` is a colour, None where too little is known for one."""

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


async def of_unit(session: Session, campaign: Campaign, zone: ZoneInfo, day: date, unit: Unit, now: datetime) -> Day:
    """How the day stands for this unit and everything below it, from one consistent read.

    In the risk round the units themselves are due, each until its update is confirmed.
    """
    opened = await rounds.on(session, day)
    had = {schedule_id for schedule_id, when in await rounds.since(session, day) if when == day}
    to_come = [
        one
        for one in await planned.rounds_on(session, day)
        if one.id not in had and window(one, day, zone)[1] > now and _touches(one.unit_path, unit)
    ]
    kinds = {one.kind for one in opened if _touches(one.unit_path, unit)}
    colours = await zones.on(session, campaign, day, now)
    found = [
        _opened(standing, each, opened, to_come, unit, zone, colours)
        for each in await status.of_day(session, day, now)
        if each.kind in kinds and (standing := each.of(unit.path))
    ]
    if risk := _risk_round(await risk_updates.on(session, day), unit, zone, colours):
        found.append(risk)
        kinds.add(RISK)
    found += [_planned(to_come, kind, day, unit, zone) for kind in {one.kind for one in to_come} - kinds]
    return Day(day, now.astimezone(zone).replace(microsecond=0), tuple(sorted(found, key=lambda one: one.opens_at)))


def _touches(path: str, unit: Unit) -> bool:
    return unit.path.startswith(path) or path.startswith(unit.path)


def _opened(
    of: Standing,
    status: Status,
    opened: list[Round],
    to_come: list[Schedule],
    unit: Unit,
    zone: ZoneInfo,
    colours: Zones,
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
        tuple(_unit(one, colours) for one in status.units if one.unit.is_below(unit)),
    )


def _unit(of: Standing, colours: Zones) -> UnitOfDay:
    colour = _colour(colours, of.unit.path)
    return UnitOfDay(of.unit.code, of.unit.name, of.due, of.answered, of.late, of.excused.total(), colour)


def _colour(colours: Zones, path: str) -> str | None:
    found = colours.of(path)
    return found.rolled.value if found and found.rolled and found.rolled is not Zone.PENDING else None


def _risk_round(updates: Sequence[RiskUpdate], unit: Unit, zone: ZoneInfo, colours: Zones) -> RoundOfDay | None:
    """The day's risk updates of these units; of several of one unit the last."""
    mine = list({one.unit_id: one for one in updates if one.unit_path.startswith(unit.path)}.values())
    if not mine:
        return None
    codes = {one.unit.id: one.unit.code for one in colours.units}
    done = [one for one in mine if one.confirmed_at]
    return RoundOfDay(
        RISK,
        min(one.opens_at for one in mine).astimezone(zone),
        max(one.closes_at for one in mine).astimezone(zone),
        "closed" if all(one.closed_at for one in mine) else "open",
        len(mine),
        len(done),
        sum(one.late for one in done),
        0,
        len(mine) - len(done),
        tuple(
            UnitOfDay(
                codes.get(one.unit_id, ""),
                one.unit_name,
                1,
                int(one.confirmed_at is not None),
                int(one.late),
                0,
                _colour(colours, one.unit_path),
            )
            for one in mine
        ),
    )


def _planned(to_come: list[Schedule], kind: str, day: date, unit: Unit, zone: ZoneInfo) -> RoundOfDay:
    mine = [one for one in to_come if one.kind == kind]
    above = [one for one in mine if unit.path.startswith(one.unit_path)]
    main = max(above, key=lambda one: len(one.unit_path)) if above else min(mine, key=lambda one: one.opens)
    opens_at, closes_at = window(main, day, zone)
    return RoundOfDay(kind, opens_at.astimezone(zone), closes_at.astimezone(zone), "planned", 0, 0, 0, 0, 0, ())
