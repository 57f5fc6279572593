"""Asks: one person due in one round, and where each stands."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from domain.chat import Language
from storage.database import Session
from storage.tables import ask, person, round_, unit


@dataclass(frozen=True, slots=True)
class Ask:
    """What a turn needs to know of an ask and of its person; `unit_id` is their unit at the time.

    `rounds_since` counts the person's later rounds.
    """

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
    reach: str
    proxy: bool
    unit_id: int
    unit_name: str
    unit_path: str
    person_name: str
    usual_place: str
    consent: str
    is_drill: bool
    rounds_since: int

    @property
    def is_open(self) -> bool:
        """Answers and corrections count until the round after the next one opens."""
        return self.rounds_since < 2

    def answered(self, level: str, workplace: str, now: datetime, *, late: bool, proxy: bool) -> Ask:
        """How it stands once there is a declaration: the first answer's time and lateness stay."""
        is_first = self.state != "answered"
        return replace(
            self,
            state="answered",
            reason="",
            level=level,
            workplace=workplace,
            late=late if is_first else self.late,
            proxy=proxy,
            answered_at=self.answered_at or now,
        )


def _fields() -> sa.Select[Any]:
    later, theirs = ask.alias("later"), round_.alias("theirs")
    # From the few rounds since then, rather than from all that the person was ever asked.
    is_theirs = sa.exists().where(later.c.round_id == theirs.c.id, later.c.person_id == ask.c.person_id)
    is_theirs = is_theirs.correlate(theirs, ask)  # left to itself it would mean anybody's ask
    rounds_since = (
        sa.select(sa.func.count())
        .select_from(theirs)
        .where(theirs.c.opens_at > round_.c.opens_at, theirs.c.is_drill == round_.c.is_drill, is_theirs)
        .scalar_subquery()
    )
    found = sa.select(
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
        ask.c.reach,
        ask.c.proxy,
        ask.c.unit_id,
        unit.c.name,
        unit.c.path,
        person.c.name,
        person.c.workplace,
        person.c.consent,
        round_.c.is_drill,
        rounds_since,
    )
    found = found.join_from(ask, round_).join(person, person.c.id == ask.c.person_id)
    return found.join(unit, unit.c.id == ask.c.unit_id)


_FIELDS = _fields()
"""Put together once: building it costs more than running it."""


async def of_person(session: Session, ask_id: int, person_id: int) -> Ask | None:
    """This ask, if it is this person's; an absent and a foreign one look alike."""
    return (await of_people(session, {ask_id: person_id})).get(ask_id)


async def of_people(session: Session, owners: Mapping[int, int]) -> dict[int, Ask]:
    """These asks by id, each if it is that person's."""
    found = (Ask(*row) for row in await session.execute(_THESE, {"ids": list(owners)}))
    return {one.id: one for one in found if one.person_id == owners[one.id]}


_THESE = _FIELDS.where(ask.c.id.in_(sa.bindparam("ids", expanding=True)))


async def within(session: Session, ask_id: int, scope: Collection[str]) -> Ask | None:
    """This ask of somebody still in the organisation, if it lies inside the subtrees of `scope`.

    An absent and a foreign one look alike.
    """
    query = _FIELDS.where(ask.c.id == ask_id, person.c.left_at.is_(None), _inside(scope))
    row = (await session.execute(query)).first()
    return Ask(*row) if row else None


async def of_day(session: Session, person_id: int, day: date) -> list[Ask]:
    """The person's asks of one day, in the order of their rounds."""
    query = _FIELDS.where(ask.c.person_id == person_id, round_.c.day == day).order_by(round_.c.opens_at, ask.c.id)
    return [Ask(*row) for row in await session.execute(query)]


async def last_answers(session: Session, person_ids: Collection[int]) -> dict[int, datetime]:
    """When each of them, or somebody for them, last answered in any round that was no drill."""
    query = (
        sa.select(ask.c.person_id, sa.func.max(ask.c.answered_at))
        .join(round_, round_.c.id == ask.c.round_id)
        .where(ask.c.person_id.in_(person_ids), ask.c.answered_at.is_not(None), round_.c.is_drill.is_(False))
        .group_by(ask.c.person_id)
    )
    return {row[0]: row[1] for row in await session.execute(query)}


async def lock(session: Session, *ask_ids: int) -> None:
    """Let two changes of one ask take turns, also across processes."""
    if session.dialect.name == "postgresql":
        await session.execute(_LOCK, {"ids": ask_ids})


