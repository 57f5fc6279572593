"""`vungxanh status`: how the units stand on a day."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import Annotated

import typer

from bot.commands.desk import Desk, day_of, desk_of, store
from bot.commands.printed import say, show_json, show_table
from bot.run import chosen_campaign
from handlers.named import unit_named
from summaries import day as days
from summaries.day import Day

app = typer.Typer()


@app.command()
def status(
    context: typer.Context,
    unit: Annotated[str | None, typer.Option(help="Code of a unit; without it, the whole organisation.")] = None,
    day: Annotated[str | None, typer.Option(help="The day, as 2026-11-23; without it, today.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")] = False,
) -> None:
    """Show how each unit stands in the rounds of a day.

    Figures of a unit include everything below it. "Missed" counts whoever has neither answered nor been excused,
    also while the round is still open. A round that has not opened yet is "planned" and has no figures.
    """
    desk = desk_of(context)
    found = asyncio.run(_read(desk, unit, day_of(day, "--day") if day else desk.today))
    if as_json:
        show_json(found)
    else:
        _show(found)


async def _read(desk: Desk, code: str | None, day: date) -> Day:
    async with store(desk) as database, database.reading() as session:
        unit = await unit_named(session, code)
        return await days.of_unit(session, chosen_campaign(desk.settings), desk.zone, day, unit, desk.now)


def _show(found: Day) -> None:
    say(f"{found.day:%A, %d/%m/%Y}, as of {found.at:%H:%M} on {found.at:%d/%m/%Y}")
    if not found.rounds:
        say("No rounds on this day.")
    for one in found.rounds:
        say()
        say(f"{one.kind}: {one.state}, {one.opens_at:%H:%M} to {one.closes_at:%H:%M}")
        if one.state == "planned":
            continue
        say(f"due {one.due}, answered {one.answered} (late {one.late}), excused {one.excused}, missed {one.missed}")
        rows = [
            (each.code, each.name, *map(str, (each.due, each.answered, each.late, each.excused)), each.zone or "")
            for each in one.units
            if each.due
        ]
        show_table(("code", "unit", "due", "answered", "late", "excused", "zone"), rows)
