"""When rounds happen: what an administrator sets, drops, pauses and foresees, each change written to the audit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import TypedDict
from zoneinfo import ZoneInfo

from domain.asked import Plans
from domain.campaign import AFTERNOON, MORNING, ROUND_KINDS
from domain.chat import Language
from domain.refusal import Refusal, WrongInput
from domain.timetable import local_day, local_time
from domain.workdays import WEEKDAYS
from handlers.named import known_kind
from storage import audit, planned, rounds, schedules, units
from storage.database import Session
from storage.schedules import Schedule
from storage.units import Unit


class ScheduleChange(TypedDict, total=False):
    """What is to be different; whatever is not said stays as it is in force."""

    opens: time
    reminders: tuple[time, ...]
    missing_list: time | None
    closes: time
    weekdays: frozenset[str]
    on_holidays: bool
    is_off: bool


@dataclass(frozen=True, slots=True)
class Set:
    """The schedule that counts from now on. `drops_today`: today's round, which had not opened, does not take place."""

    before: Schedule
    schedule: Schedule
    drops_today: bool


async def set_schedule(
    session: Session, zone: ZoneInfo, kind: str, unit: Unit, change: ScheduleChange, now: datetime, actor: str
) -> Set:
    """Change when this kind of round happens in this unit and below; from tomorrow if today's hour is past."""
    return (await set_schedules(session, zone, unit, {kind: change}, now, actor))[0]


async def set_schedules(
    session: Session, zone: ZoneInfo, unit: Unit, changes: Mapping[str, ScheduleChange], now: datetime, actor: str
) -> list[Set]:
    """Change several kinds at once: all of them, or none."""
    done = []
    for one in await weigh(session, zone, unit, changes, now):
        made = replace(one, schedule=await schedules.add(session, one.schedule, now))
        said = {"kind": made.schedule.kind, "unit": unit.id, "off": made.schedule.is_off}
        hours = {"before": _hours(made.before), "after": _hours(made.schedule)}
        await audit.record(session, now, actor, "schedule_set", str(made.schedule.id), **said, **hours)
        done.append(made)
    return done


async def weigh(
    session: Session, zone: ZoneInfo, unit: Unit, changes: Mapping[str, ScheduleChange], now: datetime
) -> list[Set]:
    """What these changes would put in force; changes nothing. Raises Refusal if they cannot be."""
    today = local_day(now, zone)
    plans = await planned.between(session, today, today)
    befores = {kind: in_force(plans, known_kind(kind), unit) for kind in changes}
    wanted: dict[str, Schedule] = {}
    for kind, before in befores.items():
        if before is None:
            raise Refusal("admin.no_schedule", {"kind": kind, "unit": unit.name})
        same = replace(before, unit_id=unit.id, unit_path=unit.path, is_off=False)
        wanted[kind] = replace(same, **changes[kind])
        _check_hours(wanted[kind])
    _check_order(plans, wanted, unit)
    of_day = await rounds.on(session, today)
    found = []
    for kind, before in befores.items():
        assert before is not None
        opened = any(one.kind == kind and unit.path.startswith(one.unit_path) for one in of_day)
        is_late = opened or wanted[kind].opens <= local_time(now, zone)
        made = replace(wanted[kind], since_day=today + timedelta(days=int(is_late)))
        replaces_today = before.unit_id == unit.id and plans.is_asked(before, unit.path, today)
        found.append(Set(before, made, replaces_today and is_late and not opened))
    return found


def _hours(schedule: Schedule) -> dict[str, object]:
    """The schedule as the audit keeps it."""
    return {
        "opens": _hm(schedule.opens),
        "reminders": [_hm(at) for at in schedule.reminders],
        "missing_list": _hm(schedule.missing_list) if schedule.missing_list else "",
        "closes": _hm(schedule.closes),
        "weekdays": [day for day in WEEKDAYS if day in schedule.weekdays],
        "on_holidays": schedule.on_holidays,
        "off": schedule.is_off,
    }


def in_force(plans: Plans[Schedule], kind: str, unit: Unit) -> Schedule | None:
    """The unit's own schedule, else the nearest above it; one that begins tomorrow counts here."""
    mine = [
        one
        for one in plans.schedules
        if one.kind == kind and one.once_on is None and unit.path.startswith(one.unit_path)
    ]
    return max(mine, key=lambda one: len(one.unit_path), default=None)


def _check_hours(schedule: Schedule) -> None:
    if not schedule.weekdays:
        raise WrongInput("admin.no_weekdays")
    if not schedule.opens < schedule.closes:
        raise WrongInput("admin.closes_early", {"opens": _hm(schedule.opens), "closes": _hm(schedule.closes)})
    window: dict[str, str | int] = {"opens": _hm(schedule.opens), "closes": _hm(schedule.closes)}
    for at in schedule.reminders:
        if not schedule.opens < at < schedule.closes:
            raise WrongInput("admin.reminder_outside", {"at": _hm(at), **window})
    if any(later <= earlier for earlier, later in pairwise(schedule.reminders)):
        raise WrongInput("admin.reminders_disordered")
    if schedule.missing_list and not schedule.opens < schedule.missing_list < schedule.closes:
        raise WrongInput("admin.missing_list_outside", {"at": _hm(schedule.missing_list), **window})