_LOCK = (
    sa.select(ask.c.id).where(ask.c.id.in_(sa.bindparam("ids", expanding=True))).order_by(ask.c.id).with_for_update()
)


async def current(session: Session, person_id: int, since: date) -> list[Ask]:
    """The person's asks from this day on, newest first; a drill that is over comes after all that counts."""
    past_drill = sa.case((round_.c.is_drill & (ask.c.state != "due"), 1), else_=0)
    query = _FIELDS.where(ask.c.person_id == person_id, round_.c.day >= since).order_by(
        past_drill, round_.c.opens_at.desc(), ask.c.id.desc()
    )
    return [Ask(*row) for row in await session.execute(query)]


async def answered(session: Session, given: Sequence[Ask], now: datetime) -> None:
    """There is a declaration for each of these (locked) asks; they stand as `Ask.answered` says."""
    rows = [
        {
            "the_id": one.id,
            "state": one.state,
            "reason": one.reason,
            "level": one.level,
            "workplace": one.workplace,
            "late": one.late,
            "proxy": one.proxy,
            "answered_at": one.answered_at,
            "changed_at": now,
        }
        for one in given
    ]
    await session.execute(_STANDS, rows)


_STANDS = ask.update().where(ask.c.id == sa.bindparam("the_id"))


async def contested(session: Session, ask_id: int, now: datetime) -> None:
    """The person does not stand by what somebody said for them: it no longer counts, and they are asked again."""
    closed_at = sa.select(round_.c.closed_at).where(round_.c.id == ask.c.round_id).scalar_subquery()
    await session.execute(
        ask.update()
        .where(ask.c.id == ask_id)
        .values(
            state=sa.case((closed_at.is_(None), "due"), else_="missed"),
            reach="contested",
            level="",
            workplace="",
            late=False,
            proxy=False,
            answered_at=None,
            changed_at=now,
        )
    )


@dataclass(frozen=True, slots=True)
class ToPrompt:
    ask_id: int
    person_id: int
    language: Language
    workplace: str
    round_id: int


async def to_prompt(session: Session, round_ids: Collection[int], reaches: Collection[str]) -> list[ToPrompt]:
    """Who is still due in these rounds and can be written to."""
    query = (
        sa.select(ask.c.id, ask.c.person_id, person.c.language, person.c.workplace, ask.c.round_id)
        .join_from(ask, person, person.c.id == ask.c.person_id)
        .where(
            ask.c.round_id.in_(round_ids),
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

    A round already closed keeps the reason it closed with, what arrived stays delivered, contested contested.
    """
    rounds_since = sa.select(round_.c.id).where(round_.c.day >= since)
    stays = ask.c.reach.in_(("delivered", "contested") if reach == "waiting" else ("contested",))
    await session.execute(
        ask.update()
        .where(ask.c.person_id == person_id, ask.c.round_id.in_(rounds_since), ask.c.state == "due", ~stays)
        .values(reach=reach, changed_at=now)
    )


@dataclass(frozen=True, slots=True)
class Listed:
    """Somebody on a list of a round's people."""

    ask_id: int
    person_id: int
    name: str
    unit_id: int
    unit_name: str
    unit_path: str
    state: str
    reach: str
    reason: str
    proxy: bool
    answered_at: datetime | None


MISSING = ("due", "missed")
"""The states of an ask that nobody has answered and nobody has excused."""


async def listed(
    session: Session,
    round_ids: Collection[int],
    states: Collection[str],
    scope: Collection[str],
    *,
    first: int = 0,
    most: int | None = None,
) -> list[Listed]:
    """The people of these rounds who stand so, inside the subtrees of `scope`: all, or `most` from `first` on."""
    query: sa.Select[Any] = (
        sa.select(
            ask.c.id,
            person.c.id,
            person.c.name,
            unit.c.id,
            unit.c.name,
            unit.c.path,
            ask.c.state,
            ask.c.reach,
            ask.c.reason,
            ask.c.proxy,
            ask.c.answered_at,
        )
        .join_from(ask, person, person.c.id == ask.c.person_id)
        .join(unit, unit.c.id == ask.c.unit_id)
        .where(ask.c.round_id.in_(round_ids), ask.c.state.in_(states), _inside(scope))
        .order_by(unit.c.path, ask.c.reach, person.c.name, person.c.id)
        .offset(first)
        .limit(most)
    )
    return [Listed(*row) for row in await session.execute(query)]


def _inside(scope: Collection[str]) -> sa.ColumnElement[bool]:
    return sa.or_(sa.false(), *(unit.c.path.startswith(path) for path in scope))
