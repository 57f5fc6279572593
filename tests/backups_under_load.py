"""Backups made while people answer: each must hold every answer that was acknowledged before it began.

`python -m tests.backups_under_load 100` makes so many on a SQLite store and prints what was measured.
"""

from __future__ import annotations

import asyncio
import sqlite3
import sys
import tempfile
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from storage import age, backup, schema
from storage.database import Database
from tests.storm import staff, well
from tests.world import KEY, World, build

PEOPLE_EACH = 60
AT_ONCE = 2


@dataclass(slots=True)
class Report:
    """What was seen; `missing` counts answers acknowledged before a backup that are not in it."""

    backups: int = 0
    answers: int = 0
    missing: int = 0
    during: int = 0
    slowest_backup: float = 0.0
    slowest_tap: float = 0.0


@dataclass(slots=True)
class Tapping:
    """People who answer one after the other, as fast as they are acknowledged, until told to stop."""

    world: World
    people: list[int]
    acknowledged: list[int] = field(default_factory=list)
    slowest: float = 0.0
    stopped: bool = False

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        while self.people and not self.stopped:
            some, self.people = self.people[:AT_ONCE], self.people[AT_ONCE:]
            began = loop.time()
            receipts = await self.world.receive([well(self.world.telegram, f"p{one}") for one in some])
            self.slowest = max(self.slowest, loop.time() - began)
            self.acknowledged += [one for one, receipt in zip(some, receipts, strict=True) if receipt.saved]
            await asyncio.sleep(0.002)


async def under_load(world: World, folder: Path, backups: int) -> Report:
    """So many backups, one after the other, while people tap."""
    people = await staff(world, "", PEOPLE_EACH * backups)
    await world.clock_strikes("07:00")
    tapping, report = Tapping(world, people), Report(backups)
    load = asyncio.create_task(tapping.run())
    key = age.new_key()
    for number in range(backups):
        before = list(tapping.acknowledged)
        began = asyncio.get_running_loop().time()
        made = await asyncio.to_thread(asyncio.run, _make(world, folder, key, number))
        report.slowest_backup = max(report.slowest_backup, asyncio.get_running_loop().time() - began)
        report.during += len(tapping.acknowledged) - len(before)
        held = await asyncio.to_thread(_answered, made.file, key, folder)
        report.missing += len(set(before) - held)
    tapping.stopped = True
    await load
    report.answers, report.slowest_tap = len(tapping.acknowledged), tapping.slowest
    return report


async def _make(world: World, folder: Path, key: str, number: int) -> backup.Backup:
    """On a connection and a thread of its own, as the program of its own has them."""
    database = Database(world.database.url.render_as_string(hide_password=False))
    try:
        at = world.now + timedelta(seconds=number)
        return await backup.make(database, folder, folder, age.public_half(key), KEY, at)
    finally:
        await database.close()


def _answered(file: Path, key: str, folder: Path) -> set[int]:
    with backup.scratch(folder) as room, closing(sqlite3.connect(backup.unpack(file, key, room).store)) as store:
        return {row[0] for row in store.execute("SELECT person_id FROM ask WHERE state = 'answered'")}


async def _measured(backups: int) -> Report:
    with tempfile.TemporaryDirectory() as scratch:
        database = Database(f"sqlite:///{scratch}/bot.db")
        await schema.migrate(database)
        report = await under_load(await build(database), Path(scratch), backups)
        await database.close()
    return report


if __name__ == "__main__":
    found = asyncio.run(_measured(int(sys.argv[1])))
    print(found)
    sys.exit(bool(found.missing))
