"""Backups: one consistent copy of the store, packed, sealed, and proved by restoring and counting before it counts."""

from __future__ import annotations

import gzip
import io
import os
import shutil
import tarfile
import tempfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, cast

import msgspec

from storage import backup_folder, snapshot
from storage.age import CHUNK, NotReadable, Opened, Sealing
from storage.database import Database

MANIFEST, KEY, STORE = "manifest.json", "secret.key", "vungxanh.db"
LEVEL = 3
"""Of gzip: beyond it a copy of this kind takes much longer and gets little smaller."""
_SCRATCH = ".backup-"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What stands in a backup: when it was begun, from which engine, and how many rows each table has."""

    taken_at: datetime
    engine: str
    rows: Mapping[str, int]

    @property
    def total(self) -> int:
        return sum(self.rows.values())


@dataclass(frozen=True, slots=True)
class Backup:
    file: Path
    manifest: Manifest
    size: int


@dataclass(frozen=True, slots=True)
class Unpacked:
    """A backup that was opened: its store as a SQLite file, and the key that signed buttons and links."""

    manifest: Manifest
    store: Path
    secret_key: bytes


async def make(database: Database, folder: Path, data: Path, public: str, secret_key: bytes, now: datetime) -> Backup:
    """A proved backup in `folder`, sealed for the holder of `public`'s other half; `data` is for the copy meanwhile.

    Raises snapshot.Damaged if the store is not sound, OSError if there is no room; then nothing is left behind.
    """
    target = backup_folder.named(folder, now)
    part = target.with_name(f".{target.name}.part")
    with scratch(data) as room:
        copy = room / STORE
        await snapshot.take(database, copy)
        manifest = Manifest(now, database.url.get_backend_name(), snapshot.rows_of(copy))
        try:
            file_key = _write(part, manifest, secret_key, copy, public)
            copy.unlink()
            _prove(part, file_key, manifest, room)
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)
    backup_folder.sync(folder)
    return Backup(target, manifest, target.stat().st_size)


async def check(database: Database, data: Path) -> None:
    """Look through the whole store, on a copy. Raises snapshot.Damaged."""
    with scratch(data) as room:
        await snapshot.take(database, room / STORE)
        snapshot.require_sound(room / STORE)


def _prove(part: Path, file_key: bytes, manifest: Manifest, room: Path) -> None:
    """Restore what is on the disk, have it checked, and count."""
    found = unpack(part, file_key, room)
    require_whole(found)
    if found.manifest != manifest:
        raise NotReadable("what was read back is not what was written")


def require_whole(found: Unpacked) -> None:
    """Raises Damaged or NotReadable unless the store is sound and has every row that was counted into it."""
    snapshot.require_sound(found.store)
    if snapshot.rows_of(found.store) != found.manifest.rows:
        raise NotReadable("its rows are not those that were counted")


def _write(part: Path, manifest: Manifest, secret_key: bytes, copy: Path, public: str) -> bytes:
    """Write and bring to the disk; the key of this one file."""
    with backup_folder.private(part) as file:
        sealing = Sealing(file, public)
        with (
            gzip.GzipFile(fileobj=cast(Any, sealing), mode="wb", compresslevel=LEVEL, mtime=0) as packed,
            tarfile.open(fileobj=packed, mode="w|") as tar,
        ):
            for name, content in ((MANIFEST, msgspec.json.encode(manifest)), (KEY, secret_key)):
                _add(tar, name, len(content), io.BytesIO(content), manifest.taken_at)
            with copy.open("rb") as store:
                _add(tar, STORE, copy.stat().st_size, store, manifest.taken_at)
        sealing.finish()
        file.flush()
        os.fsync(file.fileno())
    return sealing.file_key


def _add(tar: tarfile.TarFile, name: str, size: int, content: BinaryIO | io.BytesIO, at: datetime) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode, member.mtime = size, 0o600, int(at.timestamp())
    tar.addfile(member, content)


def unpack(file: Path, key: str | bytes, into: Path) -> Unpacked:
    """Open a backup with the secret key as text, or with the key of this one file. Raises NotReadable."""
    try:
        with (
            file.open("rb") as sealed,
            gzip.GzipFile(fileobj=io.BufferedReader(Opened(sealed, key), CHUNK)) as packed,
            tarfile.open(fileobj=packed, mode="r|") as tar,
        ):
            for member in tar:
                if member.name in (MANIFEST, KEY, STORE):
                    _extract(tar, member, into / member.name)
            while packed.read(CHUNK):  # to the end, without which nothing counts
                pass
        manifest = msgspec.json.decode((into / MANIFEST).read_bytes(), type=Manifest)
        return Unpacked(manifest, into / STORE, (into / KEY).read_bytes())
    except (gzip.BadGzipFile, EOFError, zlib.error, tarfile.TarError, msgspec.MsgspecError, FileNotFoundError) as error:
        if not file.exists():
            raise
        raise NotReadable(f"it is not a backup ({type(error).__name__})") from None


def _extract(tar: tarfile.TarFile, member: tarfile.TarInfo, target: Path) -> None:
    content = tar.extractfile(member)
    if content is None:
        raise NotReadable("it is not a backup")
    with backup_folder.private(target) as file:
        shutil.copyfileobj(content, file, CHUNK)


@contextmanager
def scratch(data: Path) -> Iterator[Path]:
    """A private folder for readable copies, among the data that they are copies of; gone when the block ends."""
    clear(data)
    data.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f"{_SCRATCH}{os.getpid()}-", dir=data) as room:
        yield Path(room)


def clear(data: Path) -> None:
    """Remove what processes that were killed left behind."""
    for left in data.glob(f"{_SCRATCH}[0-9]*-*"):
        if not _is_running(int(left.name.split("-")[1])):
            shutil.rmtree(left, ignore_errors=True)


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
