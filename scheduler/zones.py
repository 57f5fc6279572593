"""The zones of each day, recorded as they come about: what later days look back at, and what stays."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from handlers.turn import House
from storage import unit_days
from storage.database import Database, Session, take_turns
from summaries import zones

LOOK_BACK = timedelta(days=7)
"""How far back answers that come late, or a time during which the bot was down, still change a day's record."""
APART = timedelta(seconds=15)
"""Between two looks at a day on which people are answering; boards show the zone of the moment by themselves."""
COMMITTED_WITHIN = timedelta(seconds=30)
"""A turn notes when it began and is seen when it commits; days are looked at again for this long."""


@dataclass(slots=True)
class ZoneRecord:
    database: Database
    house: House

    async def refresh(self, now: datetime) -> int:
        """Conclude anew every recent day on which anything has changed, the oldest first; how many units changed."""
        async with self.database.reading() as session:
            if not await self._stale(session, now):
                return 0
        async with self.database.transaction() as session:
            await take_turns(session, "zones")
            stale = await self._stale(session, now)
            written = 0
            for day in stale:
                found = await zones.on(session, self.house.campaign, day, now)
                written += await unit_days.record(session, zones.to_record(found), now)
        return written

    async def _stale(self, session: Session, now: datetime) -> list[date]:
        """Days with a change since they were concluded, and every later one: each rests on the one before."""
        first = self.house.today(now) - LOOK_BACK
        changed = await unit_days.changed(session, first)
        computed = await unit_days.computed(session, first)
        stale = [
            day
            for day, at in changed.items()
            if day not in computed or computed[day] <= min(at + COMMITTED_WITHIN, now - APART)
        ]
        return sorted(day for day in changed if stale and day >= min(stale))
