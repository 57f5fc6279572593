"""The real process, killed and stopped at random moments while people tap: nothing lost, nothing twice.

`python -m tests.torture --kills 1000 --stops 200 --resume FILE` goes on where it was interrupted. Each part of the
work is a department of its own, on one of two stores, heard in one of two ways; everybody in it taps all the while.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import aiohttp
import asyncpg
import sqlalchemy as sa

from bot.run import wall_clock
from domain.campaign import MORNING
from domain.workdays import WEEKDAYS
from storage import schedules, schema, tables, units
from storage.database import Database, Session
from storage.schedules import Schedule
from tests.processes import ORGANISATION, QuickBot, Service, postgres_server, until

WAYS = [(mode, store) for store in ("sqlite", "postgres") for mode in ("polling", "webhook")]
KILLS, STOPS = 25, 5
"""In one part."""
FIRST_USER = 2_000_000
UNITS, PEOPLE_EACH = 12, 2
OPENS_EVERY = timedelta(seconds=5)
"""One unit's round after the other, so that prompts go out all the while."""
LABELS = ["Tôi khỏe", "Sửa bản khai", "Đổi nơi làm việc", "Tại cơ quan", "Làm việc tại nhà", "Đi công tác"]
PROMPT = "Khai báo y tế"
MOST_WAITING = 60
MIGRATING = asyncio.Lock()
"""Alembic brings one store at a time up to date in a process."""
STOP_WITHIN = 5.0


@dataclass(slots=True)
class Tally:
    """What was done and seen. `lost` and `twice` must be 0; `problems` says what was, and anything else amiss."""

    part: int = -1
    mode: str = ""
    store: str = ""
    kills: int = 0
    stops: int = 0
    lost: int = 0
    twice: int = 0
    taps: int = 0
    acknowledged: int = 0
    versions: int = 0
    prompts: int = 0
    copies: int = 0
    slowest_stop: float = 0.0
    seconds: float = 0.0
    problems: list[str] = field(default_factory=list)

    def lose(self, what: str) -> None:
        self.lost += 1
        self.problems.append(what)

    def double(self, what: str) -> None:
        self.twice += 1
        self.problems.append(what)

    def __add__(self, other: Tally) -> Tally:
        added = {one.name: getattr(self, one.name) + getattr(other, one.name) for one in fields(self)}
        return Tally(
            **added | {"part": -1, "mode": "", "store": "", "slowest_stop": max(self.slowest_stop, other.slowest_stop)}
        )


@dataclass(frozen=True, slots=True)
class Tapped:
    """A tap as it was offered to the bot."""

    user: int
    update: int
    data: str

    @property
    def declares(self) -> tuple[int, str] | None:
        """The ask that this tap answers and the workplace it says, if it answers at all."""
        verb, *rest = self.data.split(".")[1].split(":")
        return (int(rest[0]), rest[1]) if verb == "well" else None


@dataclass(frozen=True, slots=True)
class Kept:
    """What the store says at a moment."""

    versions: dict[tuple[int, int], tuple[Any, ...]]
    seen: set[str]
    aside: set[str]

    @property
    def places(self) -> dict[int, list[str]]:
        """Every workplace declared for an ask, oldest first."""
        found: dict[int, list[str]] = {}
        for (ask, _), row in sorted(self.versions.items()):
            found.setdefault(ask, []).append(row[0])
        return found


async def torment(mode: str, store: str, kills: int, stops: int, seed: int, folder: Path, url: str) -> Tally:
    """Run one department on this store while its process is killed and stopped so often; what came of it."""
    tally, chance, began = Tally(mode=mode, store=store), random.Random(seed), time.monotonic()
    now = wall_clock()
    zone = morning_somewhere(now)
    database = Database(url)
    await furnish(database, ZoneInfo(zone), now)
    async with aiohttp.ClientSession() as http:
        service = await Service.begin(http)
        bot = QuickBot(folder, service.base, url, zone=zone, quiet_hours="00:00-00:00", log_format="json")
        if mode == "webhook":
            own = f"http://127.0.0.1:{bot.web_port}"
            bot.environment |= {"VUNGXANH_TELEGRAM_MODE": mode, "VUNGXANH_PUBLIC_URL": own}
            bot.environment |= {"VUNGXANH_TELEGRAM_WEBHOOK_SECRET": "made-up-secret"}
        try:
            await Torment(tally, chance, bot, service, database).run(kills, stops)
        finally:
            await bot.kill()
            await service.end()
            await database.close()
    tally.seconds = round(time.monotonic() - began, 1)
    return tally


