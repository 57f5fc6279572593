"""Is the bot really hearing and sending? Answered from what the parts last did, not from being alive."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

import structlog
from aiohttp import web

from storage import outbox
from storage.database import Clock, Database
from storage.deafness import DEAF_AFTER

log = structlog.get_logger(__name__)

STUCK_AFTER = timedelta(minutes=10)
"""A letter due and not taken for so long. A full account may queue for minutes, in order."""
STORE_SECONDS = 3.0


class Account(Protocol):
    """A channel account that hears from a service of its own."""

    @property
    def problem(self) -> str:
        """A short code, empty when all is well."""

    @property
    def heard_at(self) -> datetime | None:
        """When the way in was last seen to be open."""

    async def take(self, body: bytes, secret_header: str | None, receive: Any) -> tuple[int, bytes]:
        """One posted update; the HTTP status and body (JSON) to answer with."""


@dataclass(frozen=True, slots=True)
class Pulse:
    """Something that must happen again and again, such as a tick: when it last did, and how rarely it may."""

    last_at: Callable[[], datetime | None]
    at_least_every: timedelta


@dataclass(frozen=True, slots=True)
class ChannelHealth:
    """Ages in seconds; `heard_age` is None for a channel without a service of its own, or before the first contact."""

    hearing: bool
    heard_age: float | None
    problem: str
    waiting: int
    oldest_waiting: float
    sending: bool

    @property
    def ok(self) -> bool:
        return self.hearing and self.sending


@dataclass(frozen=True, slots=True)
class Reading:
    database: bool
    channels: dict[str, ChannelHealth]
    pulses: dict[str, float | None]
    late: frozenset[str]
    standing_by: frozenset[str] = frozenset()

    @property
    def ok(self) -> bool:
        return self.database and not self.late and all(channel.ok for channel in self.channels.values())

    def as_json(self) -> dict[str, Any]:
        return {
            "ok": self.ok,
            "database": "ok" if self.database else "failed",
            "channels": {
                name: {
                    "hearing": one.hearing,
                    "sending": one.sending,
                    "heard_seconds_ago": one.heard_age,
                    "problem": one.problem,
                    "waiting": one.waiting,
                    "oldest_waiting_seconds": one.oldest_waiting,
                }
                for name, one in self.channels.items()
            },
            "parts": {name: {"ok": name not in self.late, "seconds_ago": age} for name, age in self.pulses.items()},
            "standing_by": sorted(self.standing_by),
        }


@dataclass(frozen=True, slots=True)
class Health:
    """`channels` are all account names; `accounts` those of them that hear from a service.

    `standing_by` are the duties that other processes have just now, such as "listen telegram".
    """

    database: Database
    clock: Clock
    channels: tuple[str, ...]
    accounts: Mapping[str, Account] = field(default_factory=dict)
    pulses: Mapping[str, Pulse] = field(default_factory=dict)
    standing_by: Callable[[], frozenset[str]] = frozenset

    async def read(self) -> Reading:
        """How things stand now. Never raises: a store that does not answer is what it tells."""
        now = self.clock()
        try:
            async with asyncio.timeout(STORE_SECONDS), self.database.reading() as session:
                backlog = {row[0]: (row[1], row[2]) for row in await outbox.backlog(session, now)}
            database = True
        except Exception as problem:  # noqa: BLE001 - a store that does not answer is what this page tells
            log.error("health_store_failed", problem=type(problem).__name__)
            backlog, database = {}, False
        pulses = {name: _age(pulse.last_at(), now) for name, pulse in self.pulses.items()}
        return Reading(
            database,
            {name: self._channel(name, backlog.get(name), now) for name in self.channels},
            pulses,
            frozenset(name for name, age in pulses.items() if _is_late(age, self.pulses[name].at_least_every)),
            self.standing_by(),
        )

    def _channel(self, name: str, waiting: tuple[int, datetime] | None, now: datetime) -> ChannelHealth:
        count, since = waiting or (0, now)
        oldest = max((now - since).total_seconds(), 0.0)
        sending = oldest <= STUCK_AFTER.total_seconds()
        account = self.accounts.get(name)
        if account is None:
            return ChannelHealth(True, None, "", count, oldest, sending)
        age = _age(account.heard_at, now)
        hearing = f"listen {name}" in self.standing_by() or not _is_late(age, DEAF_AFTER)
        return ChannelHealth(hearing, age, account.problem, count, oldest, sending)


def _age(last: datetime | None, now: datetime) -> float | None:
    return None if last is None else max((now - last).total_seconds(), 0.0)


def _is_late(age: float | None, most: timedelta) -> bool:
    return age is None or age > most.total_seconds()


def routes(health: Health) -> list[web.RouteDef]:
    async def healthz(request: web.Request) -> web.Response:
        """200 if everything works, else 503; the body says what does not."""
        reading = await health.read()
        return web.json_response(reading.as_json(), status=200 if reading.ok else 503)

    return [web.get("/healthz", healthz)]
