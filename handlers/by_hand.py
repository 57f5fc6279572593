"""Rounds opened and closed by an administrator: the plan is changed so that the next tick does it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from domain.campaign import DRILL
from domain.refusal import Refusal, WrongInput
from domain.timetable import local_day, local_time
from domain.workdays import WEEKDAYS
from handlers.named import known_kind
from storage import audit, planned, rounds, schedules
from storage.database import Session
from storage.rounds import Round
from storage.schedules import Schedule
from storage.units import Unit

LASTS = timedelta(hours=2)
SHORTEST_DIVIDED = 20
"""Minutes; a shorter round neither reminds nor lists the missing."""
LAST_MINUTE = time(23, 59)


async def open_round(
    session: Session, zone: ZoneInfo, kind: str, unit: Unit, closes: time | None, now: datetime, actor: str
) -> Schedule:
    """A one-off round from this minute on; without `closes` it lasts two hours, at latest until 23:59."""
    closes = closes or _end_after(LASTS, now, zone)
    return await _open(session, zone, known_kind(kind), unit, closes, now, actor)


async def open_drill(
    session: Session, zone: ZoneInfo, unit: Unit, lasts: timedelta, now: datetime, actor: str
) -> Schedule:
    """A rehearsal from this minute on, for everybody who has had none today; it counts nowhere."""
    return await _open(session, zone, DRILL, unit, _end_after(lasts, now, zone), now, actor)


async def _open(
    session: Session, zone: ZoneInfo, kind: str, unit: Unit, closes: time, now: datetime, actor: str
) -> Schedule:
    today, opens = local_day(now, zone), local_time(now, zone).replace(second=0)
    plans = await planned.between(session, today, today)
    if plans.is_paused(kind, unit.path, today):
        raise Refusal("admin.paused_today", {"unit": unit.name})
    if closes <= local_time(now, zone):
        raise WrongInput("admin.closes_early", {"opens": f"{opens:%H:%M}", "closes": f"{closes:%H:%M}"})
    if not await planned.unasked(session, today, kind, unit.path):
        raise Refusal("admin.all_asked", {"kind": kind, "unit": unit.name})
    wanted = Schedule(
        id=0,
        kind=kind,
        unit_id=unit.id,
        unit_path=unit.path,
        opens=opens,
        reminders=_part_of(opens, closes, 2),
        missing_list=next(iter(_part_of(opens, closes, 4, 3)), None),
        closes=closes,
        weekdays=frozenset(WEEKDAYS),
        on_holidays=True,
        audience="everyone",
        is_off=False,
        once_on=today,
        since_day=today,
        is_drill=kind == DRILL,
    )
    made = await schedules.add(session, wanted, now)
    await audit.record(session, now, actor, "round_opened_by_hand", str(made.id), kind=kind, unit=unit.id)
    return made


def _part_of(opens: time, closes: time, parts: int, number: int = 1) -> tuple[time, ...]:
    """The hour after `number` of so many parts of the window; nothing in a window too short to be divided."""
    first, last = opens.hour * 60 + opens.minute, closes.hour * 60 + closes.minute
    if last - first < SHORTEST_DIVIDED:
        return ()
    at = first + (last - first) * number // parts
    return (time(at // 60, at % 60),)


def _end_after(lasts: timedelta, now: datetime, zone: ZoneInfo) -> time:
    end = (now + lasts).astimezone(zone)
    return end.time().replace(second=0, microsecond=0) if end.date() == local_day(now, zone) else LAST_MINUTE


async def close_rounds(
    session: Session, zone: ZoneInfo, kind: str, unit: Unit, now: datetime, actor: str
) -> Sequence[Round]:
    """Make the close of today's open rounds of this kind in this subtree due now; which rounds they are."""
    wanted = kind if kind == DRILL else known_kind(kind)
    is_open = [one for one in await rounds.unclosed(session, local_day(now, zone)) if one.kind == wanted]
    mine = [one for one in is_open if one.unit_path.startswith(unit.path)]
    if not mine and any(unit.path.startswith(one.unit_path) for one in is_open):
        raise Refusal("admin.round_of_more", {"kind": kind, "unit": unit.name})
    if not mine:
        raise Refusal("admin.no_open_round", {"kind": kind, "unit": unit.name})
    for one in mine:
        await rounds.bring_forward(session, one.id, "close", now)
        await audit.record(session, now, actor, "round_closed_by_hand", str(one.id), kind=kind)
    return mine