class Torment:
    """One department while it is tormented."""

    def __init__(
        self,
        tally: Tally,
        chance: random.Random,
        bot: QuickBot,
        service: Service,
        store: Database,
        each: int = PEOPLE_EACH,
    ) -> None:
        self.tally, self.chance, self.bot, self.service, self.database = tally, chance, bot, service, store
        self.users = list(range(FIRST_USER, FIRST_USER + UNITS * each))
        self.offered: dict[str, Tapped] = {}
        self.acknowledged: list[str] = []
        self.answers = 0
        self.before = Kept({}, set(), set())
        self.enough = asyncio.Event()

    async def run(self, kills: int, stops: int) -> None:
        await self.service.order("users", ids=self.users)
        await self.bot.start()
        tapping = asyncio.create_task(self._tap_all_the_while())
        ends = ["kill"] * kills + ["stop"] * stops
        self.chance.shuffle(ends)
        for how in ends:
            await self._until_a_random_moment()
            await self._end(how)
            await self._compare()
            await self.bot.start()
        self.enough.set()
        await tapping
        try:
            await until(self._nothing_waits, 120, every=0.2)
        except TimeoutError:
            waiting = (await self.service.see("acknowledged?since=1000000"))["waiting"]
            self.offered = {key: tap for key, tap in self.offered.items() if tap.update not in waiting}
            self.tally.problems.append(f"{len(waiting)} updates still wait after two minutes: {self.bot.last_words}")
        await self._compare()
        await self._settle_accounts()

    async def _tap_all_the_while(self) -> None:
        """Until there is enough: never cut off, so that every tap is known here that is known there."""
        while not self.enough.is_set():
            if (await self.service.see("acknowledged?since=1000000"))["pending"] < MOST_WAITING:
                users = self.chance.sample(self.users, 4)
                answer = await self.service.order("tap-any", users=users, labels=LABELS)
                for one in answer["tapped"]:
                    self.offered[one["callback"]] = Tapped(one["user"], one["update"], one["data"])
            await asyncio.sleep(0.12)

    async def _until_a_random_moment(self) -> None:
        """Mostly of its work, sometimes of its beginning."""
        if self.chance.random() < 0.15:
            await asyncio.sleep(self.chance.uniform(0.0, 1.0))
            return
        await until(self.bot.is_up, 60, every=0.02)
        if self.chance.random() < 0.7:
            with suppress(TimeoutError):  # then it ends while it stands by, which is a moment too
                await until(self._is_at_work, 30, every=0.05)
        await asyncio.sleep(self.chance.uniform(0.05, 2.0))

    async def _is_at_work(self) -> bool:
        """On PostgreSQL a process stands by until the lease of the one before it is over."""
        if self.database.is_sqlite:
            return True
        columns = tables.lease.c
        async with self.database.reading() as session:
            rows = await session.execute(sa.select(columns.holder).where(columns.name == "listen telegram"))
            return self.bot.fork is not None and str(self.bot.fork.pid) in str(rows.scalar()).split()

    async def _end(self, how: str) -> None:
        if how == "kill":
            await self.bot.kill()
            self.tally.kills += 1
            return
        status, took = await self.bot.stop(within=2 * STOP_WITHIN)
        self.tally.stops += 1
        self.tally.slowest_stop = round(max(self.tally.slowest_stop, took), 2)
        if took > STOP_WITHIN:
            self.tally.problems.append(f"a stop took {took:.1f} s")
        if status not in (0, -15):  # told to stop before it could know what that means, it ends at once
            self.tally.problems.append(f"a stop ended with {status}: {self.bot.last_words}")

    async def _nothing_waits(self) -> bool:
        await self.bot.is_up()
        return not (await self.service.see("acknowledged?since=1000000"))["pending"]

    async def _compare(self) -> None:
        """With the process gone: everything acknowledged is there, and what was there before is unchanged."""
        answer = await self.service.see(f"acknowledged?since={self.answers}")
        self.answers = answer["answers"]
        self.acknowledged += answer["taken"]
        self.tally.acknowledged += len(answer["taken"])
        for problem in await self.database.check():
            self.tally.lose(f"the store is damaged: {problem}")
        kept = await _kept(self.database)
        for key, row in self.before.versions.items():
            if kept.versions.get(key) != row:
                self.tally.lose(f"version {key} of a declaration was {row} and is {kept.versions.get(key)}")
        self.before = kept
        places = kept.places
        for callback in [one for one in self.acknowledged if one in self.offered]:
            self._is_kept(self.offered[callback], kept, places)
        self.acknowledged = [one for one in self.acknowledged if one not in self.offered]

    def _is_kept(self, tap: Tapped, kept: Kept, places: dict[int, list[str]]) -> None:
        if str(tap.update) not in kept.seen:
            self.tally.lose(f"update {tap.update} was acknowledged and is not stored")
        elif str(tap.update) in kept.aside:
            self.tally.lose(f"update {tap.update} was acknowledged and set aside")
        elif tap.declares and tap.declares[1] not in places.get(tap.declares[0], []):
            self.tally.lose(f"update {tap.update} was acknowledged and its answer is not stored")

    async def _settle_accounts(self) -> None:
        """At the end: every update there once and in order, every prompt sent once but for unknown outcomes."""
        kept = self.before
        self.tally.taps, self.tally.versions = len(self.offered), len(kept.versions)
        if not self.offered:
            self.tally.problems.append("nobody tapped anything: this part shows nothing")
        last: dict[int, Tapped] = {}
        for tap in sorted(self.offered.values(), key=lambda one: one.update):
            if str(tap.update) not in kept.seen:
                self.tally.lose(f"update {tap.update} is not stored")
            if tap.declares:
                last[tap.declares[0]] = tap
        for ask, tap in last.items():
            stored = kept.places.get(ask, [""])[-1]
            if tap.declares != (ask, stored):
                self.tally.lose(f"ask {ask}: the last answer was {tap.declares}, what stands is {stored}")
        self._count_versions(kept)
        await self._count_prompts()
        for violation in await self.service.see("violations"):
            self.tally.problems.append(f"the Bot API server objected: {violation}")

    def _count_versions(self, kept: Kept) -> None:
        declaring = Counter(tap.declares[0] for tap in self.offered.values() if tap.declares)
        numbers = Counter(ask for ask, _ in kept.versions)
        for ask, versions in numbers.items():
            if versions > declaring[ask]:
                self.tally.double(f"ask {ask} has {versions} versions from {declaring[ask]} taps")

    async def _count_prompts(self) -> None:
        sends = await self.service.see("sends")
        copies = Counter(str(one["chat_id"]) for one in sends if _is_prompt(one))
        async with self.database.reading() as session:
            columns = tables.outbox.c
            query = sa.select(columns.chat_id, columns.state, columns.unknowns).where(columns.kind == "prompt")
            rows = (await session.execute(query)).all()
        self.tally.prompts, self.tally.copies = copies.total(), copies.total() - len(copies)
        for row in rows:
            number = copies[row.chat_id]
            if number > min(1 + row.unknowns, 2):
                self.tally.double(f"{number} prompts to one person after {row.unknowns} unknown outcomes")
            if not number and (row.state == "sent" or (row.state not in ("waiting", "sending") and row.unknowns < 2)):
                self.tally.lose(f"a prompt that is {row.state} never arrived")
        if max(Counter(row.chat_id for row in rows).values(), default=0) > 1:
            self.tally.double("somebody has two prompts in one round")


