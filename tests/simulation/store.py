"""SQLite without a thread, in the place of aiosqlite: each statement takes virtual time, and may fail when told."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, Self, TypeVar

T = TypeVar("T")
PATIENCE = 10.0
"""Seconds of virtual time that a statement waits for another connection's lock, as the product asks SQLite to."""
LOOK_AGAIN = 0.02


class Disk(Protocol):
    """What happens around the statements of every connection."""

    async def before(self, connection: Connection, statement: str) -> None:
        """Take time, raise what the store would, or never come back."""

    async def after_commit(self, connection: Connection) -> None: ...

    def gave_up(self, statement: str) -> None:
        """A lock was waited for in vain, with no fault planned."""


@dataclass(eq=False)
class Connection:
    """As much of `aiosqlite.Connection` as SQLAlchemy's dialect uses."""

    raw: sqlite3.Connection
    disk: Disk
    written: int = 0
    _tx: _Queue = field(init=False)
    _thread: _Thread = field(init=False)

    def __post_init__(self) -> None:
        self._tx, self._thread = _Queue(), _Thread()

    def __await__(self) -> Any:
        yield from asyncio.sleep(0).__await__()
        return self

    @property
    def _conn(self) -> sqlite3.Connection:
        return self.raw

    @property
    def _connection(self) -> sqlite3.Connection:
        return self.raw

    @property
    def isolation_level(self) -> str | None:
        return self.raw.isolation_level

    @property
    def has_written(self) -> bool:
        return self.raw.total_changes != self.written

    def cursor(self) -> Cursor:
        return Cursor(self)

    async def create_function(self, *arguments: Any, **options: Any) -> None:
        self.raw.create_function(*arguments, **options)

    async def commit(self) -> None:
        if not self.raw.in_transaction:
            return
        await self.disk.before(self, "COMMIT")
        await self.patiently("COMMIT", self.raw.commit)
        if self.has_written:
            self.written = self.raw.total_changes
            await self.disk.after_commit(self)

    async def rollback(self) -> None:
        self.raw.rollback()
        self.written = self.raw.total_changes

    async def close(self) -> None:
        self.raw.close()

    def stop(self) -> None:
        self.raw.close()

    async def patiently(self, statement: str, act: Callable[[], T]) -> T:
        """Do it, waiting in virtual time for a lock that another connection holds."""
        loop = asyncio.get_running_loop()
        end = loop.time() + PATIENCE
        while True:
            try:
                return act()
            except sqlite3.OperationalError as refused:
                if "locked" not in str(refused):
                    raise
                if loop.time() >= end:
                    self.disk.gave_up(statement)
                    raise
            await asyncio.sleep(LOOK_AGAIN)


class Cursor:
    """As much of `aiosqlite.Cursor` as SQLAlchemy's dialect uses."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._raw = connection.raw.cursor()

    async def __aenter__(self) -> Self:
        return self

    @property
    def description(self) -> Any:
        return self._raw.description

    @property
    def rowcount(self) -> int:
        return self._raw.rowcount

    @property
    def lastrowid(self) -> int | None:
        return self._raw.lastrowid

    @property
    def arraysize(self) -> int:
        return self._raw.arraysize

    async def execute(self, statement: str, parameters: Sequence[Any] = ()) -> Self:
        if statement.startswith("PRAGMA busy_timeout"):
            return self  # SQLite would wait in real time
        await self._connection.disk.before(self._connection, statement)
        await self._connection.patiently(statement, lambda: self._raw.execute(statement, parameters))
        return self

    async def executemany(self, statement: str, parameters: Sequence[Sequence[Any]]) -> Self:
        await self._connection.disk.before(self._connection, statement)
        await self._connection.patiently(statement, lambda: self._raw.executemany(statement, parameters))
        return self

    async def fetchone(self) -> Any:
        return self._raw.fetchone()

    async def fetchmany(self, size: int | None = None) -> list[Any]:
        return self._raw.fetchmany(size or self._raw.arraysize)

    async def fetchall(self) -> list[Any]:
        return self._raw.fetchall()

    async def close(self) -> None:
        self._raw.close()


class _Queue:
    """The dialect hands the driver's thread one thing to do itself: to set the isolation level."""

    def put_nowait(self, what: tuple[asyncio.Future[Any], Callable[[], Any]]) -> None:
        future, act = what
        future.set_result(act())


class _Thread:
    daemon = True


def connect(path: str, disk: Disk) -> Connection:
    raw = sqlite3.connect(path, timeout=0, cached_statements=500)
    return Connection(raw, disk)
