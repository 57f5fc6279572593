"""Rounds: one schedule on one day, its asks, and the steps that are due in it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from storage.database import Session, insert, take_turns
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
    opened_at: datetime
    closed_at: datetime | None
    not_asked: bool
    is_drill: bool = False


_FIELDS: sa.Select[Any] = sa.select(
    round_.c.id,
    round_.c.schedule_id,
    round_.c.day,
    round_.c.kind,
    round_.c.unit_id,
    unit.c.path,
    round_.c.opens_at,
    round_.c.closes_at,
    round_.c.opened_at,
    round_.c.closed_at,
    round_.c.not_asked,
    round_.c.is_drill,
).join_from(round_, unit)


async def by_id(session: Session, round_id: int) -> Round | None:
    row = (await session.execute(_FIELDS.where(round_.c.id == round_id))).first()
    return Round(*row) if row else None


async def on(session: Session, day: date, *, drills: bool = False) -> list[Round]:
    """The rounds of one day in which anybody is due, in the order in which they open; drills only if asked for."""
    anybody = sa.exists(sa.select(ask.c.id).where(ask.c.round_id == round_.c.id))
    query = _FIELDS.where(round_.c.day == day, anybody).order_by(round_.c.opens_at, round_.c.id)
    if not drills:
        query = query.where(round_.c.is_drill.is_(False))
    return [Round(*row) for row in await session.execute(query)]


async def unclosed(session: Session, day: date) -> list[Round]:
    """The rounds of one day that go on, of every kind: of people, of units, and drills."""
    query = _FIELDS.where(round_.c.day == day, round_.c.closed_at.is_(None)).order_by(round_.c.opens_at, round_.c.id)
    return [Round(*row) for row in await session.execute(query)]


async def days_around(session: Session, day: date, earliest: date) -> tuple[date | None, date | None]:
    """The nearest days before this one (not before `earliest`) and after it on which anybody was due in a round."""
    was_asked = sa.and_(
        round_.c.is_drill.is_(False), sa.exists(sa.select(ask.c.id).where(ask.c.round_id == round_.c.id))
    )
    before = sa.select(sa.func.max(round_.c.day)).where(round_.c.day < day, round_.c.day >= earliest, was_asked)
    after = sa.select(sa.func.min(round_.c.day)).where(round_.c.day > day, was_asked)
    row = (await session.execute(sa.select(before.scalar_subquery(), after.scalar_subquery()))).one()
    return row[0], row[1]


async def since(session: Session, first: date) -> set[tuple[int, date]]:
    """Which schedules already had their round on which days."""
    query = sa.select(round_.c.schedule_id, round_.c.day).where(round_.c.day >= first)
    return {(row[0], row[1]) for row in await session.execute(query)}


@dataclass(frozen=True, slots=True)
class Step:
    """Something to do in a round at a time: remind, list the missing, close.

    Two more come about by themselves: `elsewhere` prompts people whose chat was lost in another of theirs, and
    `summary_again` posts to people the summary that a lost group did not get.
    """

    kind: str
    number: int
    due_at: datetime


async def open_once(
    session: Session, schedule: Schedule, day: date, campaign: str, window: tuple[datetime, datetime], now: datetime
) -> Round | None:
    """Make the round, or None if it is there already: the unique key decides, not the caller.

    Rounds open one at a time, so that nobody can be asked by two that cannot see each other yet.
    """
    await take_turns(session, "rounds open")
    values: dict[str, Any] = {
        "schedule_id": schedule.id,
        "day": day,
        "kind": schedule.kind,
        "unit_id": schedule.unit_id,
        "opens_at": window[0],
        "closes_at": window[1],
        "opened_at": now,
        "not_asked": now >= window[1],
        "is_drill": schedule.is_drill,
    }
    statement = (
        insert(session, round_)
        .values(**values, campaign=campaign)
        .on_conflict_do_nothing(index_elements=["schedule_id", "day"])
        .returning(round_.c.id)
    )
    round_id = (await session.execute(statement)).scalar()
    return None if round_id is None else Round(round_id, **values, unit_path=schedule.unit_path, closed_at=None)


async def add_steps(session: Session, round_id: int, steps: Collection[Step]) -> None:
    rows = [{"round_id": round_id, "kind": one.kind, "number": one.number, "due_at": one.due_at} for one in steps]
    if rows:
        await session.execute(round_step.insert(), rows)


async def arm(session: Session, round_ids: Collection[int], kind: str, now: datetime) -> None:
    """Let a step of these rounds be done at once, also if it was done before."""
    rows = [{"round_id": one, "kind": kind, "number": 0, "due_at": now} for one in sorted(round_ids)]
    if rows:
        statement = insert(session, round_step).on_conflict_do_update(
            index_elements=["round_id", "kind", "number"], set_={"due_at": now, "done_at": None}
        )
        await session.execute(statement, rows)


async def ask_everyone(session: Session, of: Round, unit_ids: Collection[int], now: datetime) -> int:
    """One ask for each member of staff of these units, in one statement: due, or excused with the reason; how many.

    `reach` says from the start who cannot be prompted and why. A person who already has an ask of this
    kind today (moved between units, one-off round) is not asked again; one that an outage swallowed becomes this
    round's, so that everybody counts once.
    """
    moved = 0 if of.not_asked else await _take_over(session, of, unit_ids, now)
    twin, theirs = ask.alias("twin"), round_.alias("theirs")
    already = (
        sa.select(twin.c.id)
        .join(theirs, theirs.c.id == twin.c.round_id)
        .where(
            twin.c.person_id == person.c.id,
            theirs.c.day == of.day,
            theirs.c.kind == of.kind,
            theirs.c.is_drill == of.is_drill,
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
    return moved + (await session.execute(ask.insert().from_select(columns, people))).rowcount


async def _take_over(session: Session, of: Round, unit_ids: Collection[int], now: datetime) -> int:
    """Asks of the day's earlier round of this kind in which nobody could be asked; what was answered stays there."""
    swallowed = sa.select(round_.c.id).where(
        round_.c.day == of.day, round_.c.kind == of.kind, round_.c.is_drill == of.is_drill, round_.c.not_asked
    )
    here = sa.select(person.c.id).where(person.c.unit_id.in_(unit_ids), person.c.left_at.is_(None))
    theirs = person.c.id == ask.c.person_id
    values = {
        "round_id": of.id,
        "unit_id": sa.select(person.c.unit_id).where(theirs).scalar_subquery(),
        "state": sa.case((ask.c.state == "excused", "excused"), else_="due"),
        "reach": sa.select(_reach()).where(theirs).scalar_subquery(),
        "changed_at": now,
    }
    where = (ask.c.round_id.in_(swallowed), ask.c.person_id.in_(here), ask.c.state != "answered")
    return (await session.execute(ask.update().where(*where).values(values))).rowcount


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


async def reminds_again(session: Session, step: DueStep, now: datetime) -> bool:
    """Whether a later reminder of the same round is due as well."""
    query = sa.select(round_step.c.id).where(
        round_step.c.round_id == step.round_id,
        round_step.c.kind == step.kind,
        round_step.c.due_at <= now,
        round_step.c.due_at > step.due_at,
    )
    return (await session.execute(query.limit(1))).first() is not None


async def claim_step(session: Session, step_id: int, outcome: str, now: datetime) -> bool:
    """Take the step; true for exactly one caller, whose transaction does what it stands for."""
    where = (round_step.c.id == step_id, round_step.c.done_at.is_(None))
    result = await session.execute(round_step.update().where(*where).values(done_at=now, outcome=outcome))
    return bool(result.rowcount)


async def next_due(session: Session) -> tuple[datetime, str] | None:
    """When the next planned step of any round is due, and its kind."""
    query = (
        sa.select(round_step.c.due_at, round_step.c.kind)
        .where(round_step.c.done_at.is_(None), round_step.c.kind.in_(("remind", "missing_list", "close", "map")))
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
