"""Watches whether the accounts still hear: administrators learn by another way of one that has gone deaf."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

import structlog

import texts
from domain.policy import Action
from handlers.notices import notices
from handlers.turn import House
from storage import deafness, outbox, posts
from storage.database import Clock, Database, Session
from storage.deafness import DEAF_AFTER

log = structlog.get_logger(__name__)

CHECK_EVERY = 5.0


class Ear(Protocol):
    """A channel account that hears from a service of its own."""

    @property
    def problem(self) -> str:
        """A short code, empty when all is well."""

    @property
    def heard_at(self) -> datetime | None:
        """When the way in was last seen to be open."""

    @property
    def silent_since(self) -> datetime | None:
        """Since when nothing has been heard; None while it does not listen."""


@dataclass(slots=True)
class Hearing:
    """`ears` by account name; `wake` is called when there is something to send. The store is asked only at a change."""

    database: Database
    house: House
    ears: Mapping[str, Ear]
    clock: Clock
    wake: Callable[[], None]
    _was_deaf: dict[str, bool | None] = field(default_factory=dict)

    async def run(self) -> None:
        """Watch until cancelled. A failing store is waited out, never the end."""
        while True:
            try:
                if await self.check(self.clock()):
                    self.wake()
            except Exception as problem:  # noqa: BLE001 - it is checked again
                log.error("hearing_not_checked", problem=type(problem).__name__)
            await asyncio.sleep(CHECK_EVERY)

    async def check(self, now: datetime) -> int:
        """Tell once of an account that has gone deaf, and once that it hears again; how many letters were written."""
        written = 0
        for name, ear in self.ears.items():
            deaf = _is_deaf(ear, now)
            if deaf is not None and deaf != self._was_deaf.get(name):
                written += await (self._gone_deaf(name, ear, now) if deaf else self._hears_again(name, now))
            self._was_deaf[name] = deaf
        return written

    async def _gone_deaf(self, name: str, ear: Ear, now: datetime) -> int:
        since = ear.silent_since or now
        log.error("account_deaf", account=name, problem=ear.problem)
        async with self.database.transaction() as session:
            if not await deafness.begins(session, name, since):
                return 0
            letters = await notices(
                session,
                await _administrators(session),
                f"deaf:{name}:{since.isoformat()}",
                "console.deaf",
                not_on=name,
                channel=name.capitalize(),
                since=self._clock(since),
                problem=ear.problem or "silent",
            )
            return await outbox.enqueue(session, letters, now)

    async def _hears_again(self, name: str, now: datetime) -> int:
        async with self.database.transaction() as session:
            since = await deafness.ends(session, name)
            if since is None:
                return 0
            log.info("account_hears_again", account=name)
            letters = await notices(
                session,
                await _administrators(session),
                f"hears:{name}:{since.isoformat()}",
                "console.hears_again",
                not_on=name,
                channel=name.capitalize(),
                since=self._clock(since),
                at=self._clock(now),
            )
            return await outbox.enqueue(session, letters, now)

    def _clock(self, at: datetime) -> str:
        return texts.clock(at, self.house.zone)


async def _administrators(session: Session) -> set[int]:
    return {one.person_id for one in await posts.holders(session, Action.PLAN)}


def _is_deaf(ear: Ear, now: datetime) -> bool | None:
    """None as long as that cannot be told: it does not listen here, or has only just begun."""
    if ear.silent_since is None:
        return None
    if now - ear.silent_since > DEAF_AFTER:
        return True
    return None if ear.heard_at is None or ear.heard_at < ear.silent_since else False
