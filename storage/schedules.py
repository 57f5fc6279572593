"""When rounds happen: schedules, exceptions of single units, pauses, and days the calendar gets wrong."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa

from storage.database import Session, insert
from storage.tables import calendar_override, pause, schedule, unit


@dataclass(frozen=True, slots=True)
class Schedule:
    """One kind of round for one unit and everything below it."""

    id: int
    kind: str
    unit_id: int
    unit_path: str
    opens: time
    reminders: tuple[time, ...]
    missing_list: time | None
    closes: time
    weekdays: frozenset[str]
    on_holidays: bool
    audience: str
    is_off: bool
    once_on: date | None
    since_day: date
    is_drill: bool = False


_FIELDS = sa.select(schedule, unit.c.path.label("unit_path")).join_from(schedule, unit)


def _of(row: Any) -> Schedule:
    return Schedule(
        row.id,
        row.kind,
        row.unit_id,
        row.unit_path,
        row.opens,
        tuple(time.fromisoformat(at) for at in row.reminders),
        row.missing_list,
        row.closes,
        frozenset(row.weekdays),
        row.on_holidays,
        row.audience,
        row.is_off,
        row.once_on,
        row.since_day,
        row.is_drill,
    )


async def in_force(session: Session) -> list[Schedule]:
    query = _FIELDS.where(schedule.c.retired_at.is_(None)).order_by(schedule.c.opens, schedule.c.id)
    return [_of(row) for row in await session.execute(query)]


async def add(session: Session, values: Schedule, now: datetime) -> Schedule:
    """Put a schedule in force; the one of the same kind and unit it replaces is retired. `values.id` is ignored."""
    if values.once_on is None:
        await session.execute(
            schedule.update()
            .where(
                schedule.c.kind == values.kind,
                schedule.c.unit_id == values.unit_id,
                schedule.c.once_on.is_(None),
                schedule.c.retired_at.is_(None),
            )
            .values(retired_at=now)
        )
    made = await session.execute(
        schedule.insert()
        .values(
            kind=values.kind,
            unit_id=values.unit_id,
            opens=values.opens,
            reminders=[at.isoformat("minutes") for at in values.reminders],
            missing_list=values.missing_list,
            closes=values.closes,
            weekdays=sorted(values.weekdays),
            on_holidays=values.on_holidays,
            audience=values.audience,
            is_off=values.is_off,
            once_on=values.once_on,
            since_day=values.since_day,
            is_drill=values.is_drill,
        )
        .returning(schedule.c.id)
    )
    row = (await session.execute(_FIELDS.where(schedule.c.id == made.scalar_one()))).one()
    return _of(row)


async def retire(session: Session, schedule_id: int, now: datetime) -> None:
    await session.execute(schedule.update().where(schedule.c.id == schedule_id).values(retired_at=now))


@dataclass(frozen=True, slots=True)
class Pause:
    """No rounds of `kind` ("" for all) in this subtree from the first to the last day."""

    kind: str
    unit_path: str
    first_day: date
    last_day: date
    reason: str = ""


async def pauses(session: Session, first: date, last: date) -> list[Pause]:
    """Pauses that touch any of these days."""
    query = (
        sa.select(pause.c.kind, unit.c.path, pause.c.first_day, pause.c.last_day, pause.c.reason)
        .join_from(pause, unit)
        .where(pause.c.ended_at.is_(None), pause.c.first_day <= last, pause.c.last_day >= first)
    )
    return [Pause(*row) for row in await session.execute(query)]


async def add_pause(
    session: Session, kind: str, unit_id: int, first_day: date, last_day: date, reason: str, now: datetime
) -> None:
    await session.execute(
        pause.insert().values(
            kind=kind, unit_id=unit_id, first_day=first_day, last_day=last_day, reason=reason, created_at=now
        )
    )


async def end_pauses(session: Session, unit_id: int, day: date, now: datetime) -> int:
    """End the pauses of this unit that run on `day` or later; how many there were.

    The days already paused stay paused: otherwise their rounds would be made up afterwards.
    """
    where = (pause.c.unit_id == unit_id, pause.c.last_day >= day, pause.c.ended_at.is_(None))
    begun = pause.update().where(*where, pause.c.first_day < day).values(last_day=day - timedelta(days=1))
    coming = pause.update().where(*where, pause.c.first_day >= day).values(ended_at=now)
    return (await session.execute(begun)).rowcount + (await session.execute(coming)).rowcount


async def overrides(session: Session, first: date, last: date) -> dict[tuple[date, str], bool]:
    """Days an administrator declared working or free, by day and unit path."""
    query = (
        sa.select(calendar_override.c.day, unit.c.path, calendar_override.c.is_working)
        .join_from(calendar_override, unit)
        .where(calendar_override.c.day.between(first, last))
    )
    return {(row[0], row[1]): bool(row[2]) for row in await session.execute(query)}


async def override(session: Session, day: date, unit_id: int, is_working: bool, note: str) -> None:
    """Say whether this day is worked in this unit and below, whatever the calendar says."""
    statement = insert(session, calendar_override).values(day=day, unit_id=unit_id, is_working=is_working, note=note)
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=["day", "unit_id"], set_={"is_working": is_working, "note": note}
        )
    )
