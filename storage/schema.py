"""Brings the schema to the version this program needs, and says which version it has.

A migration's file begins with its revision. Alembic is loaded only where something is to be migrated.
"""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
import structlog

from storage.database import Database, Session, take_turns
from storage.tables import metadata

log = structlog.get_logger(__name__)


MIGRATIONS = Path(__file__).parent / "migrations"
_VERSION = sa.Table("alembic_version", sa.MetaData(), sa.Column("version_num", sa.String(32), primary_key=True))


async def migrate(database: Database) -> None:
    """Bring the store to the newest schema in one transaction; a failure leaves it as it was.

    One that a newer program has brought further stays so: migrations only add, and this program goes on with it.
    """

    def upgrade(connection: sa.Connection) -> None:
        found = _found(connection)
        if found not in (None, *known()):
            log.warning("schema_is_newer")
        elif found != max(known()):
            from storage.migrations.upgrade import upgrade_to_head  # noqa: PLC0415 - Alembic is slow to load

            upgrade_to_head(connection)

    async with database.transaction() as session:
        await take_turns(session, "migrate")
        await session.run_sync(upgrade)


async def versions(database: Database) -> tuple[str | None, str | None]:
    """The schema version found in the store, and the one this program wants."""

    async with database.reading() as session:
        return await session.run_sync(_found), max(known())


class OfAnotherVersion(Exception):
    """The store's schema is not this program's."""


async def require_own(database: Database) -> None:
    """Raises OfAnotherVersion for a store whose schema this program does not know in full."""
    found, wanted = await versions(database)
    if found != wanted:
        raise OfAnotherVersion(f"the store has schema {found}, this program works with {wanted}")


async def create(session: Session) -> None:
    """This program's schema in an empty store, at once instead of step by step."""

    def make(connection: sa.Connection) -> None:
        metadata.create_all(connection)
        _VERSION.create(connection)
        connection.execute(_VERSION.insert().values(version_num=max(known())))

    await session.run_sync(make)


def known() -> set[str]:
    """Every revision that this program can migrate from, and its own, which is the highest."""
    return {file.name[:4] for file in (MIGRATIONS / "versions").glob("[0-9]*.py")}


def _found(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table(_VERSION.name):
        return None
    found: str | None = connection.execute(sa.select(_VERSION.c.version_num)).scalar()
    return found
