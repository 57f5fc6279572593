"""Many people at once, faults on demand, and counting by other means than the bot's own."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta

import sqlalchemy as sa

from bot.app import App
from domain.campaign import MORNING, RISK
from domain.chat import (
    Address,
    Capabilities,
    Fetched,
    Incoming,
    May,
    Outcome,
    Outgoing,
    Receive,
    Rejected,
    Sent,
    Tap,
    always,
)
from domain.workdays import OFFICE_WEEK
from scheduler.delivery import Delivery
from storage import absences, asks, schedules, tables, units
from storage.budget import HORIZON
from storage.database import Database
from storage.rounds import Round
from storage.schedules import Schedule
from storage.units import Unit
from tests.phone import EVERYTHING, Messenger
from tests.world import World


async def staff(world: World, unit: str, number: int, *, on: str = "telegram", agreed: bool = True) -> list[int]:
    """So many people of a unit, enrolled without a conversation: person n writes from chat `p<n>`."""
    async with world.transaction() as session:
        home = await units.by_code(session, unit) if unit else await units.root(session)
        assert home
        first = (await session.execute(sa.select(sa.func.coalesce(sa.func.max(tables.person.c.id), 0)))).scalar_one()
        ids = [first + 1 + n for n in range(number)]
        await session.execute(
            tables.person.insert(),
            [
                {
                    "id": n,
                    "staff_code": f"NV{n}",
                    "name": f"Người {n}",
                    "unit_id": home.id,
                    "consent": "agreed" if agreed else "",
                    "joined_at": world.now,
                }
                for n in ids
            ],
        )
        await session.execute(
            tables.address.insert(),
            [
                {"channel": on, "chat_id": f"p{n}", "person_id": n, "verified_at": world.now, "used_at": world.now}
                for n in ids
            ],
        )
        if session.dialect.name == "postgresql":
            await session.execute(sa.text(f"SELECT setval('person_id_seq', {ids[-1]})"))
    return ids


def prompt_button(messenger: Messenger, chat_id: str, verb: str = "well") -> tuple[str, str] | None:
    """The newest message of a chat with a button of this verb, and the button's data."""
    for message_id, message in reversed(messenger.screens.get(chat_id, {}).items()):
        for row in message.keyboard:
            for one in row:
                if one.data.startswith(f"1.{verb}:"):
                    return message_id, one.data
    return None


def well(messenger: Messenger, chat_id: str, key: str = "") -> Incoming:
    """The update of somebody who taps "I am well"."""
    found = prompt_button(messenger, chat_id)
    assert found, f"{chat_id} was not asked"
    here = Address(messenger.name, chat_id)
    return Incoming(key or f"{chat_id}-{found[0]}", here, here, Tap(found[1], found[0]), raw=b"{}")


async def all_well(world: World, person_ids: Sequence[int]) -> None:
    await world.receive([well(world.telegram, f"p{n}") for n in person_ids])


def another(world: World, database: Database) -> App:
    """A second process on the same store, with the same phones."""
    return App(database, world.house, world.app.channels, lambda: world.now, world.app.sleep_until)


async def exception(world: World, unit: str, kind: str = MORNING, **changes: object) -> Schedule:
    """A schedule of a unit's own, otherwise like the one in force for everybody."""
    async with world.transaction() as session:
        of = await units.by_code(session, unit) if unit else await units.root(session)
        assert of
        known = next(one for one in await schedules.in_force(session) if one.kind == kind)
        values = {name: getattr(known, name) for name in Schedule.__slots__}
        values |= {"unit_id": of.id, "unit_path": of.path, **changes}
        return await schedules.add(session, Schedule(**values), world.now)


async def away(world: World, person_id: int, first: date, last: date, kind: str = "leave") -> None:
    async with world.transaction() as session:
        await absences.add(session, person_id, kind, first, last, person_id, world.now)
        await asks.excuse(session, person_id, first, last, kind, world.now)


def prompts_to(messenger: Messenger, kind: str = "prompt") -> Counter[str]:
    """How many prompts (or reminders, …) each chat has been sent."""
    return Counter(message.to.chat_id for key, message in messenger.sent if key.startswith(f"{kind}:"))


async def recount(world: World, day: date, kind: str) -> dict[str, Counter[str]]:
    """Each unit's figures by path, added up ask by ask."""
    found: dict[str, Counter[str]] = {}
    rows = await world.rows(
        sa.select(tables.ask, tables.unit.c.path)
        .join_from(tables.ask, tables.unit)
        .join(tables.round_, tables.round_.c.id == tables.ask.c.round_id)
        .where(tables.round_.c.day == day, tables.round_.c.kind == kind)
    )
    for row in rows:
        parts = row.path.strip("/").split("/")
        for depth in range(1, len(parts) + 1):
            counts = found.setdefault("/" + "/".join(parts[:depth]) + "/", Counter())
            counts["due"] += 1
            counts[{"due": "missing", "missed": "missing"}.get(row.state, row.state)] += 1
            counts["late"] += bool(row.late and row.state == "answered")
    return found


