"""From a kill to the first useful act, and from a request to stop to the end, with a full queue on both sides.

`python -m bench.cold_start` measures the real process against the local Bot API server.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import sqlalchemy as sa

from storage import schema, tables
from storage.database import Database
from tests.processes import Bot, Service, until
from tests.storm import staff
from tests.world import KEY, build

FIRST_USER = 1_000_000
MOST = 5.0
"""Seconds that a start and a stop may take (GUARANTEES H1, H2)."""


@dataclass(slots=True)
class Report:
    """Seconds of each trial."""

    starts: list[float] = field(default_factory=list)
    stops: list[float] = field(default_factory=list)
    stopped_badly: int = 0

    @property
    def holds(self) -> bool:
        return not self.stopped_badly and max(self.starts + self.stops) < MOST


async def measure(folder: Path, people: int, updates: int, kills: int, stops: int, database_url: str = "") -> Report:
    """Kill and stop the process so often, each time with so many prompts due and so many updates waiting."""
    report, url = Report(), database_url or f"sqlite:///{folder / 'bot.db'}"
    await _people(folder, url, people)
    async with aiohttp.ClientSession() as http:
        service = await Service.begin(http)
        bot = Bot(folder, service.base, url, quiet_hours="00:00-00:00")
        try:
            await service.order("users", first=FIRST_USER, count=people + 1)
            await bot.command("round", "open", "morning")
            for number in range(kills + stops):
                await _fill(service, people, updates)
                report.starts.append(await _start(bot, service))
                if number < kills:
                    await bot.kill()
                else:
                    report.stops.append(await _stop(bot, report))
        finally:
            await bot.kill()
            await service.end()
    return report


async def _people(folder: Path, url: str, count: int) -> None:
    """A store where so many people are enrolled with the accounts that the service knows."""
    key = folder / "secret.key"
    key.write_bytes(KEY)
    key.chmod(0o600)
    database = Database(url)
    await schema.migrate(database)
    world = await build(database, now=datetime.now(UTC))
    await staff(world, "", count)
    async with world.transaction() as session:
        user = sa.cast(tables.address.c.person_id + FIRST_USER, sa.Text)
        await session.execute(tables.address.update().values(chat_id=user))
    await database.close()


async def _fill(service: Service, people: int, updates: int) -> None:
    """Bring what waits at the service up to so many updates again."""
    missing = updates - (await service.see("stats"))["pending"]
    said = [[FIRST_USER + 1 + number % people, "/today"] for number in range(max(missing, 0))]
    if said:
        await service.order("says", all=said)


async def _start(bot: Bot, service: Service) -> float:
    """Seconds until somebody has a message: a prompt that was due, or the answer to an update that waited."""
    before = (await service.see("stats"))["sends"]
    began = time.monotonic()
    await bot.start()

    async def somebody_has_it() -> bool:
        return bool((await service.see("stats"))["sends"] > before)

    await until(somebody_has_it, 60, every=0.05)
    return float((await service.see("sends"))[before]["at"] - began)


async def _stop(bot: Bot, report: Report) -> float:
    assert bot.process is not None
    began = time.monotonic()
    bot.process.terminate()
    report.stopped_badly += await bot.process.wait() != 0
    return time.monotonic() - began


def _shown(what: str, seconds: Sequence[float]) -> str:
    return f"{what}: median {statistics.median(seconds):.2f} s, longest {max(seconds):.2f} s of {len(seconds)}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=10_000)
    parser.add_argument("--updates", type=int, default=2_000)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--stops", type=int, default=5)
    parser.add_argument("--database-url", default="")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        report = asyncio.run(
            measure(Path(folder), chosen.people, chosen.updates, chosen.kills, chosen.stops, chosen.database_url)
        )
    print(_shown("from a kill to the first message", report.starts))
    print(_shown("from a request to stop to the end", report.stops))
    sys.exit(not report.holds)


if __name__ == "__main__":
    main()
