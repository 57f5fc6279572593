"""Roster imports: what a file would change, doing all of it or nothing, and taking it back within a week."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from domain.roster import ParsedRoster
from domain.roster_match import StoredUnit
from domain.roster_plan import Plan, Stored, StoredPerson, StoredPost, compare, require_applicable
from domain.roster_undo import UNDO_WITHIN, Past, require_undoable
from storage import audit, roster_units
from storage.database import Session, insert, take_turns
from storage.tables import ask, invite, person, post, roster_import, round_, unit

__all__ = ["LEFT", "UNDO_WITHIN", "Imported", "apply", "leave", "newest", "plan_import", "undo"]

LEFT = "left"
"""The reason on the asks of people who left while a round was open."""
_THE_ID: sa.BindParameter[int] = sa.bindparam("the_id")

Rows = list[dict[str, Any]]


async def plan_import(session: Session, parsed: ParsedRoster, *, force: bool = False) -> Plan:
    """What importing this roster would change; reads only. `force` lets more than 30 % of the staff leave.

    Raises LookupError in a store without the organisation's own unit.
    """
    stored = await _stored(session)
    if not any(one.parent_id is None for one in stored.units):
        raise LookupError("the organisation has no unit of its own yet")
    return compare(stored, parsed, force=force)


async def apply(session: Session, plan: Plan, *, filename: str, digest: str, by: str, now: datetime) -> int:
    """Make every change of the plan in the caller's transaction; the id under which it can be undone.

    Who joins or comes back while a round is open is first asked in the next one: they have no chat yet, and a unit
    is not to be charged with people it did not have when the round opened. An ask they had in an open round before
    they left waits for them again. Who leaves is no longer waited for: their open asks are excused with the reason
    `LEFT`, their posts end, their invitations stop working, and their chats are a stranger's. Roles asked for wait
    for an administrator. Past rounds keep everybody in the unit of that day.

    Raises `domain.roster_plan.ImportRefused`, having changed nothing, if the plan has errors or the store is not as
    it was when compared.
    """
    await take_turns(session, "roster")
    require_applicable(plan, await _stored(session))
    codes, units_made, units_before = await roster_units.change(session, plan, now)
    undo: dict[str, Any] = {"units_made": units_made, "units": units_before, "people": _before(plan)}
    undo["joined"] = await _join(session, plan, codes, now)
    undo["returned"] = await _return(session, plan, codes)
    await _update_people(session, plan, codes)
    undo["left"] = [one.person_id for one in plan.leaves]
    await _update(session, person, [{"the_id": one, "left_at": now} for one in undo["left"]])
    undo |= await _release(session, undo["left"], now)
    await _resume(session, [one.person_id for one in plan.returns], now)
    undo["posts_ended"] += await _end_posts(session, [one.post_id for one in plan.posts_no_longer_asked], now)
    undo["posts_made"] = await _ask_for_posts(session, plan, codes, now)
    made = await session.execute(
        roster_import.insert()
        .values(filename=filename, digest=digest, given_by=by, applied_at=now, counts=dict(plan.counts), undo=undo)
        .returning(roster_import.c.id)
    )
    import_id: int = made.scalar_one()
    await audit.record(session, now, by, "roster_imported", str(import_id), digest=digest, counts=dict(plan.counts))
    return import_id


@dataclass(frozen=True, slots=True)
class Imported:
    """A roster that was taken over; `given_by` is a person's id or a program's name."""

    id: int
    filename: str
    given_by: str
    applied_at: datetime
    counts: Mapping[str, int]


async def newest(session: Session) -> Imported | None:
    """The newest import that is not undone: the only one that can be."""
    kept = roster_import.c
    query = sa.select(kept.id, kept.filename, kept.given_by, kept.applied_at, kept.counts)
    row = (await session.execute(query.where(kept.undone_at.is_(None)).order_by(kept.id.desc()).limit(1))).first()
    return Imported(*row) if row else None


async def undo(session: Session, import_id: int, by: str, now: datetime) -> Mapping[str, int]:
    """Put units, people and posts back as they were before the newest import; how many of each.

    Who joined by it is not deleted but has left: they may have been invited or asked meanwhile, and the audit and
    past rounds refer to them. Likewise its new units are closed. What others did meanwhile stays, except that posts
    it asked for end even if confirmed since, and so do all posts of those who joined. An ask is waited for again
    only if its round is still open.

    Raises `domain.roster_undo.UndoRefused`, having changed nothing, after 7 days, or if it is not the newest import
    that is not yet undone.
    """
    await take_turns(session, "roster")
    row = (await session.execute(sa.select(roster_import).where(roster_import.c.id == import_id))).first()
    not_undone = sa.select(sa.func.max(roster_import.c.id)).where(roster_import.c.undone_at.is_(None))
    newest = (await session.execute(not_undone)).scalar()
    require_undoable(import_id, Past(row.applied_at, row.undone_at) if row else None, newest, now)
    assert row is not None
    kept, then = row.undo, row.applied_at
    gone = [*kept["joined"], *(number for number, _ in kept["returned"])]
    await _end_posts(session, kept["posts_made"], now)
    await _release(session, gone, now)
    await _update(session, person, [{"the_id": number, "left_at": now} for number in kept["joined"]])
    returned = [{"the_id": number, "left_at": datetime.fromisoformat(at)} for number, at in kept["returned"]]
    await _update(session, person, returned)
    await _update(session, person, [{"the_id": number, "left_at": None} for number in kept["left"]])
    fields = ("the_id", "name", "phone", "title", "unit_id")
    await _update(session, person, [dict(zip(fields, one, strict=True)) for one in kept["people"]])
    await roster_units.put_back(session, kept["units_made"], kept["units"], now)
    posts = await _posts_again(session, kept["posts_ended"], then)
    revoked = [{"the_id": number, "revoked_at": None} for number in kept["invites"]]
    await _update(session, invite, revoked, invite.c.revoked_at == then)
    await _wait_again(session, kept["asks"], now)
    await session.execute(roster_import.update().where(roster_import.c.id == import_id).values(undone_at=now))
    counts = {
        "joined": len(kept["joined"]),
        "returned": len(kept["returned"]),
        "left": len(kept["left"]),
        "people": len(kept["people"]),
        "posts": posts + len(kept["posts_made"]),
        "units": len(kept["units_made"]) + len(kept["units"]),
    }
    await audit.record(session, now, by, "roster_undone", str(import_id), counts=counts)
    return counts


async def _stored(session: Session) -> Stored:
    people = sa.select(
        person.c.id, person.c.staff_code, person.c.name, person.c.phone, person.c.title, person.c.unit_id,
        person.c.left_at,
    )  # fmt: skip
    units = sa.select(unit.c.id, unit.c.code, unit.c.name, unit.c.parent_id, unit.c.closed_at)
    held = sa.select(post.c.id, post.c.person_id, post.c.unit_id, post.c.role, post.c.source)
    held = held.where(post.c.until_at.is_(None))
    return Stored(
        [StoredPerson(*row) for row in (await session.execute(people.order_by(person.c.id))).all()],
        [StoredUnit(*row) for row in (await session.execute(units.order_by(unit.c.id))).all()],
        [StoredPost(*row) for row in (await session.execute(held.order_by(post.c.id))).all()],
    )


async def _update(session: Session, table: sa.Table, rows: Rows, *only: sa.ColumnElement[bool]) -> None:
    """Set the named columns in the rows with these ids, in one statement run many times."""
    if rows:
        await session.execute(table.update().where(table.c.id == _THE_ID, *only), rows)


def _before(plan: Plan) -> list[tuple[int, str, str, str, int]]:
    """Everybody whose row changes, as it is: id, name, phone, title, unit."""
    touched = {one.person_id for one in plan.changes} | {one.person_id for one in plan.moves}
    touched |= {one.person_id for one in plan.returns}
    return [(one.id, one.name, one.phone, one.title, one.unit_id) for one in plan.stored.people if one.id in touched]


async def _join(session: Session, plan: Plan, codes: Mapping[str, int], now: datetime) -> list[int]:
    if not plan.joins:
        return []
    rows = [
        {
            "staff_code": one.staff_code,
            "name": one.name,
            "phone": one.phone,
            "title": one.title,
            "unit_id": codes[one.unit],
            "language": "vi",
            "consent": "",
            "joined_at": now,
        }
        for one in plan.joins
    ]
    made = await session.execute(person.insert().returning(person.c.id), rows)
    return sorted(made.scalars().all())


async def _return(session: Session, plan: Plan, codes: Mapping[str, int]) -> list[tuple[int, str]]:
    """Back with what the file says; the ids, and when each had left."""
    rows = [
        {
            "the_id": one.person_id,
            "name": one.name,
            "phone": one.phone,
            "title": one.title,
            "unit_id": codes[one.unit],
            "left_at": None,
        }
        for one in plan.returns
    ]
    await _update(session, person, rows)
    back = {one.person_id for one in plan.returns}
    return [(one.id, one.left_at.isoformat()) for one in plan.stored.people if one.id in back and one.left_at]


async def _update_people(session: Session, plan: Plan, codes: Mapping[str, int]) -> None:
    """Changes and moves, together: one row of values for each person."""
    after: dict[int, dict[str, Any]] = {}
    for move in plan.moves:
        after.setdefault(move.person_id, {})["unit_id"] = codes[move.after]
    for change in plan.changes:
        after.setdefault(change.person_id, {})[change.field] = change.after
    before = (one for one in plan.stored.people if one.id in after)
    rows: Rows = [
        {"the_id": one.id, "name": one.name, "phone": one.phone, "title": one.title, "unit_id": one.unit_id}
        | after[one.id]
        for one in before
    ]
    await _update(session, person, rows)


async def _ids(session: Session) -> dict[str, int]:
    rows = (await session.execute(sa.select(person.c.staff_code, person.c.id))).all()
    return {row.staff_code: row.id for row in rows}


async def leave(session: Session, people: Collection[int], now: datetime) -> None:
    """These people are no longer staff, as if a roster had left them out."""
    await _update(session, person, [{"the_id": one, "left_at": now} for one in people])
    await _release(session, people, now)


async def _release(session: Session, people: Collection[int], now: datetime) -> dict[str, Any]:
    """End the posts, invitations and open asks of people who leave; their ids, and each ask's state and reason."""
    if not people:
        return {"posts_ended": [], "invites": [], "asks": []}
    held = sa.select(post.c.id, post.c.person_id).where(post.c.until_at.is_(None))
    unused = sa.select(invite.c.id, invite.c.person_id).where(invite.c.used_at.is_(None), invite.c.revoked_at.is_(None))
    due = sa.select(ask.c.id, ask.c.person_id).where(ask.c.state == "due", ask.c.round_id.in_(_open_rounds()))
    posts, invites, asks = [await _theirs(session, query, people) for query in (held, unused, due)]
    await _end_posts(session, posts, now)
    await _update(session, invite, [{"the_id": number, "revoked_at": now} for number in invites])
    excused = {"state": "excused", "reason": LEFT, "changed_at": now}
    await _update(session, ask, [{"the_id": number} | excused for number in asks])
    return {"posts_ended": posts, "invites": invites, "asks": asks}


