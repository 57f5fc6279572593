"""Who holds which post: what an administrator confirms, gives and takes away, each written to the audit."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from domain.policy import Role
from domain.refusal import Refusal, WrongInput
from handlers.named import person_named, unit_named
from storage import audit, posts, units
from storage.database import Session
from storage.posts import Listed
from storage.units import Unit

OF_THE_WHOLE = frozenset({Role.COMMITTEE, Role.ADMIN})
"""Roles that are held over the organisation unless a unit is named; the others over the person's own unit."""


async def confirm(session: Session, post_ids: Collection[int] | None, now: datetime, actor: str) -> Sequence[Listed]:
    """Put these waiting posts in force (None: all of them), or none of them if one does not wait."""
    waiting = await posts.listed(session, waiting_only=True)
    chosen = [one for one in waiting if post_ids is None or one.id in post_ids]
    unknown = set(post_ids or ()) - {one.id for one in chosen}
    if unknown:
        raise Refusal("admin.not_waiting", {"ids": ", ".join(map(str, sorted(unknown)))})
    await posts.confirm(session, [one.id for one in chosen], now)
    for one in chosen:
        await audit.record(session, now, actor, "post_confirmed", str(one.id), role=one.role.value, unit=one.unit_id)
    return chosen


async def appoint(
    session: Session, staff_code: str, role: Role, unit_code: str | None, now: datetime, actor: str
) -> Unit:
    """Give a post, in force at once; the unit over which it is held."""
    person = await person_named(session, staff_code)
    own = await units.by_id(session, person.unit_id) if unit_code is None and role not in OF_THE_WHOLE else None
    unit = own or await unit_named(session, unit_code)
    held = await posts.listed(session, person_id=person.id)
    if any(one.role is role and one.unit_id == unit.id and one.is_confirmed for one in held):
        raise Refusal("admin.holds_already", {"code": staff_code, "role": role.value, "unit": unit.name})
    await posts.appoint(session, person.id, unit.id, role, now, source="admin", confirmed=True)
    await audit.record(session, now, actor, "post_given", str(person.id), role=role.value, unit=unit.id)
    return unit


async def end(
    session: Session, staff_code: str, role: Role, unit_code: str | None, now: datetime, actor: str
) -> Listed:
    """Take a post away, in force or waiting. Without a unit, the person's only post of this role."""
    person = await person_named(session, staff_code)
    unit = await unit_named(session, unit_code) if unit_code is not None else None
    held = [one for one in await posts.listed(session, person_id=person.id) if one.role is role]
    mine = [one for one in held if unit is None or one.unit_id == unit.id]
    if not mine:
        raise Refusal("admin.holds_no_such_post", {"code": staff_code, "role": role.value})
    if len(mine) > 1:
        over = ", ".join(one.unit_code for one in mine)
        raise WrongInput("admin.holds_several", {"code": staff_code, "role": role.value, "units": over})
    await posts.end(session, person.id, mine[0].unit_id, role, now)
    await audit.record(session, now, actor, "post_ended", str(person.id), role=role.value, unit=mine[0].unit_id)
    return mine[0]
