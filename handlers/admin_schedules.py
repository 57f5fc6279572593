"""When rounds happen, changed by a sentence: read back, weighed against tomorrow, then confirmed with one tap."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from hashlib import sha256

from domain.asked import Plans
from domain.campaign import ROUND_KINDS
from domain.chat import Button
from domain.policy import Action
from domain.schedule_words import Hours, Unclear, Wanted, changed, parse_schedule
from handlers import planning, screens
from handlers.admin_desk import NotTheirs, Paths, home, on_tap, on_words, screen, unit_of, wait_for, yes_no
from handlers.planning import Foreseen, ScheduleChange, Set
from handlers.router import Router
from handlers.schedule_sentence import hours_of, sentence
from handlers.turn import Turn, button
from storage import dialogues, planned
from storage.dialogues import Dialogue
from storage.outbox import Letter
from storage.schedules import Schedule
from storage.units import Unit

router = Router()
WORDS = "adm_plan"
MOST_FORESEEN = 12


@on_tap(router, "adm_plan", Action.PLAN)
async def plan(turn: Turn, paths: Paths, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """The schedules of one unit as they are, and a sentence is waited for."""
    unit = await unit_of(turn, paths, args[0])
    await wait_for(turn, WORDS, "words", unit=unit.id)
    return [await _plan(turn, unit, message_id)]


async def _plan(turn: Turn, unit: Unit, message_id: str | None, done: str = "") -> Letter:
    plans = await planned.between(turn.session, turn.today, turn.today)
    lines = [f"{done}\n"] if done else []
    rows: list[tuple[Button, ...]] = []
    for kind in ROUND_KINDS:
        one = planning.in_force(plans, kind, unit)
        lines.append(_as_it_is(turn, kind, one))
        rows += _switches(turn, kind, one, unit)
    lines += ["", turn.text("console.plan_how")]
    rows.append((button(turn, "console.preview", f"adm_ahead:{unit.id}"),))
    rows += [(button(turn, "console.other_unit", "adm_units:adm_plan:0"),), home(turn)]
    return screen(turn, turn.text("console.plan_of", unit=unit.name), lines, rows, message_id)


def _as_it_is(turn: Turn, kind: str, one: Schedule | None) -> str:
    if one is None or one.is_off:
        return f"• {turn.text('console.no_round', kind=screens.kind_name(turn.language, kind))}"
    return f"• {sentence(turn.language, kind, hours_of(one))}"


def _switches(turn: Turn, kind: str, one: Schedule | None, unit: Unit) -> list[tuple[Button, ...]]:
    """To ask nobody of this kind, to ask again, or to fare as the unit above does."""
    if one is None:
        return []
    name = screens.kind_name(turn.language, kind)
    if one.unit_id == unit.id and unit.parent_id is not None:
        return [(button(turn, "console.reset", f"adm_plan_reset:{unit.id}:{kind}", kind=name),)]
    if one.is_off:
        return [(button(turn, "console.switch_on", f"adm_plan_on:{unit.id}:{kind}", kind=name),)]
    return [(button(turn, "console.switch_off", f"adm_plan_off:{unit.id}:{kind}", kind=name),)]


@on_words(router, WORDS, Action.PLAN)
async def typed(turn: Turn, paths: Paths, waiting: Dialogue, said: str) -> Sequence[Letter] | None:
    """The sentence, weighed: before and after, and what tomorrow would be."""
    unit = await unit_of(turn, paths, waiting.data["unit"])
    wanted = parse_schedule(said)
    if isinstance(wanted, Unclear):
        return [_not_clear(turn, wanted, unit)]
    return [await _weighed(turn, unit, said, wanted)]


async def _weighed(turn: Turn, unit: Unit, said: str, wanted: Wanted, message_id: str | None = None) -> Letter:
    changes = await _changes(turn, unit, wanted)
    if isinstance(changes, Unclear):
        return _not_clear(turn, changes, unit)
    sets = await planning.weigh(turn.session, turn.house.zone, unit, changes, turn.now)
    await wait_for(turn, WORDS, "sure", unit=unit.id, words=said)
    yes = f"adm_plan_ok:{unit.id}:{_print(turn, sets)}"
    return await _proposal(turn, unit, sets, yes, message_id)


async def _proposal(turn: Turn, unit: Unit, sets: Sequence[Set], yes: str, message_id: str | None) -> Letter:
    lines = [line for one in sets for line in _before_after(turn, one)]
    lines += await _tomorrow(turn, unit, [one.schedule for one in sets])
    title = turn.text("console.plan_new", unit=unit.name)
    return screen(turn, title, lines, yes_no(turn, yes, f"adm_plan:{unit.id}"), message_id)


def _before_after(turn: Turn, one: Set) -> list[str]:
    kind = one.schedule.kind
    lines = [
        turn.text("console.before", what=_as_it_is(turn, kind, one.before).removeprefix("• ")),
        turn.text("console.after", what=_as_it_is(turn, kind, one.schedule).removeprefix("• ")),
        turn.text("console.from_day", day=turn.day(one.schedule.since_day)),
    ]
    if one.drops_today:
        lines.append(turn.text("console.drops_today", kind=screens.kind_name(turn.language, kind)))
    return [*lines, ""]


@on_tap(router, "adm_plan_ok", Action.PLAN)
async def confirm(turn: Turn, paths: Paths, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """Put it in force, if it still means what was shown; else show it once more."""
    unit = await unit_of(turn, paths, args[0])
    waiting = await dialogues.open_in(turn.session, turn.chat, turn.now)
    if waiting is None or waiting.topic != WORDS or waiting.data.get("unit") != unit.id or "words" not in waiting.data:
        raise NotTheirs
    wanted = parse_schedule(waiting.data["words"])
    changes = wanted if isinstance(wanted, Unclear) else await _changes(turn, unit, wanted)
    if isinstance(changes, Unclear) or isinstance(wanted, Unclear):
        raise NotTheirs
    sets = await planning.weigh(turn.session, turn.house.zone, unit, changes, turn.now)
    if _print(turn, sets) != args[1]:
        return [await _weighed(turn, unit, waiting.data["words"], wanted, message_id)]
    return [await _set(turn, unit, changes, message_id)]


async def _set(turn: Turn, unit: Unit, changes: Mapping[str, ScheduleChange], message_id: str) -> Letter:
    await planning.set_schedules(turn.session, turn.house.zone, unit, changes, turn.now, str(turn.staff.id))
    await wait_for(turn, WORDS, "words", unit=unit.id)
    return await _plan(turn, unit, message_id, turn.text("console.plan_set"))


@on_tap(router, "adm_plan_off", Action.PLAN)
async def switch_off(turn: Turn, paths: Paths, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    return [await _switched(turn, paths, args, message_id, is_off=True)]


@on_tap(router, "adm_plan_on", Action.PLAN)
async def switch_on(turn: Turn, paths: Paths, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    return [await _switched(turn, paths, args, message_id, is_off=False)]


async def _switched(turn: Turn, paths: Paths, args: Sequence[str], message_id: str, *, is_off: bool) -> Letter:
    unit = await unit_of(turn, paths, args[0])
    change: ScheduleChange = {"is_off": is_off}
    sets = await planning.weigh(turn.session, turn.house.zone, unit, {args[1]: change}, turn.now)
    yes = f"adm_plan_sw:{unit.id}:{args[1]}:{int(is_off)}:{_print(turn, sets)}"
    return await _proposal(turn, unit, sets, yes, message_id)


@on_tap(router, "adm_plan_sw", Action.PLAN)
async def confirm_switch(turn: Turn, paths: Paths, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    unit = await unit_of(turn, paths, args[0])
    changes: dict[str, ScheduleChange] = {args[1]: {"is_off": args[2] == "1"}}
    sets = await planning.weigh(turn.session, turn.house.zone, unit, changes, turn.now)
    if _print(turn, sets) != args[3]:
        return [await _switched(turn, paths, args, message_id, is_off=args[2] == "1")]
    return [await _set(turn, unit, changes, message_id)]


@on_tap(router, "adm_plan_reset", Action.PLAN)
async def reset(turn: Turn, paths: Paths, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """The unit's own schedule and the one above that would count again."""
    unit = await unit_of(turn, paths, args[0])
    plans = await planned.between(turn.session, turn.today, turn.today)
    own = planning.in_force(plans, args[1], unit)
    rest = [one for one in plans.schedules if one.unit_id != unit.id]
    above = planning.in_force(Plans(rest, plans.pauses, plans.overrides), args[1], unit)
    lines = [
        turn.text("console.before", what=_as_it_is(turn, args[1], own).removeprefix("• ")),
        turn.text("console.after", what=_as_it_is(turn, args[1], above).removeprefix("• ")),
    ]
    keyboard = yes_no(turn, f"adm_reset_ok:{unit.id}:{args[1]}", f"adm_plan:{unit.id}")
    return [screen(turn, turn.text("console.plan_new", unit=unit.name), lines, keyboard, message_id)]


