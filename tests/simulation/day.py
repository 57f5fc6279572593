"""One simulated Monday: a department, its bot, whatever the seed has go wrong, and what must hold all the same."""

from __future__ import annotations

import asyncio
import gc
import random
import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache, partial
from pathlib import Path
from typing import Any

import aiosqlite
import structlog

from domain.chat import Incoming, NotStored
from domain.codes import new_code
from storage import invites
from storage.database import Database
from tests.simulation import agreement, guarantees
from tests.simulation import bot as running
from tests.simulation.bot import Bot, put_in_place
from tests.simulation.department import BEGINS, CAST, GROUP_OF_B, furnish, house, person_ids
from tests.simulation.happenings import Happenings
from tests.simulation.loop import Process, VirtualLoop, never, this_process
from tests.simulation.mutants import plant
from tests.simulation.people import HABITS, Someone
from tests.simulation.records import Records, Shown
from tests.simulation.service import Service
from tests.simulation.store import Connection, connect
from tests.simulation.trace import Trace
from tests.simulation.weather import STORING, Weather, weather_of
from tests.simulation.wire import Wire
from tests.simulation.witness import Witness, facts

SHORT, WHOLE = 8.5 * 3600.0, 11 * 3600.0 + 50 * 60
"""Until 15:20, when the risk round is over, and, for every third seed, until the afternoon has closed as well."""
QUIET = 15 * 60.0
DAY = 24 * 3600.0
ROUNDS_OPEN = (timedelta(hours=7), timedelta(hours=14), timedelta(hours=16, minutes=30))


@dataclass(frozen=True, slots=True)
class Ended:
    """What a seed came to. `problems` is empty if every guarantee held."""

    seed: int
    problems: tuple[str, ...]
    counts: Counter[str]
    digest: str


