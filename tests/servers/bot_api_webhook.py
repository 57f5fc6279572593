"""The posting side of a webhook: in order per chat, repeated until it is taken."""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp

from tests.servers.bot_api_state import Update


class WebhookPoster:
    """Posts as Telegram does: the next update of a chat only after a 2xx; first retry at once, then doubling.

    `pace` multiplies every wait, so that tests need not sit through it. `call` is given what the bot's reply asks for.
    """

    def __init__(
        self,
        url: str,
        secret: str,
        max_connections: int,
        pace: float,
        call: Callable[[str, dict[str, Any]], Awaitable[object]],
    ) -> None:
        self.url = url
        self._call = call
        self.attempts = 0
        self.last_error = ""
        self.last_error_at: float | None = None
        self._secret = secret
        self._pace = pace
        self._gate = asyncio.Semaphore(max_connections)
        self._queues: dict[str, deque[Update]] = {}
        self._workers: set[asyncio.Task[None]] = set()
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60))

    def offer(self, update: Update, taken: Any) -> None:
        """Queue an update; `taken(update)` is called once the bot answered 2xx."""
        queue = self._queues.get(update.queue)
        if queue is not None:
            queue.append(update)
            return
        self._queues[update.queue] = deque([update])
        worker = asyncio.create_task(self._work(update.queue, taken))
        self._workers.add(worker)
        worker.add_done_callback(self._workers.discard)

    async def _work(self, name: str, taken: Any) -> None:
        queue = self._queues[name]
        while queue:
            await self._until_taken(queue[0])
            taken(queue.popleft())
        del self._queues[name]

    async def _until_taken(self, update: Update) -> None:
        wait = 0.0
        while True:
            async with self._gate:
                retry_after = await self._post(update)
            if retry_after is None:
                return
            await asyncio.sleep(max(wait, retry_after) * self._pace)
            wait = min(60.0, wait * 2 or 2.0)

    async def _post(self, update: Update) -> float | None:
        """None if taken, else the seconds that the bot asked for."""
        headers = {"Content-Type": "application/json", "X-Telegram-Bot-Api-Secret-Token": self._secret}
        self.attempts += 1
        try:
            async with self._session.post(self.url, data=update.body, headers=headers) as answer:
                body = await answer.read()
                if 200 <= answer.status <= 299:
                    await self._obey(body)
                    return None
                self._failed(f"Wrong response from the webhook: {answer.status}")
                return min(3600.0, float(answer.headers.get("Retry-After", "0")))
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            self._failed(type(error).__name__)
            return 0.0

    async def _obey(self, body: bytes) -> None:
        """A reply may itself be a call of the Bot API."""
        parameters = json.loads(body) if body else {}
        if method := parameters.pop("method", ""):
            await self._call(method, parameters)

    def _failed(self, why: str) -> None:
        self.last_error, self.last_error_at = why, time.time()

    async def close(self) -> None:
        for worker in list(self._workers):
            worker.cancel()
        await asyncio.gather(*self._workers, return_exceptions=True)
        await self._session.close()
