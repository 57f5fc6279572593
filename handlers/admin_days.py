"""Days that are otherwise: a pause with its reason, a day off, a Saturday worked instead."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from domain.chat import Button
from domain.dates import compact, day_in, from_compact, span
from domain.policy import Action
from handlers import planning, screens
from handlers.admin_desk import NotTheirs, Paths, home, on_tap, on_words, screen, unit_of, wait_for, yes_no
from handlers.router import Router
from handlers.turn import Turn, button
from storage import dialogues, planned, schedules
from storage.dialogues import Dialogue
from storage.outbox import Letter
from storage.units import Unit

router = Router()
PAUSE, DAY = "adm_pause", "adm_day"
AHEAD = timedelta(days=366)
MOST_LISTED = 10
LONGEST_REASON = 200


@on_tap(router, "adm_days", Action.PLAN)
async def days(turn: Turn, paths: Paths, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """The pauses and the declared days that count for one unit, from today on."""
    await dialogues.drop(turn.session, turn.chat)
    return [await _days(turn, await unit_of(turn, paths, args[0]), message_id)]


async def _days(turn: Turn, unit: Unit, message_id: str | None, done: str = "") -> Letter:
    pauses = [one for one in await schedules.pauses(turn.session, turn.today, date.max) if _counts(one.unit_path, unit)]
    overrides = await schedules.overrides(turn.session, turn.today, turn.today + AHEAD)
    declared = sorted((day, is_worked) for (day, path), is_worked in overrides.items() if _counts(path, unit))
    lines = [f"{done}\n"] if done else []
    lines += [_pause_line(turn, one) for one in pauses] or [turn.text("console.no_pause")]
    lines += [_day_line(turn, day, is_worked=is_worked) for day, is_worked in declared[:MOST_LISTED]]
    rows: list[tuple[Button, ...]] = [
        (button(turn, "console.pause_today", f"adm_pause:{unit.id}:{compact(turn.today)}"),),
        (button(turn, "console.pause_until", f"adm_until:{unit.id}"),),
        (button(turn, "console.day_off", f"adm_day:{unit.id}:0"),),
        (button(turn, "console.day_worked", f"adm_day:{unit.id}:1"),),
        (button(turn, "console.other_unit", "adm_units:adm_days:0"),),
        home(turn),
    ]
    if any(one.unit_path == unit.path for one in pauses):
        rows.insert(0, (button(turn, "console.resume", f"adm_resume:{unit.id}"),))
    return screen(turn, turn.text("console.days_of", unit=unit.name), lines, rows, message_id)


def _counts(path: str, unit: Unit) -> bool:
    return unit.path.startswith(path)


def _pause_line(turn: Turn, one: schedules.Pause) -> str:
    what = screens.kind_name(turn.language, one.kind) if one.kind else turn.text("console.every_kind")
    days = span(one.first_day, one.last_day)
    return turn.text("console.paused_line", what=what, span=days, reason=one.reason or "–")


def _day_line(turn: Turn, day: date, *, is_worked: bool) -> str:
    return turn.text("console.worked_line" if is_worked else "console.off_line", day=turn.day(day))


@on_tap(router, "adm_until", Action.PLAN)
async def until_when(turn: Turn, paths: Paths, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    unit = await unit_of(turn, paths, args[0])
    await wait_for(turn, PAUSE, "until", unit=unit.id)
    return [_asks(turn, unit, "console.pause_until_when", message_id)]


@on_tap(router, "adm_pause", Action.PLAN)
async def until_then(turn: Turn, paths: Paths, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    unit = await unit_of(turn, paths, args[0])
    return [await _why(turn, unit, from_compact(args[1]), message_id)]


async def _why(turn: Turn, unit: Unit, last: date, message_id: str | None) -> Letter:
    await wait_for(turn, PAUSE, "reason", unit=unit.id, last=compact(last))
    return _asks(turn, unit, "console.pause_why", message_id)


@on_words(router, PAUSE, Action.PLAN)
async def typed_pause(turn: Turn, paths: Paths, waiting: Dialogue, said: str) -> Sequence[Letter] | None:
    """The last day, then the reason."""
    unit = await unit_of(turn, paths, waiting.data["unit"])
    if waiting.step == "until":
        last = day_in(said, turn.today, turn.today + AHEAD)
        return [await _why(turn, unit, last, None) if last else _asks(turn, unit, "console.bad_day", None)]
    if waiting.step != "reason":
        return None
    last, reason = from_compact(waiting.data["last"]), said.strip()[:LONGEST_REASON]
    await wait_for(turn, PAUSE, "sure", **waiting.data, reason=reason)
    lines = [
        turn.text("console.pause_before", unit=unit.name),
        turn.text("console.pause_after", unit=unit.name, span=span(turn.today, last), reason=reason),
        turn.text("console.pause_open_round"),
    ]
    yes = f"adm_pause_ok:{unit.id}:{compact(turn.today)}:{compact(last)}"
    return [screen(turn, "", lines, yes_no(turn, yes, f"adm_days:{unit.id}"), None)]


@on_tap(router, "adm_pause_ok", Action.PLAN)
async def pause(turn: Turn, paths: Paths, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    unit = await unit_of(turn, paths, args[0])
    waiting = await dialogues.open_in(turn.session, turn.chat, turn.now)
    if waiting is None or (waiting.topic, waiting.step, waiting.data["unit"]) != (PAUSE, "sure", unit.id):
        raise NotTheirs
    first, last = from_compact(args[1]), from_compact(args[2])
    reason, actor = str(waiting.data["reason"]), str(turn.staff.id)
    await planning.pause(turn.session, "", unit, first, last, reason, today=turn.today, now=turn.now, actor=actor)
    await dialogues.drop(turn.session, turn.chat)
    return [await _days(turn, unit, message_id, turn.text("console.is_paused", span=span(first, last)))]


@on_tap(router, "adm_resume", Action.PLAN)
async def confirm_resume(turn: Turn, paths: Paths, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    unit = await unit_of(turn, paths, args[0])
    found = await schedules.pauses(turn.session, turn.today, date.max)
    lines = [_pause_line(turn, one) for one in found if one.unit_path == unit.path]
    lines.append(turn.text("console.resume_means"))
    return [screen(turn, "", lines, yes_no(turn, f"adm_resume_ok:{unit.id}", f"adm_days:{unit.id}"), message_id)]


@on_tap(router, "adm_resume_ok", Action.PLAN)
async def resume(turn: Turn, paths: Paths, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    unit = await unit_of(turn, paths, args[0])
    await planning.resume(turn.session, unit, turn.today, turn.now, str(turn.staff.id))
    return [await _days(turn, unit, message_id, turn.text("console.resumed"))]


@on_tap(router, "adm_day", Action.PLAN)
async def which_day(turn: Turn, paths: Paths, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """Which day is to be off, or worked."""
    unit = await unit_of(turn, paths, args[0])
    await wait_for(turn, DAY, "day", unit=unit.id, worked=args[1] == "1")
    return [_asks(turn, unit, "console.which_worked" if args[1] == "1" else "console.which_off", message_id)]


@on_words(router, DAY, Action.PLAN)
async def typed(turn: Turn, paths: Paths, waiting: Dialogue, said: str) -> Sequence[Letter] | None:
    """The day, as it is and as it would be."""
    unit = await unit_of(turn, paths, waiting.data["unit"])
    day = day_in(said, turn.today, turn.today + AHEAD)
    if day is None:
        return [_asks(turn, unit, "console.bad_day", None)]
    worked = bool(waiting.data["worked"])
    after = turn.text("console.is_worked") if worked else turn.text("console.is_off")
    lines = [
        turn.text("console.day_of", day=turn.day(day), unit=unit.name),
        turn.text("console.before", what=await _as_it_is(turn, unit, day)),
        turn.text("console.after", what=after),
    ]
    yes = f"adm_day_ok:{unit.id}:{compact(day)}:{int(worked)}"
    return [screen(turn, "", lines, yes_no(turn, yes, f"adm_days:{unit.id}"), None)]


async def _as_it_is(turn: Turn, unit: Unit, day: date) -> str:
    """Whether the unit is asked on that day by what is planned now, and why not."""
    plans = await planned.between(turn.session, day, day)
    kinds = {one.kind for one in plans.schedules if one.once_on is None}
    found = [one for kind in sorted(kinds) if (one := plans.nearest(kind, unit.path, day))]
    offs = [plans.why_not(one, unit.path, day, turn.language) for one in found]
    if not offs or None in offs:
        return turn.text("console.is_worked" if offs else "console.why_no_schedule")
    off = next(one for one in offs if one)
    why = turn.text(f"console.why_{off.why}")
    return f"{why} ({off.holiday})" if off.holiday else why


@on_tap(router, "adm_day_ok", Action.PLAN)
async def declare(turn: Turn, paths: Paths, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    unit = await unit_of(turn, paths, args[0])
    day, worked, actor = from_compact(args[1]), args[2] == "1", str(turn.staff.id)
    await planning.declare_day(
        turn.session, day, unit, is_working=worked, note="", today=turn.today, now=turn.now, actor=actor
    )
    await dialogues.drop(turn.session, turn.chat)
    return [await _days(turn, unit, message_id, _day_line(turn, day, is_worked=worked))]


def _asks(turn: Turn, unit: Unit, key: str, message_id: str | None) -> Letter:
    return screen(turn, "", [turn.text(key)], [(button(turn, "console.back", f"adm_days:{unit.id}"),)], message_id)