async def _kept(database: Database) -> Kept:
    made, seen, aside = tables.declaration.c, tables.seen_update.c, tables.quarantine.c
    async with database.reading() as session:
        rows = await session.execute(
            sa.select(
                made.ask_id, made.version, made.workplace, made.answers, made.level, made.given_by_id, made.answered_at
            )
        )
        versions = {(row[0], row[1]): tuple(row[2:]) for row in rows}
        keys = set((await session.execute(sa.select(seen.update_key).where(seen.channel == "telegram"))).scalars())
        return Kept(versions, keys, set((await session.execute(sa.select(aside.update_key))).scalars()))


def _is_prompt(send: dict[str, Any]) -> bool:
    return bool(send["method"] == "sendMessage" and send["text"].startswith(PROMPT))


def morning_somewhere(now: datetime) -> str:
    """A zone in which it is about ten in the morning: nobody's night, and no midnight on the way."""
    east = 10 - now.hour
    east += 24 if east < -12 else 0
    return f"Etc/GMT{-east:+d}"


async def furnish(
    database: Database, zone: ZoneInfo, now: datetime, each: int = PEOPLE_EACH, every: timedelta = OPENS_EVERY
) -> None:
    """A department whose people have joined and agreed, and a round for each unit, one after the other."""
    async with MIGRATING:
        await schema.migrate(database)
    async with database.transaction() as session:
        root = await units.ensure_root(session, ORGANISATION)
        for number in range(UNITS):
            unit = await units.add(session, f"P{number}", f"Phòng {number}", root)
            await _staff(session, unit.id, range(number * each, (number + 1) * each), now)
            opens = (now + (number - 3) * every).astimezone(zone)
            await schedules.add(session, _once(unit, opens), now)


