"""Taps: how many a bot stores durably in a second, and how long people wait for the acknowledgement.

`python -m bench.taps ours webhook sqlite` measures one case; `python -m bench` measures all of them.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import get_args

import msgspec
import uvloop

from bench import organisation
from bench.postgres import server
from bench.subjects import OURS, PATIENCE, Mode, Name, Store, Stores, Subject, path_of, start
from bench.telegram import BotApi, Poster
from storage.database import Database

WARM = 200
"""Taps before the clock starts: caches, prepared statements, connections."""
AT_ONCE = 256
"""People whose taps are on the way in a storm."""


@dataclass(frozen=True, slots=True)
class Storm:
    """As many taps as the bot takes, stored a second; `per_cpu_second` of its own processor time."""

    per_second: float
    per_cpu_second: float
    acknowledged: float
    memory: float


@dataclass(frozen=True, slots=True)
class Wait:
    """Milliseconds from tap to acknowledgement at a fixed pace; `missing` were not acknowledged in time."""

    per_second: float
    p50: float
    p99: float
    missing: int


@dataclass(slots=True)
class Bench:
    """One bot with Telegram in front of it. Taps are those of persons 1, 2, 3 …"""

    name: Name
    mode: Mode
    subject: Subject
    api: BotApi
    poster: Poster | None
    _next: int = 1

    def tap(self, number: int) -> int:
        """So many more people tap; the number of the first."""
        first = self._next
        self._next += number
        self.send([self._update(n) for n in range(first, self._next)])
        return first

    def _update(self, n: int) -> bytes:
        return organisation.tap(n, organisation.button(n) if self.name == "ours" else f"well:{n}")

    def send(self, updates: Sequence[bytes]) -> None:
        if self.poster:
            self.poster.post(updates)
        else:
            self.api.offer(updates)

    async def warm_up(self) -> None:
        self.tap(WARM)
        async with asyncio.timeout(PATIENCE):
            while await self.subject.stored() < WARM or len(self.api.answered) < WARM:
                await asyncio.sleep(0.05)

    async def storm(self, seconds: float, most: int) -> Storm:
        """Whenever somebody's tap is acknowledged, the next one taps; what is stored when the time is over counts."""
        waiting = deque(self._update(n) for n in range(self._next, most + 1))
        cpu, before, began = self.subject.cpu_seconds, len(self.api.answered), time.perf_counter()
        self.api.on_answer = lambda: self.send([waiting.popleft()]) if waiting else None
        self.send([waiting.popleft() for _ in range(AT_ONCE)])
        while waiting and time.perf_counter() < began + seconds:
            await asyncio.sleep(0.01)
        took, cpu = time.perf_counter() - began, self.subject.cpu_seconds - cpu
        stored, acknowledged = await self.subject.stored() - WARM, len(self.api.answered) - before
        return Storm(stored / took, stored / cpu, acknowledged / took, self.subject.memory)

    async def pace(self, per_second: int, seconds: float, patience: float = 5.0) -> Wait:
        """So many people a second tap, at moments of their own."""
        chance, tapped = random.Random(1), {}
        began = time.perf_counter()
        at = began
        while at < began + seconds:
            while at <= time.perf_counter():
                tapped[organisation.FIRST_CALLBACK + self.tap(1)] = at
                at += chance.expovariate(per_second)
            await asyncio.sleep(0.0005)
        end = time.perf_counter() + patience
        while time.perf_counter() < end and not tapped.keys() <= self.api.answered.keys():
            await asyncio.sleep(0.01)
        return _waits(per_second, [self.api.answered.get(one, end) - at for one, at in tapped.items()], patience)


def _waits(per_second: float, seconds: list[float], patience: float) -> Wait:
    seconds.sort()
    p50, p99 = (1000 * seconds[int(len(seconds) * share)] for share in (0.5, 0.99))
    return Wait(per_second, p50, p99, sum(one >= patience for one in seconds))


async def bench(name: Name, mode: Mode, url: str, folder: Path, *, delay: float = 0.0) -> Bench:
    """The bot started, warm and waiting."""
    api = BotApi(delay=delay)
    await api.start()
    subject = await start(name, mode, url, api.url, folder)
    api.webhook = f"http://127.0.0.1:{subject.port}{path_of(name)}"
    poster = None
    if mode == "webhook":
        while not api.calls.get(b"setWebhook"):
            await asyncio.sleep(0.01)
        poster = Poster(api, subject.port, path_of(name))
        await poster.open()
    made = Bench(name, mode, subject, api, poster)
    try:
        await made.warm_up()
    except BaseException:
        await close(made)
        raise
    return made


async def close(one: Bench) -> None:
    if one.poster:
        one.poster.drop()
    await one.subject.stop()
    if one.poster:
        one.poster.close()
    await one.api.stop()


async def furnish(stores: Stores, store: Store, people: int) -> None:
    database = Database(stores.template(store))
    await organisation.furnish(database, people, datetime.now(UTC))
    await database.close()


async def storm(
    stores: Stores, name: Name, mode: Mode, store: Store, seconds: float, people: int, delay: float
) -> Storm:
    url = await stores.fresh(store, filled=name == "ours")
    one = await bench(name, mode, url, stores.folder, delay=delay)
    try:
        return await one.storm(seconds, people)
    finally:
        await close(one)
        await stores.drop(url)


async def pace(stores: Stores, name: Name, mode: Mode, store: Store, per_second: int, seconds: float) -> Wait:
    url = await stores.fresh(store, filled=name == "ours")
    one = await bench(name, mode, url, stores.folder)
    try:
        return await one.pace(per_second, seconds)
    finally:
        await close(one)
        await stores.drop(url)


async def _one(options: argparse.Namespace) -> None:
    with TemporaryDirectory() as folder, server(Path(folder), needed=options.store == "postgres") as url:
        stores = Stores(Path(folder), url)
        await furnish(stores, options.store, options.people)
        for _ in range(options.runs):
            args = (stores, options.name, options.mode, options.store)
            figures: Storm | Wait
            if options.per_second:
                figures = await pace(*args, options.per_second, options.seconds)
            else:
                figures = await storm(*args, options.seconds, options.people, options.delay)
            print(msgspec.json.encode(asdict(figures)).decode(), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for field, choices in (("name", Name), ("mode", Mode), ("store", Store)):
        parser.add_argument(field, choices=get_args(choices))
    parser.add_argument("--people", type=int, default=20_000)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--delay", type=float, default=0.0, help="of the network to the Bot API, in seconds")
    parser.add_argument("--per-second", type=int, default=0, help="this pace instead of as many as possible")
    os.sched_setaffinity(0, {OURS})
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_one(parser.parse_args()))


if __name__ == "__main__":
    main()
