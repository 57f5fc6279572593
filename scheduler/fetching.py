"""The files that conversations wait for: fetched with no transaction open, then handed in as if just received."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta

import structlog

import texts
from domain.chat import Channel, Fetched, Incoming, NotStored, Outgoing, Receive, Rejected, RetryLater
from domain.files import MOST_BYTES, media_type
from storage import downloads, outbox, people
from storage.database import Clock, Database, Session
from storage.downloads import Download
from storage.outbox import Letter

log = structlog.get_logger(__name__)

AT_ONCE = 3
"""Few: a file is large beside a tap, and nobody's tap waits for it."""
FETCH_WITHIN = 40.0
"""Seconds; shorter than the lease."""
MOST_TRIES = 3
IDLE = timedelta(seconds=5)
"""How often to look for what another process noted and for what is to be tried again."""


@dataclass(slots=True)
class Fetching:
    """Fetches for every channel. `receive` is the intake, which passes each content on to its conversation."""

    database: Database
    channels: Mapping[str, Channel]
    receive: Receive
    clock: Clock
    _more: asyncio.Event = field(default_factory=asyncio.Event)

    def wake(self) -> None:
        """A file may have come."""
        self._more.set()

    async def run(self) -> None:
        """Fetch until cancelled. A failing store is waited out, never the end."""
        while True:
            self._more.clear()
            try:
                while await self.step():
                    pass
            except Exception as problem:
                log.error("fetching_failed", problem=type(problem).__name__)
            with suppress(TimeoutError):
                async with asyncio.timeout(IDLE.total_seconds()):
                    await self._more.wait()

    async def step(self) -> int:
        """Fetch what is due, a few at once; how many that were."""
        names = list(self.channels)
        async with self.database.reading() as session:
            if not await downloads.is_any_due(session, names, self.clock()):
                return 0
        async with self.database.transaction() as session:
            due = await downloads.take(session, names, self.clock(), AT_ONCE)
        await asyncio.gather(*(self._take_in(one) for one in due))
        return len(due)

    async def _take_in(self, one: Download) -> None:
        fetched = await self._fetched(one)
        if isinstance(fetched, bytes):
            await self._hand_in(one, fetched)
        elif isinstance(fetched, RetryLater) and one.tries < MOST_TRIES:
            await self._try_again(one, max(fetched.after, 5.0 * 3 ** (one.tries - 1)))
        else:
            await self._give_up(one, fetched.why)

    async def _fetched(self, one: Download) -> Fetched:
        try:
            async with asyncio.timeout(FETCH_WITHIN):
                fetched = await self.channels[one.chat.channel].fetch(one.file.file_id)
        except TimeoutError:
            return RetryLater(0.0, why="no_answer_in_time")
        except Exception as problem:
            log.error("fetch_failed", channel=one.chat.channel, problem=type(problem).__name__)
            return RetryLater(0.0, why=type(problem).__name__)
        too_large = isinstance(fetched, bytes) and len(fetched) > MOST_BYTES
        return Rejected("too_large") if too_large else fetched

    async def _hand_in(self, one: Download, content: bytes) -> None:
        """The update's key is the download's own, so that what is fetched twice is taken once."""
        file = replace(one.file, media_type=media_type(content), size=len(content), content=content)
        with suppress(NotStored):  # then the lease ends and it is fetched again
            await self.receive([Incoming(f"file:{one.id}", one.chat, one.chat, file)])
            async with self.database.transaction() as session:
                await downloads.end(session, one.id, "done")

    async def _try_again(self, one: Download, wait: float) -> None:
        """Later, and the sender is told that it takes a while."""
        async with self.database.transaction() as session:
            await downloads.again_at(session, one.id, self.clock() + timedelta(seconds=wait))
            await self._tell(session, one, "help.file_coming")

    async def _give_up(self, one: Download, why: str) -> None:
        """Say so in one sentence; the conversation still waits, and the file can be sent again."""
        async with self.database.transaction() as session:
            if await downloads.end(session, one.id, "failed"):
                await self._tell(session, one, f"help.file_{'too_large' if why == 'too_large' else 'not_fetched'}")
        log.warning("file_given_up", channel=one.chat.channel, why=why)

    async def _tell(self, session: Session, one: Download, key: str) -> None:
        """Once for each file, however often it is tried."""
        language = (await people.languages(session, [one.person_id]))[one.person_id]
        told = Outgoing(one.chat, texts.text(language, key))
        letter = Letter(f"file:{one.id}:{key}", "reply", told, person_id=one.person_id)
        await outbox.enqueue(session, [letter], self.clock())
