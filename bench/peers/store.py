"""Where a textbook bot keeps its taps: one table of SQLAlchemy's ORM, one commit per tap."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class Tap(Base):
    """Somebody's answer."""

    __tablename__ = "tap"

    id: Mapped[int] = mapped_column(primary_key=True)
    chat_id: Mapped[int] = mapped_column(sa.BigInteger)
    said: Mapped[str]
    at: Mapped[datetime] = mapped_column(sa.DateTime(timezone=True))


class Taps:
    """Keeps taps in the database of this URL."""

    def __init__(self, url: str) -> None:
        self._engine = _sqlite(url) if url.startswith("sqlite") else _postgres(url)
        self._sessions = async_sessionmaker(self._engine)

    async def prepare(self) -> None:
        async with self._engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)

    async def keep(self, chat_id: int, said: str) -> None:
        async with self._sessions() as session:
            session.add(Tap(chat_id=chat_id, said=said, at=datetime.now(UTC)))
            await session.commit()


def _postgres(url: str) -> AsyncEngine:
    return create_async_engine(sa.make_url(url).set(drivername="postgresql+asyncpg"), pool_size=20)


def _sqlite(url: str) -> AsyncEngine:
    """One connection: several would only wait for each other's locks."""
    found = sa.make_url(url).set(drivername="sqlite+aiosqlite")
    engine = create_async_engine(found, pool_size=1, max_overflow=0, poolclass=sa.pool.AsyncAdaptedQueuePool)
    sa.event.listen(engine.sync_engine, "connect", _quick_and_durable)
    return engine


def _quick_and_durable(connection: Any, _record: object) -> None:
    """The quickest way in which SQLite still syncs every commit to disk."""
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA busy_timeout = 10000")
    cursor.close()
