"""`vungxanh doctor`: is everything as it should be?"""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from bot.commands.printed import say, show_json
from bot.doctor import Finding, examine
from storage.database import Clock

app = typer.Typer()


@app.command()
def doctor(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")] = False,
) -> None:
    """Check that everything is as it should be.

    Settings, secret key, campaign, Telegram, store, disk, outbox and audit are looked at; nothing is changed.
    Exit status 1 if anything is wrong.
    """
    found = asyncio.run(_examine(context.obj, printing=not as_json))
    wrong = [one for one in found if not one.ok]
    if as_json:
        show_json({"ok": not wrong, "checks": found})
    else:
        say(
            f"{len(wrong)} of {len(found)} checks found something wrong." if wrong else "Everything is as it should be."
        )
    if wrong:
        raise typer.Exit(1)


async def _examine(clock: Clock, *, printing: bool) -> list[Finding]:
    found = []
    async for one in examine(clock):
        found.append(one)
        if printing:
            say(f"{'ok   ' if one.ok else 'WRONG'}  {one.name:<11} {one.detail}")
    return found