async def _resume(session: Session, people: Collection[int], now: datetime) -> None:
    """Wait again for people who are back, where a round they left is still open."""
    if people:
        asks = await _theirs(session, sa.select(ask.c.id, ask.c.person_id).where(*_left_open()), people)
        await _wait_again(session, asks, now)


async def _wait_again(session: Session, asks: Collection[int], now: datetime) -> None:
    due = {"state": "due", "reason": "", "changed_at": now}
    await _update(session, ask, [{"the_id": number} | due for number in asks], *_left_open())


def _left_open() -> tuple[sa.ColumnElement[bool], ...]:
    return ask.c.state == "excused", ask.c.reason == LEFT, ask.c.round_id.in_(_open_rounds())


def _open_rounds() -> sa.Select[Any]:
    return sa.select(round_.c.id).where(round_.c.closed_at.is_(None))


async def _theirs(session: Session, query: sa.Select[Any], people: Collection[int]) -> list[int]:
    """The ids found that belong to these people, who may be more than a statement takes parameters."""
    wanted = set(people)
    return [number for number, person_id in (await session.execute(query)).all() if person_id in wanted]


async def _end_posts(session: Session, posts: Sequence[int], now: datetime) -> list[int]:
    await _update(session, post, [{"the_id": number, "until_at": now} for number in posts], post.c.until_at.is_(None))
    return list(posts)


