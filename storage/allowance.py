"""Keeping to what a person may be sent of itself: looked at for each letter at the moment before it leaves."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from domain.allowance import STALE_TOMORROW, Allowance
from storage.database import Session
from storage.tables import ask, outbox, round_, unit

FREE = ("reply", "incident", "closing", "board", "leave")
"""Kinds that somebody asked for, that cannot wait, or that nobody is disturbed by."""
WITHHELD = "enough for one day"
_EARLIEST = timedelta(days=2)
"""Before the day began: a letter written then may have waited until it."""


async def within(
    session: Session, channel: str, rows: Sequence[Any], now: datetime, allowance: Allowance, *, edits: bool
) -> list[Any]:
    """Those of the outbox rows that may go to their people now, in order.

    At night the others wait for the morning. Who has had enough for one day gets tomorrow what is still of use then;
    what is not is taken back, and shown as such.
    """
    counted = {row.id for row in rows if _is_counted(row, edits=edits)}
    if not counted:
        return list(rows)
    night_ends = allowance.quiet_until(now)
    if night_ends:
        await _wait_for_morning(session, channel, night_ends, edits=edits)
        return [row for row in rows if row.id not in counted]
    had = await _had(session, {row.person_id for row in rows if row.id in counted}, allowance.day_began(now))
    allowed, refused = [], []
    for row in rows:
        if row.id not in counted:
            allowed.append(row)
        elif allowance.permits(row.kind, had.setdefault(row.person_id, [])):
            had[row.person_id].append(row.kind)
            allowed.append(row)
        else:
            refused.append(row)
    await _withhold(session, refused, now, allowance)
    return allowed


@dataclass(frozen=True, slots=True)
class Told:
    """A message that a person had or was to have today, and what it is about. `at` is when it left or will."""

    kind: str
    at: datetime
    state: str
    outcome: str
    round_kind: str
    unit_name: str


async def told(session: Session, person_id: int, since: datetime) -> list[Told]:
    """Everything automatic since then, the oldest first; what waits and what was withheld too."""
    at = sa.func.coalesce(outbox.c.settled_at, outbox.c.due_at)
    query = (
        sa.select(
            outbox.c.kind,
            at.label("at"),
            outbox.c.state,
            outbox.c.outcome,
            sa.func.coalesce(round_.c.kind, ""),
            sa.func.coalesce(unit.c.name, ""),
        )
        .join_from(outbox, ask, ask.c.id == outbox.c.ask_id, isouter=True)
        .join(round_, round_.c.id == ask.c.round_id, isouter=True)
        .join(unit, unit.c.id == outbox.c.unit_id, isouter=True)
        .where(*_to(outbox.c.person_id == person_id, since), at >= since, _shown())
        .order_by(at, outbox.c.id)
    )
    return [Told(*row) for row in await session.execute(query)]


def _shown() -> sa.ColumnElement[bool]:
    return sa.or_(outbox.c.state.in_(("waiting", "sending", "sent", "unknown")), outbox.c.outcome == WITHHELD)


def _to(people: sa.ColumnElement[bool], since: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        people,
        outbox.c.created_at >= since - _EARLIEST,
        outbox.c.kind.not_in(tuple(kind for kind in FREE if kind != "incident")),
        outbox.c.to_group.is_(False),
        outbox.c.replaces.is_(None),
    )


def _is_counted(row: Any, *, edits: bool) -> bool:
    is_edit = edits and row.replaces is not None
    return row.person_id is not None and not row.to_group and row.kind not in FREE and not is_edit


async def _had(session: Session, person_ids: Collection[int], since: datetime) -> dict[int, list[str]]:
    """The kinds of the automatic messages that left for each person since then, or may be leaving."""
    left = sa.or_(outbox.c.state == "sending", outbox.c.state.in_(("sent", "unknown")) & (outbox.c.settled_at >= since))
    query = sa.select(outbox.c.person_id, outbox.c.kind).where(
        *_to(outbox.c.person_id.in_(person_ids), since), outbox.c.kind != "incident", left
    )
    had: dict[int, list[str]] = {}
    for row in await session.execute(query):
        had.setdefault(row.person_id, []).append(row.kind)
    return had


async def _wait_for_morning(session: Session, channel: str, until: datetime, *, edits: bool) -> None:
    """In one go: the night may have more letters waiting than one look sees."""
    where = [
        outbox.c.channel == channel,
        outbox.c.state == "waiting",
        outbox.c.due_at < until,
        outbox.c.person_id.is_not(None),
        outbox.c.to_group.is_(False),
        outbox.c.kind.not_in(FREE),
    ]
    if edits:
        where.append(outbox.c.replaces.is_(None))
    await session.execute(outbox.update().where(*where).values(due_at=until))


async def _withhold(session: Session, rows: Sequence[Any], now: datetime, allowance: Allowance) -> None:
    later = [row.id for row in rows if row.kind not in STALE_TOMORROW]
    never = [row.id for row in rows if row.kind in STALE_TOMORROW]
    if later:
        await session.execute(
            outbox.update().where(outbox.c.id.in_(later)).values(due_at=allowance.next_day(now), outcome=WITHHELD)
        )
    if never:
        ended = {"state": "withdrawn", "outcome": WITHHELD, "settled_at": now}
        await session.execute(outbox.update().where(outbox.c.id.in_(never)).values(ended))
    prompts = [row.ask_id for row in rows if row.kind == "prompt"]
    if prompts:
        unasked = (ask.c.id.in_(prompts), ask.c.state == "due", ask.c.reach != "delivered")
        await session.execute(ask.update().where(*unasked).values(reach="enough", changed_at=now))
