"""Updates posted by Telegram: those that wait together are stored together, and only then answered with 200."""

from __future__ import annotations

import asyncio
import hmac
import json
from collections.abc import Sequence
from datetime import datetime
from http import HTTPStatus

import msgspec
import structlog
from telegram import WebhookInfo

from channels.telegram.incoming import Arrival, read_update
from channels.telegram.line import Line, Webhook
from channels.telegram.taps import answer_to
from domain.chat import May, NotStored, Receipt, Receive, Unreadable

log = structlog.get_logger(__name__)

MAX_BODY = 1024 * 1024
_BATCH = 100
_WATCH_EVERY = 60.0


class WebhookIntake:
    """While one batch is being stored, further updates gather for the next: one commit serves them all."""

    def __init__(self, line: Line, webhook: Webhook) -> None:
        self._line = line
        self._webhook = webhook
        self._waiting: list[tuple[Arrival, asyncio.Future[Receipt | None]]] = []
        self._storing: asyncio.Task[None] | None = None
        self._posted_at: datetime | None = None

    async def take(self, body: bytes, secret_header: str | None, receive: Receive) -> tuple[int, bytes]:
        """The HTTP status and body to answer with. On 503 add `Retry-After`: Telegram offers the update again.

        A tap is acknowledged in the body, which Telegram takes for a call: that saves one to its API.
        """
        if not self._is_telegram(secret_header):
            return HTTPStatus.FORBIDDEN, b""
        self._line.heard()
        self._posted_at = self._line.heard_at
        if len(body) > MAX_BODY:
            return HTTPStatus.REQUEST_ENTITY_TOO_LARGE, b""
        if self._line.me is None:
            return HTTPStatus.SERVICE_UNAVAILABLE, b""
        arrival = read_update(body, self._line.name, self._line.me)
        if isinstance(arrival.incoming.said, Unreadable) and not _is_json_object(body):
            return HTTPStatus.BAD_REQUEST, b""
        receipt = await self._store(arrival, receive)
        if receipt is None:
            return HTTPStatus.SERVICE_UNAVAILABLE, b""
        answer = answer_to(arrival, receipt)
        return HTTPStatus.OK, msgspec.json.encode({"method": "answerCallbackQuery"} | answer) if answer else b""

    def _is_telegram(self, secret_header: str | None) -> bool:
        given = (secret_header or "").encode("utf-8", "backslashreplace")
        return hmac.compare_digest(given, self._webhook.secret.encode())

    async def _store(self, arrival: Arrival, receive: Receive) -> Receipt | None:
        done: asyncio.Future[Receipt | None] = asyncio.get_running_loop().create_future()
        self._waiting.append((arrival, done))
        if self._storing is None:
            # A task of its own: the request that began it may be cancelled while others wait for the same commit.
            self._storing = asyncio.create_task(self._store_waiting(receive))
        return await done

    async def _store_waiting(self, receive: Receive) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:_BATCH], self._waiting[_BATCH:]
                receipts = await self._store_batch([arrival for arrival, _ in batch], receive)
                for (_, done), receipt in zip(batch, receipts, strict=True):
                    if not done.done():
                        done.set_result(receipt)
        finally:
            self._storing = None

    async def _store_batch(self, arrivals: list[Arrival], receive: Receive) -> Sequence[Receipt | None]:
        """Their receipts; None for each if nothing was kept."""
        try:
            return await receive([arrival.incoming for arrival in arrivals])
        except NotStored:
            return [None] * len(arrivals)
        except Exception as error:  # noqa: BLE001 - answered with 503 and offered again; the intake goes on
            log.error("telegram_webhook_failed", account=self._line.name, why=type(error).__name__, count=len(arrivals))
            return [None] * len(arrivals)

    async def watch(self, may: May) -> None:
        """Set the webhook, then see each minute that it still stands. Ends when it may no more."""
        failures, is_open = 0, False
        while may():
            try:
                if not is_open:
                    await self._line.open(self._webhook)
                    is_open = True
                state = await self._line.bot.get_webhook_info()
                is_open = state.url == self._webhook.url
                self._judge(state)
                failures = 0
            except Exception as error:  # noqa: BLE001 - as in polling, the line is tried again for ever
                failures += 1
                await self._line.recover(error, failures)
            else:
                await self._line.sleep(_WATCH_EVERY)

    def _judge(self, state: WebhookInfo) -> None:
        """We hear if the webhook is ours and, where updates wait, none failed to arrive since the last that did."""
        failed_at = state.last_error_date if state.pending_update_count else None
        if state.url != self._webhook.url:
            self._line.problem = "webhook_replaced"
        elif failed_at and (self._posted_at is None or failed_at > self._posted_at):
            self._line.problem = "webhook_not_reached"
        else:
            self._line.heard()

    async def close(self) -> None:
        if self._storing is not None:
            await asyncio.gather(self._storing, return_exceptions=True)


def _is_json_object(body: bytes) -> bool:
    try:
        return isinstance(json.loads(body.decode("utf-8", "replace")), dict)
    except (ValueError, RecursionError):
        return False
