"""`vungxanh post`: who is head, focal person, committee member, guard or administrator."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from bot.commands.desk import ACTOR, Desk, Mistake, desk_of, store
from bot.commands.printed import say, show_json, show_table
from domain.policy import Role
from handlers import appointing
from storage import posts
from storage.posts import Listed

app = typer.Typer(help="Say who is head, focal person, admin …")

StaffCode = Annotated[str, typer.Argument(metavar="STAFF_CODE", help="Staff code of the person.")]
RoleWord = Annotated[str, typer.Argument(metavar="ROLE", help="head, focal, committee, guard or admin.")]


@app.command("list")
def list_(
    context: typer.Context,
    waiting: Annotated[bool, typer.Option("--waiting", help="Only posts that wait for confirmation.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")] = False,
) -> None:
    """List posts, those of the highest units first. Posts from a roster wait until they are confirmed."""
    found = asyncio.run(_list(desk_of(context), waiting_only=waiting))
    if as_json:
        show_json([_as_json(one) for one in found])
    elif found:
        rows = [
            (str(one.id), one.staff_code, one.name, one.role.value, one.unit_code, one.unit_name, _state(one))
            for one in found
        ]
        show_table(("id", "staff code", "name", "role", "unit", "unit name", "state"), rows)
    else:
        say("No post waits for confirmation." if waiting else "Nobody holds a post.")


async def _list(desk: Desk, *, waiting_only: bool) -> list[Listed]:
    async with store(desk) as database, database.reading() as session:
        return await posts.listed(session, waiting_only=waiting_only)


def _state(one: Listed) -> str:
    return "in force" if one.is_confirmed else "waiting"


def _as_json(one: Listed) -> dict[str, object]:
    return {
        "id": one.id,
        "staff_code": one.staff_code,
        "name": one.name,
        "role": one.role.value,
        "unit_code": one.unit_code,
        "state": _state(one),
    }


@app.command()
def confirm(
    context: typer.Context,
    ids: Annotated[list[int] | None, typer.Argument(metavar="ID...", help="Ids, as 'post list' shows them.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Confirm every post that waits.")] = False,
) -> None:
    """Put posts that a roster asked for in force: all of those named, or none."""
    if bool(ids) == everything:
        raise Mistake("name the ids of posts, or --all")
    done = asyncio.run(_confirm(desk_of(context), None if everything else ids))
    for one in done:
        say(f"{one.name} ({one.staff_code}) is {one.role.value} of {one.unit_name}.")
    if not done:
        say("No post waits for confirmation.")


async def _confirm(desk: Desk, ids: list[int] | None) -> list[Listed]:
    async with store(desk) as database, database.transaction() as session:
        return list(await appointing.confirm(session, ids, desk.now, ACTOR))


@app.command()
def appoint(
    context: typer.Context,
    staff_code: StaffCode,
    role: RoleWord,
    unit: Annotated[
        str | None,
        typer.Option(
            help="Code of the unit. Without it, committee and admin are of the organisation, others of their own unit."
        ),
    ] = None,
) -> None:
    """Give a person a post, in force at once."""
    asyncio.run(_appoint(desk_of(context), staff_code, _role(role), unit))


async def _appoint(desk: Desk, staff_code: str, role: Role, code: str | None) -> None:
    async with store(desk) as database, database.transaction() as session:
        unit = await appointing.appoint(session, staff_code, role, code, desk.now, ACTOR)
    say(f"{staff_code} is {role.value} of {unit.name}.")


@app.command()
def end(
    context: typer.Context,
    staff_code: StaffCode,
    role: RoleWord,
    unit: Annotated[str | None, typer.Option(help="Code of the unit, if the person holds the role in several.")] = None,
) -> None:
    """Take a post away, at once and everywhere."""
    asyncio.run(_end(desk_of(context), staff_code, _role(role), unit))


async def _end(desk: Desk, staff_code: str, role: Role, code: str | None) -> None:
    async with store(desk) as database, database.transaction() as session:
        ended = await appointing.end(session, staff_code, role, code, desk.now, ACTOR)
    say(f"{staff_code} is no longer {role.value} of {ended.unit_name}.")


def _role(word: str) -> Role:
    try:
        return Role(word)
    except ValueError:
        raise Mistake(f"'{word}' is not a role; roles are {', '.join(Role)}") from None
