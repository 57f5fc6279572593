"""Several processes of one bot on one PostgreSQL, killed, stopped and frozen while people tap.

`python -m tests.several --kills 40 --stops 40 --freezes 40` prints what was measured and exits 1 if anything is off.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import aiohttp
import asyncpg
import sqlalchemy as sa

from bot.run import wall_clock
from scheduler.duties import LASTS
from storage import tables
from storage.database import Database
from tests.processes import QuickBot, Service, postgres_server, until
from tests.torture import STOP_WITHIN, Tally, Torment, furnish, morning_somewhere

ROLES = ("listen,send,tick,web", "listen,send", "tick,web", "listen,send,tick,web")
"""Of the first four; whoever comes after them does everything."""
EACH = 6
EVERY = timedelta(seconds=4)
NEWER = (
    "ALTER TABLE ask ADD COLUMN hue TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE outbox ADD COLUMN hue TEXT NOT NULL DEFAULT ''",
    "CREATE INDEX ix_outbox_hue ON outbox (hue)",
    "CREATE TABLE hue (id BIGSERIAL PRIMARY KEY, name TEXT NOT NULL)",
    "UPDATE alembic_version SET version_num = 'newer'",
)
"""What a later version might add."""
GIVEN_BACK_WITHIN, NOTICED_WITHIN = 2.0, LASTS.total_seconds() + 3.0


@dataclass(slots=True)
class Several(Tally):
    """What one process alone cannot show: duties that changed hands, after how many seconds at most."""

    freezes: int = 0
    handed_over: float = 0.0
    taken_over: float = 0.0
    conflicts: int = 0
    busiest_second: int = 0
    still_on_the_way: int = 0


class Member(QuickBot):
    """One of the processes; `frozen` is how often it was."""

    frozen = 0

    def freeze(self) -> None:
        self._signal(signal.SIGSTOP)
        self.frozen += 1

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, what: signal.Signals) -> None:
        assert self.fork is not None and self.fork.pid is not None
        os.kill(self.fork.pid, what)

    def hears_at(self, port: int) -> None:
        """Updates come by webhook, to whichever process has this port."""
        self.environment |= {
            "VUNGXANH_TELEGRAM_MODE": "webhook",
            "VUNGXANH_TELEGRAM_WEBHOOK_SECRET": "made-up-secret",
            "VUNGXANH_PUBLIC_URL": f"http://127.0.0.1:{port}",
        }

    @property
    def conflicts(self) -> int:
        """How often Telegram told it that somebody else polls."""
        return self._logged("status_409")

    @property
    def interruptions(self) -> int:
        """How often its long poll may have been ended by its successor's: frozen, or too slow to keep its lease."""
        return self.frozen + self._logged("duty_lost", "listen telegram")

    def _logged(self, *words: str) -> int:
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return sum(all(word in line for word in words) for line in lines)


