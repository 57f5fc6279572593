"""What a restored store must not do again, and putting it where the bot works with it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import sqlalchemy as sa

from storage import audit, backup_folder, gone, retention, schema, settlement, snapshot
from storage.backup import Unpacked
from storage.database import Database, Session
from storage.gone import Gone, Replayed
from storage.tables import ask, incident, outbox, person, round_

ACTION = "restored"
OUTCOME = "on its way when the backup was made"
AGAIN = ("prompt", "reminder", "incident")
"""Better twice than never, while it is still of use: the answer to an earlier copy is lost."""


class NotEmpty(Exception):
    """There is data in the place to restore into."""


@dataclass(frozen=True, slots=True)
class Mended:
    """What was done to a store before it may be worked with: letters not sent again, letters that will be."""

    held: int
    again: int
    replayed: Replayed


async def mend(
    unpacked: Unpacked, lists: Sequence[tuple[Gone, bytes]], forget: tuple[date, datetime], now: datetime, actor: str
) -> Mended:
    """Bring an unpacked store to this program's schema and to the present; `forget` is for `forget_answers`."""
    copy = Database(f"sqlite:///{unpacked.store}")
    try:
        await schema.migrate(copy)
        await schema.require_own(copy)
        async with copy.transaction() as session:
            replayed = await gone.replay(session, lists, now)
            await retention.forget_answers(session, *forget)
            held, again = await _settle_letters(session, now)
            taken_at = unpacked.manifest.taken_at
            await audit.record(session, now, actor, ACTION, taken_at.isoformat(), rows=unpacked.manifest.total)
        # Nothing of what was forgotten stays behind in free pages.
        async with copy.engine.connect() as connection:
            raw = await connection.get_raw_connection()
            await raw.driver_connection.execute("VACUUM")  # type: ignore[union-attr]
            await raw.driver_connection.execute("PRAGMA journal_mode = DELETE")  # type: ignore[union-attr]
    finally:
        await copy.close()
    return Mended(held, again, replayed)


async def _settle_letters(session: Session, now: datetime) -> tuple[int, int]:
    """Whatever was to leave by now may have left since the backup: how many are given up, and sent once more.

    A letter that is due later cannot have left. The questions of a round that goes on, and incidents nobody has
    acknowledged, count as sent with an unknown outcome: once more, never a third time.
    """
    was_due = sa.or_(outbox.c.state == "sending", (outbox.c.state == "waiting") & (outbox.c.due_at <= now))
    await session.execute(outbox.update().where(was_due).values(state="sending", leased_until=now))
    lost = outbox.c.state == "sending"
    given_up = await session.execute(
        outbox.update()
        .where(lost, ~_is_still_of_use(now))
        .values(state="unknown", outcome=OUTCOME, settled_at=now, leased_until=None)
    )
    again = 0
    while some := await settlement.reclaim(session, now, all_leases=True):
        again += some
    return given_up.rowcount, again


def _is_still_of_use(now: datetime) -> sa.ColumnElement[bool]:
    goes_on = sa.exists(
        sa.select(ask.c.id)
        .join_from(ask, round_)
        .where(ask.c.id == outbox.c.ask_id, ask.c.state == "due")
        .where(round_.c.closed_at.is_(None), round_.c.closes_at > now)
    )
    unanswered = sa.exists(
        sa.select(incident.c.id).where(
            incident.c.id == outbox.c.incident_id, incident.c.acknowledged_at.is_(None), incident.c.closed_at.is_(None)
        )
    )
    return outbox.c.kind.in_(AGAIN) & sa.or_(goes_on, (outbox.c.kind == "incident") & unanswered)


async def is_empty(database: Database) -> bool:
    """Whether nobody could miss what is there: no file, no schema, or no people."""
    if database.file and not database.file.exists():
        return True
    async with database.reading() as session:
        if not await session.run_sync(lambda connection: sa.inspect(connection).has_table(person.name)):
            return True
        return (await session.execute(sa.select(person.c.id).limit(1))).first() is None


async def place(database: Database, unpacked: Unpacked, now: datetime) -> Path | None:
    """Let the store be what was unpacked; where a SQLite file that was there before has been put."""
    if database.file is None:
        await schema.migrate(database)
        await snapshot.fill(database, unpacked.store)
        return None
    await database.close()
    return _exchange(database.file, unpacked.store, f"{database.file.name}.before-{now:%Y%m%d-%H%M%S}")


def _exchange(file: Path, restored: Path, aside: str) -> Path | None:
    """Put the restored file in its place; a journal that stayed behind would be rolled back into it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    was_there = file.exists()
    for ending in ("-journal", "-wal", "-shm", ".damaged", ""):
        part = file.with_name(file.name + ending)
        if part.exists():
            part.replace(file.with_name(aside + ending))
    with restored.open("rb+") as content:
        os.fsync(content.fileno())
    restored.replace(file)
    backup_folder.sync(file.parent)
    return file.with_name(aside) if was_there else None
