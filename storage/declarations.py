"""What people declared: every version kept, and the half-given answers that survive a restart."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from domain.questions import Answer
from storage.database import Session, insert
from storage.tables import ask, declaration, draft, person, round_, unit


@dataclass(frozen=True, slots=True)
class Draft:
    """Answers not sent yet. `step` is the screen shown: a question's key, "review", or "" for the prompt."""

    answers: dict[str, Answer]
    workplace: str
    step: str


async def draft_of(session: Session, ask_id: int) -> Draft:
    row = (await session.execute(sa.select(draft).where(draft.c.ask_id == ask_id))).first()
    return Draft(dict(row.answers), row.workplace, row.step) if row else Draft({}, "", "")


async def keep_draft(session: Session, ask_id: int, values: Draft, now: datetime) -> None:
    fields = {"answers": values.answers, "workplace": values.workplace, "step": values.step, "changed_at": now}
    statement = insert(session, draft).values(ask_id=ask_id, **fields)
    await session.execute(statement.on_conflict_do_update(index_elements=["ask_id"], set_=fields))


async def drop_draft(session: Session, ask_id: int) -> None:
    await session.execute(draft.delete().where(draft.c.ask_id == ask_id))


async def open_step(session: Session, person_id: int, since: date) -> tuple[int, str] | None:
    """The ask and screen of the conversation the person is in the middle of, if any."""
    query = (
        sa.select(draft.c.ask_id, draft.c.step)
        .join(ask, ask.c.id == draft.c.ask_id)
        .join(round_, round_.c.id == ask.c.round_id)
        .where(ask.c.person_id == person_id, round_.c.day >= since, draft.c.step != "")
        .order_by(draft.c.changed_at.desc())
        .limit(1)
    )
    row = (await session.execute(query)).first()
    return (row.ask_id, row.step) if row else None


async def has_gone_on(session: Session, person_id: int, since: datetime) -> bool:
    """Whether the person has answered a question of a declaration since then that is not sent yet."""
    query = (
        sa.select(draft.c.ask_id)
        .join(ask, ask.c.id == draft.c.ask_id)
        .where(ask.c.person_id == person_id, draft.c.changed_at > since, draft.c.step != "")
        .limit(1)
    )
    return (await session.execute(query)).first() is not None


@dataclass(frozen=True, slots=True)
class Declared:
    version: int
    answers: dict[str, Answer]
    workplace: str
    level: str
    reasons: list[str]
    answered_at: datetime


async def latest(session: Session, ask_id: int) -> Declared | None:
    query = sa.select(declaration).where(declaration.c.ask_id == ask_id).order_by(declaration.c.version.desc()).limit(1)
    row = (await session.execute(query)).first()
    if row is None:
        return None
    return Declared(row.version, dict(row.answers), row.workplace, row.level, list(row.reasons), row.answered_at)


async def seal(
    session: Session,
    ask_id: int,
    *,
    answers: dict[str, Answer],
    workplace: str,
    level: str,
    reasons: list[str],
    rule_version: int,
    given_by: int,
    channel: str,
    late: bool,
    now: datetime,
) -> int:
    """Store the next version and return its number. The unique key refuses two writers the same one."""
    before = sa.select(sa.func.coalesce(sa.func.max(declaration.c.version), 0)).where(declaration.c.ask_id == ask_id)
    version: int = (await session.execute(before)).scalar_one() + 1
    await session.execute(
        declaration.insert().values(
            ask_id=ask_id,
            version=version,
            answers=answers,
            workplace=workplace,
            level=level,
            reasons=reasons,
            rule_version=rule_version,
            given_by_id=given_by,
            channel=channel,
            answered_at=now,
            late=late,
        )
    )
    await drop_draft(session, ask_id)
    return version


async def between(session: Session, first: date, last: date) -> list[Any]:
    """Every version given for rounds of these days: rows for the export of answers."""
    giver = person.alias("giver")
    query = (
        sa.select(
            person.c.staff_code,
            unit.c.code.label("unit_code"),
            round_.c.day,
            round_.c.kind,
            declaration.c.version,
            declaration.c.level,
            declaration.c.answers,
            declaration.c.workplace,
            giver.c.staff_code.label("given_by"),
            declaration.c.channel,
            declaration.c.answered_at,
            declaration.c.late,
        )
        .join_from(declaration, ask)
        .join(round_, round_.c.id == ask.c.round_id)
        .join(person, person.c.id == ask.c.person_id)
        .join(unit, unit.c.id == ask.c.unit_id)
        .join(giver, giver.c.id == declaration.c.given_by_id)
        .where(round_.c.day.between(first, last))
        .order_by(round_.c.day, round_.c.opens_at, person.c.staff_code, declaration.c.version)
    )
    return list(await session.execute(query))
