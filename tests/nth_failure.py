"""Operation N of a small day fails, for N = 1, 2, 3 … until a day ends without meeting the failure.

`python -m tests.nth_failure` does it for every operation and every kind of failure; `--every 50` for each fiftieth.
Nothing may be said that is not stored, and once the fault is gone the day ends as one without it.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import re
import shutil
import sqlite3
import sys
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from functools import cache
from itertools import repeat
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args

import aiosqlite
import sqlalchemy as sa
import structlog

import texts
from bot.app import App
from domain.chat import Command, Incoming, NotStored, Outcome, Outgoing, Receipt, Said, Tap, Text, Unknown
from domain.policy import Role
from storage import schema, tables
from storage.database import Database, Instant
from tests.morning import REST, UNWELL, WELL
from tests.phone import Messenger, Phone
from tests.simulation.store import Connection, connect
from tests.world import ZONE, World, build

Kind = Literal["full", "io_error", "busy", "unsure", "crash", "crash_after"]
KINDS: tuple[Kind, ...] = get_args(Kind)
ON_COMMIT = ("unsure", "crash_after")
"""Kinds that strike once a commit has had its effect: it is reported as failed, or nothing more happens."""
SAYS = {"full": "database or disk is full", "io_error": "disk I/O error", "busy": "database is locked"}
WRITES = ("INSERT", "UPDATE", "DELETE")
STAYS_FULL = 15
"""So many operations a full disk stays full, for whoever would write."""
NOT_SAVED = texts.text("vi", "help.not_saved")
TOLD_OF_IN_OTHER_WAYS = ("outbox", "seen_update", "quarantine", "budget", "board", "audit")
PEOPLE = (("hoa", Role.HEAD), ("lan", None), ("minh", None), ("nam", None))

T = TypeVar("T")


class Crash(Exception):
    """The process is gone: nothing it does from now on reaches the store or anybody's phone."""


@dataclass(slots=True)
class Fault:
    """The disk under a store, on which operation `number` fails."""

    kind: Kind
    number: int
    count: int = 0
    met: bool = False
    dead: bool = False

    async def before(self, connection: Connection, statement: str) -> None:
        if self.dead:
            raise Crash
        if self.kind in ON_COMMIT:
            return
        is_hit = self._counts()
        stays_full = self.kind == "full" and self.met and self.count < self.number + STAYS_FULL
        if is_hit or (stays_full and statement.startswith(WRITES)):
            self._strike(connection)

    async def after_commit(self, connection: Connection) -> None:
        if self.kind in ON_COMMIT and not self.dead and self._counts():
            self._strike(connection)

    def gave_up(self, statement: str) -> None:
        raise AssertionError(f"a lock was waited for in vain: {statement}")

    def _counts(self) -> bool:
        self.count += 1
        self.met = self.met or self.count == self.number
        return self.count == self.number

    def _strike(self, connection: Connection) -> None:
        if self.kind.startswith("crash"):
            self.dead = True
            raise Crash
        if self.kind == "io_error":
            connection.raw.rollback()  # as SQLite itself does after such an error
        raise sqlite3.OperationalError(SAYS.get(self.kind, "disk I/O error"))


@contextmanager
def on_disk(disk: Fault) -> Iterator[None]:
    """Stores opened meanwhile use SQLite without a thread of its own, on this disk."""
    usual = aiosqlite.connect
    vars(aiosqlite)["connect"] = lambda path, **options: connect(path, disk)
    try:
        yield
    finally:
        vars(aiosqlite)["connect"] = usual


@dataclass(slots=True)
class Witness(Messenger):
    """A messenger that checks, as something is shown, that it is in the store as another process would read it."""

    path: Path = Path()
    is_gone: Callable[[], bool] = lambda: False
    false: list[str] = field(default_factory=list)

    async def send(self, message: Outgoing, key: str) -> Outcome:
        if self.is_gone():
            return Unknown("the process is gone")
        if not _rows(self.path, "SELECT 1 FROM outbox WHERE dedupe_key = ?", key):
            self.false.append(f"{message.title or message.text} was shown and is not stored")
        return await Messenger.send(self, message, key)