async def _staff(session: Session, unit_id: int, numbers: Iterable[int], now: datetime) -> None:
    for number in numbers:
        values = {"staff_code": f"NV{number}", "name": f"Người {number}", "unit_id": unit_id, "joined_at": now}
        made = tables.person.insert().values(values | {"consent": "agreed"}).returning(tables.person.c.id)
        person = (await session.execute(made)).scalar_one()
        chat = {"channel": "telegram", "chat_id": str(FIRST_USER + number), "person_id": person}
        await session.execute(tables.address.insert().values(chat | {"verified_at": now, "used_at": now}))


def _once(unit: units.Unit, opens: datetime) -> Schedule:
    return Schedule(
        id=0,
        kind=MORNING,
        unit_id=unit.id,
        unit_path=unit.path,
        opens=opens.time().replace(microsecond=0),
        reminders=(),
        missing_list=None,
        closes=(opens + timedelta(hours=3)).time().replace(microsecond=0),
        weekdays=frozenset(WEEKDAYS),
        on_holidays=True,
        audience="everyone",
        is_off=False,
        once_on=opens.date(),
        since_day=opens.date(),
    )


class Stores:
    """A fresh store for every part; the PostgreSQL server begins when the first part needs it."""

    def __init__(self, folder: Path, at_end: ExitStack) -> None:
        self._folder, self._at_end = folder, at_end
        self._server: sa.URL | None = None

    async def fresh(self, store: str, number: int) -> tuple[Path, str]:
        """A folder of its own for one part, and the URL of its store."""
        folder = self._folder / f"part-{number}"
        folder.mkdir()
        if store == "sqlite":
            return folder, f"sqlite:///{folder / 'bot.db'}"
        if self._server is None:
            self._server = self._at_end.enter_context(postgres_server(self._folder / "postgres"))
        admin = await asyncpg.connect(self._server.render_as_string(hide_password=False))
        await admin.execute(f"CREATE DATABASE part_{number}")
        await admin.close()
        return folder, self._server.set(database=f"part_{number}").render_as_string(hide_password=False)


async def tormented(kills: int, stops: int, at_once: int, log: Path | None) -> Tally:
    """Every part that is not in `log` yet, so many at once; the sum of all of them."""
    done = [Tally(**json.loads(line)) for line in log.read_text().splitlines()] if log and log.exists() else []
    parts = max(-(-kills // KILLS), -(-stops // STOPS))
    gate = asyncio.Semaphore(at_once)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as at_end:
        stores = Stores(Path(folder), at_end)

        async def one(number: int) -> None:
            mode, store = WAYS[number % len(WAYS)]
            async with gate:
                where, url = await stores.fresh(store, number)
                tally = await torment(mode, store, KILLS, STOPS, number, where, url)
            tally.part = number
            done.append(tally)
            _note(tally, done, log)

        known = {one.part for one in done}
        await asyncio.gather(*(one(number) for number in range(parts) if number not in known))
    return sum(done, Tally())


def _note(tally: Tally, done: Sequence[Tally], log: Path | None) -> None:
    if log:
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("a") as file:
            file.write(json.dumps(asdict(tally), ensure_ascii=False) + "\n")
    all_of_it = sum(done, Tally())
    print(f"{tally.mode} on {tally.store}: {tally.seconds} s; so far {_figures(all_of_it)}", flush=True)


def _figures(tally: Tally) -> str:
    return f"kills {tally.kills}, stops {tally.stops}, lost {tally.lost}, twice {tally.twice}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--stops", type=int, default=200)
    parser.add_argument("--at-once", type=int, default=2, help="departments at the same time")
    parser.add_argument("--resume", type=Path, help="file in which finished parts are noted")
    chosen = parser.parse_args()
    tally = asyncio.run(tormented(chosen.kills, chosen.stops, chosen.at_once, chosen.resume))
    for problem in tally.problems:
        print(problem)
    print(json.dumps({name: value for name, value in asdict(tally).items() if name not in ("part", "mode", "store")}))
    print(_figures(tally))
    sys.exit(bool(tally.problems))


if __name__ == "__main__":
    main()
