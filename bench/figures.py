"""How long the figures of one round take for 2,000, 20,000 and 200,000 staff, on either store."""

from __future__ import annotations

import statistics
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from bench import organisation
from domain.campaign import MORNING
from storage.database import Database, Session
from summaries import status

RUNS = 15


async def measure(url: str, people: int) -> float:
    """Milliseconds for all units, on a fresh database at this URL."""
    database = Database(url)
    now = datetime.now(UTC)
    await organisation.furnish(database, people, now, "none")
    day = now.astimezone(organisation.ZONE).date()
    async with database.reading() as session:
        found = await status.of_kind(session, day, MORNING, now)
        assert found is not None
        assert found.units[0].due == people
        taken = await _median(session, lambda: status.of_kind(session, day, MORNING, now))
    await database.close()
    return taken


async def _median(session: Session, read: Callable[[], Awaitable[object]]) -> float:
    times = []
    for _ in range(RUNS):
        began = time.perf_counter()
        await read()
        times.append(time.perf_counter() - began)
    return 1000 * statistics.median(times)
