"""`vungxanh schedule`: when rounds happen, for the organisation and for single units."""

from __future__ import annotations

import asyncio
from datetime import date, time
from typing import Annotated, Any

import typer

from bot.commands.desk import ACTOR, Desk, Mistake, day_of, days_of, desk_of, hour_of, store
from bot.commands.printed import say, show_json, show_table
from domain.timetable import parse_weekdays
from domain.workdays import WEEKDAYS
from handlers import planning
from handlers.named import unit_named
from handlers.planning import Foreseen, ScheduleChange
from storage import planned, units
from storage.schedules import Schedule

app = typer.Typer(help="See and change when rounds happen.")

MOST_DAYS = 366
Kind = Annotated[str, typer.Argument(metavar="KIND", help="Which kind of round: morning, risk or afternoon.")]
UnitCode = Annotated[str | None, typer.Option("--unit", help="Code of a unit; without it, the whole organisation.")]
WHY = {
    "no_schedule": "no schedule",
    "off": "switched off",
    "not_yet": "not in force yet",
    "paused": "paused",
    "weekday": "not a weekday of the schedule",
    "holiday": "public holiday",
    "override": "declared free",
}


@app.command("list")
def list_(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")] = False,
) -> None:
    """List the schedules in force, and the pauses and declared days to come."""
    found = asyncio.run(_list(desk_of(context)))
    if as_json:
        show_json(found)
        return
    heading = ("kind", "unit", "opens", "reminders", "missing list", "closes", "weekdays", "holidays", "notes")
    show_table(heading, [_row(one) for one in found["schedules"]])
    for one in found["pauses"]:
        say(f"Paused: {one['kind'] or 'every kind'} in {one['unit_code']}, {one['from']} to {one['to']}")
    for one in found["calendar"]:
        say(f"Calendar: {one['day']} is {'working' if one['working'] else 'free'} in {one['unit_code']}")


async def _list(desk: Desk) -> dict[str, Any]:
    async with store(desk) as database, database.reading() as session:
        plans = await planned.between(session, desk.today, date.max)
        codes = {one.path: one.code for one in await units.everything(session)}
    return {
        "schedules": [
            _as_json(one, codes[one.unit_path])
            for one in plans.schedules
            if one.once_on is None or one.once_on >= desk.today
        ],
        "pauses": [
            {"kind": one.kind, "unit_code": codes[one.unit_path], "from": one.first_day, "to": one.last_day}
            for one in plans.pauses
        ],
        "calendar": [
            {"day": day, "unit_code": codes[path], "working": is_working}
            for (day, path), is_working in sorted(plans.overrides.items())
        ],
    }


def _as_json(one: Schedule, unit_code: str) -> dict[str, Any]:
    return {
        "kind": one.kind,
        "unit_code": unit_code,
        "opens": _hm(one.opens),
        "reminders": [_hm(at) for at in one.reminders],
        "missing_list": _hm(one.missing_list) if one.missing_list else None,
        "closes": _hm(one.closes),
        "weekdays": [day for day in WEEKDAYS if day in one.weekdays],
        "on_holidays": one.on_holidays,
        "off": one.is_off,
        "once_on": one.once_on,
        "since": one.since_day,
    }


def _row(one: dict[str, Any]) -> tuple[str, ...]:
    notes = [f"since {one['since']}"]
    if one["off"]:
        notes.insert(0, "OFF")
    if one["once_on"]:
        notes = [f"only on {one['once_on']}"]
    return (
        one["kind"],
        one["unit_code"],
        one["opens"],
        ",".join(one["reminders"]) or "none",
        one["missing_list"] or "none",
        one["closes"],
        ",".join(one["weekdays"]),
        "yes" if one["on_holidays"] else "no",
        ", ".join(notes),
    )


@app.command("set")
def set_(
    context: typer.Context,
    kind: Kind,
    unit: UnitCode = None,
    opens: Annotated[str | None, typer.Option(help="When it opens, as 07:00.")] = None,
    reminders: Annotated[str | None, typer.Option(help="When it reminds, as 07:30,08:15; or none.")] = None,
    missing_list: Annotated[str | None, typer.Option(help="When heads get the missing, as 08:30; or none.")] = None,
    closes: Annotated[str | None, typer.Option(help="When it closes, as 09:00.")] = None,
    weekdays: Annotated[str | None, typer.Option(help="On which days, as mon-fri or mon,wed,fri.")] = None,
    holidays: Annotated[
        bool | None, typer.Option("--holidays/--no-holidays", help="Whether it is held on public holidays.")
    ] = None,
    off: Annotated[bool, typer.Option("--off", help="Ask nobody.")] = False,
) -> None:
    """Change a schedule. What is not said stays as it is for this unit, else as it is for the unit above.

    It counts from today, or from tomorrow if today's round has opened or its hour has struck.
    """
    change: ScheduleChange = {}
    if opens is not None:
        change["opens"] = hour_of(opens, "--opens")
    if closes is not None:
        change["closes"] = hour_of(closes, "--closes")
    if reminders is not None:
        change["reminders"] = _hours(reminders, "--reminders")
    if missing_list is not None:
        change["missing_list"] = next(iter(_hours(missing_list, "--missing-list")), None)
    if weekdays is not None:
        change["weekdays"] = _weekdays(weekdays)
    if holidays is not None:
        change["on_holidays"] = holidays
    if off:
        change["is_off"] = True
    if not change:
        raise Mistake("say what to change, such as --opens 07:00; see 'vungxanh schedule set --help'")
    asyncio.run(_set(desk_of(context), kind, unit, change))


def _hours(words: str, option: str) -> tuple[time, ...]:
    if words.strip().casefold() in ("none", ""):
        return ()
    return tuple(hour_of(part, option) for part in words.split(","))