class Crew(Torment):
    """One department served by several processes."""

    def __init__(
        self, tally: Several, chance: random.Random, crew: list[Member], service: Service, store: Database, each: int
    ) -> None:
        super().__init__(tally, chance, crew[0], service, store, each)
        self.several, self.crew = tally, crew

    async def work(self, kills: int, stops: int, freezes: int, *, patient: bool) -> None:
        """Be tormented so often; a patient one waits until what killed processes had in hand is sent anew."""
        await self.service.order("users", ids=self.users)
        await asyncio.gather(*(one.start() for one in self.crew))
        await until(self._all_are_up, 60, every=0.1)
        tapping = asyncio.create_task(self._tap_all_the_while())
        ends = [self._kill] * kills + [self._stop] * stops + [self._freeze] * freezes
        self.chance.shuffle(ends)
        for number, end in enumerate(ends):
            if number == len(ends) // 3:
                await until(self._newer_program_came, 30, every=0.1)
            await asyncio.sleep(self.chance.uniform(0.2, 1.5))
            await end(await self._victim())
            await self._compare()
        await until(self._everybody_is_due, 120, every=0.2)
        self.enough.set()
        await tapping
        await until(self._nothing_waits, 120, every=0.2)
        await until(self._everybody_has_been_tried, 120, every=0.2)
        if patient:
            await until(self._nobody_has_letters_in_hand, 180)
        await self._compare()
        await self._settle_accounts()
        await self._everybody_was_asked()
        await until(self._all_are_well, 60)

    async def _all_are_up(self) -> bool:
        return all([await one.is_up() for one in self.crew])

    async def _victim(self) -> Member:
        """Mostly one that has something to lose."""
        pids = [pid for pid, _ in (await self._held()).values()]
        busy = [one for one in self.crew if one.fork and one.fork.pid in pids]
        return self.chance.choice(busy if busy and self.chance.random() < 0.8 else self.crew)

    async def _held(self) -> dict[str, tuple[int, int]]:
        """Every duty's holder and number."""
        columns = tables.lease.c
        async with self.database.reading() as session:
            rows = await session.execute(sa.select(columns.name, columns.holder, columns.number))
            return {row.name: (int(row.holder.split()[1]), row.number) for row in rows if row.holder}

    async def _others_have(self, duties: dict[str, int]) -> float:
        """Wait until each of these duties has a greater number; how long it took."""
        began = time.monotonic()

        async def they_have() -> bool:
            held = await self._held()
            return all(name in held and held[name][1] > number for name, number in duties.items())

        await until(they_have, 30, every=0.02)
        return round(time.monotonic() - began, 2)

    async def _duties_of(self, victim: Member) -> dict[str, int]:
        assert victim.fork is not None
        return {name: number for name, (pid, number) in (await self._held()).items() if pid == victim.fork.pid}

    async def _kill(self, victim: Member) -> None:
        duties = await self._duties_of(victim)
        await victim.kill()
        self.tally.kills += 1
        took = await self._others_have(duties)
        self.several.taken_over = max(self.several.taken_over, took)
        await victim.start()

    async def _stop(self, victim: Member) -> None:
        duties = await self._duties_of(victim)
        (status, took), given = await asyncio.gather(victim.stop(within=30), self._others_have(duties))
        self.tally.stops += 1
        self.tally.slowest_stop = max(self.tally.slowest_stop, round(took, 2))
        self.several.handed_over = max(self.several.handed_over, given)
        if status not in (0, -15):  # told to stop before it could know what that means, it ends at once
            self.tally.problems.append(f"a stop ended with {status}: {victim.last_words}")
        await victim.start()

    async def _freeze(self, victim: Member) -> None:
        """It wakes when its leases are over and somebody else has them."""
        duties = await self._duties_of(victim)
        victim.freeze()
        self.several.freezes += 1
        took = await self._others_have(duties)
        self.several.taken_over = max(self.several.taken_over, took)
        await asyncio.sleep(self.chance.uniform(0.0, 2.0))
        victim.thaw()
        await until(victim.is_up, 10, every=0.1)

    async def _newer_program_came(self) -> bool:
        """It has brought the schema further and is gone again; these go on, and start on it too."""
        try:
            async with self.database.transaction() as session:
                for statement in NEWER:
                    await session.execute(sa.text(statement))
        except sa.exc.DBAPIError:  # of two that wait for each other one gives up
            return False
        return True

    async def _all_are_well(self) -> bool:
        """Every process says so, and of each duty that it is one's and the others stand by."""
        by = Counter[str]()
        async with aiohttp.ClientSession() as http:
            for one in self.crew:
                async with http.get(f"http://127.0.0.1:{one.web_port}/healthz") as answer:
                    said = await answer.json()
                by.update(said["standing_by"])
                if not said["ok"]:
                    return False
        return by["listen telegram"] == by["send telegram"] == len(self.crew) - 1

    async def _nothing_waits(self) -> bool:
        return await self._all_are_up() and not (await self.service.see("acknowledged?since=1000000"))["pending"]

    async def _prompts(self, *where: sa.ColumnElement[bool]) -> Counter[str]:
        """How many are in which state."""
        columns = tables.outbox.c
        those = sa.and_(columns.kind == "prompt", *where)
        query = sa.select(columns.state, sa.func.count()).where(those).group_by(columns.state)
        async with self.database.reading() as session:
            return Counter({row[0]: row[1] for row in await session.execute(query)})

    async def _everybody_is_due(self) -> bool:
        return (await self._prompts()).total() == len(self.users)

    async def _everybody_has_been_tried(self) -> bool:
        return not (await self._prompts(tables.outbox.c.unknowns == 0))["waiting"]

    async def _nobody_has_letters_in_hand(self) -> bool:
        states = await self._prompts()
        return not states["sending"] and not states["waiting"]

    async def _everybody_was_asked(self) -> None:
        """Except for prompts that a killed process had in hand: those are tried again when their lease is over."""
        states = await self._prompts()
        self.several.still_on_the_way = states["sending"] + states["waiting"]
        if states.keys() - {"sent", "unknown", "sending", "waiting", "withdrawn"}:  # answered before it was sent anew
            self.tally.lose(f"prompts are {dict(states)} at the end")
        self.several.busiest_second = (await self.service.see("stats"))["busiest_second"]
        self.several.conflicts = sum(one.conflicts for one in self.crew)
        if any(one.conflicts > one.interruptions for one in self.crew):
            self.tally.problems.append("two processes polled at the same time")


