"""`vungxanh roster import`: the list of staff, shown before it is taken over, all of it or nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Annotated

import typer

import texts
from bot.commands.desk import ACTOR, Desk, Mistake, desk_of, store
from bot.commands.printed import progress, say
from domain.roster import Problem
from domain.roster_plan import Plan
from handlers.roster_file import MAX_BYTES, read_roster_file
from storage import roster

app = typer.Typer(help="Take over the list of staff.")

LABELS = {
    "joins": "people join",
    "returns": "people come back",
    "leaves": "people leave",
    "moves": "people move to another unit",
    "changes": "changes of name, phone or title",
    "posts_asked": "posts asked for; each waits for 'vungxanh post confirm'",
    "posts_no_longer_asked": "posts no longer asked for; they end",
    "new_units": "new units",
    "moved_units": "units move",
    "renamed_units": "units change name or code",
    "closed_units": "units close",
    "reopened_units": "units open again",
}


@app.callback()
def roster_group() -> None:
    """Take over the list of staff."""


@app.command("import")
def import_(
    context: typer.Context,
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]", help="XLSX or CSV, as the office has it.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change, and change nothing.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Accept that more than 30 % of the staff leave.")] = False,
    undo: Annotated[int | None, typer.Option(metavar="ID", help="Undo this import instead, within 7 days.")] = None,
) -> None:
    """Import the whole roster: who is not in the file has left. Units and people are known by their codes.

    A file with any error changes nothing. Heads and focal persons that the file names wait for 'vungxanh post confirm'.
    """
    if (file is None) == (undo is None):
        raise Mistake("name a roster file, or an import to take back with --undo ID")
    if undo is not None and (dry_run or force):
        raise Mistake("--undo goes with no other option")
    desk = desk_of(context)
    if file is None:
        asyncio.run(_undo(desk, undo or 0))
    else:
        asyncio.run(_import(desk, file, dry_run=dry_run, force=force))


async def _import(desk: Desk, file: Path, *, dry_run: bool, force: bool) -> None:
    content = _content(file)
    with progress("Reading the file", None):
        parsed = await read_roster_file(content, desk.today)
    async with store(desk, make=True) as database:
        with progress("Comparing", None):
            async with database.reading() as session:
                plan = await roster.plan_import(session, parsed, force=force)
        _report(plan, in_full=dry_run)
        if plan.needs_force:
            raise Mistake(f"nothing was changed: {_sentence(plan.errors[0])} (--force)", 1)
        if plan.errors:
            raise Mistake(f"nothing was changed: the roster has {len(plan.errors)} error(s)", 1)
        if dry_run or plan.is_empty:
            say("Nothing was changed (dry run)." if dry_run else "The roster says what is known already.")
            return
        with progress("Taking over", None):
            async with database.transaction() as session:
                number = await roster.apply(
                    session, plan, filename=file.name, digest=sha256(content).hexdigest(), by=ACTOR, now=desk.now
                )
    say(f"Done. 'vungxanh roster import --undo {number}' takes it back within {roster.UNDO_WITHIN.days} days.")


def _content(file: Path) -> bytes:
    """At most one byte more than may be read: the reader refuses it by size, and memory is spared."""
    try:
        with file.open("rb") as opened:
            return opened.read(MAX_BYTES + 1)
    except OSError as error:
        raise Mistake(f"{file}: {error.strerror}") from None


async def _undo(desk: Desk, number: int) -> None:
    async with store(desk) as database, database.transaction() as session:
        counts = await roster.undo(session, number, ACTOR, desk.now)
    say(f"Import {number} is undone: {_counted(counts)}.")


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items() if count) or "nothing had changed"


def _report(plan: Plan, *, in_full: bool) -> None:
    """How many changes of each kind, each of them if asked, and every problem by row and column."""
    for kind, label in LABELS.items():
        if count := plan.counts[kind]:
            say(f"{count} {label}")
            for line in _lines(plan, kind) if in_full else ():
                say(f"    {line}")
    if plan.problems:
        say(f"{len(plan.errors)} error(s), {len(plan.problems) - len(plan.errors)} warning(s)")
    for problem in plan.problems:
        say(f"    {problem.severity}: {_place(problem)}{_sentence(problem)}")


def _lines(plan: Plan, kind: str) -> Iterator[str]:
    changes: Mapping[str, Sequence[str]] = {
        "joins": [f"{one.staff_code}  {one.name}  → {one.unit}" for one in plan.joins],
        "returns": [f"{one.staff_code}  {one.name}  → {one.unit}" for one in plan.returns],
        "leaves": [f"{one.staff_code}  {one.name}  ({one.unit})" for one in plan.leaves],
        "moves": [f"{one.staff_code}  {one.name}  {one.before} → {one.after}" for one in plan.moves],
        "changes": [
            f"{one.staff_code}  {one.name}  {one.field}: {one.before or '–'} → {one.after or '–'}"
            for one in plan.changes
        ],
        "posts_asked": [f"{one.staff_code}  {one.name}  {one.role} of {one.unit}" for one in plan.posts_asked],
        "posts_no_longer_asked": [
            f"{one.staff_code}  {one.name}  {one.role} of {one.unit}" for one in plan.posts_no_longer_asked
        ],
        "new_units": [f"{one.code}  {one.name}  (below {one.parent})" for one in plan.new_units],
        "moved_units": [f"{one.code}  {one.name}  {one.before} → {one.after}" for one in plan.moved_units],
        "renamed_units": [f"{one.code_before}  {one.before} → {one.code}  {one.after}" for one in plan.renamed_units],
        "closed_units": [f"{one.code}  {one.name}" for one in plan.closed_units],
        "reopened_units": [f"{one.code}  {one.name}" for one in plan.reopened_units],
    }
    yield from changes[kind]


def _place(problem: Problem) -> str:
    if not problem.row:
        return ""
    sheet = f"sheet {problem.sheet}, " if problem.sheet else ""
    return f"{sheet}row {problem.row}{f', column {problem.column}' if problem.column else ''}: "


def _sentence(problem: Problem) -> str:
    return texts.text("en", problem.key, **problem.values)