@dataclass(slots=True)
class Day:
    """A small day on a store of its own, in which one fault may strike."""

    path: Path
    fault: Fault
    world: World
    problems: list[str] = field(default_factory=list)
    refused: int = 0
    operations: int = 0
    _keys: int = 0

    # --- what happens ---

    async def passes(self) -> None:
        lan, minh, hoa = (self.world.phone(name) for name in ("lan", "minh", "hoa"))
        await self.strikes("07:00")
        await self.taps(lan, WELL)
        await self.taps(minh, UNWELL, "Ho", "Tiếp tục", "Không đo", *REST, "Gửi bản khai")
        await self.taps(lan, "Sửa bản khai", "Đổi nơi làm việc", "Làm việc tại nhà", WELL)
        await self.strikes("09:00")
        await self.strikes("14:00")
        await self.taps(hoa, "✓ Xác nhận")
        await self.says(lan, Command("incident"))
        await self.taps(lan, "Tai nạn, cháy nổ")
        await self.says(lan, Text("Cháy nhỏ ở kho"))
        await self.taps(lan, "Bỏ qua", "Gửi ngay")

    async def strikes(self, at: str) -> None:
        """Time passes until then; whatever is due on the way is done, though it may take more than one attempt."""
        local = self.world.now.astimezone(ZONE)
        target = datetime.combine(local.date(), time.fromisoformat(at), ZONE)
        while True:
            following = await self.again(lambda: self.world.app.ticks.next_due(self.world.now))
            if following is None or following[0] > target:
                break
            self.world.now = max(self.world.now, following[0])
            await self.again(lambda: self.world.app.settle_everything())
            await self.deliver()
        self.world.now = max(self.world.now, target)

    async def taps(self, phone: Phone, *labels: str) -> None:
        for label in labels:
            message_id, button = phone.button(label)
            await self.says(phone, Tap(button.data, message_id))

    async def says(self, phone: Phone, said: Said) -> None:
        """Somebody says something, and once more whenever they are told that it was not saved."""
        for _ in range(3):
            self._keys += 1
            receipt = await self._offer(phone.update(said, f"update {self._keys}"))
            await self.deliver()
            if receipt.saved:
                return
            self.refused += 1
            self._must(receipt.notice == NOT_SAVED, f"refused with {receipt.notice!r}")
            self._must(NOT_SAVED in phone.screen, "nobody was told that nothing was saved")
        self.problems.append("refused three times")

    async def _offer(self, update: Incoming) -> Receipt:
        """As a messenger does: again until it is taken, and if the process is gone, to the next one."""
        for _ in range(STAYS_FULL + 5):
            try:
                receipt = (await self.world.receive([update]))[0]
            except NotStored:
                receipt = None
            if self.fault.dead:
                await self.restart()
            elif receipt is not None:
                is_there = _rows(self.path, "SELECT 1 FROM seen_update WHERE update_key = ?", update.update_key)
                self._must(bool(is_there), "an update was confirmed and is not stored")
                return receipt
        raise AssertionError("an update is never taken")

    # --- how the day goes on ---

    async def again(self, act: Callable[[], Awaitable[T]]) -> T:
        """Do it until it is done: everything that runs by itself is tried again."""
        for _ in range(STAYS_FULL + 5):
            try:
                done = await act()
            except Exception:
                if not self.fault.met:
                    raise
            else:
                if not self.fault.dead:
                    return done
            if self.fault.dead:
                await self.restart()
        raise AssertionError("it fails for ever")

    async def deliver(self) -> None:
        """Whatever waits is sent, and what must be sent again, though that takes a minute."""
        waiting = "state = 'sending' OR (state = 'waiting' AND due_at <= ?)"
        for _ in range(6):
            await self.again(lambda: self.world.app.deliveries["telegram"].drain())
            soon = self.world.now + timedelta(minutes=2)
            if not _rows(self.path, f"SELECT 1 FROM outbox WHERE {waiting}", _stored(soon)):
                return
            self.world.now += timedelta(seconds=21)
        self.problems.append("something is never sent")

    async def restart(self) -> None:
        """The process is gone without a word; another one starts on its store."""
        await self.world.database.close()
        self.fault.dead = False
        self.world.database = Database(f"sqlite:///{self.path}")
        self.world.app = _app(self.world)
        await self.again(lambda: self.world.app.prepare())

    def _must(self, holds: bool, what: str) -> None:
        if not holds:
            self.problems.append(what)

    # --- how it ended ---

    async def ending(self) -> Ending:
        facts = {
            table.name: await self.world.rows(
                sa.select(*(one for one in table.columns if not isinstance(one.type, Instant))).order_by(
                    *table.primary_key.columns
                )
            )
            for table in tables.metadata.sorted_tables
            if table.name not in TOLD_OF_IN_OTHER_WAYS
        }
        letters = _rows(self.path, "SELECT dedupe_key, state FROM outbox WHERE kind <> 'reply' ORDER BY dedupe_key")
        screens = {
            name: Counter(_without_times(f"{shown.title}\n{shown.text}") for _, shown in phone.messages)
            for name, phone in self.world.phones.items()
        }
        return Ending({name: [tuple(row) for row in rows] for name, rows in facts.items()}, letters, screens)