async def several(
    mode: str,
    processes: int,
    kills: int,
    stops: int,
    freezes: int,
    seed: int,
    folder: Path,
    url: str,
    *,
    each: int = EACH,
    patient: bool = False,
) -> Several:
    """Run one department with so many processes and so many people in each unit; what came of it."""
    tally, chance, began = Several(mode=mode, store="postgres"), random.Random(seed), time.monotonic()
    now = wall_clock()
    zone = morning_somewhere(now)
    database = Database(url)
    await furnish(database, ZoneInfo(zone), now, each, EVERY)
    async with aiohttp.ClientSession() as http:
        service = await Service.begin(http)
        crew = [_member(number, folder, service.base, url, zone) for number in range(processes)]
        for one in crew if mode == "webhook" else []:
            one.hears_at(crew[0].web_port)
        try:
            await Crew(tally, chance, crew, service, database, each).work(kills, stops, freezes, patient=patient)
        finally:
            await asyncio.gather(*(one.kill() for one in crew))
            await service.end()
            await database.close()
    tally.seconds = round(time.monotonic() - began, 1)
    return tally


def _member(number: int, folder: Path, api_base: str, url: str, zone: str) -> Member:
    own = folder / f"process-{number}"
    own.mkdir()
    key = str(folder / "secret.key")
    member = Member(own, api_base, url, zone=zone, quiet_hours="00:00-00:00", log_format="json", secret_key_file=key)
    member.arguments = ("--roles", ROLES[number]) if number < len(ROLES) else ()
    return member


async def _on_a_server_of_its_own(chosen: argparse.Namespace, folder: Path) -> Several:
    with ExitStack() as at_end:
        url = chosen.database_url
        if not url:
            server = at_end.enter_context(postgres_server(folder / "postgres"))
            admin = await asyncpg.connect(server.render_as_string(hide_password=False))
            await admin.execute("CREATE DATABASE several")
            await admin.close()
            url = server.set(database="several").render_as_string(hide_password=False)
        return await several(
            chosen.mode,
            chosen.processes,
            chosen.kills,
            chosen.stops,
            chosen.freezes,
            chosen.seed,
            folder,
            url,
            each=chosen.each,
            patient=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mode", choices=("polling", "webhook"), default="polling")
    parser.add_argument("--processes", type=int, default=4)
    parser.add_argument("--kills", type=int, default=40)
    parser.add_argument("--stops", type=int, default=40)
    parser.add_argument("--freezes", type=int, default=40)
    parser.add_argument("--each", type=int, default=100, help="people in each of the twelve units")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--database-url", default="", help="an empty PostgreSQL database; by default one of its own")
    parser.add_argument("--keep", type=Path, help="folder in which to leave the logs")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = chosen.keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        tally = asyncio.run(_on_a_server_of_its_own(chosen, folder))
    # Here, and not among the tests: on a busy machine everything takes longer, and the service's seconds run together.
    if tally.busiest_second > 30:
        tally.problems.append(f"{tally.busiest_second} messages in one second")
    if tally.conflicts > tally.freezes:
        tally.problems.append(f"{tally.conflicts} times two processes polled")
    if tally.slowest_stop > STOP_WITHIN:
        tally.problems.append(f"a stop took {tally.slowest_stop} s")
    if tally.handed_over > GIVEN_BACK_WITHIN or tally.taken_over > NOTICED_WITHIN:
        tally.problems.append("a duty was left undone for too long")
    print(json.dumps(asdict(tally), ensure_ascii=False, indent=1))
    sys.exit(bool(tally.problems))


if __name__ == "__main__":
    main()
