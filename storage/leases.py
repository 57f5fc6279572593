"""Who of several processes does what only one may do: a row each, held for seconds, with a number that grows."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

import sqlalchemy as sa

from storage import wakeups
from storage.database import Session, insert
from storage.tables import lease


async def store_time(session: Session) -> datetime:
    """The store's own clock: by it leases end, so that no two machines' clocks need agree. PostgreSQL only."""
    now: datetime = (await session.execute(sa.select(sa.func.clock_timestamp()))).scalar_one()
    return now


async def holders(session: Session, names: Collection[str]) -> set[str]:
    """Who has any of these."""
    query = sa.select(lease.c.holder).where(lease.c.name.in_(names), lease.c.holder != "")
    return set((await session.execute(query)).scalars())


async def hold(
    session: Session,
    names: Collection[str],
    holder: str,
    now: datetime,
    lasts: timedelta,
    gone: Collection[str] = (),
) -> dict[str, int]:
    """Renew what this holder has and take what is free, over, or of those who are gone; what it holds now by number.

    One that ends later than any given out since `now` was read was written before the store's clock was set back; a
    renewal may have waited for another's for as long as a lease lasts.
    """
    if not names:
        return {}
    rows = [{"name": name, "number": 1, "holder": holder, "until_at": now + lasts} for name in sorted(names)]
    is_ours, is_free = lease.c.holder == holder, lease.c.holder.in_(["", *gone])
    is_over = (lease.c.until_at <= now) | (lease.c.until_at > now + 2 * lasts)
    statement = insert(session, lease).values(rows)
    statement = statement.on_conflict_do_update(
        index_elements=["name"],
        set_={"number": lease.c.number + sa.case((is_ours, 0), else_=1), "holder": holder, "until_at": now + lasts},
        where=is_ours | is_free | is_over,
    )
    held = await session.execute(statement.returning(lease.c.name, lease.c.number))
    return {row.name: row.number for row in held}


async def is_held(session: Session, name: str, number: int) -> bool:
    """Whether nobody has taken it since: asked in the very transaction that rests on it."""
    query = sa.select(lease.c.number).where(lease.c.name == name, lease.c.holder != "")
    return (await session.execute(query)).scalar() == number


async def give_back(session: Session, names: Collection[str], holder: str) -> None:
    """Let somebody else take these at once, and tell those who stand by."""
    ours = (lease.c.name.in_(names), lease.c.holder == holder)
    if (await session.execute(lease.update().where(*ours).values(holder=""))).rowcount:
        await wakeups.tell(session, [wakeups.LEASES])
