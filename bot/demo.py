"""The demonstration: a sample department on SQLite and web chat, with a clock that the visitor moves."""

from __future__ import annotations

import asyncio
import secrets
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from datetime import time as wall_time
from pathlib import Path
from zoneinfo import ZoneInfo

import structlog
from aiohttp import web

import texts
from bot.app import App
from bot.demo_crowd import Crowd
from bot.demo_people import ON_THE_PAGE, ORGANISATION, Department, furnish
from bot.run import WEBCHAT, told_to_stop, wall_clock
from channels.webchat import WebChat
from domain.campaign_file import campaign_folder, load_campaign
from domain.chat import Language
from domain.seal import Seal
from domain.timetable import instant
from handlers.turn import House
from storage import sample
from storage.database import Database
from storage.settlement import Settled
from web.app import build
from web.app import serve as serve_pages
from web.demo import DemoPhone
from web.health import Health
from web.links import chat_link, group_link
from web.metrics import Metrics

log = structlog.get_logger(__name__)

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
MORNING = wall_time(7)
PACE = 0.25
"""Seconds in which a minute passes while the clock runs."""


@dataclass(slots=True)
class Demo:
    """The clock in the visitor's hand, and everything that hangs on it. Left alone it goes on second by second."""

    app: App
    webchat: WebChat
    set_to: datetime
    seconds: Callable[[], float]
    set_when: float
    language: Language = "vi"
    running: bool = False
    department: Department | None = None
    crowd: Crowd | None = None
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _moving: asyncio.Lock = field(default_factory=asyncio.Lock)
    _runner: asyncio.Task[None] | None = None

    def now(self) -> datetime:
        return self.set_to + timedelta(seconds=self.seconds() - self.set_when)

    def _set(self, at: datetime) -> None:
        self.set_to, self.set_when = at, self.seconds()

    @property
    def phones(self) -> Sequence[DemoPhone]:
        """The people of one unit side by side, then their group."""
        if self.department is None:
            return []
        seal = self.app.house.seal
        unit = self.department.unit.name
        shown = [
            DemoPhone(one.name, self._text(one.role_key, unit=unit), chat_link(seal, chat.chat_id))
            for one, chat in zip(ON_THE_PAGE, self.department.chats, strict=True)
        ]
        reader = self.department.chats[3].chat_id
        group = group_link(seal, self.department.group.chat_id, reader)
        return [*shown, DemoPhone(self._text("group"), unit, group)]

    async def next_event(self) -> tuple[datetime, str] | None:
        """The next thing that happens by itself, in words."""
        found = await self.app.ticks.next_due(self.now())
        return (found[0], self._text(f"event_{found[1]}")) if found else None

    async def to_morning(self) -> None:
        local = self.now().astimezone(ZONE)
        day = local.date() if local.time() < MORNING else local.date() + timedelta(days=1)
        await self._move(instant(day, MORNING, ZONE))

    async def to_next(self) -> None:
        found = await self.app.ticks.next_due(self.now())
        if found:
            await self._move(found[0])

    def run(self) -> None:
        if not self.running:
            self.running = True
            self._runner = asyncio.get_running_loop().create_task(self._run())
            self._tell()

    def pause(self) -> None:
        self.running = False
        self._tell()

    async def speak(self, language: Language) -> None:
        """Everybody changes language; what is on the screens already stays as it was said."""
        self.language = language
        async with self.app.database.transaction() as session:
            await sample.all_speak(session, language)
        self._tell()

    async def wait_changed(self) -> None:
        await self._changed.wait()

    async def open(self) -> None:
        """Fill the store and let the crowd in."""
        await self.app.prepare()
        async with self.app.database.transaction() as session:
            self.department = await furnish(session, WEBCHAT, self.now(), self.language)
        mine = frozenset(chat.chat_id for chat in self.department.chats)
        self.crowd = Crowd(self.app.database, self.app.house, self.app.intake.receive, mine)

    async def settle(self) -> None:
        """Send what somebody's tap has just written."""
        await self.app.settle_everything()

    async def _run(self) -> None:
        while self.running:
            await self._move(self.now() + timedelta(minutes=1))
            await asyncio.sleep(PACE)

    async def _move(self, target: datetime) -> None:
        """Let time pass minute by minute, or straight through the hours in which nothing happens."""
        async with self._moving:
            while (now := self.now()) < target:
                self._set(min(await self._following(now), target))
                if self.crowd:
                    await self.crowd.answer_until(self.now())
                await self.app.settle_everything()
                if self.crowd:
                    await self.crowd.notice_prompts(self.now())
                self._tell()

    async def _following(self, now: datetime) -> datetime:
        """The next minute in which something happens."""
        found = await self.app.ticks.next_due(now)
        coming = [found[0]] if found else []
        if self.crowd and (answer := self.crowd.next_at()):
            coming.append(answer.replace(second=0, microsecond=0) + timedelta(minutes=1))
        return max(min(coming, default=now), now + timedelta(seconds=1))

    def _tell(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    def _text(self, key: str, **values: object) -> str:
        return texts.text(self.language, f"demo.{key}", **values)


async def serve(host: str, port: int) -> None:
    """Show the demonstration until told to stop. Nothing is kept."""
    with tempfile.TemporaryDirectory(prefix="vungxanh-demo-") as folder:
        demo = await build_demo(Path(folder), first_morning(wall_clock()))
        runner = await serve_pages(pages(demo), host, port)
        await demo.app.start()
        log.info("demo_started", port=port)
        try:
            await told_to_stop()
        finally:
            demo.pause()
            await runner.cleanup()
            await demo.app.stop()


async def build_demo(folder: Path, at: datetime) -> Demo:
    """The department in its own folder, with the clock at `at`."""
    demo: Demo

    def clock() -> datetime:
        return demo.now()

    async def at_once(slot: datetime) -> None:
        """On this clock nothing needs to be waited for."""

    def settled(results: Sequence[Settled]) -> None:
        webchat.changed([one.letter.message.to.chat_id for one in results])

    webchat = WebChat(WEBCHAT)
    house = House(
        ORGANISATION,
        ZONE,
        load_campaign(campaign_folder("covid19")),
        Seal(secrets.token_bytes(32)),
        {WEBCHAT: webchat.capabilities},
    )
    database = Database(f"sqlite:///{folder / 'demo.db'}")
    app = App(database, house, {WEBCHAT: webchat}, clock, at_once, settled)
    demo = Demo(app, webchat, at, time.monotonic, time.monotonic())
    await demo.open()
    return demo


def pages(demo: Demo) -> web.Application:
    """The chat pages and the demonstration's own."""
    app = demo.app
    return build(
        database=app.database,
        seal=app.house.seal,
        receive=app.receive,
        hub=demo.webchat,
        zone=ZONE,
        organisation=app.house.name,
        new_id=lambda: secrets.token_urlsafe(16),
        health=Health(app.database, demo.now, (WEBCHAT,)),
        metrics=Metrics(),
        demo=demo,
    )


def first_morning(now: datetime) -> datetime:
    """Shortly before the first round of the next Monday to Friday: the visitor's first tap opens it."""
    day = now.astimezone(ZONE).date()
    while day.weekday() > 4:
        day += timedelta(days=1)
    return instant(day, wall_time(6, 30), ZONE).astimezone(UTC)
