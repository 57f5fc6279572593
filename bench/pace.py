"""A round of prompts under the limit of 30 messages a second: how long it takes, and the most in any one second.

All bots send at the same time, each to a Bot API of its own: the limit leaves them little to do.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench import organisation
from bench.subjects import PEERS, Name, start
from bench.telegram import LIMIT, BotApi
from storage.database import Database


@dataclass(frozen=True, slots=True)
class Paced:
    """`over_floor` is the time it took by the least that the limit allows; `busiest` the most in any one second."""

    sent: int
    seconds: float
    over_floor: float
    busiest: int


async def measure(folder: Path, prompts: int) -> dict[Name, Paced]:
    """Every bot's round, side by side."""
    names: tuple[Name, ...] = ("ours", "ptb", "aiogram")
    found = await asyncio.gather(*(_round(name, folder, prompts) for name in names))
    return dict(zip(names, found, strict=True))


async def _round(name: Name, folder: Path, prompts: int) -> Paced:
    api = BotApi()
    await api.start()
    if name == "ours":
        await _ours(api, folder, prompts)
    else:
        process = await asyncio.create_subprocess_exec(
            str(PEERS), "-m", f"bench.peers.{name}_bot", "round", api.url, str(prompts)
        )
        await process.wait()
    await api.stop()
    return paced(api.sends, prompts)


async def _ours(api: BotApi, folder: Path, prompts: int) -> None:
    url = f"sqlite:///{folder / 'pace.db'}"
    database = Database(url)
    await organisation.furnish(database, prompts, datetime.now(UTC), "waiting")
    await database.close()
    subject = await start("ours", "polling", url, api.url, folder)
    # Boards are sent meanwhile, and count: they are part of the round.
    async with asyncio.timeout(prompts / LIMIT * 2 + 60):
        while await _unsent(url):
            await asyncio.sleep(0.5)
    await subject.stop()


async def _unsent(url: str) -> int:
    database = Database(url)
    async with database.reading() as session:
        query = "SELECT count(*) FROM outbox WHERE kind = 'prompt' AND state != 'sent'"
        found: int = (await session.exec_driver_sql(query)).scalar_one()
    await database.close()
    return found


def paced(sends: Sequence[float], prompts: int) -> Paced:
    """From the moments of arrival."""
    took = sends[-1] - sends[0]
    first, busiest = 0, 0
    for last, at in enumerate(sends):
        while at - sends[first] >= 1:
            first += 1
        busiest = max(busiest, last - first + 1)
    return Paced(prompts, took, took / ((len(sends) - 1) / LIMIT), busiest)
