"""One running process of the program: the real application with its real loops, which can die at any moment."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from apscheduler.triggers.interval import IntervalTrigger

from bot import app as program
from bot.app import App
from channels.webchat import WebChat
from domain.chat import Channel, Sent
from handlers.turn import House
from scheduler import delivery, fetching, rosters
from storage.database import Database
from storage.settlement import Settled
from tests.servers.bot_api_server import TOKEN
from tests.simulation.department import TELEGRAM, WEBCHAT
from tests.simulation.loop import Process, this_process
from tests.simulation.records import Key, Shown
from tests.simulation.store import Connection
from tests.simulation.wire import Account, Wire

LOOKS = timedelta(hours=1)
"""Between two looks of an idle loop: where nothing was written and nothing is due, a look finds what the last one did.

Each write rings a bell instead, so that a day does not cost 90,000 looks.
"""
HEARTBEAT = 3600.0
TICK_EVERY = 240.0
"""After something was written; what is due at an hour is done at the next real tick."""


class Surroundings(Protocol):
    """What a process finds outside itself."""

    def wall(self) -> datetime: ...
    def waits(self, channel: str) -> bool:
        """Whether a look at this channel's letters would find any."""

    def seconds_to_due(self) -> float: ...
    async def until_news(self, seen: int, most: float) -> int:
        """Wait until something was written or is due; counts them."""


@dataclass(eq=False)
class Bot:
    """`process` is the process itself; `ready` once it has begun its loops."""

    process: Process
    url: str
    house: House
    wire: Wire
    around: Surroundings
    chance: random.Random
    ready: bool = False
    connections: list[Connection] = field(default_factory=list)
    app: App = field(init=False)

    async def run(self) -> None:
        """As `bot.run.serve` puts it together, without pages."""
        PROCESSES[self.process] = self
        telegram = Account(
            TELEGRAM, TOKEN, clock=self.around.wall, random=self.chance, api_base="https://telegram.invalid"
        )
        telegram.connect(self.wire)
        channels: dict[str, Channel] = {WEBCHAT: WebChat(WEBCHAT), TELEGRAM: telegram}
        self.app = App(Database(self.url), self.house, channels, self.around.wall, self._sleep_until, self._settled)
        await self._prepare()
        await self.app.start()
        self.ready = True
        await self._look_around()

    async def _prepare(self) -> None:
        """A start that fails on a failing store is tried again by whoever started it."""
        while True:
            try:
                await self.app.prepare()
            except Exception:  # noqa: BLE001 - the service manager restarts it, whatever it was
                await asyncio.sleep(5.0)
            else:
                return

    async def stop(self) -> None:
        """As on SIGTERM."""
        self.ready = False
        await self.app.stop()
        self.process.alive = False

    def die(self) -> None:
        """As on SIGKILL: nothing of it runs again, and the system closes its files."""
        self.process.alive = False
        for connection in self.connections:
            with suppress(Exception):
                connection.raw.close()

    async def _sleep_until(self, at: datetime) -> None:
        await asyncio.sleep(max((at - self.around.wall()).total_seconds(), 0.0))

    def _settled(self, results: Sequence[Settled]) -> None:
        """What is now on the pages of the web chat."""
        for one in results:
            message = one.letter.message
            if message.to.channel == WEBCHAT and isinstance(one.outcome, Sent):
                keys = [Key(button.label, button.data) for row in message.keyboard for button in row]
                text = "\n".join(filter(None, (message.title, message.text)))
                now = asyncio.get_running_loop().time()
                is_edit = message.replaces is not None
                self.wire.appeared(
                    Shown(now, message.to, one.outcome.message_id, one.letter.key, text, keys, is_edit, now)
                )

    async def _look_around(self) -> None:
        seen = 0
        while True:
            seen = await self.around.until_news(seen, HEARTBEAT)
            await asyncio.sleep(self.chance.uniform(0.1, 1.0))
            for name, one in self.app.deliveries.items():
                if self.around.waits(name):
                    one.wake()


PROCESSES: dict[Process | None, Bot] = {}


class Strikes:
    """In the place of APScheduler, which reads the machine's clock: the same jobs, when they may find something."""

    def __init__(self) -> None:
        self._jobs: list[tuple[Callable[[], Awaitable[Any]], float]] = []
        self._tasks: list[asyncio.Task[None]] = []

    def add_job(self, job: Callable[[], Awaitable[Any]], trigger: IntervalTrigger, **options: object) -> None:
        self._jobs.append((job, trigger.interval.total_seconds()))

    def start(self) -> None:
        process = this_process()
        assert process is not None
        for job, seconds in self._jobs:
            self._tasks.append(process.run(_strike(PROCESSES[process], job, seconds)))

    def shutdown(self, wait: bool = False) -> None:
        for task in self._tasks:
            task.cancel()


async def _strike(bot: Bot, job: Callable[[], Awaitable[Any]], seconds: float) -> None:
    seen = 0
    while True:
        if seconds > HEARTBEAT:
            await asyncio.sleep(seconds)
        elif bot.app.ticked_at is None or bot.app.ticked_at < bot.around.wall() - timedelta(seconds=seconds / 2):
            await asyncio.sleep(seconds)  # the last one failed
        else:
            seen = await bot.around.until_news(seen, HEARTBEAT)
            await asyncio.sleep(min(TICK_EVERY, bot.around.seconds_to_due() + seconds))
        await job()


def put_in_place() -> None:
    """Before the first day: the scheduler that reads no clock, and idle loops that wait for the bell."""
    vars(program)["AsyncIOScheduler"] = Strikes
    for module in (delivery, fetching, rosters):
        vars(module)["IDLE"] = LOOKS