@contextmanager
def statements(database: Database) -> Iterator[list[str]]:
    """Every statement that goes to the database meanwhile."""
    seen: list[str] = []

    def note(connection: object, cursor: object, statement: str, *rest: object) -> None:
        seen.append(statement)

    sa.event.listen(database.engine.sync_engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        sa.event.remove(database.engine.sync_engine, "before_cursor_execute", note)


def plain_schedule(unit: Unit, kind: str = MORNING, **changes: object) -> Schedule:
    values: Mapping[str, object] = {
        "id": 0, "kind": kind, "unit_id": unit.id, "unit_path": unit.path, "opens": time(7),
        "reminders": (time(7, 30),),
        "missing_list": time(8, 30), "closes": time(9), "weekdays": OFFICE_WEEK, "on_holidays": False,
        "audience": "everyone", "is_off": False, "once_on": None, "since_day": date(2026, 1, 1),
    }  # fmt: skip
    return Schedule(**{**values, **changes})  # type: ignore[arg-type]


async def round_rows(world: World) -> list[Round]:
    """The rounds in which people are asked, in order."""
    return [Round(*row) for row in await world.rows(_ROUNDS.where(tables.round_.c.kind != RISK))]


_ROUNDS = (
    sa.select(
        tables.round_.c.id, tables.round_.c.schedule_id, tables.round_.c.day, tables.round_.c.kind,
        tables.round_.c.unit_id, tables.unit.c.path, tables.round_.c.opens_at, tables.round_.c.closes_at,
        tables.round_.c.opened_at, tables.round_.c.closed_at, tables.round_.c.not_asked,
    )
    .join_from(tables.round_, tables.unit)
    .order_by(tables.round_.c.opens_at, tables.round_.c.id)
)  # fmt: skip


def local(world: World) -> datetime:
    return world.now.astimezone(world.house.zone)


@dataclass(slots=True)
class Hours:
    """A clock that moves only when told, and everybody who sleeps by it."""

    now: datetime
    late: Callable[[], timedelta] = lambda: timedelta(0)
    sleeping: list[tuple[datetime, int, asyncio.Future[None]]] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    async def sleep_until(self, at: datetime) -> None:
        if at > self.now:
            woken = asyncio.get_running_loop().create_future()
            heapq.heappush(self.sleeping, (at, next(self._numbers), woken))
            await woken

    def move(self, to: datetime) -> None:
        self.now = max(to, self.now) + self.late()
        while self.sleeping and self.sleeping[0][0] <= self.now:
            woken = heapq.heappop(self.sleeping)[2]
            if not woken.done():
                woken.set_result(None)


@dataclass(slots=True)
class Wire:
    """A messenger with Telegram's limits that notes when each message arrived."""

    hours: Hours
    name: str = "telegram"
    capabilities: Capabilities = field(
        default_factory=lambda: replace(EVERYTHING, per_second=30.0, chat_interval=1.0, group_per_minute=20)
    )
    arrived: list[tuple[datetime, Outgoing]] = field(default_factory=list)
    outcome: Callable[[Outgoing], Outcome | None] = lambda message: None

    async def listen(self, receive: Receive, may: May = always) -> None:
        raise NotImplementedError("nobody speaks")

    async def send(self, message: Outgoing, key: str) -> Outcome:
        self.arrived.append((self.hours.now, message))
        return self.outcome(message) or Sent(str(len(self.arrived)))

    async def fetch(self, file_id: str) -> Fetched:
        return Rejected("nobody sends files")

    async def leave(self, chat: Address) -> Outcome:
        raise NotImplementedError("there are no groups")

    async def close(self) -> None:
        """Nothing is open."""

    def busiest(self, span: timedelta, chat_id: str | None = None) -> int:
        """The most messages that arrived within any such span."""
        times = [at for at, message in self.arrived if chat_id in (None, message.to.chat_id)]
        return max((sum(1 for at in times[n : n + 200] if at < times[n] + span) for n in range(len(times))), default=0)


async def deliver(delivery: Delivery, hours: Hours, *, seconds: float = 600) -> None:
    """Let time pass until nothing is left to send, or so many seconds have passed."""
    end = hours.now + timedelta(seconds=seconds)
    idle = 0
    while hours.now < end and idle < 2:
        soon = delivery._more_at is None or delivery._more_at - HORIZON <= hours.now
        busy = await delivery.step() if soon or delivery._more.is_set() else True
        delivery._more.clear()
        for _ in range(6):
            await asyncio.sleep(0)
        due = [hours.sleeping[0][0]] if hours.sleeping else []
        if delivery._more_at:
            due.append(delivery._more_at - HORIZON)
        idle = 0 if busy or due or delivery._tasks else idle + 1
        if due:
            hours.move(min(due))
