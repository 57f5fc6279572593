"""One consistent copy of the whole store as a SQLite file, whatever it runs on, and back into either."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Collection
from contextlib import closing
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from storage import schema
from storage.database import BUSY_MS, Database, Session
from storage.tables import metadata, unit

AT_ONCE = 1000
_READ = 1024 * 1024


class Damaged(Exception):
    """The store itself is; the message is the engine's own."""


async def take(database: Database, into: Path) -> None:
    """Everything committed before this call is in the copy. Raises Damaged for a store that cannot be read."""
    if database.is_sqlite:
        await asyncio.to_thread(_copy_pages, Path(database.url.database or ""), into)
        return
    await schema.require_own(database)
    copy = Database(f"sqlite:///{into}")
    try:
        async with database.reading() as source, copy.transaction() as target:
            await schema.create(target)
            await _copy_rows(source, target)
            await _compare(source, target)
    finally:
        await copy.close()


def _copy_pages(source: Path, into: Path) -> None:
    """Where the journal is no WAL, commits wait for the copying; so the file is brought into memory before."""
    with source.open("rb") as file:
        while file.read(_READ):
            pass
    uri = f"{source.absolute().as_uri()}?mode=rw"  # whoever reads may have to roll a killed writer back
    try:
        with (
            closing(sqlite3.connect(uri, uri=True, timeout=BUSY_MS / 1000)) as live,
            closing(sqlite3.connect(into)) as copy,
        ):
            copy.execute("PRAGMA synchronous = OFF")
            live.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError as problem:
        raise Damaged(str(problem)) from None


async def fill(database: Database, copy: Path) -> None:
    """Put every row of such a copy, of this program's schema, in the place of what is in a PostgreSQL store."""
    source_of = Database(f"sqlite:///{copy}")
    try:
        async with source_of.reading() as source, database.transaction() as target:
            for table in reversed(metadata.sorted_tables):
                await target.execute(table.delete())
            await _copy_rows(source, target)
            await _go_on_counting(target)
            await _compare(source, target)
    finally:
        await source_of.close()


async def _copy_rows(source: Session, target: Session) -> None:
    for table in metadata.sorted_tables:
        # A unit's path is longer than that of the unit above, which must be there first.
        order = [sa.func.length(unit.c.path)] if table is unit else list(table.primary_key)
        async with source.stream(sa.select(table).order_by(*order)) as rows:
            async for part in rows.mappings().partitions(AT_ONCE):
                await target.execute(table.insert(), [dict(row) for row in part])


async def _go_on_counting(target: Session) -> None:
    """PostgreSQL's own counters know nothing of rows that brought their numbers."""
    for table in metadata.sorted_tables:
        if table.autoincrement_column is not None:
            highest = sa.select(sa.func.max(table.c.id)).scalar_subquery()
            counter = sa.func.pg_get_serial_sequence(f'"{table.name}"', "id")
            await target.execute(sa.select(sa.func.setval(counter, highest)).where(highest.is_not(None)))


async def _compare(source: Session, target: Session) -> None:
    there, here = await counted(source), await counted(target)
    different = [name for name in there if there[name] != here[name]]
    if different:
        raise RuntimeError(f"not every row of {', '.join(different)} was copied")


async def counted(session: Session) -> dict[str, int]:
    """How many rows each table has."""
    counts = [sa.select(sa.func.count()).select_from(table).scalar_subquery() for table in metadata.sorted_tables]
    row: Collection[Any] = (await session.execute(sa.select(*counts))).one()
    return dict(zip((table.name for table in metadata.sorted_tables), row, strict=True))


def rows_of(copy: Path) -> dict[str, int]:
    """How many rows each table of a copy has, whatever its schema."""
    with closing(sqlite3.connect(copy)) as file:
        names = [row[0] for row in file.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
        return {name: file.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in names}  # noqa: S608


def require_sound(copy: Path) -> None:
    """Raises Damaged unless every page, index and reference of a copy is as it should be."""
    try:
        with closing(sqlite3.connect(copy)) as file:
            found = [row[0] for row in file.execute("PRAGMA integrity_check(20)")]
            broken = file.execute("PRAGMA foreign_key_check").fetchone()
    except sqlite3.DatabaseError as problem:
        raise Damaged(str(problem)) from None
    if found != ["ok"]:
        raise Damaged(found[0])
    if broken:
        raise Damaged(f"row {broken[1]} of {broken[0]} refers to a missing row of {broken[2]}")
