"""What the store refused, in one line that quotes no row and no statement."""

from __future__ import annotations

import sqlite3

import sqlalchemy as sa


def why(error: BaseException) -> str | None:
    """The reason, or None if this is not the store's error."""
    if isinstance(error, sa.exc.TimeoutError):
        return "all connections are busy"
    if isinstance(error, sa.exc.DBAPIError):
        # SQLite names a table or column at most; PostgreSQL may quote the row at fault.
        return str(error.orig) if type(error.orig).__module__ == "sqlite3" else type(error.orig).__name__
    if isinstance(error, sqlite3.Error):
        return str(error)
    if isinstance(error, sa.exc.SQLAlchemyError):
        return type(error).__name__
    return None
