"""`vungxanh run` and `vungxanh demo`: the programs that go on until they are told to stop."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from typing import Annotated, get_args

import typer

import bot.demo
import bot.run
from bot import logs
from bot.app import ALL_ROLES, ProcessRole
from bot.commands.desk import Mistake, desk_of

if sys.platform == "win32":
    new_loop: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop
else:
    import uvloop

    new_loop = uvloop.new_event_loop

app = typer.Typer()


@app.command()
def run(
    context: typer.Context,
    roles: Annotated[
        str,
        typer.Option(
            help="What this process does, where several share the work on PostgreSQL: listen (take updates from the "
            "messengers), send (deliver messages), tick (rounds, reminders, boards, files), web (pages and webhooks)."
        ),
    ] = ",".join(get_args(ProcessRole)),
) -> None:
    """Run the bot until it is told to stop.

    It hears, asks, reminds, delivers and serves the web pages until SIGTERM or Ctrl-C.
    """
    settings = desk_of(context).settings
    chosen = _roles(roles)
    logs.set_up(settings.log_format)
    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(bot.run.serve(settings, chosen))


def _roles(words: str) -> frozenset[ProcessRole]:
    """Raises Mistake for a role that does not exist."""
    chosen = frozenset(known for known in ALL_ROLES if known in words.split(","))
    if len(chosen) != len(set(words.split(","))):
        raise Mistake(f"--roles: expected some of {', '.join(get_args(ProcessRole))}, separated by commas")
    return chosen


@app.command()
def demo(
    host: Annotated[str, typer.Option(help="Address on which the demonstration listens.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port on which it listens.")] = 8080,
) -> None:
    """Show a sample department in the browser.

    Its clock is moved by hand. It needs no token and keeps nothing.
    """
    logs.set_up("console")
    print(f"The demonstration is at http://{host}:{port} (Ctrl-C ends it).", flush=True)
    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(bot.demo.serve(host, port))
