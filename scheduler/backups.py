"""A backup every so often while the bot runs, made and proved by a process of its own so that nobody waits for it."""

from __future__ import annotations

import asyncio
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

import texts
from domain.policy import Action
from handlers.notices import notices
from handlers.turn import House
from scheduler.delivery import SleepUntil
from scheduler.duties import Duty
from storage import outbox, posts
from storage.database import Clock, Database

log = structlog.get_logger(__name__)

PATIENCE = 1200.0
"""Seconds after which a backup counts as failed."""
AT_START = timedelta(minutes=1)
"""What waits after a stop comes first."""
MADE, DAMAGED = 0, 3
"""How the program ends: all is well; the store itself is damaged. Anything else: there is no backup."""


@dataclass(slots=True)
class Backups:
    """Runs `program` `every` so often; each time the whole store is checked as well.

    `good_at` is when the last good one was begun, or since when there has been none. Administrators hear of it when
    that is longer ago than `late_after`; `wake` is called when there is something to send. After `found_damage`
    nothing more must be written into the store.
    """

    program: Sequence[str]
    every: timedelta
    late_after: timedelta
    good_at: datetime | None
    database: Database
    house: House
    clock: Clock
    sleep_until: SleepUntil
    wake: Callable[[], None]
    duty: Duty = field(default_factory=Duty)
    found_damage: asyncio.Event = field(default_factory=asyncio.Event)
    _began_at: datetime | None = None

    def last_good(self) -> datetime | None:
        """For whoever watches; what another process does is watched there."""
        return (self.good_at or self._began_at) if self.duty.is_ours() else self.clock()

    async def run(self) -> None:
        """Until cancelled; in one process of all that share the store."""
        self._began_at = self.clock()
        await self.duty.while_ours(self._now_and_then)

    async def _now_and_then(self) -> None:
        next_at = self.good_at + self.every if self.good_at else self.clock()
        next_at = max(next_at, self.clock() + AT_START)
        while True:
            await self.sleep_until(min(next_at, self.clock() + self.every))  # a clock set back does not put it off
            next_at = self.clock() + self.every
            await self.make()

    async def make(self) -> bool:
        """One backup; whether it is there."""
        began = self.clock()
        status, said = await self._run()
        if status == MADE:
            self.good_at = began
            log.info("backup_made", seconds=round((self.clock() - began).total_seconds(), 1))
            return True
        log.error("backup_failed", status=status, problem=said)
        if status == DAMAGED:
            self.found_damage.set()
            return False
        await self._tell_if_late(self.clock())
        return False

    async def _run(self) -> tuple[int | None, str]:
        """How the program ended, and its last line."""
        try:
            child = await asyncio.create_subprocess_exec(*self.program, stdin=DEVNULL, stdout=DEVNULL, stderr=PIPE)
        except OSError as problem:
            return None, f"it could not be started: {problem.strerror}"
        try:
            async with asyncio.timeout(PATIENCE):
                _, said = await child.communicate()
        except TimeoutError:
            return None, "it took too long"
        finally:
            if child.returncode is None:
                child.kill()
                await child.wait()
        lines = said.decode(errors="replace").splitlines()
        return child.returncode, lines[-1].removeprefix("vungxanh: ") if lines else ""

    async def _tell_if_late(self, now: datetime) -> None:
        """Once a day to every administrator."""
        since = self.last_good()
        if since is None or now - since <= self.late_after:
            return
        key, shown = f"backup:{self.house.today(now)}", texts.clock(since, self.house.zone)
        try:
            async with self.database.transaction() as session:
                told = {one.person_id for one in await posts.holders(session, Action.PLAN)}
                letters = await notices(session, told, key, "console.no_backup", since=shown)
                await outbox.enqueue(session, letters, now)
        except Exception as problem:  # noqa: BLE001 - the disk may be full; /healthz tells it too
            log.error("backup_failure_not_told", problem=type(problem).__name__)
        self.wake()
