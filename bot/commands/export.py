"""`vungxanh export`: what was declared, for a script or a spreadsheet."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, TextIO

import msgspec
import typer

from bot.commands.desk import ACTOR, Desk, Mistake, days_of, desk_of, store
from bot.commands.printed import kept_private, progress
from bot.run import chosen_campaign
from domain.campaign import WORKPLACE
from storage import audit
from storage.database import Database
from summaries import answers
from summaries.answers import AnswerLine
from summaries.spreadsheet import TooManyRows, csv_line, write_xlsx

app = typer.Typer()

KINDS = ("answers",)
FORMATS = ("json", "csv", "xlsx")
FOR_OTHER_KINDS = ("docx", "pdf")


@app.command()
def export(
    context: typer.Context,
    kind: Annotated[str, typer.Argument(metavar="KIND", help="What to export: answers.")],
    first: Annotated[str, typer.Option("--from", help="First day, as 2026-11-23.")],
    last: Annotated[str, typer.Option("--to", help="Last day, as 2026-11-27.")],
    form: Annotated[str, typer.Option("--format", help="json, csv or xlsx.")],
    output: Annotated[Path | None, typer.Option(help="File to write; without it, standard output.")] = None,
) -> None:
    """Export what was declared.

    Every version of every declaration for the rounds of these days, by staff code, without names. Answers are
    health data: each export is written to the audit, and files are readable by their owner only.
    """
    if kind not in KINDS:
        raise Mistake(f"'{kind}' cannot be exported; choose {', '.join(KINDS)}")
    if form in FOR_OTHER_KINDS:
        raise Mistake(f"{form} is not available for {kind}; choose {', '.join(FORMATS)}")
    if form not in FORMATS:
        raise Mistake(f"'{form}' is not a format; choose {', '.join(FORMATS)}")
    if form == "xlsx" and output is None:
        raise Mistake("xlsx needs --output FILE")
    asyncio.run(_export(desk_of(context), days_of(first, last), form, output))


async def _export(desk: Desk, days: tuple[date, date], form: str, output: Path | None) -> None:
    questions = [WORKPLACE, *(question.key for question in chosen_campaign(desk.settings).questions)]
    async with store(desk) as database:
        async with database.transaction() as session:
            said = {"first": days[0].isoformat(), "last": days[1].isoformat(), "format": form}
            await audit.record(session, desk.now, ACTOR, "exported", "answers", **said)
        if output is None:
            await _write_text(sys.stdout, database, desk, days, form, questions)
            return
        with kept_private(output) as file:
            if form == "xlsx":
                await _write_xlsx(file, database, desk, days, questions)
            else:
                # Excel takes a CSV file for UTF-8 only with the mark.
                encoding = "utf-8-sig" if form == "csv" else "utf-8"
                with file.open("w", encoding=encoding, newline="") as text:
                    await _write_text(text, database, desk, days, form, questions)


async def _lines(database: Database, desk: Desk, days: tuple[date, date]) -> AsyncIterator[list[AnswerLine]]:
    """Day by day, so that a year fits in memory; one consistent read."""
    count = (days[1] - days[0]).days + 1
    with progress("Days", count) as done:
        async with database.reading() as session:
            for number in range(count):
                yield await answers.of_day(session, desk.zone, days[0] + timedelta(days=number))
                done(1)


async def _write_text(
    file: TextIO, database: Database, desk: Desk, days: tuple[date, date], form: str, questions: Sequence[str]
) -> None:
    if form == "csv":
        file.write(csv_line(answers.heading(questions)))
        async for lines in _lines(database, desk, days):
            file.writelines(csv_line(answers.cells(line, questions)) for line in lines)
        return
    between = "[\n"
    async for lines in _lines(database, desk, days):
        for line in lines:
            file.write(between + msgspec.json.encode(line).decode())
            between = ",\n"
    file.write("[]\n" if between == "[\n" else "\n]\n")


async def _write_xlsx(
    file: Path, database: Database, desk: Desk, days: tuple[date, date], questions: Sequence[str]
) -> None:
    rows = [answers.cells(line, questions) async for lines in _lines(database, desk, days) for line in lines]
    try:
        await asyncio.to_thread(write_xlsx, file, answers.heading(questions), rows)
    except TooManyRows:
        raise Mistake(f"{len(rows)} lines do not fit a sheet; choose fewer days", 1) from None
