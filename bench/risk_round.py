"""How long the drafts of all units take: 55 units, 2,284 people, 60 days of history, SQLite.

`python -m bench.risk_round` prints the seconds for computing and queueing every draft, and how much longer it takes
when each unit is asked about on its own.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import sqlalchemy as sa

from domain.campaign_file import campaign_folder, load_campaign
from domain.policy import Role
from domain.seal import Seal
from domain.zone import Facts
from handlers import risk_round
from handlers.turn import House
from storage import posts, rounds, schema, tables, units
from storage.database import Database, Session
from storage.rounds import Round
from storage.units import Unit
from summaries import zones

UNITS, PEOPLE, DAYS = 55, 2284, 60
ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
TODAY = date(2026, 11, 25)
LEVELS = ("low",) * 97 + ("medium", "medium", "high")


async def measure() -> dict[str, float]:
    """Seconds for all drafts at once, and for the same figures unit by unit."""
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{Path(folder) / 'bench.db'}")
        try:
            await schema.migrate(database)
            campaign = load_campaign(campaign_folder("covid19"))
            house = House("Sở Nông nghiệp", ZONE, campaign, Seal(bytes(32)), {})
            now = datetime(2026, 11, 25, 14, 0, tzinfo=ZONE).astimezone(UTC)
            async with database.transaction() as session:
                made = await furnish(session, now)
            return await _timed(database, house, made, now)
        finally:
            await database.close()


async def _timed(database: Database, house: House, made: list[Unit], now: datetime) -> dict[str, float]:
    async with database.transaction() as session:
        of = await risk_round_of(session, now)
        began = time.perf_counter()
        drafts = await risk_round.open_round(session, house, of, [unit.id for unit in made], now)
        together = time.perf_counter() - began
    assert drafts == UNITS
    async with database.reading() as session:
        began = time.perf_counter()
        for unit in made:
            found = await zones.on(session, house.campaign, TODAY, now)
            assert found.of(unit.path)
        singly = time.perf_counter() - began
    return {"drafts_seconds": round(together, 3), "times_faster_than_unit_by_unit": round(singly / together, 1)}


async def furnish(session: Session, now: datetime) -> list[Unit]:
    """Units with their focal persons and staff, 60 days of asks and of recorded unit days."""
    root = await units.ensure_root(session, "Sở Nông nghiệp")
    made = [await units.add(session, f"U{number:02}", f"Đơn vị {number}", root) for number in range(UNITS)]
    people = [
        {
            "staff_code": f"CB{number}",
            "name": f"Người {number}",
            "unit_id": made[number % UNITS].id,
            "language": "vi",
            "consent": "agreed",
            "joined_at": now,
        }
        for number in range(PEOPLE)
    ]
    await session.execute(tables.person.insert(), people)
    ids = [row[0] for row in await session.execute(sa.select(tables.person.c.id).order_by(tables.person.c.id))]
    chats = [
        {"channel": "telegram", "chat_id": str(one), "person_id": one, "verified_at": now, "used_at": now}
        for one in ids
    ]
    await session.execute(tables.address.insert(), chats)
    for number, unit in enumerate(made):
        await posts.appoint(session, ids[number], unit.id, Role.FOCAL, now, source="bench", confirmed=True)
    schedule = await _schedule(session, root, "morning")
    for ago in range(DAYS, -1, -1):
        await _day(session, root, schedule, ids, made, TODAY - timedelta(days=ago))
    return made


async def _schedule(session: Session, root: Unit, kind: str) -> int:
    values = {
        "kind": kind,
        "unit_id": root.id,
        "opens": datetime(2026, 1, 1, 7).time(),
        "closes": datetime(2026, 1, 1, 9).time(),
        "reminders": [],
        "weekdays": [],
        "since_day": TODAY - timedelta(days=DAYS),
    }
    made = await session.execute(tables.schedule.insert().values(values).returning(tables.schedule.c.id))
    number: int = made.scalar_one()
    return number


async def _day(session: Session, root: Unit, schedule: int, ids: list[int], made: list[Unit], day: date) -> None:
    opens_at = datetime(day.year, day.month, day.day, 7, tzinfo=ZONE).astimezone(UTC)
    closes_at = opens_at + timedelta(hours=2)
    round_id = (
        await session.execute(
            tables.round_.insert()
            .values(
                schedule_id=schedule,
                day=day,
                kind="morning",
                unit_id=root.id,
                campaign="covid19",
                opens_at=opens_at,
                closes_at=closes_at,
                opened_at=opens_at,
                closed_at=closes_at,
            )
            .returning(tables.round_.c.id)
        )
    ).scalar_one()
    asks: list[dict[str, Any]] = [
        {
            "round_id": round_id,
            "person_id": one,
            "unit_id": made[number % UNITS].id,
            "state": "answered",
            "reach": "delivered",
            "level": LEVELS[(number + day.toordinal()) % len(LEVELS)],
            "workplace": "office",
            "answered_at": opens_at,
            "changed_at": opens_at,
        }
        for number, one in enumerate(ids)
    ]
    await session.execute(tables.ask.insert(), asks)
    if day < TODAY:
        facts = msgspec.to_builtins(Facts(41, 41, 0, 0, 0, {"low": 40, "medium": 1}, {"low": 40, "medium": 1}))
        rows = [
            {
                "unit_id": unit.id,
                "day": day,
                "facts": facts,
                "raw": "yellow",
                "zone": "yellow",
                "reasons": [],
                "computed_at": closes_at,
            }
            for unit in made
        ]
        await session.execute(tables.unit_day.insert(), rows)


async def risk_round_of(session: Session, now: datetime) -> Round:
    """The afternoon's round, opened and still empty."""
    root = await units.root(session)
    assert root is not None
    made = await session.execute(
        tables.round_.insert()
        .values(
            schedule_id=await _schedule(session, root, "risk"),
            day=TODAY,
            kind="risk",
            unit_id=root.id,
            campaign="covid19",
            opens_at=now,
            closes_at=now + timedelta(hours=1),
            opened_at=now,
        )
        .returning(tables.round_.c.id)
    )
    of = await rounds.by_id(session, made.scalar_one())
    assert of is not None
    return of


if __name__ == "__main__":
    for name, figure in asyncio.run(measure()).items():
        print(f"{name}: {figure}")
