"""`vungxanh round open|close`: rounds by hand."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from bot.commands.desk import ACTOR, Desk, Mistake, desk_of, hour_of, house, store
from bot.commands.printed import say
from bot.run import chosen_campaign
from handlers import by_hand
from handlers.named import unit_named
from scheduler.ticks import Ticks
from storage import figures, risk_updates, rounds
from summaries import day as days
from summaries.day import RoundOfDay

app = typer.Typer(help="Open or close a round by hand.")

Kind = Annotated[str, typer.Argument(metavar="KIND", help="Which kind of round: morning, risk or afternoon.")]
UnitCode = Annotated[str | None, typer.Option("--unit", help="Code of a unit; without it, the whole organisation.")]


@app.command("open")
def open_(
    context: typer.Context,
    kind: Kind,
    unit: UnitCode = None,
    closes: Annotated[str | None, typer.Option(help="When it closes, as 11:00; two hours from now without it.")] = None,
) -> None:
    """Open a one-off round now, for everybody who has not been asked in a round of this kind today.

    The prompts are written at once; the running bot sends them.
    """
    asyncio.run(_open(desk_of(context), kind, unit, closes))


async def _open(desk: Desk, kind: str, code: str | None, closes: str | None) -> None:
    until = hour_of(closes, "--closes") if closes else None
    async with store(desk) as database:
        ticks = Ticks(database, house(desk))
        await ticks.tick(desk.now)  # what a stopped bot left undone comes first
        async with database.transaction() as session:
            unit = await unit_named(session, code)
            schedule = await by_hand.open_round(session, desk.zone, kind, unit, until, desk.now, ACTOR)
        await ticks.tick(desk.now)
        async with database.reading() as session:
            made = [one for one in await rounds.unclosed(session, desk.today) if one.schedule_id == schedule.id]
            groups = await figures.of_rounds(session, [one.id for one in made])
            drafts = [update for one in made for update in await risk_updates.of_round(session, one.id)]
    if not made:
        raise Mistake("the round was planned but did not open; the running bot opens it at its next tick", 1)
    if drafts:
        say(f"{kind} round of {unit.name}: open until {schedule.closes:%H:%M}, {len(drafts)} units asked.")
        return
    asked = sum(one.count for one in groups)
    reached = sum(one.count for one in groups if one.state == "due" and one.reach in ("waiting", "delivered"))
    say(f"{kind} round of {unit.name}: open until {schedule.closes:%H:%M}, {asked} due, {reached} prompted.")


@app.command()
def close(context: typer.Context, kind: Kind, unit: UnitCode = None) -> None:
    """Close today's open round of a kind now; its summaries are written at once."""
    asyncio.run(_close(desk_of(context), kind, unit))


async def _close(desk: Desk, kind: str, code: str | None) -> None:
    async with store(desk) as database:
        here = house(desk)
        async with database.transaction() as session:
            unit = await unit_named(session, code)
            closing = await by_hand.close_rounds(session, desk.zone, kind, unit, desk.now, ACTOR)
        await Ticks(database, here).tick(desk.now)
        async with database.reading() as session:
            found = await days.of_unit(session, chosen_campaign(desk.settings), desk.zone, desk.today, unit, desk.now)
            closed = [await rounds.by_id(session, one.id) for one in closing]
    if not all(one and one.closed_at for one in closed):
        raise Mistake("the close is due but was not done; the running bot does it at its next tick", 1)
    for one in found.rounds:
        if one.kind == kind:
            say(f"{kind} round of {unit.name}: closed. {_figures(one)}")


def _figures(one: RoundOfDay) -> str:
    return f"Due {one.due}, answered {one.answered} (late {one.late}), excused {one.excused}, missed {one.missed}."
