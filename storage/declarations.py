"""What people declared: every version kept, and the half-given answers that survive a restart."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from domain.questions import Answer
from storage import attachments
from storage.database import Session, insert
from storage.tables import ask, declaration, draft, person, round_, unit


@dataclass(frozen=True, slots=True)
class Draft:
    """Answers not sent yet. `step` is the screen shown: a question's key, "review", or "" for the prompt.

    `attachment_id` is a photo sent with them.
    """

    answers: dict[str, Answer]
    workplace: str
    step: str
    attachment_id: int | None = None


NO_DRAFT = Draft({}, "", "")


async def draft_of(session: Session, ask_id: int) -> Draft:
    row = (await session.execute(_DRAFT, {"ask": ask_id})).first()
    return Draft(dict(row.answers), row.workplace, row.step, row.attachment_id) if row else NO_DRAFT


_DRAFT = sa.select(draft).where(draft.c.ask_id == sa.bindparam("ask"))


async def begun(session: Session, ask_ids: Collection[int]) -> set[int]:
    """Those of these asks to which something has been said already, if only half."""
    return set((await session.execute(_BEGUN, {"asks": list(ask_ids)})).scalars())


_ASKS: sa.BindParameter[Any] = sa.bindparam("asks", expanding=True)
_BEGUN = sa.union_all(
    sa.select(declaration.c.ask_id).where(declaration.c.ask_id.in_(_ASKS)),
    sa.select(draft.c.ask_id).where(draft.c.ask_id.in_(_ASKS)),
)


async def keep_draft(session: Session, ask_id: int, values: Draft, now: datetime) -> None:
    fields = {
        "answers": values.answers,
        "workplace": values.workplace,
        "step": values.step,
        "attachment_id": values.attachment_id,
        "changed_at": now,
    }
    statement = insert(session, draft).values(ask_id=ask_id, **fields)
    await session.execute(statement.on_conflict_do_update(index_elements=["ask_id"], set_=fields))


async def drop_draft(session: Session, ask_id: int) -> None:
    """Forget what was not sent; a photo that no declaration has goes with it."""
    dropped = draft.delete().where(draft.c.ask_id == ask_id).returning(draft.c.attachment_id)
    photos = [photo for photo in (await session.execute(dropped)).scalars() if photo]
    if photos:
        await attachments.forget_unused(session, photos)


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
    """One version. `proxy_reason` says why somebody else gave it; "" for one's own."""

    version: int
    answers: dict[str, Answer]
    workplace: str
    level: str
    reasons: list[str]
    answered_at: datetime
    given_by_id: int
    given_by: str
    proxy_reason: str
    contested_at: datetime | None
    attachment_id: int | None


async def latest(session: Session, ask_id: int) -> Declared | None:
    row = (await session.execute(_LATEST, {"ask": ask_id})).first()
    return _declared(row) if row else None


async def versions(session: Session, ask_id: int) -> list[Declared]:
    """Everything declared for this ask, the latest first."""
    query = _VERSIONS.where(declaration.c.ask_id == ask_id).order_by(declaration.c.version.desc())
    return [_declared(row) for row in await session.execute(query)]


_VERSIONS = sa.select(declaration, person.c.name.label("given_by")).join_from(
    declaration, person, person.c.id == declaration.c.given_by_id
)
_LATEST = _VERSIONS.where(declaration.c.ask_id == sa.bindparam("ask")).order_by(declaration.c.version.desc()).limit(1)


def _declared(row: Any) -> Declared:
    return Declared(
        row.version,
        dict(row.answers),
        row.workplace,
        row.level,
        list(row.reasons),
        row.answered_at,
        row.given_by_id,
        row.given_by,
        row.proxy_reason,
        row.contested_at,
        row.attachment_id,
    )


async def contest(session: Session, ask_id: int, version: int, now: datetime) -> bool:
    """The person says that this proxy answer is wrong; false if it was none, is not the latest, or is contested."""
    newer = declaration.alias("newer")
    result = await session.execute(
        declaration.update()
        .where(
            declaration.c.ask_id == ask_id,
            declaration.c.version == version,
            declaration.c.proxy_reason != "",
            declaration.c.contested_at.is_(None),
            ~sa.exists(sa.select(newer.c.id).where(newer.c.ask_id == ask_id, newer.c.version > version)),
        )
        .values(contested_at=now)
    )
    return bool(result.rowcount)


@dataclass(frozen=True, slots=True)
class New:
    """A version to be stored."""

    ask_id: int
    declared: Declared
    rule_version: int
    channel: str
    late: bool


async def seal(session: Session, versions: Sequence[New]) -> None:
    """Store these. The unique key refuses two writers the same version of one ask."""
    rows = [
        {
            "ask_id": one.ask_id,
            "version": one.declared.version,
            "answers": one.declared.answers,
            "workplace": one.declared.workplace,
            "level": one.declared.level,
            "reasons": one.declared.reasons,
            "rule_version": one.rule_version,
            "given_by_id": one.declared.given_by_id,
            "proxy_reason": one.declared.proxy_reason,
            "attachment_id": one.declared.attachment_id,
            "channel": one.channel,
            "answered_at": one.declared.answered_at,
            "late": one.late,
        }
        for one in versions
    ]
    await session.execute(_SEAL, rows)


_SEAL = declaration.insert()


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
        .where(round_.c.day.between(first, last), round_.c.is_drill.is_(False))
        .order_by(round_.c.day, round_.c.opens_at, person.c.staff_code, declaration.c.version)
    )
    return list(await session.execute(query))
