"""Updates posted by Telegram: those that wait together are stored together, and only then answered with 200."""

from __future__ import annotations

import asyncio
import hmac
import json
from http import HTTPStatus

import structlog

from channels.telegram.incoming import Arrival, read_update
from channels.telegram.line import Line, Webhook
from channels.telegram.taps import TapAnswers
from domain.chat import NotStored, Receive, Unreadable

log = structlog.get_logger(__name__)

MAX_BODY = 1024 * 1024
_BATCH = 100
_WATCH_EVERY = 60.0


class WebhookIntake:
    """While one batch is being stored, further updates gather for the next: one commit serves them all."""

    def __init__(self, line: Line, taps: TapAnswers, webhook: Webhook) -> None:
        self._line = line
        self._taps = taps
        self._webhook = webhook
        self._waiting: list[tuple[Arrival, asyncio.Future[bool]]] = []
        self._storing: asyncio.Task[None] | None = None

    async def take(self, body: bytes, secret_header: str | None, receive: Receive) -> int:
        """The HTTP status to answer with. On 503 add `Retry-After`: Telegram offers the update again."""
        if not self._is_telegram(secret_header):
            return HTTPStatus.FORBIDDEN
        self._line.heard()
        if len(body) > MAX_BODY:
            return HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        if self._line.me is None:
            return HTTPStatus.SERVICE_UNAVAILABLE
        arrival = read_update(body, self._line.name, self._line.me)
        if isinstance(arrival.incoming.said, Unreadable) and not _is_json_object(body):
            return HTTPStatus.BAD_REQUEST
        stored = await self._store(arrival, receive)
        return HTTPStatus.OK if stored else HTTPStatus.SERVICE_UNAVAILABLE

    def _is_telegram(self, secret_header: str | None) -> bool:
        given = (secret_header or "").encode("utf-8", "backslashreplace")
        return hmac.compare_digest(given, self._webhook.secret.encode())

    async def _store(self, arrival: Arrival, receive: Receive) -> bool:
        done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append((arrival, done))
        if self._storing is None:
            # A task of its own: the request that began it may be cancelled while others wait for the same commit.
            self._storing = asyncio.create_task(self._store_waiting(receive))
        return await done

    async def _store_waiting(self, receive: Receive) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:_BATCH], self._waiting[_BATCH:]
                stored = await self._store_batch([arrival for arrival, _ in batch], receive)
                for _, done in batch:
                    if not done.done():
                        done.set_result(stored)
        finally:
            self._storing = None

    async def _store_batch(self, arrivals: list[Arrival], receive: Receive) -> bool:
        try:
            receipts = await receive([arrival.incoming for arrival in arrivals])
        except NotStored:
            return False
        except Exception as error:  # noqa: BLE001 - answered with 503 and offered again; the intake goes on
            log.error("telegram_webhook_failed", account=self._line.name, why=type(error).__name__, count=len(arrivals))
            return False
        self._taps.answer(arrivals, receipts)
        return True

    async def watch(self) -> None:
        """Set the webhook, then see each minute that it still stands. Ends only by cancellation."""
        failures, is_open = 0, False
        while True:
            try:
                if not is_open:
                    await self._line.open(self._webhook)
                    is_open = True
                state = await self._line.bot.get_webhook_info()
                is_open = state.url == self._webhook.url
                self._line.problem = "" if is_open else "webhook_replaced"
                failures = 0
            except Exception as error:  # noqa: BLE001 - as in polling, the line is tried again for ever
                failures += 1
                await self._line.recover(error, failures)
            else:
                await self._line.sleep(_WATCH_EVERY)

    async def close(self) -> None:
        if self._storing is not None:
            await asyncio.gather(self._storing, return_exceptions=True)


def _is_json_object(body: bytes) -> bool:
    try:
        return isinstance(json.loads(body.decode("utf-8", "replace")), dict)
    except (ValueError, RecursionError):
        return False
