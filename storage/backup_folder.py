"""The folder of backups: what they are called, which is the newest, one at a time, and which are dropped."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO
from zoneinfo import ZoneInfo

from domain.keeping import superfluous

_FORM = "vungxanh-%Y%m%d-%H%M%SZ.age"


class Busy(Exception):
    """Somebody else is making a backup here."""


def named(folder: Path, at: datetime) -> Path:
    """Where a backup begun at this instant is kept."""
    return folder / at.astimezone(UTC).strftime(_FORM)


def taken_at(file: Path) -> datetime | None:
    """When the backup of this name was begun; None if it is no backup's."""
    try:
        return datetime.strptime(file.name, _FORM).replace(tzinfo=UTC)
    except ValueError:
        return None


def backups(folder: Path) -> list[Path]:
    """All that are complete, the oldest first."""
    return sorted(file for file in folder.glob("*.age") if taken_at(file)) if folder.is_dir() else []


def newest(folder: Path) -> Path | None:
    return next(reversed(backups(folder)), None)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Nobody else makes or drops backups here meanwhile. Raises Busy. What a killed one left behind is removed."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Busy from None
        for part in folder.glob(".*.part"):
            part.unlink()
        yield


def prune(folder: Path, now: datetime, zone: ZoneInfo, days: int) -> int:
    """Drop what nobody needs any more; how many."""
    taken = {at: file for file in backups(folder) if (at := taken_at(file))}
    dropped = superfluous(taken, now, zone, days)
    for at in dropped:
        with suppress(FileNotFoundError):
            taken[at].unlink()
    return len(dropped)


def private(file: Path) -> BinaryIO:
    """A file to write that nobody but its owner can read."""
    return os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")


def sync(folder: Path) -> None:
    """The names in the folder are on the disk too."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
