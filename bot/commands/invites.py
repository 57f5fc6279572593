"""`vungxanh invites`: fresh one-use codes for those who are not enrolled, as a table, JSON, CSV or printed sheets."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Annotated

import typer

from bot.commands.desk import ACTOR, Desk, Mistake, desk_of, store
from bot.commands.printed import kept_private, progress, say, show_json, show_table
from channels.telegram import introduce
from domain.codes import shown
from handlers import inviting
from handlers.inviting import Invitation, Ways
from handlers.named import person_named, unit_named
from storage import enrolled
from storage.database import Session
from storage.enrolled import Invitee
from summaries.sheet import SheetInvite, UnitSheet, invite_sheets
from summaries.spreadsheet import csv_line

app = typer.Typer()

MOST_IN_ONE_PDF = 1000
"""A slip takes 250 KB of memory while the file is made."""
_FIELDS = ("staff_code", "name", "unit_code", "code", "telegram", "web")
_ODD_IN_FILE_NAME = re.compile(r"[^\w.\-]+|^\.+")


@app.command()
def invites(
    context: typer.Context,
    unit: Annotated[str | None, typer.Option(help="Code of a unit; without it, the whole organisation.")] = None,
    person: Annotated[
        str | None, typer.Option(help="Staff code of one person, also with a working chat: a new phone, a new code.")
    ] = None,
    everyone: Annotated[
        bool, typer.Option("--all/--missing-only", help="Everybody, or only those without a working chat.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")] = False,
    pdf: Annotated[
        Path | None, typer.Option(help="Write sheets to print: a file, or an existing folder for one file a unit.")
    ] = None,
    csv: Annotated[Path | None, typer.Option(help="Write a CSV file.")] = None,
) -> None:
    """Issue fresh invitations.

    Each person gets one code, with links for Telegram and web chat. Earlier codes of the same people that were not
    used stop working. Whoever has a code can enrol as that person, so hand them out like passwords; files are
    readable by their owner only.
    """
    desk = desk_of(context)
    if person is not None and (unit is not None or everyone):
        raise Mistake("--person means one person alone; leave out --unit and --all")
    for file in (pdf, csv):
        if file is not None and not file.parent.is_dir():
            raise Mistake(f"there is no folder {file.parent}")
    most = MOST_IN_ONE_PDF if pdf is not None and not pdf.is_dir() else None
    invited, telegram_problem = asyncio.run(_invite(desk, unit, person, most, everyone=everyone))
    if csv is not None:
        _write_csv(csv, invited)
    if pdf is not None and invited:
        _write_pdf(desk, pdf, invited)
    if as_json:
        show_json([_as_json(one) for one in invited])
    elif pdf is None and csv is None:
        show_table(
            ("staff code", "name", "unit", "code"),
            [(one.to.staff_code, one.to.name, one.to.unit_code, shown(one.code)) for one in invited],
        )
    if not as_json:
        hours = desk.settings.invite_hours
        say(f"{len(invited)} invitation(s), to be used within {hours} hours.{telegram_problem}")


async def _invite(
    desk: Desk, unit: str | None, person: str | None, most: int | None, *, everyone: bool
) -> tuple[list[Invitation], str]:
    """The invitations, and what to tell about links that are missing."""
    async with store(desk) as database:
        username, problem = await _telegram_username(desk)
        ways = Ways(desk.settings.invite_lasts, desk.settings.web_address, lambda: username)
        async with database.transaction() as session:
            about, chosen = await _chosen(session, unit, person, everyone=everyone)
            invited = await inviting.invite_these(session, chosen, ways, about, desk.now, ACTOR, everyone=everyone)
            if most is not None and len(invited) > most:
                # Raised inside the transaction, so that no code was issued.
                raise Mistake(f"--pdf: {len(invited)} people are too many for one file; name an existing folder")
    return invited, problem


async def _chosen(
    session: Session, unit: str | None, person: str | None, *, everyone: bool
) -> tuple[str, list[Invitee]]:
    """Whom the options mean, and how the audit names them."""
    if person is None:
        of = await unit_named(session, unit)
        return str(of.id), await enrolled.to_invite(session, of.path, everyone=everyone)
    found = await person_named(session, person)
    to = await enrolled.invitee(session, found.id)
    return f"person {found.id}", [to] if to else []


async def _telegram_username(desk: Desk) -> tuple[str, str]:
    token = desk.settings.telegram_token.get_secret_value()
    if not token:
        return "", ""
    found = await introduce(token, desk.settings.telegram_api_base, desk.clock)
    return (
        found.username,
        f" Without Telegram links: Telegram did not answer ({found.problem})." if found.problem else "",
    )


def _as_json(one: Invitation) -> dict[str, str | None]:
    values = (one.to.staff_code, one.to.name, one.to.unit_code, one.code, one.telegram, one.web)
    return dict(zip(_FIELDS, values, strict=True))


def _write_csv(target: Path, invited: Sequence[Invitation]) -> None:
    with kept_private(target) as file:
        lines = [csv_line(_FIELDS), *(csv_line([value or "" for value in _as_json(one).values()]) for one in invited)]
        # Excel takes a file for UTF-8 only with the mark.
        file.write_text("".join(lines), encoding="utf-8-sig", newline="")


def _write_pdf(desk: Desk, target: Path, invited: Sequence[Invitation]) -> None:
    sheets = list(_sheets(desk, invited))
    if not target.is_dir():
        with kept_private(target) as file, progress("Sheets", None):
            file.write_bytes(invite_sheets(sheets))
        return
    with progress("Sheets", len(invited)) as done:
        for number, sheet in enumerate(sheets, start=1):
            name = _ODD_IN_FILE_NAME.sub("_", sheet.unit_code)
            with kept_private(target / f"{number:03}-{name}.pdf") as file:
                file.write_bytes(invite_sheets([sheet]))
            done(len(sheet.people))


def _sheets(desk: Desk, invited: Sequence[Invitation]) -> Iterator[UnitSheet]:
    """One for each unit, with its own people only."""
    until = (desk.now + desk.settings.invite_lasts).astimezone(desk.zone)
    for _, people in groupby(invited, key=lambda one: one.to.unit_id):
        mine = list(people)
        slips = [SheetInvite(one.to.name, one.to.staff_code, shown(one.code), one.telegram, one.web) for one in mine]
        unit = mine[0].to
        expires = f"{until:%H:%M %d/%m/%Y}"
        yield UnitSheet(unit.unit_name, unit.unit_code, slips, desk.settings.organisation, expires, "vi")
