"""What was done, by whom and when: a chain in which a changed or removed line shows."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import msgspec
import sqlalchemy as sa

from storage.database import Session, take_turns
from storage.tables import audit


async def record(session: Session, now: datetime, actor: str, action: str, obj: str = "", **detail: Any) -> None:
    """Add one line. `actor` is a person's id or a program's name; `detail` holds no names and no health facts."""
    await take_turns(session, "audit")  # two writers must not both chain to the same line
    previous = (await session.execute(sa.select(audit.c.hash).order_by(audit.c.id.desc()).limit(1))).scalar()
    previous = previous or ""
    line = _digest(previous, now, actor, action, obj, detail)
    await session.execute(
        audit.insert().values(
            happened_at=now,
            actor=actor,
            action=action,
            object=obj,
            detail=detail,
            previous_hash=previous,
            hash=line,
        )
    )


async def first_broken(session: Session) -> int | None:
    """The id of the first line that does not follow from the one before it; None if the chain is whole."""
    previous = ""
    for row in await session.execute(sa.select(audit).order_by(audit.c.id)):
        if row.previous_hash != previous or row.hash != _digest(
            previous, row.happened_at, row.actor, row.action, row.object, row.detail
        ):
            return int(row.id)
        previous = row.hash
    return None


def _digest(previous: str, at: datetime, actor: str, action: str, obj: str, detail: Mapping[str, Any]) -> str:
    fields = [previous, at.astimezone(UTC).isoformat(), actor, action, obj, dict(sorted(detail.items()))]
    return sha256(msgspec.json.encode(fields)).hexdigest()
