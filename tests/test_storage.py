"""The store: committed means on disk, writers take turns, readers see one moment, damage and failures show."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from storage import schema, tables, updates
from storage.database import BUSY_MS, Database, journal_mode, take_turns
from tests.world import MONDAY, World


async def test_eight_writers_lose_no_update(each_database: Database) -> None:
    url = each_database.url.render_as_string(hide_password=False)
    stores = [Database(url) for _ in range(8)]
    key = tables.budget.c.key == "counter"
    async with each_database.transaction() as session:
        await session.execute(tables.budget.insert().values(key="counter", next_at=MONDAY))

    async def count(store: Database) -> None:
        for _ in range(10):
            async with store.transaction() as session:
                await take_turns(session, "counter")
                at = (await session.execute(sa.select(tables.budget.c.next_at).where(key))).scalar_one()
                await session.execute(tables.budget.update().where(key).values(next_at=at + timedelta(seconds=1)))

    await asyncio.gather(*(count(store) for store in stores))
    async with each_database.reading() as session:
        at = (await session.execute(sa.select(tables.budget.c.next_at).where(key))).scalar_one()
    assert at == MONDAY + timedelta(seconds=80)
    for store in stores:
        await store.close()


@pytest.mark.parametrize(
    ("version", "mode"),
    [
        ((3, 40, 1), "TRUNCATE"), ((3, 44, 5), "TRUNCATE"), ((3, 44, 6), "WAL"), ((3, 45, 0), "TRUNCATE"),
        ((3, 50, 6), "TRUNCATE"), ((3, 50, 7), "WAL"), ((3, 51, 2), "TRUNCATE"), ((3, 51, 3), "WAL"),
        ((3, 52, 0), "WAL"),
    ],
)  # fmt: skip
def test_the_journal_is_chosen_by_what_the_version_can_be_trusted_with(
    version: tuple[int, int, int], mode: str
) -> None:
    assert journal_mode(version) == mode


async def test_the_settings_durability_rests_on(database: Database, postgres_database: Database) -> None:
    found = await database.describe()
    assert found["engine"] == "SQLite" and found["synchronous"] in ("FULL", "EXTRA")
    assert (found["journal"], found["synchronous"]) in (("WAL", "FULL"), ("TRUNCATE", "EXTRA"))
    async with database.reading() as session:
        assert (await session.execute(sa.text("PRAGMA foreign_keys"))).scalar_one() == 1
    assert (await postgres_database.describe())["fsync"] == "on"


async def test_a_reader_sees_one_moment(postgres_database: Database) -> None:
    count = sa.select(sa.func.count()).select_from(tables.unit)
    async with postgres_database.reading() as session:
        before = (await session.execute(count)).scalar_one()
        async with postgres_database.transaction() as other:
            await other.execute(tables.unit.insert().values(code="X", name="X", path="/9/"))
        assert (await session.execute(count)).scalar_one() == before
        with pytest.raises(sa.exc.DBAPIError):
            await session.execute(tables.unit.delete())


async def test_whoever_is_cancelled_in_the_middle_keeps_nobody_out(each_database: Database) -> None:
    chance = random.Random(3)
    ended: list[object] = []

    async def write(number: int) -> None:
        async with each_database.transaction() as session:
            for line in range(5):
                await session.execute(tables.budget.insert().values(key=f"{number} {line}", next_at=MONDAY))

    async def read() -> None:
        async with each_database.reading() as session:
            await session.execute(sa.select(tables.budget))

    for number in range(120):
        work = asyncio.ensure_future(read() if number % 3 else write(number))
        for _ in range(chance.randint(1, 40)):
            await asyncio.sleep(chance.choice((0, 0.0003)))
        work.cancel()
        ended += await asyncio.gather(work, return_exceptions=True)  # a traceback holds on to what it went through
        async with asyncio.timeout(BUSY_MS / 2000):
            await write(1000 + number)
    assert any(isinstance(one, asyncio.CancelledError) for one in ended)


async def _begun_and_failed(database: Database) -> None:
    async with database.transaction() as session:
        await session.execute(tables.unit.insert().values(code="X", name="X", path="/9/"))
        raise RuntimeError


async def test_what_is_raised_rolls_back(each_database: Database) -> None:
    with pytest.raises(RuntimeError):
        await _begun_and_failed(each_database)
    async with each_database.reading() as session:
        assert (await session.execute(sa.select(sa.func.count()).select_from(tables.unit))).scalar_one() == 0


async def test_a_sound_store_has_nothing_to_say(each_database: Database) -> None:
    assert await each_database.check() == []


@pytest.mark.parametrize("at", [0, 40, 4096 + 3, 3 * 4096 + 2])
async def test_a_damaged_file_is_noticed(database: Database, at: int) -> None:
    await database.close()
    path = Path(database.url.database or "")
    content = bytearray(path.read_bytes())
    content[at : at + 8] = bytes(byte ^ 0xFF for byte in content[at : at + 8])
    path.write_bytes(content)
    damaged = Database(str(database.url))
    assert await damaged.check()
    await damaged.close()


async def test_a_row_that_refers_to_nothing_is_noticed(database: Database) -> None:
    with closing(sqlite3.connect(database.url.database or "")) as other, other:
        other.execute("INSERT INTO unit (code, name, path, parent_id) VALUES ('X', 'X', '/9/', 77)")
    assert await database.check() == ["row 1 of unit refers to a missing row of unit"]


async def test_the_migrated_schema_is_the_one_the_program_means(each_database: Database) -> None:
    def differences(connection: sa.Connection) -> list[object]:
        return list(compare_metadata(MigrationContext.configure(connection), tables.metadata))

    async with each_database.transaction() as session:
        assert await session.run_sync(differences) == []
    found, wanted = await schema.versions(each_database)
    assert found == wanted
    await schema.migrate(each_database)


async def test_an_empty_store_has_no_version_yet(tmp_path: Path) -> None:
    fresh = Database(f"sqlite:///{tmp_path}/fresh.db")
    assert (await schema.versions(fresh))[0] is None
    await asyncio.gather(schema.migrate(fresh), schema.migrate(fresh))
    assert await fresh.check() == []
    await fresh.close()


async def test_an_instant_needs_a_zone_and_comes_back_in_utc(each_database: Database) -> None:
    async with each_database.transaction() as session:
        await session.execute(tables.budget.insert().values(key="a", next_at=MONDAY, blocked_until=None))
        row = (await session.execute(sa.select(tables.budget))).one()
        assert row.next_at == MONDAY and row.next_at.utcoffset() == timedelta(0) and row.blocked_until is None
        with pytest.raises(sa.exc.StatementError, match="needs a zone"):
            await session.execute(tables.budget.insert().values(key="b", next_at=MONDAY.replace(tzinfo=None)))


async def test_what_is_past_its_time_is_forgotten(world: World) -> None:
    lan = await world.enrolled("lan")
    assert await world.count(tables.seen_update) == 2
    await world.app.ticks.tidy(world.now + timedelta(days=8))
    assert await world.count(tables.seen_update) == 0
    async with world.database.reading() as session:
        assert await updates.waiting(session) == 0
    lan.sees("Cảm ơn")


def test_the_highest_migration_is_known_without_alembic() -> None:
    config = Config()
    config.set_main_option("script_location", str(schema.MIGRATIONS))
    script = ScriptDirectory.from_config(config)
    assert max(schema.known()) == script.get_current_head()
    assert schema.known() == {one.revision for one in script.walk_revisions()}
