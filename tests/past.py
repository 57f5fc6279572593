"""Mornings that have been, written straight into the store: three weeks of them take no time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa

from domain.campaign import MORNING
from domain.questions import Answer
from storage import schedules, tables
from storage.database import Session
from tests.world import ZONE, World


def working_days(world: World, number: int) -> list[date]:
    """So many days before today, Monday to Friday, oldest first."""
    today = world.house.today(world.now)
    days = (today - timedelta(days=back) for back in range(number * 2 + 3, 0, -1))
    return [day for day in days if day.weekday() < 5][-number:]


async def morning(
    world: World,
    day: date,
    people: Sequence[int],
    minutes: Sequence[float | None],
    *,
    answers: Mapping[str, Answer] | None = None,
    **ask: Any,
) -> None:
    """A morning round in which each answered so many minutes after the prompt came; None: not at all."""
    opened = datetime.combine(day, time(7), ZONE).astimezone(UTC)
    async with world.transaction() as session:
        round_id = await _round(session, day, opened)
        for person_id, after in zip(people, minutes, strict=True):
            answered_at = None if after is None else opened + timedelta(minutes=after)
            ask_id = await _ask(session, round_id, person_id, opened, answered_at, ask)
            await _prompt(session, ask_id, person_id, opened)
            if answered_at:
                said = dict(answers or world.house.campaign.healthy_answers())
                await _declare(session, ask_id, person_id, said, answered_at)


async def _round(session: Session, day: date, opened: datetime) -> int:
    schedule = next(one for one in await schedules.in_force(session) if one.kind == MORNING)
    of_day = {"schedule_id": schedule.id, "day": day, "kind": MORNING, "unit_id": schedule.unit_id}
    known = sa.select(tables.round_.c.id).where(tables.round_.c.day == day, tables.round_.c.kind == MORNING)
    if found := (await session.execute(known)).scalar():
        return int(found)
    closes = opened + timedelta(hours=2)
    hours = {"opens_at": opened, "opened_at": opened, "closes_at": closes, "closed_at": closes}
    made = tables.round_.insert().values(**of_day, **hours, campaign="covid19").returning(tables.round_.c.id)
    return int((await session.execute(made)).scalar_one())


async def _ask(
    session: Session,
    round_id: int,
    person_id: int,
    opened: datetime,
    answered_at: datetime | None,
    more: dict[str, Any],
) -> int:
    home = sa.select(tables.person.c.unit_id).where(tables.person.c.id == person_id).scalar_subquery()
    values = {
        "round_id": round_id,
        "person_id": person_id,
        "unit_id": home,
        "state": "answered" if answered_at else "missed",
        "reach": "delivered",
        "level": "low" if answered_at else "",
        "answered_at": answered_at,
        "changed_at": opened,
    }
    made = tables.ask.insert().values(values | more).returning(tables.ask.c.id)
    return int((await session.execute(made)).scalar_one())


async def _prompt(session: Session, ask_id: int, person_id: int, arrived: datetime) -> None:
    values = {"dedupe_key": f"prompt of {ask_id}", "kind": "prompt", "channel": "telegram", "chat_id": f"p{person_id}"}
    times = {"created_at": arrived, "due_at": arrived, "settled_at": arrived}
    await session.execute(
        tables.outbox.insert().values(**values, **times, ask_id=ask_id, text="?", keyboard=[], state="sent")
    )


async def _declare(
    session: Session, ask_id: int, person_id: int, answers: dict[str, Answer], answered_at: datetime
) -> None:
    values = {"ask_id": ask_id, "answers": answers, "workplace": "office", "level": "low", "reasons": []}
    await session.execute(
        tables.declaration.insert().values(
            **values, given_by_id=person_id, channel="telegram", answered_at=answered_at, version=1
        )
    )