async def _ask_for_posts(session: Session, plan: Plan, codes: Mapping[str, int], now: datetime) -> list[int]:
    """Posts that wait for an administrator; the ids of those that were not there."""
    if not plan.posts_asked:
        return []
    known = {one.id for one in plan.stored.posts}
    people = await _ids(session)
    rows = [
        {
            "person_id": people[one.staff_code],
            "unit_id": codes[one.unit],
            "role": one.role,
            "source": "roster",
            "since_at": now,
        }
        for one in plan.posts_asked
    ]
    await session.execute(insert(session, post).on_conflict_do_nothing(), rows)
    made = await session.execute(sa.select(post.c.id).where(post.c.until_at.is_(None), post.c.source == "roster"))
    return [row.id for row in made if row.id not in known]


async def _posts_again(session: Session, posts: Sequence[int], then: datetime) -> int:
    """Put posts back that the import ended, unless the same post has been given anew meanwhile; how many."""
    twin = post.alias("twin")
    given_anew = sa.exists(
        sa.select(twin.c.id).where(
            twin.c.person_id == post.c.person_id,
            twin.c.unit_id == post.c.unit_id,
            twin.c.role == post.c.role,
            twin.c.until_at.is_(None),
        )
    )
    ended = (post.c.until_at == then, ~given_anew)
    await _update(session, post, [{"the_id": number, "until_at": None} for number in posts], *ended)
    return len(posts)
