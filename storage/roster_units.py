"""The tree of units changed by a roster: many units in a few statements, each path following its parent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from domain.roster_match import StoredUnit
from domain.roster_plan import Plan
from storage.database import Session
from storage.tables import unit

Before = list[tuple[int, str, str, int | None, str | None]]
"""Units as they were: id, code, name, parent, when closed (ISO 8601)."""

_THIS = unit.c.id == sa.bindparam("the_id")


async def change(session: Session, plan: Plan, now: datetime) -> tuple[Mapping[str, int], Sequence[int], Before]:
    """Make, rename, move, close and reopen units: every unit's id by code, the ids made, the others as they were."""
    before = {one.id: one for one in plan.stored.units}
    codes = {one.code: one.id for one in plan.stored.units}
    if plan.renamed_units:
        values = [{"the_id": one.unit_id, "code": one.code, "name": one.after} for one in plan.renamed_units]
        await session.execute(unit.update().where(_THIS), values)
        codes |= {one.code: one.unit_id for one in plan.renamed_units}
    made = await _add(session, plan)
    codes |= made
    places = [{"the_id": made[one.code], "parent_id": codes[one.parent]} for one in plan.new_units]
    places += [{"the_id": one.unit_id, "parent_id": codes[one.after]} for one in plan.moved_units]
    if places:
        await session.execute(unit.update().where(_THIS), places)
        await follow_parents(session)
    states: list[dict[str, Any]] = [{"the_id": one.unit_id, "closed_at": now} for one in plan.closed_units]
    states += [{"the_id": one.unit_id, "closed_at": None} for one in plan.reopened_units]
    if states:
        await session.execute(unit.update().where(_THIS), states)
    touched = {one.unit_id for one in plan.renamed_units} | {one.unit_id for one in plan.moved_units}
    touched |= {state["the_id"] for state in states}
    return codes, sorted(made.values()), [_before(before[number]) for number in sorted(touched)]


def _before(one: StoredUnit) -> tuple[int, str, str, int | None, str | None]:
    return one.id, one.code, one.name, one.parent_id, one.closed_at.isoformat() if one.closed_at else None


async def _add(session: Session, plan: Plan) -> dict[str, int]:
    """The new units, not yet in their places."""
    if not plan.new_units:
        return {}
    rows = [{"code": one.code, "name": one.name, "path": f"new {one.code}"} for one in plan.new_units]
    await session.execute(unit.insert(), rows)
    query = sa.select(unit.c.code, unit.c.id).where(unit.c.path.startswith("new "))
    return {row.code: row.id for row in await session.execute(query)}


async def put_back(session: Session, made: Sequence[int], before: Before, now: datetime) -> None:
    """Close the units made, and give the others the code, name, place and state they had."""
    if made:
        closings = [{"the_id": number, "closed_at": now} for number in made]
        await session.execute(unit.update().where(_THIS, unit.c.closed_at.is_(None)), closings)
    values = [
        {
            "the_id": number,
            "code": code,
            "name": name,
            "parent_id": parent_id,
            "closed_at": datetime.fromisoformat(closed_at) if closed_at else None,
        }
        for number, code, name, parent_id, closed_at in before
    ]
    if values:
        await session.execute(unit.update().where(_THIS), values)
    if made or values:
        await follow_parents(session)


async def follow_parents(session: Session) -> None:
    """Write anew every path that is not its parent's path and its own id."""
    rows = (await session.execute(sa.select(unit.c.id, unit.c.parent_id, unit.c.path))).all()
    below: dict[int | None, list[int]] = {}
    for row in rows:
        below.setdefault(row.parent_id, []).append(row.id)
    paths: dict[int, str] = {}
    level = [(number, "/") for number in below.get(None, [])]
    while level:
        paths.update((number, f"{above}{number}/") for number, above in level)
        level = [(child, paths[number]) for number, _ in level for child in below.get(number, [])]
    changed = [{"the_id": row.id, "path": paths[row.id]} for row in rows if paths[row.id] != row.path]
    if changed:
        await session.execute(unit.update().where(_THIS), changed)
