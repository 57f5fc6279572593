"""The application: every part made once and joined, for the server, the demo and the tests alike."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger

from domain.chat import Channel, File, Incoming, Receipt, Receive
from domain.timetable import local_time
from handlers import (
    admin,
    binding,
    control,
    declaration,
    enrolment,
    excusing,
    help,
    history,
    incident,
    incident_desk,
    leave,
    looking,
    missing,
    privacy,
    proxy,
    quality,
    risk,
    risk_map,
    status,
    times,
    why,
    zone,
)
from handlers.dispatch import Dispatcher
from handlers.intake import Intake
from handlers.router import joined
from handlers.turn import House
from scheduler.delivery import Delivery, SleepUntil
from scheduler.fetching import Fetching
from scheduler.rosters import Rosters
from scheduler.ticks import Ticks
from storage import schedules, schema, settlement, units
from storage.database import Clock, Database, Session, take_turns
from storage.outbox import Leased
from storage.schedules import Schedule
from storage.settlement import Settled

log = structlog.get_logger(__name__)

ROUTER = joined(
    enrolment.router,
    privacy.router,
    declaration.router,
    leave.router,
    incident.router,
    incident_desk.router,
    history.router,
    status.router,
    times.router,
    quality.router,
    control.router,
    missing.router,
    proxy.router,
    excusing.router,
    looking.router,
    zone.router,
    risk.router,
    risk_map.router,
    binding.router,
    admin.console,
    why.router,
    help.router,
)
TICK_EVERY = timedelta(seconds=3)
"""Often enough for the boards, which may change every three seconds; a tick with nothing to do costs two reads."""


@dataclass(slots=True)
class App:
    """One running bot. `channels` by account name."""

    database: Database
    house: House
    channels: Mapping[str, Channel]
    clock: Clock
    sleep_until: SleepUntil
    settled: Callable[[Sequence[Settled]], None] = lambda results: None
    ticked_at: datetime | None = None
    ticks: Ticks = field(init=False)
    intake: Intake = field(init=False)
    fetching: Fetching = field(init=False)
    rosters: Rosters = field(init=False)
    deliveries: dict[str, Delivery] = field(init=False)
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.ticks = Ticks(self.database, self.house)
        self.intake = Intake(self.database, Dispatcher(self.house, ROUTER), self.clock, self._hand_over)
        self.fetching = Fetching(self.database, self.channels, self.intake.receive, self.clock)
        self.rosters = Rosters(self.database, self.house, self.clock, self._wake_deliveries)
        self.deliveries = {
            name: Delivery(
                channel,
                self.database,
                self.clock,
                self.sleep_until,
                self.settled,
                allowance=self.house.allowance,
            )
            for name, channel in self.channels.items()
        }

    async def prepare(self) -> None:
        """Bring the store up to date: schema, the organisation, its schedules; take over from a stopped process."""
        await schema.migrate(self.database)
        now = self.clock()
        async with self.database.transaction() as session:
            await take_turns(session, "prepare")
            await units.ensure_root(session, self.house.name)
            await seed_schedules(session, self.house, now)
            if self.database.is_sqlite:
                await settlement.reclaim(session, now, all_leases=True)

    async def receive(self, batch: Sequence[Incoming]) -> Sequence[Receipt]:
        """Take updates in: for every channel and for the pages. A file is fetched as soon as it is noted."""
        receipts = await self.intake.receive(batch)
        if any(isinstance(one.said, File) for one in batch):
            self.fetching.wake()
        return receipts

    async def start(self, receive: Receive | None = None) -> None:
        """Listen, deliver, fetch and tick until `stop`. `receive` is our own unless something counts in between."""
        run = asyncio.get_running_loop().create_task
        for name, channel in self.channels.items():
            self._tasks.append(run(self.deliveries[name].run(), name=f"deliver {name}"))
            self._tasks.append(run(channel.listen(receive or self.receive), name=f"listen {name}"))
        self._tasks.append(run(self.fetching.run(), name="fetch"))
        self._tasks.append(run(self.rosters.run(), name="rosters"))
        self._tasks.append(run(self._tick_for_ever(), name="ticks"))

    async def stop(self) -> None:
        """Stop taking on work, let messages on their way arrive, record what became of them."""
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with suppress(asyncio.CancelledError):
                await task
        await asyncio.gather(*(delivery.stop() for delivery in self.deliveries.values()))
        for channel in self.channels.values():
            await channel.close()
        await self.database.close()

    async def tick(self) -> None:
        """Do what is due now and wake those who send it."""
        try:
            done = await self.ticks.tick(self.clock())
        except Exception as problem:
            # The database is the schedule: what could not be done now is still due at the next tick.
            log.error("tick_failed", problem=type(problem).__name__)
            return
        self.ticked_at = self.clock()
        if done:
            self._wake_deliveries()

    async def settle_everything(self) -> None:
        """Do everything that is due now, to the last message. For a clock that somebody moves by hand."""
        while await self.ticks.tick(self.clock()):
            await self._drain()
        await self._drain()

    async def _drain(self) -> None:
        await self._deliver()
        while await self.fetching.step():
            await self._deliver()
        while await self.rosters.step():
            await self._deliver()

    async def _deliver(self) -> None:
        for delivery in self.deliveries.values():
            await delivery.drain()

    async def _tick_for_ever(self) -> None:
        scheduler = AsyncIOScheduler()
        every = IntervalTrigger(seconds=int(TICK_EVERY.total_seconds()))
        scheduler.add_job(self.tick, every, max_instances=1, coalesce=True, misfire_grace_time=None)
        scheduler.add_job(self._tidy, IntervalTrigger(hours=6), max_instances=1, coalesce=True)
        scheduler.start()
        try:
            await self.tick()
            await asyncio.Event().wait()
        finally:
            scheduler.shutdown(wait=False)

    async def _tidy(self) -> None:
        await self.ticks.tidy(self.clock())

    def _wake_deliveries(self) -> None:
        for delivery in self.deliveries.values():
            delivery.wake()

    def _hand_over(self, letters: Sequence[Leased]) -> None:
        for delivery in self.deliveries.values():
            delivery.hand_over(letters)


async def seed_schedules(session: Session, house: House, now: datetime) -> None:
    """At the first start, the campaign's own schedules, for everybody; what an administrator set later stays."""
    known = {schedule.kind for schedule in await schedules.in_force(session)}
    root = await units.root(session)
    if root is None:
        raise LookupError("the organisation's own unit is missing")
    for spec in house.campaign.schedules:
        if spec.kind in known:
            continue
        # A round whose hour has already struck begins tomorrow: nobody expects a prompt at installation.
        begun = local_time(now, house.zone) >= spec.opens
        since = house.today(now) + timedelta(days=int(begun))
        await schedules.add(
            session,
            Schedule(
                0,
                spec.kind,
                root.id,
                root.path,
                spec.opens,
                spec.reminders,
                spec.missing_list,
                spec.closes,
                frozenset(spec.weekdays),
                spec.on_holidays,
                spec.audience,
                False,
                None,
                since,
            ),
            now,
        )
