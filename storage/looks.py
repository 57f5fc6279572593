"""Who looked at whose named answer: the person it is about can see it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa

from domain.policy import GRANTS, Action, Role
from storage.database import Session
from storage.tables import ask, look, person, post, round_, unit

_ROLES = [role for role, actions in GRANTS.items() if Action.SEE_ANSWER in actions]


async def record(session: Session, person_id: int, looked_by: int, ask_id: int, now: datetime) -> None:
    await session.execute(
        look.insert().values(person_id=person_id, looked_by_id=looked_by, ask_id=ask_id, looked_at=now)
    )


@dataclass(frozen=True, slots=True)
class Look:
    """`role` and `unit_name` are the nearest post that allowed it then; none if that cannot be told any more."""

    looked_at: datetime
    name: str
    role: Role | None
    unit_name: str
    kind: str
    day: date


async def of_person(session: Session, person_id: int, since: datetime) -> list[Look]:
    """Every look at this person's answers since then, the latest first."""
    held = (
        sa.select(post.c.person_id, post.c.role, post.c.confirmed_at, post.c.until_at, unit.c.name, unit.c.path)
        .join_from(post, unit)
        .where(post.c.role.in_(_ROLES))
        .subquery()
    )
    allowed = sa.and_(
        held.c.person_id == look.c.looked_by_id,
        held.c.confirmed_at <= look.c.looked_at,
        sa.or_(held.c.until_at.is_(None), held.c.until_at > look.c.looked_at),
        unit.c.path.startswith(held.c.path),
    )
    query = (
        sa.select(look.c.id, look.c.looked_at, person.c.name, held.c.role, held.c.name, round_.c.kind, round_.c.day)
        .join_from(look, ask, ask.c.id == look.c.ask_id)
        .join(round_, round_.c.id == ask.c.round_id)
        .join(unit, unit.c.id == ask.c.unit_id)
        .join(person, person.c.id == look.c.looked_by_id)
        .outerjoin(held, allowed)
        .where(look.c.person_id == person_id, look.c.looked_at >= since)
        .order_by(look.c.id.desc(), sa.func.length(held.c.path).desc())
    )
    found: dict[int, Look] = {}
    for row in await session.execute(query):
        role = Role(row[3]) if row[3] else None
        found.setdefault(row[0], Look(row[1], row[2], role, row[4] or "", row[5], row[6]))
    return list(found.values())
