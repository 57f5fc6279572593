"""Does an export of 20,000 answers hold the bot up? Taps and a page that needs no store, with and without one."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime

import aiohttp

from bench import organisation
from bench.subjects import OURS, Store, Stores, Subject, settings
from bench.taps import Wait, bench, close
from storage.database import Database

PACE = 200
"""Taps a second meanwhile."""


@dataclass(frozen=True, slots=True)
class Held:
    """Milliseconds. `loop` is how long a page took that needs nothing but the event loop."""

    taps: Wait
    loop_p99: float
    loop_most: float
    exports: int


async def measure(stores: Stores, store: Store, people: int, seconds: float, *, exporting: bool) -> Held:
    url = await stores.fresh(store, filled=True)
    database = Database(url)
    day = await organisation.answer_yesterday(database, people, datetime.now(UTC))
    await database.close()
    one = await bench("ours", "webhook", url, stores.folder)
    try:
        ended = asyncio.Event()
        pages = asyncio.create_task(_pages(one.subject, ended))
        exports = asyncio.create_task(_exports(stores, one.subject, day.isoformat(), ended)) if exporting else None
        waited = await one.pace(PACE, seconds)
        ended.set()
        times = sorted(await pages)
        return Held(waited, times[int(len(times) * 0.99)], times[-1], await exports if exports else 0)
    finally:
        await close(one)
        await stores.drop(url)


async def _pages(subject: Subject, ended: asyncio.Event) -> list[float]:
    times = []
    async with aiohttp.ClientSession(f"http://127.0.0.1:{subject.port}") as client:
        while not ended.is_set():
            began = time.perf_counter()
            async with client.get("/", allow_redirects=False) as answer:
                await answer.read()
            times.append(1000 * (time.perf_counter() - began))
            await asyncio.sleep(0.01)
    return times


async def _exports(stores: Stores, subject: Subject, day: str, ended: asyncio.Event) -> int:
    """One after another, by another process, as an operator does."""
    done = 0
    environment = settings("webhook", subject.url, "http://127.0.0.1:9", subject.port, stores.folder)
    command = [sys.executable, "-m", "bot.cli", "export", "answers", "--from", day, "--to", day, "--format", "csv"]
    while not ended.is_set():
        file = stores.folder / f"export-{done}.csv"
        process = await asyncio.create_subprocess_exec(*command, "--output", str(file), env=environment)
        os.sched_setaffinity(process.pid, {OURS})
        assert await process.wait() == 0
        assert len(file.read_bytes().splitlines()) > 1
        done += 1
    return done
