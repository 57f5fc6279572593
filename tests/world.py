"""A whole bot with real SQLite or PostgreSQL, its people and their phones, and a clock that strikes when told."""

from __future__ import annotations

import random
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from bot.app import App
from domain.campaign_file import campaign_folder, load_campaign
from domain.chat import Capabilities, Incoming, Language, Receipt
from domain.codes import new_code
from domain.policy import Role
from domain.seal import Seal
from handlers.turn import House
from storage import invites, posts, tables, units
from storage.database import Database, Session
from storage.units import Unit
from tests.phone import EVERYTHING, Messenger, Phone

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
MONDAY = datetime(2026, 11, 23, 6, 0, tzinfo=ZONE)
KEY = bytes(range(32))


@dataclass(slots=True)
class World:
    database: Database
    telegram: Messenger
    webchat: Messenger
    app: App
    now: datetime
    chance: random.Random = field(default_factory=lambda: random.Random(7))
    phones: dict[str, Phone] = field(default_factory=dict)

    @property
    def house(self) -> House:
        return self.app.house

    # --- the clock ---

    async def clock_strikes(self, at: str, *, days: int = 0) -> None:
        """Let time pass to the next `at` on the wall clock (`days` later), doing everything due on the way."""
        local = self.now.astimezone(ZONE)
        target = datetime.combine(local.date() + timedelta(days=days), time.fromisoformat(at), ZONE)
        if target < local:
            target += timedelta(days=1)
        while True:
            following = await self.app.ticks.next_due(self.now)
            if following is None or following[0] > target:
                break
            self.now = max(self.now, following[0].astimezone(UTC))
            await self.app.settle_everything()
        self.now = target.astimezone(UTC)
        await self.app.settle_everything()

    async def down_until(self, at: str, *, days: int = 0) -> None:
        """The bot is off until then: time passes and nothing is done on the way."""
        local = self.now.astimezone(ZONE)
        self.now = datetime.combine(local.date() + timedelta(days=days), time.fromisoformat(at), ZONE).astimezone(UTC)
        await self.app.settle_everything()

    # --- people ---

    async def unit(self, code: str, name: str = "", parent: str = "") -> Unit:
        async with self.database.transaction() as session:
            above = await units.by_code(session, parent) if parent else await units.root(session)
            return await units.add(session, code, name or f"Phòng {code}", above)

    async def person(
        self, name: str, unit: str = "", *, role: Role | None = None, phone: str = "", language: Language = "vi"
    ) -> int:
        """Somebody on the roster, not enrolled yet; without a unit they belong to the organisation itself."""
        async with self.database.transaction() as session:
            where = await units.by_code(session, unit) if unit else await units.root(session)
            assert where is not None
            made = await session.execute(
                tables.person.insert()
                .values(
                    staff_code=f"CB-{name}",
                    name=name.title(),
                    unit_id=where.id,
                    phone=phone,
                    language=language,
                    joined_at=self.now,
                )
                .returning(tables.person.c.id)
            )
            person_id: int = made.scalar_one()
            if role:
                await posts.appoint(session, person_id, where.id, role, self.now, source="admin", confirmed=True)
        return person_id

    async def code_for(self, person_id: int) -> str:
        async with self.database.transaction() as session:
            codes = await invites.issue(
                session, [person_id], self.now, timedelta(hours=24), lambda: new_code(self.chance.getrandbits)
            )
        return codes[person_id]

    async def enrolled(
        self,
        name: str,
        unit: str = "",
        *,
        role: Role | None = None,
        on: str = "telegram",
        language: Language = "vi",
        agrees: bool = True,
    ) -> Phone:
        """Somebody who has used their code and answered the notice, holding their phone."""
        person_id = await self.person(name, unit, role=role, language=language)
        phone = self.phone(name, on)
        await phone.type(f"/start {await self.code_for(person_id)}")
        if agrees:
            await phone.tap("Tôi đồng ý" if language == "vi" else "I agree")
        return phone

    def phone(self, name: str, on: str = "telegram") -> Phone:
        """A phone nobody has enrolled yet."""
        messenger = self.telegram if on == "telegram" else self.webchat
        key = f"{name} on {on}"
        if key not in self.phones:
            chat_id = str(1000 + len(self.phones))
            self.phones[key] = Phone(name, messenger, chat_id, self.receive, self.settle)
        return self.phones[key]

    async def also_on(self, name: str, on: str) -> Phone:
        """The same person, enrolled in a second place with a code of their own."""
        person_id = (await self.rows(sa.select(tables.person.c.id).where(tables.person.c.name == name.title())))[0][0]
        phone = self.phone(name, on)
        await phone.type(f"/start {await self.code_for(person_id)}")
        return phone

    async def bound_group(self, group_id: str, first: Phone, second: Phone, code: str = "") -> Phone:
        """A supervisor chat: asked for by one, confirmed by the other. Returns the first one's view of it."""
        group = first.in_group(group_id)
        await group.type(f"/bind {code}".strip())
        await second.in_group(group_id).tap("Tôi xác nhận")
        return group

    async def receive(self, batch: Sequence[Incoming]) -> Sequence[Receipt]:
        """Whatever process is running now takes it."""
        return await self.app.intake.receive(batch)

    async def restart(self) -> None:
        """The process ends and another one starts on the same store."""
        self.app = App(self.database, self.house, self.app.channels, lambda: self.now, self.app.sleep_until)
        await self.app.prepare()
        await self.settle()

    async def settle(self) -> None:
        await self.app.settle_everything()

    # --- what is stored ---

    async def rows(self, query: sa.Select[Any]) -> list[Any]:
        async with self.database.reading() as session:
            return list(await session.execute(query))

    async def facts(self) -> dict[str, list[Any]]:
        """Everything stored that matters to anybody: all but what came in, what was said, and when."""
        found = {}
        for table in tables.metadata.sorted_tables:
            if table.name not in ("outbox", "seen_update", "quarantine", "budget", "board"):
                columns = [column for column in table.columns if column.name != "used_at"]
                found[table.name] = await self.rows(sa.select(*columns).order_by(*table.primary_key.columns))
        return found

    async def count(self, table: sa.Table, *where: sa.ColumnElement[bool]) -> int:
        number: int = (await self.rows(sa.select(sa.func.count()).select_from(table).where(*where)))[0][0]
        return number

    def transaction(self) -> AbstractAsyncContextManager[Session]:
        return self.database.transaction()


async def build(
    database: Database,
    *,
    campaign: str = "covid19",
    now: datetime = MONDAY,
    capabilities: Capabilities = EVERYTHING,
) -> World:
    """A bot on an empty store, before the first person joins. Monday 23 November 2026, 06:00."""
    telegram, webchat = Messenger("telegram", capabilities), Messenger("webchat", files_come_whole=True)
    house = House(
        "Sở Nông nghiệp",
        ZONE,
        load_campaign(campaign_folder(campaign)),
        Seal(KEY),
        {one.name: one.capabilities for one in (telegram, webchat)},
    )
    world: World

    async def sleep_until(at: datetime) -> None:
        """Pace is the rate tests' matter; here messages arrive at once."""

    app = App(database, house, {"telegram": telegram, "webchat": webchat}, lambda: world.now, sleep_until)
    world = World(database, telegram, webchat, app, now.astimezone(UTC))
    await app.prepare()
    return world


__all__ = ["MONDAY", "ZONE", "Session", "World", "build"]
