"""Asks: one person due in one round, and where each stands."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from domain.chat import Language
from storage.database import Session
from storage.tables import ask, person, round_, unit


@dataclass(frozen=True, slots=True)
class Ask:
    """What a turn needs to know of an ask. `open_until` is when the round after the next one opens, if it has."""

    id: int
    round_id: int
    person_id: int
    kind: str
    day: date
    state: str
    reason: str
    level: str
    workplace: str
    late: bool
    opens_at: datetime
    closes_at: datetime
    closed_at: datetime | None
    answered_at: datetime | None
    rounds_since: int

    @property
    def is_open(self) -> bool:
        """Answers and corrections count until the round after the next one opens."""
        return self.rounds_since < 2


def _fields() -> sa.Select[Any]:
    later, theirs = ask.alias("later"), round_.alias("theirs")
    rounds_since = (
        sa.select(sa.func.count())
        .select_from(later.join(theirs, theirs.c.id == later.c.round_id))
        .where(later.c.person_id == ask.c.person_id, theirs.c.opens_at > round_.c.opens_at)
        .scalar_subquery()
    )
    return sa.select(
        ask.c.id,
        ask.c.round_id,
        ask.c.person_id,
        round_.c.kind,
        round_.c.day,
        ask.c.state,
        ask.c.reason,
        ask.c.level,
        ask.c.workplace,
        ask.c.late,
        round_.c.opens_at,
        round_.c.closes_at,
        round_.c.closed_at,
        ask.c.answered_at,
        rounds_since,
    ).join_from(ask, round_)


_FIELDS = _fields()
"""Put together once: building it costs more than running it."""


async def of_person(session: Session, ask_id: int, person_id: int) -> Ask | None:
    """This ask, if it is this person's; an absent and a foreign one look alike."""
    query = _FIELDS.where(ask.c.id == ask_id, ask.c.person_id == person_id)
    row = (await session.execute(query)).first()
    return Ask(*row) if row else None


async def lock(session: Session, ask_id: int) -> None:
    """Let two changes of one ask take turns, also across processes."""
    if session.dialect.name == "postgresql":
        await session.execute(sa.select(ask.c.id).where(ask.c.id == ask_id).with_for_update())


async def current(session: Session, person_id: int, since: date) -> list[Ask]:
    """The person's asks from this day on, newest first."""
    query = _FIELDS.where(ask.c.person_id == person_id, round_.c.day >= since).order_by(
        round_.c.opens_at.desc(), ask.c.id.desc()
    )
    return [Ask(*row) for row in await session.execute(query)]


async def answered(session: Session, ask_id: int, level: str, workplace: str, late: bool, now: datetime) -> None:
    """The person has declared: the latest version's level, the first answer's time and lateness stay."""
    await session.execute(
        ask.update()
        .where(ask.c.id == ask_id)
        .values(
            state="answered",
            level=level,
            workplace=workplace,
            reason="",
            late=sa.case((ask.c.state == "answered", ask.c.late), else_=late),
            answered_at=sa.func.coalesce(ask.c.answered_at, now),
            changed_at=now,
        )
    )


@dataclass(frozen=True, slots=True)
class ToPrompt:
    ask_id: int
    person_id: int
    language: Language
    workplace: str


async def to_prompt(session: Session, round_id: int, reaches: Collection[str]) -> list[ToPrompt]:
    """Who is still due in this round and can be written to."""
    query = (
        sa.select(ask.c.id, ask.c.person_id, person.c.language, person.c.workplace)
        .join_from(ask, person, person.c.id == ask.c.person_id)
        .where(
            ask.c.round_id == round_id,
            ask.c.state == "due",
            ask.c.reach.in_(reaches),
            person.c.consent == "agreed",
            person.c.left_at.is_(None),
        )
        .order_by(ask.c.id)
    )
    return [ToPrompt(*row) for row in await session.execute(query)]


async def excuse(session: Session, person_id: int, day_from: date, day_to: date, reason: str, now: datetime) -> None:
    """Excuse what the person has not answered on these days."""
    rounds_then = sa.select(round_.c.id).where(round_.c.day.between(day_from, day_to))
    await session.execute(
        ask.update()
        .where(
            ask.c.person_id == person_id,
            ask.c.round_id.in_(rounds_then),
            ask.c.state.in_(("due", "missed")),
        )
        .values(state="excused", reason=reason, changed_at=now)
    )


async def expect_again(
    session: Session, person_id: int, day_from: date, day_to: date, reason: str, now: datetime
) -> None:
    """An absence ended early: what it excused and is still open waits for the person again."""
    still_open = sa.select(round_.c.id).where(round_.c.day.between(day_from, day_to), round_.c.closed_at.is_(None))
    await session.execute(
        ask.update()
        .where(
            ask.c.person_id == person_id,
            ask.c.round_id.in_(still_open),
            ask.c.state == "excused",
            ask.c.reason == reason,
        )
        .values(state="due", reason="", changed_at=now)
    )


async def reached(session: Session, person_id: int, since: date, reach: str, now: datetime) -> None:
    """The person's standing changed (enrolled, agreed, declined, came back): say so on what still waits for them.

    A round already closed keeps the reason it closed with, and what arrived stays delivered.
    """
    rounds_since = sa.select(round_.c.id).where(round_.c.day >= since)
    arrived = ask.c.reach == "delivered" if reach == "waiting" else sa.false()
    await session.execute(
        ask.update()
        .where(ask.c.person_id == person_id, ask.c.round_id.in_(rounds_since), ask.c.state == "due", ~arrived)
        .values(reach=reach, changed_at=now)
    )


@dataclass(frozen=True, slots=True)
class Missing:
    """Somebody who has not answered, and why. `last_answer_at` is their last answer in any round."""

    person_id: int
    name: str
    unit_id: int
    unit_name: str
    unit_path: str
    reach: str
    last_answer_at: datetime | None


async def missing(session: Session, round_id: int, scope: Collection[str]) -> list[Missing]:
    """Those not answered and not excused in this round, only inside the subtrees of `scope`."""
    earlier = ask.alias("earlier")
    last = sa.select(sa.func.max(earlier.c.answered_at)).where(earlier.c.person_id == ask.c.person_id).scalar_subquery()
    query = (
        sa.select(person.c.id, person.c.name, unit.c.id, unit.c.name, unit.c.path, ask.c.reach, last)
        .join_from(ask, person, person.c.id == ask.c.person_id)
        .join(unit, unit.c.id == ask.c.unit_id)
        .where(
            ask.c.round_id == round_id,
            ask.c.state.in_(("due", "missed")),
            sa.or_(sa.false(), *(unit.c.path.startswith(path) for path in scope)),
        )
        .order_by(unit.c.path, ask.c.reach, person.c.name)
    )
    return [Missing(*row) for row in await session.execute(query)]
