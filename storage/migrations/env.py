"""Runs migrations on the connection the program hands over, or on the URL of alembic.ini for development."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import context

from storage.tables import metadata


def migrate(connection: sa.Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        transaction_per_migration=False,
    )
    with context.begin_transaction():
        context.run_migrations()


handed_over = context.config.attributes.get("connection")
if handed_over is not None:
    migrate(handed_over)
else:
    with sa.create_engine(context.config.get_main_option("sqlalchemy.url") or "").connect() as own:
        migrate(own)
