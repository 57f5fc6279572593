"""Stores for the tests: a fresh SQLite file each, and one real PostgreSQL server for the run."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from storage import schema
from storage.database import Database
from tests.world import World, build


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


@pytest.fixture
async def database(tmp_path: Path, empty_store: Path) -> AsyncIterator[Database]:
    shutil.copy(empty_store, tmp_path / "bot.db")
    database = Database(f"sqlite:///{tmp_path}/bot.db")
    yield database
    await database.close()


@pytest.fixture
async def world(database: Database) -> AsyncIterator[World]:
    yield await build(database)

