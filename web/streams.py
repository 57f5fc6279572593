"""Live updates: one long answer of server-sent events per open page, ended at once when the server stops."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec
import structlog
from aiohttp import web

log = structlog.get_logger(__name__)

QUIET = 15.0
"""Seconds without news after which a page is told that the line still stands, and the store is looked at again."""
MOST_PER_CHAT = 10


@dataclass(slots=True)
class Stream:
    response: web.StreamResponse

    async def tell(self, event: str, data: Any, id_: str = "") -> None:
        """One event. Raises ConnectionResetError when the reader has gone."""
        body = msgspec.json.encode(data)
        head = f"id: {id_}\n" if id_ else ""
        await self.response.write(f"{head}event: {event}\ndata: ".encode() + body + b"\n\n")


@dataclass(slots=True)
class Streams:
    """Every stream that is open, so that none holds up a stop and no chat opens too many."""

    _tasks: set[asyncio.Task[Any]] = field(default_factory=set)
    _open: Counter[str] = field(default_factory=Counter)

    @asynccontextmanager
    async def open(self, request: web.Request, name: str) -> AsyncIterator[Stream]:
        """A stream for `name`; a reader that goes away ends it quietly. Raises the HTTP error 429 at too many."""
        task = asyncio.current_task()
        if task is None or self._open[name] >= MOST_PER_CHAT:
            raise web.HTTPTooManyRequests
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"})
        self._tasks.add(task)
        self._open[name] += 1
        try:
            await response.prepare(request)
            yield Stream(response)
        except ConnectionResetError:
            return
        except Exception as problem:
            # Once begun, an answer cannot become an error page: the page notices the end and asks again.
            if not response.prepared:
                raise
            log.error("stream_failed", problem=type(problem).__name__)
        finally:
            self._tasks.discard(task)
            self._open -= Counter({name: 1})

    async def stop(self, app: web.Application) -> None:
        """End all of them: the pages ask again by themselves."""
        for task in list(self._tasks):
            task.cancel()
