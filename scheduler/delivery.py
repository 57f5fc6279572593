"""The way out: letters are claimed by lease, sent with no transaction open, and settled with what became of them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from domain.allowance import Allowance
from domain.chat import Address, Channel, Outcome, RetryLater, Unknown
from scheduler.duties import Duty
from storage import outbox, settlement, wakeups
from storage.budget import GUARD, HORIZON
from storage.database import Clock, Database, Session
from storage.outbox import LEASE, Claim, Leased
from storage.settlement import Held, Settled

log = structlog.get_logger(__name__)

MOST_AT_ONCE = 100
MOST_ON_THE_WAY = 60
"""Letters in hand of an account with a pace: two seconds' worth, so that a stall never makes them outlast a lease."""
IDLE = timedelta(seconds=1)
"""How often an account with nothing to do looks for letters that another process wrote."""
SEND_WITHIN = 45.0
"""Seconds after which a send counts as unknown; shorter than a lease."""
BEGIN_WITHIN = LEASE - timedelta(seconds=SEND_WITHIN + 1)
"""A send begun later than this after its slot could outlast its lease, and somebody else would send it too."""
STOP_WITHIN = 2.0
"""Seconds that messages on their way are waited for at the end, of the five that stopping may take in all."""

MOST_SPREAD = timedelta(milliseconds=500)
"""By how much one message is at most taken to have travelled longer than another: a third of the rate at worst."""

SleepUntil = Callable[[datetime], Awaitable[None]]


@dataclass(slots=True)
class Departure:
    """One message in the window; it counts until a second after `reached_at`, the latest it can have arrived."""

    left_at: datetime
    reached_at: datetime


@dataclass(slots=True)
class Window:
    """No second of the service's own clock sees more than `per_second` arrivals, however late we or the line are.

    A message travels at least as long as the quickest round trip so far; what its own took beyond that is how much
    later than the others it may have arrived. On an even line this costs nothing.
    """

    per_second: float | None
    _counted: list[Departure] = field(default_factory=list)
    _quickest: timedelta = timedelta.max

    def begin(self, now: datetime) -> None:
        """Another process may have sent at full pace until this moment."""
        if self.per_second is not None:
            self._counted.clear()
            for number in range(max(int(self.per_second), 1)):
                self.leave(now - timedelta(seconds=GUARD * number / self.per_second))

    def free_at(self, now: datetime) -> datetime:
        """`now` if a message may leave, else when to ask again."""
        if self.per_second is None:
            return now
        most = max(int(self.per_second), 1)
        span = timedelta(seconds=GUARD * most / self.per_second)
        # One that left later than now was sent before the clock was set back.
        self._counted = [one for one in self._counted if one.left_at <= now < one.reached_at + span]
        if len(self._counted) < most:
            return now
        return sorted(one.reached_at for one in self._counted)[-most] + span

    def leave(self, now: datetime) -> Departure:
        """Count a message that leaves now, as if it arrived as late as any until its answer tells."""
        departure = Departure(now, now + MOST_SPREAD)
        if self.per_second is not None:
            self._counted.append(departure)
        return departure

    def answered(self, departure: Departure, now: datetime) -> None:
        """The service has answered: the message had arrived by now."""
        took = max(now - departure.left_at, timedelta())
        self._quickest = min(self._quickest, took)
        departure.reached_at = departure.left_at + min(took - self._quickest, MOST_SPREAD)


