"""Who works on a store: bots beside each other, or a restore alone. Ends with its process, however that ends."""

from __future__ import annotations

import asyncio
import fcntl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO
from zlib import crc32

import sqlalchemy as sa

from storage.database import Database

_LOCK = crc32(b"occupied")
_LOOK_EVERY = 0.1


class Occupied(Exception):
    """Somebody works on this store who must not be disturbed."""


@asynccontextmanager
async def occupied(database: Database, *, alone: bool = False, wait: float = 0.0) -> AsyncIterator[None]:
    """While the block runs no restore can begin; with `alone`, no bot either.

    Raises Occupied, at once or after `wait` seconds in which a predecessor may have stopped.
    """
    if not database.is_sqlite:
        async with _locked_server(database, alone=alone):
            yield
        return
    file = Path(database.url.database or "")
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.with_name(f"{file.name}.lock").open("w") as lock:
        while not _locks(lock, fcntl.LOCK_EX if alone else fcntl.LOCK_SH):
            if wait <= 0:
                raise Occupied
            await asyncio.sleep(_LOOK_EVERY)
            wait -= _LOOK_EVERY
        yield


def _locks(file: IO[str], how: int) -> bool:
    try:
        fcntl.flock(file, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@asynccontextmanager
async def _locked_server(database: Database, *, alone: bool) -> AsyncIterator[None]:
    """A lock of the connection, which lasts as long as that does."""
    take = sa.func.pg_try_advisory_lock(_LOCK) if alone else sa.func.pg_try_advisory_lock_shared(_LOCK)
    give_back = sa.func.pg_advisory_unlock(_LOCK) if alone else sa.func.pg_advisory_unlock_shared(_LOCK)
    async with database.engine.connect() as session:
        await session.execution_options(isolation_level="AUTOCOMMIT")
        if not (await session.execute(sa.select(take))).scalar_one():
            raise Occupied
        try:
            yield
        finally:
            await asyncio.shield(session.execute(sa.select(give_back)))
