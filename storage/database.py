"""The one way to the store: engines set up so that committed means on disk, and transactions that take turns."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from weakref import WeakSet
from zlib import crc32

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

Session = AsyncConnection
"""A connection inside one transaction, as every query function takes it."""

BUSY_MS = 10_000
SERVER_SETTINGS = ("fsync", "full_page_writes", "synchronous_commit")
"""What PostgreSQL must not have switched off."""
SAFE = ("FULL", "EXTRA")
FIXED_IN = ((3, 51, 3), (3, 50, 7), (3, 44, 6))
"""First SQLite versions without the WAL race of several connections (sqlite.org, "WAL-reset bug"), with back-ports."""


class Instant(sa.TypeDecorator[datetime]):
    """An aware UTC datetime, whatever the database makes of it."""

    impl = sa.DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        return dialect.type_descriptor(sa.DateTime(timezone=dialect.name == "postgresql"))

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant needs a zone")
        value = value.astimezone(UTC)
        return value if dialect.name == "postgresql" else value.replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def journal_mode(version: tuple[int, int, int]) -> str:
    """WAL where this SQLite can be trusted with it, else the rollback journal (slower, always safe)."""
    newest = FIXED_IN[0]
    back_ported = any(version[:2] == fixed[:2] and version >= fixed for fixed in FIXED_IN[1:])
    return "WAL" if version >= newest or back_ported else "TRUNCATE"


class _Connection(sqlite3.Connection):
    """One that lets go of the file when it is closed, whoever was cancelled in the middle of a statement.

    Otherwise a cursor that somebody still holds, if only in a traceback, keeps its statement and with it the lock.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._cursors: WeakSet[sqlite3.Cursor] = WeakSet()

    def cursor(self, *arguments: Any) -> Any:
        cursor = super().cursor(*arguments)
        self._cursors.add(cursor)
        return cursor

    def close(self) -> None:
        for cursor in list(self._cursors):
            cursor.close()
        super().close()