@on_tap(router, "adm_reset_ok", Action.PLAN)
async def confirm_reset(turn: Turn, paths: Paths, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    unit = await unit_of(turn, paths, args[0])
    await planning.reset_schedule(turn.session, args[1], unit, turn.now, str(turn.staff.id))
    return [await _plan(turn, unit, message_id, turn.text("console.plan_set"))]


@on_tap(router, "adm_ahead", Action.PLAN)
async def ahead(turn: Turn, paths: Paths, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """What happens in the next seven days, and why not on the others."""
    unit = await unit_of(turn, paths, args[0])
    found = await planning.preview(turn.session, turn.today, 7, turn.language, unit)
    lines = []
    for one in found:
        if f"\n{turn.day(one.day)}" not in lines:
            lines.append(f"\n{turn.day(one.day)}")
        lines.append(f"• {_foreseen(turn, one)}")
    back = (button(turn, "console.back", f"adm_plan:{unit.id}"),)
    return [screen(turn, turn.text("console.plan_of", unit=unit.name), lines, [back], message_id)]


async def _tomorrow(turn: Turn, unit: Unit, instead: Sequence[Schedule]) -> list[str]:
    """Who gets what tomorrow: the unit, and those below that fare otherwise."""
    day = turn.today + timedelta(days=1)
    mine = await planning.preview(turn.session, day, 1, turn.language, unit, instead)
    everybody = await planning.preview(turn.session, day, 1, turn.language, None, instead)
    below = [one for one in everybody if one.unit.is_below(unit) and one.unit.id != unit.id]
    lines = [turn.text("console.tomorrow", day=turn.day(day))]
    lines += [
        turn.text("console.unit_gets", unit=one.unit.name, what=_foreseen(turn, one))
        for one in [*(one for one in mine if one.unit.id == unit.id), *below][:MOST_FORESEEN]
    ]
    if len(below) + len(mine) > MOST_FORESEEN:
        lines.append(turn.text("console.units_more", n=len(below) + len(mine) - MOST_FORESEEN))
    return lines


def _foreseen(turn: Turn, one: Foreseen) -> str:
    kind = screens.kind_name(turn.language, one.kind)
    if one.schedule is None:
        why = turn.text(f"console.why_{one.why}")
        return turn.text("console.gets_none", kind=kind, why=f"{why} ({one.holiday})" if one.holiday else why)
    at = [f"{hour:%H:%M}" for hour in (one.schedule.opens, *one.schedule.reminders)]
    gets = turn.text("console.gets", kind=kind, opens=at[0], closes=f"{one.schedule.closes:%H:%M}")
    return f"{gets}, {turn.text('console.says_reminds', at=', '.join(at[1:]))}" if at[1:] else gets


async def _changes(turn: Turn, unit: Unit, wanted: Wanted) -> dict[str, ScheduleChange] | Unclear:
    """What the sentence changes in each kind that it means and that the unit has."""
    plans = await planned.between(turn.session, turn.today, turn.today)
    changes: dict[str, ScheduleChange] = {}
    for kind in wanted.opens:
        before = planning.in_force(plans, kind, unit)
        hours = changed(hours_of(before), wanted, kind) if before else None
        if isinstance(hours, Unclear):
            return hours
        changes[kind] = _change(hours) if hours else {}
    return changes


def _change(hours: Hours) -> ScheduleChange:
    return {
        "opens": hours.opens,
        "reminders": hours.reminders,
        "missing_list": hours.missing_list,
        "closes": hours.closes,
        "weekdays": hours.weekdays,
        "on_holidays": hours.on_holidays,
    }


def _not_clear(turn: Turn, unclear: Unclear, unit: Unit) -> Letter:
    lines = [turn.text(f"console.unclear_{unclear.why}", words=unclear.words), "", turn.text("console.plan_how")]
    return screen(turn, "", lines, [(button(turn, "console.back", f"adm_plan:{unit.id}"),)], None)


def _print(turn: Turn, sets: Sequence[Set]) -> str:
    """Tells one proposal from another, so that what is confirmed is what was read."""
    read = [(_before_after(turn, one), one.before.id) for one in sets]
    return sha256(repr(read).encode()).hexdigest()[:6]
