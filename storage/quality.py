"""Counts about how declarations were made, by unit: four queries for all units, whatever their number."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from typing import Any

import sqlalchemy as sa

from domain.quality import UnitData
from storage.database import Session, insert
from storage.tables import ask, control, declaration, outbox, round_


async def of_units(session: Session, first: date, last: date, measure: str) -> dict[int, UnitData]:
    """The data of each unit's own people on these days. `measure` is the key of the question that takes a number."""
    found: dict[int, UnitData] = defaultdict(UnitData)
    on_days = (round_.c.day.between(first, last), ~round_.c.is_drill)
    for row in await session.execute(_people(on_days)):
        found[row.unit_id].people = row.people
    for row in await session.execute(_pace(session, on_days)):
        unit = found[row.unit_id]
        unit.timed += row.timed
        unit.instant += row.instant
        unit.absent += row.absent
        unit.days |= {row.day} if row.answered else set()
        unit.instant_days |= {row.day} if row.instant else set()
    for row in await session.execute(_variety(on_days, measure)):
        unit = found[row.unit_id]
        unit.measurements = row.measurements
        unit.measured = {str(row.lowest), str(row.highest)} if row.measurements else set()
        unit.declared = {row.first, row.last}
    for row in await session.execute(_controls(first, last)):
        found[row.unit_id].right, found[row.unit_id].wrong = row.right, row.wrong
    return found


def _people(on_days: tuple[sa.ColumnElement[bool], ...]) -> sa.Select[Any]:
    people = sa.func.count(ask.c.person_id.distinct()).label("people")
    return sa.select(ask.c.unit_id, people).join_from(ask, round_).where(*on_days).group_by(ask.c.unit_id)


def _pace(session: Session, on_days: tuple[sa.ColumnElement[bool], ...]) -> sa.Select[Any]:
    """By unit and day: own answers to a prompt that arrived, those within a second of it, and who was absent."""
    arrived = (
        sa.select(sa.func.min(outbox.c.settled_at))
        .where(outbox.c.ask_id == ask.c.id, outbox.c.kind == "prompt", outbox.c.state == "sent")
        .scalar_subquery()
    )
    each = (
        sa.select(
            ask.c.unit_id,
            round_.c.day,
            sa.case((ask.c.state == "answered", 1), else_=0).label("answered"),
            sa.case((ask.c.state == "excused", 1), else_=0).label("absent"),
            sa.case((ask.c.proxy, None), else_=_seconds(session, arrived, ask.c.answered_at)).label("seconds"),
        )
        .join_from(ask, round_)
        .where(*on_days)
        .subquery()
    )
    return sa.select(
        each.c.unit_id,
        each.c.day,
        sa.func.sum(each.c.answered).label("answered"),
        sa.func.sum(each.c.absent).label("absent"),
        sa.func.count(each.c.seconds).label("timed"),
        sa.func.sum(sa.case((each.c.seconds <= 1, 1), else_=0)).label("instant"),
    ).group_by(each.c.unit_id, each.c.day)


def _seconds(session: Session, since: Any, until: Any) -> sa.ColumnElement[Any]:
    if session.dialect.name == "postgresql":
        return sa.extract("epoch", until - since)
    return (sa.func.julianday(until) - sa.func.julianday(since)) * 86400


def _variety(on_days: tuple[sa.ColumnElement[bool], ...], measure: str) -> sa.Select[Any]:
    """By unit: the smallest and the largest of what was declared and measured; equal ones mean all is alike."""
    said = declaration.c.workplace + " " + sa.cast(declaration.c.answers, sa.Text)
    value = declaration.c.answers[measure].as_string()
    return (
        sa.select(
            ask.c.unit_id,
            sa.func.min(said).label("first"),
            sa.func.max(said).label("last"),
            sa.func.count(value).label("measurements"),
            sa.func.min(value).label("lowest"),
            sa.func.max(value).label("highest"),
        )
        .join_from(declaration, ask, ask.c.id == declaration.c.ask_id)
        .join(round_, round_.c.id == ask.c.round_id)
        .where(*on_days, ~ask.c.proxy)
        .group_by(ask.c.unit_id)
    )


def _controls(first: date, last: date) -> sa.Select[Any]:
    right, wrong = sa.func.sum(control.c.right).label("right"), sa.func.sum(control.c.wrong).label("wrong")
    return (
        sa.select(control.c.unit_id, right, wrong).where(control.c.day.between(first, last)).group_by(control.c.unit_id)
    )


async def count_control(session: Session, ask_id: int, question: str, *, is_right: bool) -> None:
    """One more answer of the unit of this ask; whose it was is not kept."""
    right, wrong = int(is_right), int(not is_right)
    one_more = (
        sa.select(ask.c.unit_id, round_.c.day, sa.literal(question), sa.literal(right), sa.literal(wrong))
        .join_from(ask, round_)
        .where(ask.c.id == ask_id)
    )
    statement = insert(session, control).from_select(["unit_id", "day", "question", "right", "wrong"], one_more)
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=["unit_id", "day", "question"],
            set_={"right": control.c.right + right, "wrong": control.c.wrong + wrong},
        )
    )
