"""Word between processes that something waits, passed on as it is committed. One process alone needs none."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from contextlib import suppress
from typing import Any

import sqlalchemy as sa
import structlog

from storage.database import Database, Session

log = structlog.get_logger(__name__)

LETTERS, FILES, ROSTERS, LEASES, EVERYTHING = "letters", "files", "rosters", "leases", "everything"
SHOWN = "shown "
"""Before the id of a chat whose page has something new."""

_CHANNEL = "vungxanh"
AGAIN_AFTER = 2.0
_LOOK_EVERY = 15.0
"""Seconds after which a silent connection is asked whether it still stands."""
_ANSWER_WITHIN = 5.0


async def tell(session: Session, what: Collection[str]) -> None:
    """Wake every process that waits for any of this, once the transaction is committed. On SQLite there is no other."""
    if what and session.dialect.name == "postgresql":
        one = sa.func.unnest(sa.literal(sorted(what), sa.ARRAY(sa.Text))).column_valued("one")
        await session.execute(sa.select(sa.func.pg_notify(_CHANNEL, one)))


async def hear(database: Database, told: Callable[[str], None], again_after: float = AGAIN_AFTER) -> None:
    """Pass on what processes are told, on a connection kept for it, until cancelled.

    It is repaired when it breaks; what was said meanwhile may be anything, so then `told` gets `EVERYTHING`.
    """
    while True:
        try:
            await _hear(database, told)
        except Exception as problem:  # noqa: BLE001 - until it is repaired everybody looks for themselves
            log.warning("wakeups_not_heard", problem=type(problem).__name__)
        await asyncio.sleep(again_after)


async def _hear(database: Database, told: Callable[[str], None]) -> None:
    async with database.engine.connect() as connection:
        driver: Any = (await connection.get_raw_connection()).driver_connection
        ended = asyncio.Event()
        driver.add_termination_listener(lambda _: ended.set())

        def pass_on(_connection: object, _pid: int, _channel: str, payload: str) -> None:
            told(payload)

        try:
            await driver.add_listener(_CHANNEL, pass_on)
            told(EVERYTHING)
            while True:
                with suppress(TimeoutError):
                    async with asyncio.timeout(_LOOK_EVERY):
                        await ended.wait()
                await driver.execute("SELECT 1", timeout=_ANSWER_WITHIN)
        finally:
            driver.terminate()  # never back into the pool: it would go on hearing
