"""Backups as the settings want them: their key, when they are made, and what to do with one when there is damage."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from bot.settings import Settings
from storage import age, backup_folder
from storage.database import Database
from storage.snapshot import Damaged

CHECKED_IN_FULL = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class BackupKey:
    """`is_here`: the secret half is still on this machine, so that whoever takes the machine can read the backups."""

    public: str
    is_here: bool


def backup_key(secret: Path) -> BackupKey:
    """The key whose secret half is (or was) in this file; made at the first use, mode 600.

    Raises PermissionError if others can read the file, ValueError if it holds no key.
    """
    public = secret.with_suffix(".pub")
    if secret.exists() and secret.stat().st_mode & 0o077:
        raise PermissionError(f"{secret} can be read by others; set its mode to 600")
    if not public.exists():
        if not secret.exists():
            _write(secret, age.new_key())
        _write(public, age.public_half(_line_of(secret)))
    return BackupKey(_line_of(public), secret.exists())


def go_on_with(secret: Path, key: str) -> None:
    """Let further backups be sealed for this key, if it is not said yet for which."""
    public = secret.with_suffix(".pub")
    if not public.exists():
        _write(public, age.public_half(key))


def secret_half(file: Path) -> str:
    """The key in a file, also if it was typed from paper. Raises ValueError if it is none."""
    key = _line_of(file)
    age.public_half(key)
    return key


def _line_of(file: Path) -> str:
    """The one line that is no remark, as other `age` programs write such files too."""
    lines = [line.strip() for line in file.read_text(encoding="utf-8").splitlines()]
    found = [line for line in lines if line and not line.startswith("#")]
    if len(found) != 1:
        raise ValueError(f"{file} holds no key")
    return found[0]


def _write(file: Path, key: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as text:
        text.write(f"{key}\n")
        text.flush()
        os.fsync(text.fileno())


def every(settings: Settings) -> timedelta:
    """How often the store is checked; that is a backup too unless they are switched off."""
    return timedelta(minutes=settings.backup_minutes) or timedelta(days=1)


def late_after(settings: Settings) -> timedelta:
    """Two in a row have failed."""
    return 2 * every(settings) + timedelta(minutes=5)


def program(settings: Settings) -> list[str]:
    """What makes a backup beside the running bot, which comes first: the same command that an operator types."""
    politely = ["nice", "-n", "10"] if shutil.which("nice") else []
    command = [*politely, sys.executable, "-m", "bot", "backup"]
    return command if settings.backup_minutes else [*command, "--check"]


def newest_at(settings: Settings) -> datetime | None:
    """When the newest backup was begun; None if there is none, or none is to be made."""
    newest = backup_folder.newest(settings.backup_folder) if settings.backup_minutes else None
    return backup_folder.taken_at(newest) if newest else None


async def refuse_unsafe(database: Database, settings: Settings) -> None:
    """Raises Damaged, with what to do, if the store is damaged or would not keep what is committed.

    A large file is looked through in full only where damage was found before: every backup does that beside the bot.
    """
    marker = _marker(database)
    suspect = marker is not None and marker.exists()
    file = database.file
    is_large = file is not None and file.exists() and file.stat().st_size > CHECKED_IN_FULL
    if problems := await database.check(quick=is_large and not suspect):
        raise Damaged(f"the database is damaged ({problems[0]}); {how_to_restore(settings.backup_folder)}")
    if marker and suspect:
        marker.unlink()
    if weaknesses := await database.weaknesses():
        raise Damaged(f"what is committed could be lost: {weaknesses[0]}")


def note_damage(database: Database, settings: Settings) -> Damaged:
    """Let the next start look closely; what to tell the operator."""
    if marker := _marker(database):
        marker.touch()
    return Damaged(f"the database is damaged, see the log; {how_to_restore(settings.backup_folder)}")


def _marker(database: Database) -> Path | None:
    file = database.file
    return file.with_name(f"{file.name}.damaged") if file else None


def how_to_restore(folder: Path) -> str:
    """What to type, with the newest good backup of this folder."""
    newest = backup_folder.newest(folder)
    if newest is None:
        return f"there is no backup in {folder.absolute()}"
    return f"the newest good backup: vungxanh restore {newest.absolute()} --replace --key FILE-WITH-THE-BACKUP-KEY"
