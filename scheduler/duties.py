"""What one process does at a time: each such duty is a lease, renewed every second and worked at while it is ours."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta

import structlog

from storage import leases
from storage.database import Database, Session

log = structlog.get_logger(__name__)

LASTS = timedelta(seconds=5)
"""After this long without a sign of life somebody else begins."""
RENEW_EVERY = 1.0


@dataclass(slots=True)
class Duty:
    """One such duty as this process sees it. `number` grows whenever it changes hands.

    `seconds` must go on while the process is frozen, and be read anew each time: an event loop's own clock stands
    still between two turns of the loop. Without a name it is ours for ever, or with `until` never.
    """

    name: str = ""
    seconds: Callable[[], float] = lambda: 0.0
    until: float = math.inf
    number: int = 0
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    def is_ours(self) -> bool:
        """By the clock alone: false as soon as somebody else may have begun."""
        return self.seconds() < self.until

    async def is_still_ours(self, session: Session) -> bool:
        """By the store as well, for what is written in this transaction."""
        return self.is_ours() and (not self.name or await leases.is_held(session, self.name, self.number))

    def note(self, number: int | None, until: float) -> None:
        """What the store says: ours under this number until then, or somebody else's."""
        if number is not None:
            self.number = number
        self.until = until if number is not None else -math.inf
        self._changed.set()

    async def while_ours(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do `work` whenever the duty is ours; it is cancelled when that ends."""
        if self.until == math.inf:
            await work()
            return
        while True:
            while not self.is_ours():
                await self._change(None)
            await self._work_once(work)

    async def _work_once(self, work: Callable[[], Awaitable[None]]) -> None:
        working, over = asyncio.ensure_future(work()), asyncio.ensure_future(self._ends())
        try:
            await asyncio.wait((working, over), return_when=asyncio.FIRST_COMPLETED)
        finally:
            working.cancel()
            over.cancel()
            ended = await asyncio.gather(working, over, return_exceptions=True)
        if isinstance(ended[0], Exception):
            log.error("duty_failed", duty=self.name, problem=type(ended[0]).__name__)
            await asyncio.sleep(RENEW_EVERY)

    async def _ends(self) -> None:
        while (left := self.until - self.seconds()) > 0:
            await self._change(left)

    async def _change(self, within: float | None) -> None:
        self._changed.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                await self._changed.wait()


def others_duty() -> Duty:
    """One that this process leaves to others."""
    return Duty(until=-math.inf)


@dataclass(slots=True)
class Duties:
    """The leases that this process seeks. `holder` names it among all that ever were.

    Of one that `is_gone` for certain, such as the process that was killed before this one was started, nobody need wait
    until the lease is over.
    """

    database: Database
    holder: str
    seconds: Callable[[], float]
    is_gone: Callable[[str], bool] = lambda holder: False
    _sought: dict[str, Duty] = field(default_factory=dict)
    _more: asyncio.Event = field(default_factory=asyncio.Event)

    def seek(self, name: str) -> Duty:
        """A duty that will be ours whenever nobody else has it."""
        return self._sought.setdefault(name, Duty(name, self.seconds, -math.inf))

    def wake(self) -> None:
        """Something was given back."""
        self._more.set()

    async def run(self) -> None:
        """Renew and seek until cancelled. While the store does not answer, leases run out by themselves."""
        while True:
            self._more.clear()
            try:
                async with asyncio.timeout(LASTS.total_seconds()):
                    await self.renew()
            except Exception as problem:  # noqa: BLE001 - what is not renewed ends; that is what leases are for
                log.error("leases_not_renewed", problem=type(problem).__name__)
            with suppress(TimeoutError):
                async with asyncio.timeout(RENEW_EVERY):
                    await self._more.wait()

    async def renew(self) -> None:
        """Ours until `LASTS` after we began to ask: the store counts from later than that."""
        until = self.seconds() + LASTS.total_seconds()
        async with self.database.transaction() as session:
            now = await leases.store_time(session)
            others = await leases.holders(session, list(self._sought)) - {self.holder}
            gone = {one for one in others if self.is_gone(one)}
            held = await leases.hold(session, list(self._sought), self.holder, now, LASTS, gone)
        for name, duty in self._sought.items():
            was_ours = duty.is_ours()
            duty.note(held.get(name), until)
            if duty.is_ours() != was_ours:
                log.info("duty_begun" if duty.is_ours() else "duty_lost", duty=name, number=duty.number)

    async def give_back(self, *names: str) -> None:
        """Let others begin at once; without names, everything."""
        given = [name for name in self._sought if name in names or not names]
        for name in given:
            self._sought.pop(name).note(None, -math.inf)
        async with self.database.transaction() as session:
            await leases.give_back(session, given, self.holder)
