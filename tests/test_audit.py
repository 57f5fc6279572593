"""The audit chain: whatever is changed or taken out shows."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta

import sqlalchemy as sa

from storage import audit, tables
from storage.database import Database
from tests.world import MONDAY


async def record(database: Database, *actions: str) -> None:
    for action in actions:
        async with database.transaction() as session:
            await audit.record(session, MONDAY, "cli", action, "7", day=date(2026, 11, 23).isoformat(), số="một")


async def broken(database: Database) -> int | None:
    async with database.reading() as session:
        return await audit.first_broken(session)


async def test_a_whole_chain(each_database: Database) -> None:
    assert await broken(each_database) is None
    await record(each_database, "one", "two", "three")
    assert await broken(each_database) is None


async def test_a_changed_line_shows(each_database: Database) -> None:
    await record(each_database, "one", "two", "three")
    changes: list[dict[str, object]] = [
        {"actor": "nobody"},
        {"detail": {}},
        {"happened_at": MONDAY + timedelta(seconds=1)},
    ]
    for change in changes:
        async with each_database.engine.connect() as session:
            await session.execute(tables.audit.update().where(tables.audit.c.action == "two").values(**change))
            assert await audit.first_broken(session) == 2
            await session.rollback()


async def test_a_line_taken_out_shows(each_database: Database) -> None:
    await record(each_database, "one", "two", "three")
    async with each_database.transaction() as session:
        await session.execute(tables.audit.delete().where(tables.audit.c.action == "two"))
    assert await broken(each_database) == 3


async def test_two_writers_never_chain_to_the_same_line(each_database: Database) -> None:
    other = Database(each_database.url.render_as_string(hide_password=False))
    await asyncio.gather(*(record(store, "a", "b", "c") for store in (each_database, other, each_database)))
    assert await broken(each_database) is None
    async with each_database.reading() as session:
        assert (await session.execute(sa.select(sa.func.count()).select_from(tables.audit))).scalar_one() == 9
    await other.close()
