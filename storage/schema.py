"""Brings the schema to the version this program needs, and says which version it has."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from storage.database import Database, take_turns


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


async def migrate(database: Database) -> None:
    """Bring the store to the newest schema in one transaction; a failure leaves it as it was."""

    def upgrade(connection: sa.Connection) -> None:
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")

    async with database.transaction() as session:
        await take_turns(session, "migrate")
        await session.run_sync(upgrade)


async def versions(database: Database) -> tuple[str | None, str | None]:
    """The schema version found in the store, and the one this program wants."""

    def found(connection: sa.Connection) -> str | None:
        return MigrationContext.configure(connection).get_current_revision()

    async with database.reading() as session:
        return await session.run_sync(found), ScriptDirectory.from_config(_config()).get_current_head()