def _check_order(plans: Plans[Schedule], wanted: Mapping[str, Schedule], unit: Unit) -> None:
    """Who worked is known from the morning, so the afternoon opens when the morning has closed."""
    both = {kind: in_force(plans, kind, unit) for kind in ROUND_KINDS} | dict(wanted)
    morning, afternoon = both[MORNING], both[AFTERNOON]
    if morning is None or afternoon is None or morning.is_off or afternoon.is_off:
        return
    if afternoon.opens < morning.closes:
        raise WrongInput(
            "admin.rounds_overlap", {"closes": _hm(morning.closes), "opens": _hm(afternoon.opens), "unit": unit.name}
        )


async def reset_schedule(session: Session, kind: str, unit: Unit, now: datetime, actor: str) -> None:
    """Drop a unit's exception, so that the schedule above it counts again."""
    known_kind(kind)
    if unit.parent_id is None:
        raise WrongInput("admin.not_an_exception")
    own = [
        one
        for one in await schedules.in_force(session)
        if one.kind == kind and one.unit_id == unit.id and one.once_on is None
    ]
    if not own:
        raise Refusal("admin.no_exception", {"kind": kind, "unit": unit.name})
    await schedules.retire(session, own[0].id, now)
    await audit.record(session, now, actor, "schedule_reset", str(own[0].id), kind=kind, unit=unit.id)


async def pause(
    session: Session,
    kind: str,
    unit: Unit,
    first: date,
    last: date,
    reason: str,
    *,
    today: date,
    now: datetime,
    actor: str,
) -> None:
    """No rounds of `kind` ("" for all) from the first to the last day; a round that is open goes on."""
    if kind:
        known_kind(kind)
    if last < first:
        raise WrongInput("admin.days_backwards", {"first": first.isoformat(), "last": last.isoformat()})
    if last < today:
        raise WrongInput("admin.day_past", {"day": last.isoformat()})
    await schedules.add_pause(session, kind, unit.id, first, last, reason, now)
    days = {"first": first.isoformat(), "last": last.isoformat()}
    await audit.record(session, now, actor, "schedule_paused", str(unit.id), kind=kind, **days)


async def resume(session: Session, unit: Unit, today: date, now: datetime, actor: str) -> int:
    """End this unit's pauses that run today or later; how many there were."""
    ended = await schedules.end_pauses(session, unit.id, today, now)
    if not ended:
        raise Refusal("admin.not_paused", {"unit": unit.name})
    await audit.record(session, now, actor, "schedule_resumed", str(unit.id), pauses=ended)
    return ended


async def declare_day(
    session: Session,
    day: date,
    unit: Unit,
    *,
    is_working: bool,
    note: str,
    today: date,
    now: datetime,
    actor: str,
) -> None:
    """Say whether a day is worked in this unit and below, whatever the calendar says."""
    if day < today:
        raise WrongInput("admin.day_past", {"day": day.isoformat()})
    before = (await schedules.overrides(session, day, day)).get((day, unit.path))
    await schedules.override(session, day, unit.id, is_working, note)
    said = {"day": day.isoformat(), "working": is_working, "before": before}
    await audit.record(session, now, actor, "day_declared", str(unit.id), **said)


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What a unit has on a day: a round by `schedule`, or why not (`why` is a word of `domain.asked.Off`)."""

    day: date
    kind: str
    unit: Unit
    schedule: Schedule | None
    why: str = ""
    holiday: str = ""


async def preview(
    session: Session,
    first: date,
    days: int,
    language: Language,
    only: Unit | None = None,
    instead: Sequence[Schedule] = (),
) -> list[Foreseen]:
    """What happens on each day: for the organisation, and for every unit that fares otherwise than the one above.

    `instead`: as if these schedules were in force already.
    """
    last = first + timedelta(days=days - 1)
    plans = await planned.between(session, first, last)
    replaced = {(one.kind, one.unit_id) for one in instead}
    kept = [one for one in plans.schedules if one.once_on or (one.kind, one.unit_id) not in replaced]
    plans = replace(plans, schedules=[*kept, *instead])
    tree = await units.tree(session)
    found: list[Foreseen] = []
    for day in (first + timedelta(days=number) for number in range(days)):
        for kind in ROUND_KINDS:
            found += _of_day(plans, tree, day, kind, language, only)
        found += [
            Foreseen(day, one.kind, unit, one)
            for one in plans.schedules
            for unit in tree
            if one.once_on == day and unit.id == one.unit_id and plans.is_asked(one, unit.path, day)
        ]
    return found


def _of_day(
    plans: Plans[Schedule], tree: Sequence[Unit], day: date, kind: str, language: Language, only: Unit | None
) -> list[Foreseen]:
    all_units = {unit.id: _foreseen(plans, unit, day, kind, language) for unit in tree}
    if only is not None:
        return [all_units[only.id]]
    return [
        one
        for one in all_units.values()
        if one.unit.parent_id is None or _fares(one) != _fares(all_units[one.unit.parent_id])
    ]


def _fares(one: Foreseen) -> tuple[Schedule | None, str, str]:
    return one.schedule, one.why, one.holiday


def _foreseen(plans: Plans[Schedule], unit: Unit, day: date, kind: str, language: Language) -> Foreseen:
    schedule = plans.nearest(kind, unit.path, day)
    if schedule is None:
        return Foreseen(day, kind, unit, None, "not_yet" if in_force(plans, kind, unit) else "no_schedule")
    off = plans.why_not(schedule, unit.path, day, language)
    return Foreseen(day, kind, unit, None, off.why, off.holiday) if off else Foreseen(day, kind, unit, schedule)


def _hm(at: time) -> str:
    return f"{at:%H:%M}"
