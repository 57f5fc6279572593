"""The command line: every command, and what becomes of whatever a command raises."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import traceback
from collections.abc import Sequence
from io import TextIOWrapper
from pathlib import Path

import structlog
import typer

import texts
from bot import logs
from bot.commands import backups, doctor, export, invites, posts, roster, rounds, schedules, serving, settings, status
from bot.commands.desk import Mistake
from bot.run import NotConfigured, wall_clock
from domain.campaign_file import CampaignError
from domain.refusal import Refusal, WrongInput
from domain.roster import RosterRefused
from storage import trouble
from storage.database import Clock
from storage.snapshot import Damaged

log = structlog.get_logger(__name__)

app = typer.Typer(
    name="vungxanh",
    help="Asks staff how they are twice a working day and tells supervisors how each unit stands.",
    epilog="Settings are environment variables VUNGXANH_*; 'vungxanh settings' lists them.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
for single in (serving, settings, doctor, status, invites, export, backups):
    app.add_typer(single.app)
for name, group in (("roster", roster), ("post", posts), ("schedule", schedules), ("round", rounds)):
    app.add_typer(group.app, name=name)


def main(arguments: Sequence[str] | None = None, clock: Clock = wall_clock) -> int:
    """Run one command. 0: done; 1: a problem was found, or it was refused; 2: wrong usage or input.

    An error is one line on standard error.
    """
    _set_up()
    try:
        status = _run(sys.argv[1:] if arguments is None else arguments, clock)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader has seen enough (`| head`); what is still buffered must not fail again at exit.
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return _fail("interrupted", 1)
    except Exception as error:  # noqa: BLE001 - the edge of the program: one line, whatever it was
        return _fail(*_explained(error))
    return status


def _run(arguments: Sequence[str], clock: Clock) -> int:
    command = typer.main.get_command(app)
    status = command.main(args=list(arguments), prog_name="vungxanh", standalone_mode=False, obj=clock)
    return status if isinstance(status, int) else 0


def _set_up() -> None:
    """Only errors are logged: a command's own lines say what it did. Letters a terminal lacks are written as codes."""
    logs.set_up("console")
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _fail(line: str, status: int) -> int:
    print(f"vungxanh: {' '.join(line.split())}", file=sys.stderr)
    return status


def _explained(error: Exception) -> tuple[str, int]:
    """One line for the operator and the exit status; what nobody expected is logged as well."""
    match error:
        case Mistake():
            return str(error), error.status
        case typer.TyperException():
            return error.format_message(), 2
        case typer.Abort():
            return "interrupted", 1
        case Refusal():
            return texts.text("en", error.key, **error.values), 2 if isinstance(error, WrongInput) else 1
        case RosterRefused():
            return texts.text("en", error.key, **error.values), 1
        case CampaignError():
            more = len(error.problems) - 1
            return f"{error.problems[0]}{f' (and {more} more)' if more else ''}", 1
        case NotConfigured() | PermissionError() | Damaged():
            return str(error), 1
    if reason := trouble.why(error):
        return f"the store refused: {reason}", 1
    if isinstance(error, OSError):
        return f"{error.filename or 'the system'}: {error.strerror or type(error).__name__}", 1
    _log(error)
    return f"an unexpected problem ({type(error).__name__}); nothing more was done", 1


def _log(error: Exception) -> None:
    """Where it happened, without what it was about."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    log.error("command_failed", problem=type(error).__name__, at=f"{Path(last.filename).name}:{last.lineno}")


if __name__ == "__main__":
    sys.exit(main())