@dataclass(frozen=True, slots=True)
class Ending:
    """What a day leaves behind: the facts, what became of letters, and what people have on their screens."""

    facts: dict[str, list[tuple[Any, ...]]]
    letters: list[tuple[Any, ...]]
    screens: dict[str, Counter[str]]

    def differences(self, quiet: Ending) -> list[str]:
        """In what this day ended otherwise than the quiet one: a second copy and a word of regret are no difference."""
        differing = [name for name, rows in self.facts.items() if rows != quiet.facts[name]]
        found = [f"{name}: {self.facts[name]} ≠ {quiet.facts[name]}" for name in differing]
        if self.letters != quiet.letters:
            found.append(f"letters: {set(self.letters) ^ set(quiet.letters)}")
        for name, shown in quiet.screens.items():
            missing = set(shown) - set(self.screens[name])
            found += [f"{name} does not see {one!r}" for one in missing]
        return found


async def template(path: Path) -> None:
    """A store at six in the morning: a unit whose head and three others have joined and agreed."""
    database = Database(f"sqlite:///{path}")
    await schema.migrate(database)
    world = await build(database)
    await world.unit("P1", "Phòng Kế hoạch")
    for name, role in PEOPLE:
        await world.enrolled(name, "P1", role=role)
    await database.close()


async def lived(path: Path, kind: Kind, number: int) -> tuple[Day, Ending]:
    """One day on a copy of the template with this fault in it; number 0 never comes."""
    fault = Fault(kind, 0)
    with on_disk(fault):
        world = await build(Database(f"sqlite:///{path}"))
        world.telegram = Witness("telegram", world.telegram.capabilities, path=path, is_gone=lambda: fault.dead)
        world.app = _app(world)
        for name, _ in PEOPLE:
            world.phone(name)
        day = Day(path, fault, world)
        fault.count, fault.number = 0, number
        try:
            await day.again(lambda: world.app.prepare())
            await day.passes()
        except AssertionError as stuck:
            day.problems.append(f"the day does not go on: {stuck}")
        day.operations, fault.number = fault.count, 0
        ending = await day.ending()
        day.problems += world.telegram.false
        await day.world.database.close()
    return day, ending


def _app(world: World) -> App:
    channels = {"telegram": world.telegram, "webchat": world.webchat}
    return App(world.database, world.house, channels, lambda: world.now, world.app.sleep_until)


def _rows(path: Path, query: str, *values: object) -> list[tuple[Any, ...]]:
    """What somebody else reads in the store at this moment."""
    with closing(sqlite3.connect(path, timeout=10)) as other:
        return other.execute(query, values).fetchall()


def _stored(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}"


def _without_times(text: str) -> str:
    return re.sub(r"\d\d:\d\d", "··:··", text)


# --- every operation ---


@dataclass(slots=True)
class Tally:
    """What many such days showed."""

    days: int = 0
    refused: int = 0
    operations: dict[str, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def day_with(store: Path, kind: Kind, number: int) -> Day:
    """One day on a copy of this store, compared with a quiet one; what is wrong stands in its problems."""
    day, ending = _live(store, kind, number)
    day.problems += ending.differences(quiet_ending(store))
    return day


@cache
def quiet_ending(store: Path) -> Ending:
    """How a day ends on this store in which nothing fails."""
    day, ending = _live(store, "busy", 0)
    assert day.problems == []
    return ending


def operations(store: Path, kind: Kind) -> int:
    """How many operations of a quiet day such a failure could strike."""
    return _live(store, kind, 0)[0].operations


def _live(store: Path, kind: Kind, number: int) -> tuple[Day, Ending]:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(shutil.copy(store, folder))
        return asyncio.run(lived(path, kind, number))


def _one(store: Path, kind: Kind, number: int) -> tuple[int, list[str]]:
    day = day_with(store, kind, number)
    missed = [] if day.fault.met else ["the failure was never met"]
    return day.refused, [f"{kind} at operation {number}: {problem}" for problem in day.problems + missed]


def run(every: int, first: int, workers: int) -> Tally:
    """Each `every`th operation from `first` on, with each kind of failure."""
    tally = Tally()
    with tempfile.TemporaryDirectory() as folder, ProcessPoolExecutor(workers) as pool:
        store = Path(folder) / "morning.db"
        asyncio.run(template(store))
        for kind in KINDS:
            tally.operations[kind] = operations(store, kind)
            numbers = range(first, tally.operations[kind] + 1, every)
            for refused, problems in pool.map(_one, repeat(store), repeat(kind), numbers):
                tally.days += 1
                tally.refused += refused
                tally.problems += problems
            print(f"{kind}: {len(numbers)} of {tally.operations[kind]}, problems {len(tally.problems)}", flush=True)
    return tally


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--every", type=int, default=1, help="only each so-manieth operation")
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    chosen = parser.parse_args()
    tally = run(chosen.every, chosen.first, chosen.workers)
    for problem in tally.problems:
        print(problem[:2000])
    print(f'days {tally.days}, told "not saved" {tally.refused}, problems {len(tally.problems)}')
    sys.exit(bool(tally.problems))


if __name__ == "__main__":
    main()