class Database:
    """A SQLite file or a PostgreSQL server, chosen by URL."""

    def __init__(self, url: str) -> None:
        self.url = sa.make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self._one_writer = asyncio.Lock()
        self.engine = self._sqlite_engine() if self.is_sqlite else self._postgres_engine()

    def _sqlite_engine(self) -> AsyncEngine:
        engine = create_async_engine(
            self.url.set(drivername="sqlite+aiosqlite"),
            json_serializer=_to_json,
            json_deserializer=msgspec.json.decode,
            pool_size=4,
            max_overflow=0,
            poolclass=sa.pool.AsyncAdaptedQueuePool,
            connect_args={"factory": _Connection},
        )
        sa.event.listen(engine.sync_engine, "connect", _set_up_sqlite)
        sa.event.listen(engine.sync_engine, "begin", _begin_sqlite)
        return engine

    def _postgres_engine(self) -> AsyncEngine:
        return create_async_engine(
            self.url.set(drivername="postgresql+asyncpg"),
            json_serializer=_to_json,
            json_deserializer=msgspec.json.decode,
            pool_size=10,
            max_overflow=0,
            pool_pre_ping=True,
        )

    @property
    def file(self) -> Path | None:
        """Where a SQLite store is kept; None on PostgreSQL."""
        return Path(self.url.database or "").absolute() if self.is_sqlite else None

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Session]:
        """One transaction that may write: committed at the end, rolled back if anything is raised.

        SQLite allows one writer, so writers of this process queue here instead of inside the library,
        and begin IMMEDIATE: a deferred transaction that turns writer can lose an update.
        """
        if not self.is_sqlite:
            async with self.engine.begin() as session:
                yield session
            return
        async with self._one_writer, self.engine.begin() as session:
            yield session

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Session]:
        """One consistent read: every query inside sees the same moment."""
        async with self.engine.connect() as session:
            if self.is_sqlite:
                await session.execution_options(reads_only=True)
            else:
                await session.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            async with session.begin():
                yield session

    async def check(self, *, quick: bool = False) -> list[str]:
        """What is wrong with the store, in the engine's own words; empty when it is sound.

        `quick` leaves out whether indexes agree with their tables and every reference leads somewhere.
        """
        try:
            async with self.reading() as session:
                if not self.is_sqlite:
                    await session.execute(sa.text("SELECT 1"))
                    return []
                check = "quick_check" if quick else "integrity_check"
                found = (await session.execute(sa.text(f"PRAGMA {check}(20)"))).scalars().all()
                broken = [] if quick else (await session.execute(sa.text("PRAGMA foreign_key_check"))).all()
        except sa.exc.DatabaseError as damage:
            return [str(damage.orig)]
        except UnicodeDecodeError:
            return ["a name in the schema is no text"]
        problems = [str(line) for line in found if line != "ok"]
        return problems + [f"row {row[1]} of {row[0]} refers to a missing row of {row[2]}" for row in broken]

    async def describe(self) -> dict[str, str]:
        """Engine, version and the settings that durability rests on, for the operator."""
        async with self.reading() as session:
            if not self.is_sqlite:
                server = (await session.execute(sa.text("SHOW server_version"))).scalar_one()
                settings = {
                    name: str((await session.execute(sa.text(f"SHOW {name}"))).scalar_one()) for name in SERVER_SETTINGS
                }
                return {"engine": "PostgreSQL", "version": str(server)} | settings
            journal = (await session.execute(sa.text("PRAGMA journal_mode"))).scalar_one()
            sync = (await session.execute(sa.text("PRAGMA synchronous"))).scalar_one()
        return {
            "engine": "SQLite",
            "version": sqlite3.sqlite_version,
            "journal": str(journal).upper(),
            "synchronous": {2: "FULL", 3: "EXTRA"}.get(int(sync), str(sync)),
        }

    async def weaknesses(self) -> list[str]:
        """Which settings would let a committed answer be lost; empty when committed means on disk."""
        found = await self.describe()
        if found["engine"] == "PostgreSQL":
            return [f"{name} is {found[name]}" for name in SERVER_SETTINGS if found[name] == "off"]
        wanted = journal_mode(sqlite3.sqlite_version_info)
        wrong = [] if found["journal"] == wanted else [f"the journal is {found['journal']}, not {wanted}"]
        return wrong + ([] if found["synchronous"] in SAFE else [f"synchronous is {found['synchronous']}"])

    async def close(self) -> None:
        await self.engine.dispose()


def insert(session: Session, table: sa.Table) -> Any:
    """INSERT with ON CONFLICT, in the words of the session's own database."""
    return postgresql.insert(table) if session.dialect.name == "postgresql" else sqlite.insert(table)


def for_update(session: Session, query: Any) -> Any:
    """`query` claiming its rows so that a second process takes others. SQLite has one writer and needs nothing."""
    return query.with_for_update(skip_locked=True) if session.dialect.name == "postgresql" else query


async def take_turns(session: Session, what: str) -> None:
    """Let transactions that do `what` go one after the other, also across processes. SQLite's always do."""
    if session.dialect.name == "postgresql":
        await session.execute(sa.select(sa.func.pg_advisory_xact_lock(crc32(what.encode()))))


def _to_json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _set_up_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # SQLAlchemy says BEGIN, not the driver
    cursor = connection.cursor()
    version = sqlite3.sqlite_version_info
    for pragma in (
        f"busy_timeout = {BUSY_MS}",
        f"journal_mode = {journal_mode(version)}",
        "synchronous = EXTRA" if journal_mode(version) == "TRUNCATE" else "synchronous = FULL",
        "foreign_keys = ON",
        "temp_store = MEMORY",
        "cache_size = -32000",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: sa.Connection) -> None:
    reads_only = connection.get_execution_options().get("reads_only", False)
    connection.exec_driver_sql("BEGIN" if reads_only else "BEGIN IMMEDIATE")


Clock = Callable[[], datetime]
"""Gives the present instant, aware and in UTC. Only `bot` makes one that reads the machine's clock."""