@dataclass(eq=False)
class Day:
    """Everything that is there on one day; also the surroundings of its processes and the disk of their store."""

    seed: int
    folder: Path
    loop: VirtualLoop
    weather: Weather
    trace: Trace
    problems: list[str] = field(default_factory=list)
    records: Records = field(default_factory=Records)
    bots: list[Bot] = field(default_factory=list)
    stepped: timedelta = timedelta()
    store_is_full: bool = False
    has_stepped: bool = False
    posted: list[Incoming] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.ends = SHORT if self.seed % 3 else WHOLE
        self.path = self.folder / f"{self.seed}.db"
        self.house = house()
        self.room, self.far_side = Process("people"), Process("telegram")
        self.service = Service(self.loop.time, BEGINS.timestamp())
        self.witness = Witness(str(self.path), self.loop.time, self.wrong)
        self.people = self._cast()
        self._news = 0
        self._bell = asyncio.Event()

    def _cast(self) -> dict[str, Someone]:
        chance, found = self.weather.chance("people"), dict[str, Someone]()
        for member in CAST:
            if member.telegram or member.web:
                own = random.Random(chance.getrandbits(64))
                habit = chance.choice(HABITS)
                found[member.name] = Someone(
                    member,
                    habit,
                    own,
                    self.service,
                    self.weather,
                    self.records,
                    self._from_page,
                    self._invite,
                    self.room,
                    found,
                )
        return found

    # --- time ---

    def now(self) -> datetime:
        """The true time."""
        return BEGINS + timedelta(seconds=self.loop.time())

    def wall(self) -> datetime:
        """What the machine's clock shows."""
        return self.now() + self.stepped

    def step_clock(self, to: datetime) -> None:
        self.stepped, self.has_stepped = to - self.now(), True
        self.ring()

    def ring(self) -> None:
        """Something was written, or could not be."""
        self._news += 1
        self._bell.set()
        self._bell = asyncio.Event()

    async def until_news(self, seen: int, most: float) -> int:
        if seen == self._news:
            try:
                async with asyncio.timeout(min(most, self.seconds_to_due())):
                    await self._bell.wait()
            except TimeoutError:
                self._news += 1
        return self._news

    def waits(self, channel: str) -> bool:
        return self.witness.waits(channel, self.wall())

    def seconds_to_due(self) -> float:
        now = self.wall()
        midnight = datetime.combine(now.astimezone(self.house.zone).date(), datetime.min.time(), self.house.zone)
        opens = [midnight + one for one in ROUNDS_OPEN]
        found = [one for one in [*opens, self.witness.next_due(now)] if one and one > now]
        return (min(found) - now).total_seconds() if found else DAY

    # --- the disk ---

    async def before(self, connection: Connection, statement: str) -> None:
        process, chance = this_process(), self.weather.chance("disk")
        if process not in running.PROCESSES:
            return
        if statement == "COMMIT":
            await asyncio.sleep(chance.uniform(0.001, 0.01))
            await self.crash_here("crash_before_commit")
        elif statement.startswith("BEGIN"):
            await asyncio.sleep(chance.uniform(0.0001, 0.001))
        fault = self.weather.one_of(STORING)
        if fault == "slow_disk":
            await asyncio.sleep(chance.uniform(0.2, 4.0))
        elif fault == "busy":
            await asyncio.sleep(10.0)
            self._refuse("database is locked")
        elif fault == "failing":
            self._refuse("disk I/O error")
        elif self.store_is_full and statement.startswith(("INSERT", "UPDATE", "DELETE", "COMMIT")):
            self._refuse("database or disk is full")

    def _refuse(self, why: str) -> None:
        self.trace.note("store", why)
        self.ring()
        raise sqlite3.OperationalError(why)

    async def after_commit(self, connection: Connection) -> None:
        process = this_process()
        self.witness.look(process)
        self.trace.note("commit", process.name if process else "")
        self.ring()
        if process in running.PROCESSES:
            await self.crash_here("crash_after_commit")

    def gave_up(self, statement: str) -> None:
        self.wrong("A6", f"a lock was waited for in vain: {statement[:40]}")

    # --- processes ---

    def start_bot(self) -> Bot:
        number = len(self.bots) + 1
        process = Process(f"bot{number}")
        wire = Wire(self.service, self.weather, self.records, self.far_side, self.appeared, self.crash_here)
        chance = random.Random(self.weather.chance("bots").getrandbits(64))
        made = Bot(process, f"sqlite:///{self.path}", self.house, wire, self, chance)
        self.bots.append(made)
        self.trace.note("start", process.name)
        process.run(made.run())
        return made

    async def crash_here(self, kind: str) -> None:
        if self.weather.strikes(kind):
            process = this_process()
            assert process is not None
            self.crash(running.PROCESSES[process], self.weather.chance("downtime").choice((1.0, 5.0, 30.0, 240.0)))
            await never()

    def crash(self, bot: Bot, downtime: float) -> None:
        self.trace.note("crash", bot.process.name)
        bot.die()
        self.room.run(self._restart(downtime))

    async def _restart(self, downtime: float) -> None:
        await asyncio.sleep(downtime)
        if not any(one.process.alive for one in self.bots):
            self.start_bot()

    async def command(self, statement: str, *values: Any) -> None:
        """An operator's command changes the store, as soon as its lock is free."""
        operator = connect(str(self.path), self)
        await operator.patiently(statement, lambda: operator.raw.execute(statement, values))
        await operator.patiently(statement, operator.raw.commit)
        operator.raw.close()
        await self.after_commit(operator)

    # --- people ---

    def appeared(self, shown: Shown) -> None:
        self.records.shown.append(shown)
        self.trace.note("shown", shown.letter, shown.chat.chat_id, shown.message_id, shown.is_edit)
        guarantees.at_once(self, shown)
        for one in self.people.values():
            if shown.chat.chat_id in one.chats:
                one.sees(shown)
        if shown.chat.chat_id == str(GROUP_OF_B) and (key := shown.key("bind")):
            message = self.service.chats[GROUP_OF_B].messages[int(shown.message_id)]
            self.service.tap_data(1001, message, key.data)

    async def _invite(self, name: str) -> str:
        """A code from an administrator's command."""
        who, bits = person_ids()[name], self.weather.chance("codes").getrandbits
        database = Database(f"sqlite:///{self.path}")
        async with database.transaction() as session:
            codes = await invites.issue(session, [who], self.wall(), timedelta(hours=24), lambda: new_code(bits))
        await database.close()
        return codes[who]

    async def _from_page(self, update: Incoming) -> bool:
        """Posted to whichever process serves the pages; false if it does not say that it has stored it."""
        self.posted.append(update)
        bot = self.serving
        if bot is None:
            return False
        task = bot.process.run(_taken(bot, update))
        await asyncio.wait([task], timeout=30.0)
        return task.done() and task.result()

    # --- what must hold ---

    def rights_ended(self, name: str) -> bool:
        """Whether this person has lost a post today."""
        who = person_ids()[name]
        return any(post["person_id"] == who and was.until is not None for post, was in self.witness.posts.values())

    @property
    def kinds(self) -> tuple[str, ...]:
        """The rounds in which people are asked that are over by the end."""
        return ("morning",) if self.ends == SHORT else ("morning", "afternoon")

    @property
    def serving(self) -> Bot | None:
        """The process that serves the pages now."""
        return next((one for one in reversed(self.bots) if one.process.alive and one.ready), None)

    def wrong(self, guarantee: str, what: str) -> None:
        line = f"{guarantee}: {what}"
        if line not in self.problems:
            self.trace.note("WRONG", line)
            self.problems.append(line)

    async def live(self) -> None:
        """From ten to seven until a quarter of an hour after the last fault."""
        self.witness.look(None)
        self.witness.on_letters.append(partial(guarantees.on_a_letter, self))
        self.start_bot()
        self.room.run(self._a_group_is_bound())
        self.room.run(Happenings(self).go_on())
        await asyncio.sleep(self.ends)
        self._clear_up()
        await asyncio.sleep(QUIET)
        guarantees.at_the_end(self)
        await self._everything_again()
        await agreement.c4_four_ways_agree(self)

    def _clear_up(self) -> None:
        self.weather.cleared = True
        self.store_is_full = self.service.is_down = False
        self.stepped = timedelta()
        self.trace.note("clear")
        self.ring()
        if not any(one.process.alive for one in self.bots):
            self.start_bot()

    async def _everything_again(self) -> None:
        """All that anybody ever said comes once more, and changes nothing."""
        before = facts(self.witness)
        self.service.offer_again()
        for update in reversed(self.posted):
            await self._from_page(update)
        await asyncio.sleep(120.0)
        guarantees.a3_a_repeated_update_changes_nothing(self, before, facts(self.witness))

    async def _a_group_is_bound(self) -> None:
        await asyncio.sleep(self.weather.chance("binding").uniform(10, 5000))
        await self.service.adds_bot(1004, GROUP_OF_B)
        await self.people["tam"].type("/bind B", group=GROUP_OF_B)


