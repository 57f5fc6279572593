"""Who holds which role over which unit."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from domain.chat import Language
from domain.policy import GRANTS, Action, Post, Role
from storage.database import Session, insert
from storage.tables import person, post, unit

_IN_FORCE = sa.and_(post.c.confirmed_at.is_not(None), post.c.until_at.is_(None))


async def held_by(session: Session, person_id: int) -> list[Post]:
    """The posts in force of one person, for the policy to judge."""
    query = sa.select(post.c.role, unit.c.path).join_from(post, unit).where(post.c.person_id == person_id, _IN_FORCE)
    return [Post(Role(row.role), row.path) for row in await session.execute(query)]


@dataclass(frozen=True, slots=True)
class Holder:
    person_id: int
    role: Role
    unit_id: int
    unit_path: str


async def holders(session: Session, action: Action) -> list[Holder]:
    """Everybody whose post allows `action`, and over which unit."""
    roles = [role for role, actions in GRANTS.items() if action in actions]
    query = (
        sa.select(post.c.person_id, post.c.role, post.c.unit_id, unit.c.path)
        .join_from(post, unit)
        .join(person, person.c.id == post.c.person_id)
        .where(post.c.role.in_(roles), _IN_FORCE, person.c.left_at.is_(None))
        .order_by(unit.c.path, post.c.id)
    )
    return [Holder(row[0], Role(row[1]), row[2], row[3]) for row in await session.execute(query)]


@dataclass(frozen=True, slots=True)
class Officer:
    """Somebody whose post reaches over a unit, with what is needed to write to them and to speak of them."""

    person_id: int
    name: str
    language: Language
    role: Role
    unit_name: str
    unit_path: str


async def over(session: Session, action: Action, unit_path: str) -> list[Officer]:
    """Everybody whose post allows `action` over this unit, the nearest first."""
    roles = [role for role, actions in GRANTS.items() if action in actions]
    query = (
        sa.select(post.c.person_id, person.c.name, person.c.language, post.c.role, unit.c.name, unit.c.path)
        .join_from(post, unit)
        .join(person, person.c.id == post.c.person_id)
        .where(
            post.c.role.in_(roles),
            _IN_FORCE,
            person.c.left_at.is_(None),
            sa.literal(unit_path).startswith(unit.c.path),
        )
        .order_by(sa.func.length(unit.c.path).desc(), post.c.id)
    )
    return [Officer(*row[:3], Role(row[3]), *row[4:]) for row in await session.execute(query)]


async def appoint(
    session: Session, person_id: int, unit_id: int, role: Role, now: datetime, *, source: str, confirmed: bool
) -> None:
    """Give a post. Unconfirmed it gives no right; confirming it later or again is harmless."""
    statement = insert(session, post).values(
        person_id=person_id,
        unit_id=unit_id,
        role=role,
        source=source,
        since_at=now,
        confirmed_at=now if confirmed else None,
    )
    in_force = post.c.until_at.is_(None)
    where = {"index_elements": ["person_id", "unit_id", "role"], "index_where": in_force}
    if confirmed:
        statement = statement.on_conflict_do_update(
            **where, set_={"confirmed_at": sa.func.coalesce(post.c.confirmed_at, now)}
        )
    else:
        statement = statement.on_conflict_do_nothing(**where)
    await session.execute(statement)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A post that a roster asks for and an administrator has not yet confirmed."""

    id: int
    person_id: int
    person_name: str
    unit_name: str
    unit_path: str
    role: Role


async def waiting(session: Session) -> list[Waiting]:
    query = (
        sa.select(post.c.id, post.c.person_id, person.c.name, unit.c.name, unit.c.path, post.c.role)
        .join_from(post, person)
        .join(unit, unit.c.id == post.c.unit_id)
        .where(post.c.confirmed_at.is_(None), post.c.until_at.is_(None), person.c.left_at.is_(None))
        .order_by(unit.c.path, post.c.id)
    )
    return [Waiting(*row[:5], Role(row[5])) for row in await session.execute(query)]


async def confirm(session: Session, post_ids: Collection[int], now: datetime) -> int:
    """Put waiting posts in force; how many there were."""
    where = (post.c.id.in_(post_ids), post.c.confirmed_at.is_(None), post.c.until_at.is_(None))
    return (await session.execute(post.update().where(*where).values(confirmed_at=now))).rowcount


async def end(session: Session, person_id: int, unit_id: int, role: Role, now: datetime) -> int:
    """Take a post away, at once and everywhere: rights are looked up at each use."""
    where = (
        post.c.person_id == person_id,
        post.c.unit_id == unit_id,
        post.c.role == role,
        post.c.until_at.is_(None),
    )
    return (await session.execute(post.update().where(*where).values(until_at=now))).rowcount


@dataclass(frozen=True, slots=True)
class Listed:
    """A post as an administrator reads it: in force if confirmed, else waiting for a yes."""

    id: int
    staff_code: str
    name: str
    role: Role
    unit_id: int
    unit_code: str
    unit_name: str
    since_at: datetime
    is_confirmed: bool


async def listed(session: Session, *, person_id: int | None = None, waiting_only: bool = False) -> list[Listed]:
    """Every post that has not ended, of one person or of all, those of the highest units first."""
    query = (
        sa.select(
            post.c.id,
            person.c.staff_code,
            person.c.name,
            post.c.role,
            unit.c.id,
            unit.c.code,
            unit.c.name,
            post.c.since_at,
            post.c.confirmed_at.is_not(None),
        )
        .join_from(post, person)
        .join(unit, unit.c.id == post.c.unit_id)
        .where(post.c.until_at.is_(None), person.c.left_at.is_(None))
        .order_by(unit.c.path, post.c.id)
    )
    if person_id is not None:
        query = query.where(post.c.person_id == person_id)
    if waiting_only:
        query = query.where(post.c.confirmed_at.is_(None))
    return [Listed(row[0], row[1], row[2], Role(row[3]), *row[4:]) for row in await session.execute(query)]
