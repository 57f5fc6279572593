"""Rounds: one schedule on one day, its asks, and the steps that are due in it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from storage.database import Session, insert
from storage.schedules import Schedule
from storage.tables import absence, address, ask, person, round_, round_step, unit


@dataclass(frozen=True, slots=True)
class Round:
    id: int
    schedule_id: int
    day: date
    kind: str
    unit_id: int
    unit_path: str
    opens_at: datetime
    closes_at: datetime
    closed_at: datetime | None
    not_asked: bool


_FIELDS: sa.Select[Any] = sa.select(
    round_.c.id,
    round_.c.schedule_id,
    round_.c.day,
    round_.c.kind,
    round_.c.unit_id,
    unit.c.path,
    round_.c.opens_at,
    round_.c.closes_at,
    round_.c.closed_at,
    round_.c.not_asked,
).join_from(round_, unit)


async def by_id(session: Session, round_id: int) -> Round | None:
    row = (await session.execute(_FIELDS.where(round_.c.id == round_id))).first()
    return Round(*row) if row else None


async def on(session: Session, day: date) -> list[Round]:
    """The rounds of one day, in the order in which they open."""
    query = _FIELDS.where(round_.c.day == day).order_by(round_.c.opens_at, round_.c.id)
    return [Round(*row) for row in await session.execute(query)]


async def since(session: Session, first: date) -> set[tuple[int, date]]:
    """Which schedules already had their round on which days."""
    query = sa.select(round_.c.schedule_id, round_.c.day).where(round_.c.day >= first)
    return {(row[0], row[1]) for row in await session.execute(query)}


@dataclass(frozen=True, slots=True)
class Step:
    """Something to do in a round at a time: remind, list the missing, close."""

    kind: str
    number: int
    due_at: datetime


async def open_once(
    session: Session,
    schedule: Schedule,
    day: date,
    campaign: str,
    opens_at: datetime,
    closes_at: datetime,
    steps: Sequence[Step],
    now: datetime,
    *,
    not_asked: bool,
) -> Round | None:
    """Make the round with its steps, or None if it is there already: the unique key decides, not the caller."""
    statement = (
        insert(session, round_)
        .values(
            schedule_id=schedule.id,
            day=day,
            kind=schedule.kind,
            unit_id=schedule.unit_id,
            campaign=campaign,
            opens_at=opens_at,
            closes_at=closes_at,
            opened_at=now,
            not_asked=not_asked,
        )
        .on_conflict_do_nothing(index_elements=["schedule_id", "day"])
        .returning(round_.c.id)
    )
    round_id = (await session.execute(statement)).scalar()
    if round_id is None:
        return None
    if steps:
        await session.execute(
            round_step.insert(),
            [
                {"round_id": round_id, "kind": step.kind, "number": step.number, "due_at": step.due_at}
                for step in steps
            ],
        )
    return Round(
        round_id, schedule.id, day, schedule.kind, schedule.unit_id, schedule.unit_path, opens_at, closes_at, None, not_asked
    )


async def ask_everyone(
    session: Session, of: Round, unit_ids: Collection[int], now: datetime
) -> None:
    """One ask for each member of staff of these units, in one statement: due, or excused with the reason.

    `reach` says from the start who cannot be prompted and why. A person who already has an ask of this
    kind today (moved between units, one-off round) is not asked again.
    """
    twin, theirs = ask.alias("twin"), round_.alias("theirs")
    already = (
        sa.select(twin.c.id)
        .join(theirs, theirs.c.id == twin.c.round_id)
        .where(
            twin.c.person_id == person.c.id,
            theirs.c.day == of.day,
            theirs.c.kind == of.kind,
            theirs.c.id != of.id,
        )
    )
    away = (
        sa.select(absence.c.kind)
        .where(
            absence.c.person_id == person.c.id,
            absence.c.first_day <= of.day,
            absence.c.last_day >= of.day,
            absence.c.cancelled_at.is_(None),
        )
        .order_by(absence.c.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    reason = sa.func.coalesce(away, "")
    people = sa.select(
        sa.literal(of.id),
        person.c.id,
        person.c.unit_id,
        sa.case((reason != "", "excused"), else_="due"),
        reason,
        sa.literal("not_asked") if of.not_asked else _reach(),
        sa.literal(now, type_=ask.c.changed_at.type),
    ).where(person.c.unit_id.in_(unit_ids), person.c.left_at.is_(None), ~sa.exists(already))
    columns = ["round_id", "person_id", "unit_id", "state", "reason", "reach", "changed_at"]
    await session.execute(ask.insert().from_select(columns, people))


def _reach() -> sa.ColumnElement[str]:
    """Why a person cannot be prompted now, or "waiting"."""
    chats = sa.select(address.c.id).where(address.c.person_id == person.c.id)
    return sa.case(
        (~sa.exists(chats), "not_enrolled"),
        (person.c.consent == "declined", "declined"),
        (person.c.consent != "agreed", "undecided"),
        (~sa.exists(chats.where(address.c.lost_at.is_(None))), "blocked"),
        else_="waiting",
    )


async def excuse_absent_in(
    session: Session, of: Round, earlier_kind: str, workplaces: Collection[str], now: datetime
) -> None:
    """Excuse from this round whoever said in the day's earlier round that they do not work today."""
    before, theirs = ask.alias("before"), round_.alias("theirs")
    place = (
        sa.select(before.c.workplace)
        .join(theirs, theirs.c.id == before.c.round_id)
        .where(
            before.c.person_id == ask.c.person_id,
            theirs.c.day == of.day,
            theirs.c.kind == earlier_kind,
            before.c.workplace.in_(workplaces),
        )
        .limit(1)
        .scalar_subquery()
    )
    await session.execute(
        ask.update()
        .where(ask.c.round_id == of.id, ask.c.state == "due", place.is_not(None))
        .values(state="excused", reason=place, changed_at=now)
    )