async def _taken(bot: Bot, update: Incoming) -> bool:
    try:
        (receipt,) = await bot.app.receive([update])
    except NotStored:
        return False
    return receipt.saved


# --- running one ---


def simulate(seed: int, folder: Path, show: Callable[[str], None] | None = None, mutant: str = "") -> Ended:
    """Live through the day of this seed. With a mutant, this process has that defect from now on."""
    _once()
    if mutant:
        plant(mutant)
    loop = VirtualLoop()
    weather = weather_of(seed)
    trace = Trace(loop.time, show)
    shutil.copy(_template(folder), folder / f"{seed}.db")
    day = Day(seed, folder, loop, weather, trace)
    _today.append(day)
    loop.run_until_complete(day.live())
    for bot in day.bots:
        bot.die()
    day.path.unlink()
    day.problems += [f"loop: {one}" for one in loop.failures]
    return Ended(seed, tuple(day.problems), weather.counts + day.witness.counts, trace.digest)


_today: list[Day] = []
"""Every day ever lived here: nothing of a dead process may be cleaned up by a garbage collector."""


@cache
def _template(folder: Path) -> Path:
    path = folder / "department.db"
    path.unlink(missing_ok=True)
    VirtualLoop().run_until_complete(furnish(path, house()))
    return path


@cache
def _once() -> None:
    """What is replaced in this process: the driver, the scheduler, the log."""
    put_in_place()
    gc.disable()
    vars(aiosqlite)["connect"] = _connected
    structlog.configure(processors=[_heard], logger_factory=structlog.ReturnLoggerFactory())


def _connected(path: str, **options: Any) -> Connection:
    bot = running.PROCESSES.get(this_process())
    if not _today:
        return connect(path, _Calm())
    made = connect(path, _today[-1])
    if bot:
        bot.connections.append(made)
    return made


class _Calm:
    """A disk on which nothing happens."""

    async def before(self, connection: Connection, statement: str) -> None:
        """At once."""

    async def after_commit(self, connection: Connection) -> None:
        """Nobody looks."""

    def gave_up(self, statement: str) -> None:
        raise AssertionError(statement)


def _heard(logger: object, level: str, event: MutableMapping[str, Any]) -> str:
    """What the program logs becomes part of what happened."""
    if _today:
        words = " ".join(f"{name}={value}" for name, value in sorted(event.items()) if name != "event")
        _today[-1].trace.note(level, event["event"], words)
    return ""
