"""What befalls the house in the course of the day: outages, clocks, groups that move, posts that end, new versions."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from tests.simulation.department import GROUP_OF_A, GROUP_OF_B, person_ids
from tests.simulation.weather import HAPPENING

if TYPE_CHECKING:
    from tests.simulation.day import Day


WHILE_ASKED, BEFORE_CLOSING = (550.0, 2600.0), (4700.0, 7790.0)
"""Seconds of the morning in which more is at stake than in others."""


class Happenings:
    """Each of them at an hour of its own."""

    def __init__(self, day: Day) -> None:
        self.day = day
        self.chance = day.weather.chance("happenings")

    async def go_on(self) -> None:
        for kind in HAPPENING:
            at = self.chance.uniform(*self.chance.choice(((0, self.day.ends), WHILE_ASKED, BEFORE_CLOSING)))
            if kind in self.day.weather.rates:
                self.day.room.run(self._at(at, kind))

    async def _at(self, at: float, kind: str) -> None:
        await asyncio.sleep(at)
        if not self.day.weather.strikes(kind):
            return
        self.day.trace.note("happens", kind)
        await getattr(self, f"_{kind}")()

    async def _outage(self) -> None:
        for bot in self.day.bots:
            if bot.process.alive:
                self.day.crash(bot, self.chance.choice((10.0, 600.0, 3600.0, 7200.0, 14400.0)))

    async def _store_full(self) -> None:
        self.day.store_is_full = True
        await asyncio.sleep(self.chance.uniform(20, 900))
        self.day.store_is_full = False
        self.day.ring()

    async def _no_network(self) -> None:
        self.day.service.is_down = True
        await asyncio.sleep(self.chance.uniform(20, 1800))
        self.day.service.is_down = False

    async def _clock_step(self) -> None:
        now = self.day.now()
        to = self.chance.choice(
            (
                now + timedelta(hours=2),
                now - timedelta(hours=2),
                now + timedelta(days=1),
                now - timedelta(days=1),
                datetime(1970, 1, 1, tzinfo=UTC),
                datetime(2200, 1, 1, tzinfo=UTC),
            )
        )
        self.day.step_clock(to)
        await asyncio.sleep(self.chance.uniform(5, 1800))
        self.day.step_clock(self.day.now())

    async def _moved(self) -> None:
        service = self.day.service
        if service.chats[GROUP_OF_A].moved_to is None:
            await service.upgrades(1002, GROUP_OF_A, GROUP_OF_A * 1000)

    async def _removed(self) -> None:
        await self.day.service.removes_bot(1004, GROUP_OF_B)

    async def _post_ends(self) -> None:
        """An administrator's command, by a program of its own."""
        who = person_ids()[self.chance.choice(("hoa", "nam", "tam", "chief"))]
        at = f"{self.day.wall():%Y-%m-%d %H:%M:%S.%f}"
        await self.day.command("UPDATE post SET until_at = ? WHERE person_id = ? AND until_at IS NULL", at, who)

    async def _overlap(self) -> None:
        """A new process begins before the old one has ended."""
        old = [one for one in self.day.bots if one.process.alive]
        self.day.start_bot()
        await asyncio.sleep(self.chance.uniform(1, 90))
        for bot in old:
            if bot.process.alive and bot.ready:
                self.day.trace.note("stop", bot.process.name)
                bot.process.run(bot.stop())

    async def _upgrade(self) -> None:
        for bot in self.day.bots:
            if bot.process.alive and bot.ready:
                self.day.trace.note("stop", bot.process.name)
                bot.process.run(bot.stop())
        await asyncio.sleep(self.chance.uniform(5, 40))
        if not any(one.process.alive for one in self.day.bots):
            self.day.start_bot()

    async def _group_flood(self) -> None:
        """Somebody else's posts count against the group's limit."""
        limits, now = self.day.service.limits, self.day.loop.time()
        for number in range(20):
            limits.refusal(GROUP_OF_A, now + number / 1000, is_edit=False)