@dataclass(frozen=True, slots=True)
class DueStep:
    id: int
    round_id: int
    kind: str
    number: int
    due_at: datetime


async def due_steps(session: Session, now: datetime) -> list[DueStep]:
    """Steps whose time has come, oldest first, whatever has kept them."""
    query = (
        sa.select(round_step.c.id, round_step.c.round_id, round_step.c.kind, round_step.c.number, round_step.c.due_at)
        .where(round_step.c.done_at.is_(None), round_step.c.due_at <= now)
        .order_by(round_step.c.due_at, round_step.c.id)
        .limit(200)
    )
    return [DueStep(*row) for row in await session.execute(query)]


async def claim_step(session: Session, step_id: int, outcome: str, now: datetime) -> bool:
    """Take the step; true for exactly one caller, whose transaction does what it stands for."""
    where = (round_step.c.id == step_id, round_step.c.done_at.is_(None))
    result = await session.execute(round_step.update().where(*where).values(done_at=now, outcome=outcome))
    return bool(result.rowcount)


async def next_due(session: Session) -> tuple[datetime, str] | None:
    """When the next step of any round is due, and its kind."""
    query = (
        sa.select(round_step.c.due_at, round_step.c.kind)
        .where(round_step.c.done_at.is_(None))
        .order_by(round_step.c.due_at, round_step.c.id)
        .limit(1)
    )
    row = (await session.execute(query)).first()
    return (row.due_at, row.kind) if row else None


async def bring_forward(session: Session, round_id: int, kind: str, now: datetime) -> bool:
    """Make a step due at once (a round closed by hand)."""
    where = (round_step.c.round_id == round_id, round_step.c.kind == kind, round_step.c.done_at.is_(None))
    return bool((await session.execute(round_step.update().where(*where).values(due_at=now))).rowcount)


async def close(session: Session, round_id: int, now: datetime) -> None:
    """Seal the round: whoever is still due has missed it. A later answer is kept and marked late."""
    await session.execute(
        round_.update().where(round_.c.id == round_id, round_.c.closed_at.is_(None)).values(closed_at=now)
    )
    await session.execute(
        ask.update().where(ask.c.round_id == round_id, ask.c.state == "due").values(state="missed", changed_at=now)
    )


async def changed(session: Session, first: date) -> dict[int, datetime]:
    """When anything last changed in each round since this day."""
    last = sa.select(sa.func.max(ask.c.changed_at)).where(ask.c.round_id == round_.c.id).scalar_subquery()
    rows = await session.execute(sa.select(round_.c.id, last, round_.c.closed_at).where(round_.c.day >= first))
    return {row[0]: max(at for at in row[1:] if at) for row in rows if row[1] or row[2]}
