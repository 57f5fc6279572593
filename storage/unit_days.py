"""How units stood day by day: facts counted from the asks, and the zones that were concluded from them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import msgspec
import sqlalchemy as sa

from domain.rules import Level
from domain.zone import Facts, Reason, Zone
from storage.database import Session, insert
from storage.tables import absence, ask, declaration, risk_update, round_, unit_day

_LEVELS = tuple(Level)


async def facts(session: Session, day: date, present: Collection[str]) -> dict[int, Facts]:
    """What is known now of each unit's own people on a day, in one query. `present`: workplaces that count as at work.

    A person counts once, with the highest level of the day; who never said where they are counts as at work.
    """
    rank = sa.case({level.value: level.rank for level in _LEVELS}, value=ask.c.level, else_=0)
    return await _counted(session, day, present, ask.c.state, rank, ask.c.workplace, round_.c.closed_at.is_not(None))


async def facts_at(session: Session, day: date, present: Collection[str], at: datetime) -> dict[int, Facts]:
    """The same as it was known at a past moment: from the declarations made and absences reported until then."""
    of_ask = (declaration.c.ask_id == ask.c.id, declaration.c.answered_at <= at)
    latest = sa.select(declaration.c.version).where(*of_ask).order_by(declaration.c.version.desc()).limit(1)

    def then(column: sa.ColumnElement[str]) -> sa.ColumnElement[Any]:
        version = latest.correlate(ask).scalar_subquery()
        return sa.func.coalesce(
            sa.select(column)
            .where(declaration.c.ask_id == ask.c.id, declaration.c.version == version)
            .correlate(ask)
            .scalar_subquery(),
            "",
        )

    away = sa.exists(
        sa.select(absence.c.id).where(
            absence.c.person_id == ask.c.person_id,
            absence.c.first_day <= round_.c.day,
            absence.c.last_day >= round_.c.day,
            absence.c.created_at <= at,
            sa.or_(absence.c.cancelled_at.is_(None), absence.c.cancelled_at > at),
        )
    )
    state = sa.case(
        (sa.exists(sa.select(declaration.c.id).where(*of_ask)), "answered"),
        (away | ((ask.c.state == "excused") & (ask.c.changed_at <= at)), "excused"),
        else_="due",
    )
    rank = sa.case({level.value: level.rank for level in _LEVELS}, value=then(declaration.c.level), else_=0)
    closed = round_.c.closed_at.is_not(None) & (round_.c.closed_at <= at)
    return await _counted(session, day, present, state, rank, then(declaration.c.workplace), closed, at)


async def _counted(
    session: Session,
    day: date,
    present: Collection[str],
    state: sa.ColumnElement[str],
    rank: sa.ColumnElement[int],
    workplace: sa.ColumnElement[str],
    closed: sa.ColumnElement[bool],
    at: datetime | None = None,
) -> dict[int, Facts]:
    asks = (
        sa.select(
            ask.c.unit_id,
            ask.c.person_id,
            state.label("state"),
            rank.label("rank"),
            workplace.label("workplace"),
            closed.label("closed"),
        )
        .join_from(ask, round_)
        .where(round_.c.day == day, ~round_.c.is_drill, sa.or_(~round_.c.not_asked, state == "answered"))
    )
    if at is not None:
        asks = asks.where(round_.c.opened_at <= at)
    one = asks.subquery()
    is_open = one.c.state.in_(("due", "missed"))
    person = (
        sa.select(
            one.c.unit_id,
            sa.func.max(one.c.rank).label("rank"),
            sa.func.max(one.c.workplace).label("workplace"),
            sa.func.count().label("due"),
            _sum(one.c.state == "answered").label("answered"),
            _sum(one.c.state == "excused").label("excused"),
            _sum(is_open & one.c.closed).label("missing"),
        )
        .group_by(one.c.unit_id, one.c.person_id)
        .subquery()
    )
    at_work = sa.case((person.c.workplace.in_(["", *present]), 1), else_=0)
    is_unknown = (person.c.answered == 0) & (person.c.excused < person.c.due)
    query = sa.select(
        person.c.unit_id,
        person.c.rank,
        at_work,
        sa.func.count(),
        _sum(person.c.answered > 0),
        sa.func.sum(person.c.due),
        sa.func.sum(person.c.answered),
        sa.func.sum(person.c.excused),
        sa.func.sum(person.c.missing),
        _sum(is_unknown),
    ).group_by(person.c.unit_id, person.c.rank, at_work)
    found: dict[int, _Sums] = {}
    for unit_id, *row in await session.execute(query):
        found.setdefault(unit_id, _Sums()).add(*map(int, row))  # PostgreSQL adds up to decimals
    return {unit_id: sums.facts() for unit_id, sums in found.items()}


def _sum(holds: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    return sa.func.sum(sa.case((holds, 1), else_=0))


class _Sums:
    """Adds up the groups of one unit."""

    def __init__(self) -> None:
        self.due = self.answered = self.excused = self.missing = self.unknown = 0
        self.levels: dict[str, int] = {}
        self.present: dict[str, int] = {}

    def add(
        self,
        rank: int,
        at_work: int,
        people: int,
        declared: int,
        due: int,
        answered: int,
        excused: int,
        missing: int,
        unknown: int,
    ) -> None:
        self.due += due
        self.answered += answered
        self.excused += excused
        self.missing += missing
        self.unknown += unknown
        if declared:
            level = _LEVELS[rank].value
            self.levels[level] = self.levels.get(level, 0) + declared
            if at_work:
                self.present[level] = self.present.get(level, 0) + declared

    def facts(self) -> Facts:
        return Facts(
            self.due, self.answered, self.excused, self.missing, self.unknown, dict(self.levels), dict(self.present)
        )


@dataclass(frozen=True, slots=True)
class UnitDay:
    """How a unit's own people stood at the end of a day, or at `computed_at` of the day that runs."""

    unit_id: int
    day: date
    facts: Facts
    raw: Zone
    zone: Zone
    clear_days: int
    reasons: tuple[Reason, ...]
    rule_version: int


