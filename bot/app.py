"""The application: every part made once and joined, for the server, the demo and the tests alike."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, get_args

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger

from domain.chat import Channel, File, Incoming, Receipt, Receive
from domain.timetable import local_time
from handlers import (
    admin,
    all_well,
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
from scheduler.duties import Duties, Duty, others_duty
from scheduler.fetching import Fetching
from scheduler.hearing import Ear, Hearing
from scheduler.rosters import Rosters
from scheduler.ticks import Ticks
from storage import schedules, schema, settlement, units, wakeups
from storage.database import Clock, Database, Session, take_turns
from storage.outbox import Leased
from storage.schedules import Schedule
from storage.settlement import Settled

log = structlog.get_logger(__name__)

ROUTER = joined(
    enrolment.router,
    privacy.router,
    declaration.router,
    all_well.router,
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
ProcessRole = Literal["listen", "send", "tick", "web"]
ALL_ROLES: frozenset[ProcessRole] = frozenset(get_args(ProcessRole))
ROSTERS = "rosters"
"""The duty of reading staff lists: only so that no two processes read the same one."""

TICK_EVERY = timedelta(seconds=3)
"""Often enough for the boards, which may change every three seconds; a tick with nothing to do costs two reads."""

GIVE_BACK_WITHIN = 1.0
"""Seconds at the end; a store that does not answer by then lets leases run out."""


@dataclass(slots=True)
class App:
    """One running bot, or one of several processes of it. `channels` by account name.

    `duties` are what several processes share out; without them this is the only one. `shown` is told of chats whose
    pages have something new, whichever process it comes from. `ears` are the accounts that hear from a service.
    """

    database: Database
    house: House
    channels: Mapping[str, Channel]
    clock: Clock
    sleep_until: SleepUntil
    settled: Callable[[Sequence[Settled]], None] = lambda results: None
    roles: frozenset[ProcessRole] = ALL_ROLES
    duties: Duties | None = None
    shown: Callable[[Collection[str]], None] = lambda chat_ids: None
    ears: Mapping[str, Ear] = field(default_factory=dict)
    ticked_at: datetime | None = None
    ticks: Ticks = field(init=False)
    intake: Intake = field(init=False)
    fetching: Fetching = field(init=False)
    rosters: Rosters = field(init=False)
    hearing: Hearing = field(init=False)
    deliveries: dict[str, Delivery] = field(init=False)
    listening: dict[str, Duty] = field(init=False)
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.ticks = Ticks(self.database, self.house)
        self.intake = Intake(self.database, Dispatcher(self.house, ROUTER), self.clock, self._hand_over, self._sends_to)
        self.fetching = Fetching(self.database, self.channels, self.intake.receive, self.clock)
        self.rosters = Rosters(self.database, self.house, self.clock, self.wake)
        self.hearing = Hearing(self.database, self.house, self.ears, self.clock, self.wake)
        self.deliveries = {
            name: Delivery(
                channel,
                self.database,
                self.clock,
                self.sleep_until,
                self.settled,
                allowance=self.house.allowance,
                duty=self._duty("send", channel),
            )
            for name, channel in self.channels.items()
        }
        self.listening = {name: self._duty("listen", channel) for name, channel in self.channels.items()}

    def _duty(self, role: ProcessRole, channel: Channel) -> Duty:
        """Whose it is: nobody's here, anybody's, or whoever's has the lease."""
        if role not in self.roles:
            return others_duty()
        if self.duties is None or channel.capabilities.own_pages:
            return Duty()
        return self.duties.seek(f"{role} {channel.name}")

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
        for name, channel in self.channels.items():
            if "send" in self.roles:
                self._run(f"deliver {name}", self.deliveries[name].run())
            if "listen" in self.roles:
                self._run(f"listen {name}", self._listen(channel, receive or self.receive))
        if "listen" in self.roles and self.ears:
            self._run("hearing", self.hearing.run())
        if "tick" in self.roles:
            rosters = self.duties.seek(ROSTERS) if self.duties else Duty()
            self._run("fetch", self.fetching.run())
            self._run("rosters", rosters.while_ours(self.rosters.run))
            self._run("ticks", self._tick_for_ever())
        if self.duties:
            self._run("leases", self.duties.run())
            self._run("wake-ups", wakeups.hear(self.database, self._hear))

    def _run(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.append(asyncio.get_running_loop().create_task(work, name=name))

    async def _listen(self, channel: Channel, receive: Receive) -> None:
        duty = self.listening[channel.name]
        await duty.while_ours(lambda: channel.listen(receive, duty.is_ours))

    async def rest(self) -> None:
        """Take on no more work: let messages on their way arrive, record what became of them, and let others begin."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        if self.duties:
            await self._give_back(*(duty.name for duty in self.listening.values()))
        await self.intake.finish()
        await asyncio.gather(*(delivery.stop() for delivery in self.deliveries.values()))
        if self.duties:
            await self._give_back()

    async def stop(self) -> None:
        """Rest, send the last replies, and close everything."""
        await self.rest()
        for channel in self.channels.values():
            await channel.close()
        await self.database.close()

    async def _give_back(self, *duties: str) -> None:
        assert self.duties
        try:
            async with asyncio.timeout(GIVE_BACK_WITHIN):
                await self.duties.give_back(*duties)
        except Exception as problem:
            log.error("leases_not_given_back", problem=type(problem).__name__)

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
            self.wake()

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

    def _hear(self, what: str) -> None:
        """Something waits that another process, or this one, has written."""
        if what.startswith(wakeups.SHOWN):
            self.shown([what.removeprefix(wakeups.SHOWN)])
        if what in (wakeups.LETTERS, wakeups.EVERYTHING):
            self.wake()
        if what in (wakeups.FILES, wakeups.EVERYTHING):
            self.fetching.wake()
        if what in (wakeups.ROSTERS, wakeups.EVERYTHING):
            self.rosters.wake()
        if self.duties and what in (wakeups.LEASES, wakeups.EVERYTHING):
            self.duties.wake()

    def standing_by(self) -> frozenset[str]:
        """What this process leaves to others just now: "listen telegram"."""
        duties = [("listen", self.listening), ("send", {name: one.duty for name, one in self.deliveries.items()})]
        return frozenset(f"{what} {name}" for what, each in duties for name, duty in each.items() if not duty.is_ours())

    def _sends_to(self, channel: str) -> bool:
        return self.deliveries[channel].duty.is_ours()

    def wake(self) -> None:
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
