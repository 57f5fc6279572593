"""`vungxanh export`: what was declared and how soon, for a script or a spreadsheet."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Any, TextIO

import msgspec
import typer

from bot.commands.desk import ACTOR, Desk, Mistake, days_of, desk_of, store
from bot.commands.printed import kept_private, progress
from bot.run import chosen_campaign
from domain.campaign import WORKPLACE
from domain.chat import Language
from storage import audit
from storage.database import Database, Session
from summaries import answer_times, answers, risk_map
from summaries.spreadsheet import TooManyRows, csv_line, write_xlsx

app = typer.Typer()

KINDS = ("answers", "map", "times")
FORMATS = ("json", "csv", "xlsx")
MAP_LANGUAGE: Language = "vi"
"""The national map is kept in Vietnamese."""
FOR_OTHER_KINDS = ("docx", "pdf")


@app.command()
def export(
    context: typer.Context,
    kind: Annotated[str, typer.Argument(metavar="KIND", help="What to export: answers, map or times.")],
    first: Annotated[str, typer.Option("--from", help="First day, as 2026-11-23.")],
    last: Annotated[str, typer.Option("--to", help="Last day, as 2026-11-27.")],
    form: Annotated[str, typer.Option("--format", help="json, csv or xlsx.")],
    output: Annotated[Path | None, typer.Option(help="File to write; without it, standard output.")] = None,
) -> None:
    """Export what was declared, the confirmed risk updates, or how soon people answer.

    answers: every version of every declaration for the rounds of these days, by staff code, without names. Answers
    are health data: each export is written to the audit, and files are readable by their owner only.

    map: each unit's risk update of each day for the national map, confirmed or not, who entered it there and when, in
    the columns of the campaign.

    times: for each unit with everything below it, day and kind of round, how many were reached and after how many
    minutes 25, 50, 75 and 95 in a hundred had answered; no minutes where there are fewer than 5 answers.
    """
    if kind not in KINDS:
        raise Mistake(f"'{kind}' cannot be exported; choose {', '.join(KINDS)}")
    if form in FOR_OTHER_KINDS:
        raise Mistake(f"{form} is not available for {kind}; choose {', '.join(FORMATS)}")
    if form not in FORMATS:
        raise Mistake(f"'{form}' is not a format; choose {', '.join(FORMATS)}")
    if form == "xlsx" and output is None:
        raise Mistake("xlsx needs --output FILE")
    asyncio.run(_export(desk_of(context), kind, days_of(first, last), form, output))


@dataclass(frozen=True, slots=True)
class Table:
    """One kind of export: the lines of a day, as JSON has them, and each of them as the cells of a row."""

    heading: Sequence[str]
    of_day: Callable[[Session, date], Awaitable[Sequence[Any]]]
    cells: Callable[[Any], Sequence[str]]


def _table(kind: str, desk: Desk) -> Table:
    if kind == "times":
        return Table(answer_times.heading(), answer_times.of_day, answer_times.cells)
    campaign = chosen_campaign(desk.settings)
    if kind == "map":
        return Table(
            risk_map.heading(campaign.map_columns, MAP_LANGUAGE),
            lambda session, day: risk_map.of_day(session, desk.zone, day),
            lambda line: risk_map.cells(line, campaign.map_columns, MAP_LANGUAGE),
        )
    questions = [WORKPLACE, *(question.key for question in campaign.questions)]
    return Table(
        answers.heading(questions),
        lambda session, day: answers.of_day(session, desk.zone, day),
        lambda line: answers.cells(line, questions),
    )


async def _export(desk: Desk, kind: str, days: tuple[date, date], form: str, output: Path | None) -> None:
    table = _table(kind, desk)
    async with store(desk) as database:
        async with database.transaction() as session:
            said = {"first": days[0].isoformat(), "last": days[1].isoformat(), "format": form}
            await audit.record(session, desk.now, ACTOR, "exported", kind, **said)
        if output is None:
            await _write_text(sys.stdout, database, table, days, form)
            return
        with kept_private(output) as file:
            if form == "xlsx":
                await _write_xlsx(file, database, table, days)
            else:
                # Excel takes a CSV file for UTF-8 only with the mark.
                encoding = "utf-8-sig" if form == "csv" else "utf-8"
                with file.open("w", encoding=encoding, newline="") as text:
                    await _write_text(text, database, table, days, form)


async def _lines(database: Database, table: Table, days: tuple[date, date]) -> AsyncIterator[Sequence[Any]]:
    """Day by day, so that a year fits in memory; one consistent read."""
    count = (days[1] - days[0]).days + 1
    with progress("Days", count) as done:
        async with database.reading() as session:
            for number in range(count):
                yield await table.of_day(session, days[0] + timedelta(days=number))
                done(1)


async def _write_text(file: TextIO, database: Database, table: Table, days: tuple[date, date], form: str) -> None:
    if form == "csv":
        file.write(csv_line(table.heading))
        async for lines in _lines(database, table, days):
            file.writelines(csv_line(table.cells(line)) for line in lines)
        return
    between = "[\n"
    async for lines in _lines(database, table, days):
        for line in lines:
            file.write(between + msgspec.json.encode(line).decode())
            between = ",\n"
    file.write("[]\n" if between == "[\n" else "\n]\n")


async def _write_xlsx(file: Path, database: Database, table: Table, days: tuple[date, date]) -> None:
    rows = [table.cells(line) async for lines in _lines(database, table, days) for line in lines]
    try:
        await asyncio.to_thread(write_xlsx, file, table.heading, rows)
    except TooManyRows:
        raise Mistake(f"{len(rows)} lines do not fit a sheet; choose fewer days", 1) from None