_FIELDS: sa.Select[Any] = sa.select(
    unit_day.c.unit_id,
    unit_day.c.day,
    unit_day.c.facts,
    unit_day.c.raw,
    unit_day.c.zone,
    unit_day.c.clear_days,
    unit_day.c.reasons,
    unit_day.c.rule_version,
)


def _of(row: Any) -> UnitDay:
    return UnitDay(
        row.unit_id,
        row.day,
        msgspec.convert(row.facts, Facts),
        Zone(row.raw),
        Zone(row.zone),
        row.clear_days,
        tuple(msgspec.convert(row.reasons, list[Reason])),
        row.rule_version,
    )


async def before(session: Session, day: date, days: int) -> list[UnitDay]:
    """So many days before this one, and of each unit at least the last on which it was assessed; oldest first."""
    last = (
        sa.select(unit_day.c.unit_id, sa.func.max(unit_day.c.day))
        .where(unit_day.c.day < day)
        .group_by(unit_day.c.unit_id)
    )
    recent = unit_day.c.day >= day - timedelta(days=days)
    query = _FIELDS.where(
        unit_day.c.day < day, recent | sa.tuple_(unit_day.c.unit_id, unit_day.c.day).in_(last)
    ).order_by(unit_day.c.day, unit_day.c.unit_id)
    return [_of(row) for row in await session.execute(query)]


async def between(session: Session, first: date, last: date) -> list[UnitDay]:
    """What is recorded of these days, oldest first."""
    query = _FIELDS.where(unit_day.c.day.between(first, last)).order_by(unit_day.c.day, unit_day.c.unit_id)
    return [_of(row) for row in await session.execute(query)]


async def record(session: Session, days: Sequence[UnitDay], now: datetime) -> int:
    """Keep these as the latest word on their units and days; how many say something new."""
    if not days:
        return 0
    known = {
        (one.unit_id, one.day): one
        for one in await between(session, min(one.day for one in days), max(one.day for one in days))
    }
    rows = [_row(one, now) for one in days]
    statement = insert(session, unit_day)
    changing = {name: statement.excluded[name] for name in rows[0] if name not in ("unit_id", "day")}
    await session.execute(statement.on_conflict_do_update(index_elements=["unit_id", "day"], set_=changing), rows)
    return sum(known.get((one.unit_id, one.day)) != one for one in days)


def _row(one: UnitDay, now: datetime) -> dict[str, Any]:
    return {
        "unit_id": one.unit_id,
        "day": one.day,
        "facts": msgspec.to_builtins(one.facts),
        "raw": one.raw.value,
        "zone": one.zone.value,
        "clear_days": one.clear_days,
        "reasons": msgspec.to_builtins(one.reasons),
        "rule_version": one.rule_version,
        "computed_at": now,
    }


async def computed(session: Session, first: date) -> Mapping[date, datetime]:
    """When each day's zones were last concluded."""
    query = (
        sa.select(unit_day.c.day, sa.func.max(unit_day.c.computed_at))
        .where(unit_day.c.day >= first)
        .group_by(unit_day.c.day)
    )
    return {row[0]: row[1] for row in await session.execute(query)}


async def changed(session: Session, first: date) -> Mapping[date, datetime]:
    """When anything last changed that the zones of each day since `first` rest on."""
    last_ask = sa.select(sa.func.max(ask.c.changed_at)).where(ask.c.round_id == round_.c.id).scalar_subquery()
    last_update = (
        sa.select(sa.func.max(risk_update.c.changed_at)).where(risk_update.c.round_id == round_.c.id).scalar_subquery()
    )
    query = sa.select(round_.c.day, last_ask, last_update, round_.c.closed_at).where(
        round_.c.day >= first, ~round_.c.is_drill
    )
    found: dict[date, datetime] = {}
    for day, *instants in await session.execute(query):
        for at in instants:
            if at is not None:
                found[day] = max(found.get(day, at), at)
    return found