@dataclass(slots=True)
class Delivery:
    """Sends for one channel account, whenever that is this process's duty.

    `settled` is told, after the commit, what became of letters (the web chat's pages wait for it). `allowance` is
    what people may be sent of itself; None is as much as there is.
    """

    channel: Channel
    database: Database
    clock: Clock
    sleep_until: SleepUntil
    settled: Callable[[Sequence[Settled]], None] = lambda results: None
    send_within: float = SEND_WITHIN
    allowance: Allowance | None = None
    duty: Duty = field(default_factory=Duty)
    _more: asyncio.Event = field(default_factory=asyncio.Event)
    _handed: deque[Leased] = field(default_factory=deque)
    _results: list[Settled] = field(default_factory=list)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _last_to: dict[Address, asyncio.Task[None]] = field(default_factory=dict)
    _quiet_until: dict[Address | None, datetime] = field(default_factory=dict)
    _more_at: datetime | None = None
    _at_the_window: asyncio.Lock = field(default_factory=asyncio.Lock)
    _window: Window = field(init=False)
    _number: int = 0

    def __post_init__(self) -> None:
        self._window = Window(self.channel.capabilities.per_second)

    def hand_over(self, letters: Sequence[Leased]) -> None:
        """Take replies that are already ours; they go out without being looked for."""
        self._handed += [letter for letter in letters if letter.message.to.channel == self.channel.name]
        self._more.set()

    def wake(self) -> None:
        """Something may be due."""
        self._more.set()

    async def run(self) -> None:
        """Deliver until cancelled. A failing store is waited out, never the end."""
        self._window.begin(self.clock())
        while True:
            self._more.clear()
            try:
                await self.step()
            except Exception as problem:
                log.error("delivery_failed", channel=self.channel.name, problem=type(problem).__name__)
                self._more_at = None
            await self._rest()

    async def step(self) -> bool:
        """Start what can leave within the horizon and settle what has come back; whether there was any."""
        self._start_handed()
        results, self._results = self._results, []
        if not results and not await self._is_anything_due():
            return bool(self._results)
        try:
            async with self.database.transaction() as session:
                now = self.clock()
                await self._settle(session, results, now)
                await settlement.reclaim(session, now)
                claimed = await self._claim(session, now)
        except BaseException:
            self._results = results + self._results
            raise
        self._more_at = claimed.more_at
        for letter in claimed.letters:
            self._start(letter)
        self.settled(results)
        has_more = self._more_at is not None and self._more_at <= now
        return bool(claimed.letters or results or self._results or has_more)

    async def drain(self) -> None:
        """Send everything that is due now and wait for what becomes of it."""
        while await self.step() or self._tasks or self._handed:
            await asyncio.gather(*self._tasks)

    async def stop(self) -> None:
        """Let messages on their way arrive and record what became of them. Who takes too long counts as unknown."""
        self._start_handed()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=STOP_WITHIN)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        if self._results:
            async with self.database.transaction() as session:
                await self._settle(session, self._results, self.clock())
            self._results = []

    async def _is_anything_due(self) -> bool:
        """Look before taking the store's one place for writers."""
        self._more_at = None
        if not self.duty.is_ours():
            return False
        now = self.clock()
        async with self.database.reading() as session:
            self._more_at = await outbox.next_moment(session, self.channel.name, now)
        return self._more_at is not None and self._more_at <= now + HORIZON

    async def _claim(self, session: Session, now: datetime) -> Claim:
        if not self._room:
            return Claim([], None)  # whichever letter arrives next wakes us
        if not await self.duty.is_still_ours(session):
            return Claim([], None)
        if self.duty.number != self._number:
            self._number = self.duty.number
            self._window.begin(now)
        name, limits = self.channel.name, self.channel.capabilities
        return await outbox.claim(session, name, now, limits, self._room, self.allowance)

    async def _settle(self, session: Session, results: Sequence[Settled], now: datetime) -> None:
        """Record what became of them; pages of ours in another process hear of it with the commit."""
        await settlement.settle(session, results, now)
        if self.channel.capabilities.own_pages:
            await wakeups.tell(session, {f"{wakeups.SHOWN}{one.letter.message.to.chat_id}" for one in results})

    @property
    def _room(self) -> int:
        """How many more letters may be in hand."""
        if self.channel.capabilities.per_second is None:
            return MOST_AT_ONCE
        return max(MOST_ON_THE_WAY - len(self._tasks), 0)

    def _start_handed(self) -> None:
        """Begin with the replies handed over; those for which there is no room, or that are others' now, go back."""
        while self._handed:
            letter = self._handed.popleft()
            if self._room and self.duty.is_ours():
                self._start(letter)
            else:
                self._results.append(Settled(letter, Held()))

    def _start(self, letter: Leased) -> None:
        to = letter.message.to
        task = asyncio.get_running_loop().create_task(self._send(letter, self._last_to.get(to)))
        self._last_to[to] = task
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _send(self, letter: Leased, before: asyncio.Task[None] | None) -> None:
        """One message, after the one before it in the same chat."""
        try:
            if before:
                await asyncio.wait([before])
            await self.sleep_until(letter.slot)
            async with self._at_the_window:
                while (free_at := self._window.free_at(now := self.clock())) > now:
                    await self.sleep_until(free_at)
                departure = self._window.leave(now)
            outcome = await self._outcome(letter)
            if not isinstance(outcome, Held):
                self._window.answered(departure, self.clock())
            self._results.append(Settled(letter, outcome))
        finally:
            if self._last_to.get(letter.message.to) is asyncio.current_task():
                del self._last_to[letter.message.to]
            if self._more_at is None or self._more_at > self.clock() + 2 * HORIZON:
                self._more.set()  # else a step is near, and settles several at once

    async def _outcome(self, letter: Leased) -> Outcome | Held:
        if self._must_wait(letter):
            return Held()
        try:
            async with asyncio.timeout(self.send_within):
                outcome = await self._put(letter)
        except TimeoutError:
            return Unknown("no answer in time")
        except Exception as problem:
            # A channel that raises is our own mistake; whether the message left cannot be known.
            log.error("send_failed", channel=self.channel.name, problem=type(problem).__name__)
            return Unknown(type(problem).__name__)
        if isinstance(outcome, RetryLater):
            whom = None if outcome.whole_account else letter.message.to
            self._quiet_until[whom] = self.clock() + timedelta(seconds=outcome.after)
        return outcome

    async def _put(self, letter: Leased) -> Outcome:
        if letter.kind == "leave":
            return await self.channel.leave(letter.message.to)
        return await self.channel.send(letter.message, letter.key)

    def _must_wait(self, letter: Leased) -> bool:
        """An order to wait came, somebody else took over, or this letter has been on its way to the wire too long."""
        now = self.clock()
        for whom in (None, letter.message.to):
            if self._quiet_until.get(whom, now) > now:
                return True
            self._quiet_until.pop(whom, None)
        return now > letter.slot + BEGIN_WITHIN or not self.duty.is_ours()

    async def _rest(self) -> None:
        """Until a message can leave, comes back, or is written; at most `IDLE`."""
        wait = IDLE if self._more_at is None else min(IDLE, self._more_at - HORIZON - self.clock())
        with suppress(TimeoutError):
            async with asyncio.timeout(max(wait.total_seconds(), 0.005)):
                await self._more.wait()