def _weekdays(words: str) -> frozenset[str]:
    found = parse_weekdays(words)
    if found is None:
        raise Mistake(f"--weekdays: '{words}' names no weekdays; write mon-fri or mon,wed,fri")
    return found


async def _set(desk: Desk, kind: str, code: str | None, change: ScheduleChange) -> None:
    async with store(desk, make=True) as database, database.transaction() as session:
        unit = await unit_named(session, code)
        done = await planning.set_schedule(session, desk.zone, kind, unit, change, desk.now, ACTOR)
    say(f"{kind} in {unit.name}: {_hours_of(done.schedule)}, from {done.schedule.since_day}.")
    if done.drops_today:
        say("Today's round had not opened yet and does not take place; 'vungxanh round open' holds one by hand.")


def _hours_of(one: Schedule) -> str:
    if one.is_off:
        return "nobody is asked"
    return f"{_hm(one.opens)} to {_hm(one.closes)}, {','.join(day for day in WEEKDAYS if day in one.weekdays)}"


@app.command()
def reset(
    context: typer.Context,
    kind: Kind,
    unit: Annotated[str, typer.Option(help="Code of the unit whose exception is dropped.")],
) -> None:
    """Drop a unit's own schedule, so that the one above it counts again."""
    asyncio.run(_reset(desk_of(context), kind, unit))


async def _reset(desk: Desk, kind: str, code: str) -> None:
    async with store(desk) as database, database.transaction() as session:
        unit = await unit_named(session, code)
        await planning.reset_schedule(session, kind, unit, desk.now, ACTOR)
    say(f"{kind} in {unit.name}: the schedule above counts again.")


@app.command()
def pause(
    context: typer.Context,
    first: Annotated[str, typer.Option("--from", help="First day, as 2026-11-23.")],
    last: Annotated[str, typer.Option("--to", help="Last day, as 2026-11-27.")],
    kind: Annotated[str, typer.Argument(metavar="[KIND]", help="morning, risk or afternoon; without it, all.")] = "",
    unit: UnitCode = None,
    reason: Annotated[str, typer.Option(help="Why, for those who come after.")] = "",
) -> None:
    """Hold no rounds from one day to another. A round that is open now goes on."""
    days = days_of(first, last)
    asyncio.run(_pause(desk_of(context), kind, unit, days, reason))


async def _pause(desk: Desk, kind: str, code: str | None, days: tuple[date, date], reason: str) -> None:
    async with store(desk) as database, database.transaction() as session:
        unit = await unit_named(session, code)
        await planning.pause(session, kind, unit, *days, reason, today=desk.today, now=desk.now, actor=ACTOR)
    say(f"{kind or 'every kind'} in {unit.name}: paused from {days[0]} to {days[1]}.")


@app.command()
def resume(context: typer.Context, unit: UnitCode = None) -> None:
    """End the pauses of a unit that run today or later."""
    asyncio.run(_resume(desk_of(context), unit))


async def _resume(desk: Desk, code: str | None) -> None:
    async with store(desk) as database, database.transaction() as session:
        unit = await unit_named(session, code)
        ended = await planning.resume(session, unit, desk.today, desk.now, ACTOR)
    say(f"{unit.name}: {ended} pause(s) ended.")


@app.command()
def calendar(
    context: typer.Context,
    day: Annotated[str, typer.Option(help="The day, as 2026-11-23.")],
    is_working: Annotated[bool, typer.Option("--working/--free", help="Whether it is worked.")],
    unit: UnitCode = None,
    note: Annotated[str, typer.Option(help="Why, for those who come after.")] = "",
) -> None:
    """Declare a day working or free, whatever the weekday and the public holidays say."""
    asyncio.run(_calendar(desk_of(context), day_of(day, "--day"), unit, note, is_working=is_working))


async def _calendar(desk: Desk, day: date, code: str | None, note: str, *, is_working: bool) -> None:
    async with store(desk) as database, database.transaction() as session:
        unit = await unit_named(session, code)
        await planning.declare_day(
            session, day, unit, is_working=is_working, note=note, today=desk.today, now=desk.now, actor=ACTOR
        )
    say(f"{day} is {'a working day' if is_working else 'free'} in {unit.name}.")


@app.command()
def preview(
    context: typer.Context,
    days: Annotated[int, typer.Option(min=1, max=MOST_DAYS, help="How many days, from today on.")] = 7,
    unit: UnitCode = None,
) -> None:
    """Show what happens on each day, and why not on the others.

    Without --unit: the organisation, and every unit that fares otherwise than the one above it.
    """
    found = asyncio.run(_preview(desk_of(context), days, unit))
    rows = [(f"{one.day:%a} {one.day}", one.kind, one.unit.code, _foreseen(one)) for one in found]
    show_table(("day", "kind", "unit", "what happens"), rows)


async def _preview(desk: Desk, days: int, code: str | None) -> list[Foreseen]:
    async with store(desk) as database, database.reading() as session:
        only = await unit_named(session, code) if code is not None else None
        return await planning.preview(session, desk.today, days, "en", only)


def _foreseen(one: Foreseen) -> str:
    if one.schedule is None:
        return f"no round: {WHY[one.why]}" + (f" ({one.holiday})" if one.holiday else "")
    parts = [f"opens {_hm(one.schedule.opens)}"]
    parts += [f"reminds {_hm(at)}" for at in one.schedule.reminders]
    if one.schedule.missing_list:
        parts.append(f"lists the missing {_hm(one.schedule.missing_list)}")
    parts.append(f"closes {_hm(one.schedule.closes)}")
    return ", ".join(parts) + (" (one-off)" if one.schedule.once_on else "")


def _hm(at: time) -> str:
    return f"{at:%H:%M}"
