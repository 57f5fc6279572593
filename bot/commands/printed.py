"""What a command prints: tables that line up, JSON for scripts, progress on a terminal, files for their owner only."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
from rich.cells import cell_len
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from bot.commands.desk import Mistake


def say(line: str = "") -> None:
    print(line)


def show_json(value: Any) -> None:
    """For scripts, indented for people."""
    print(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def show_table(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Columns as wide as their widest cell, also where letters carry marks; no lines, so that it can be searched."""
    table = [heading, *rows]
    widths = [max(cell_len(row[column]) for row in table) for column in range(len(heading))]
    for row in table:
        cells = [cell + " " * (width - cell_len(cell)) for cell, width in zip(row, widths, strict=True)]
        print("  ".join(cells).rstrip())


@contextmanager
def progress(what: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """A bar on standard error while the block runs, on a terminal only; the caller tells how much more is done."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bars:
        task = bars.add_task(what, total=total)
        yield lambda more: bars.advance(task, more)


@contextmanager
def kept_private(target: Path) -> Iterator[Path]:
    """A file to write that takes `target`'s place when the block ends well; nobody but its owner can read it."""
    if not target.parent.is_dir():
        raise Mistake(f"there is no folder {target.parent}")
    if target.is_dir():
        raise Mistake(f"{target} is a folder; name a file")
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    os.close(handle)
    part = Path(name)
    try:
        yield part
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
