"""One bot account's line to the Bot API: the client, who we are there, and how healthy the line is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

import structlog
from telegram import Bot

from channels.telegram.incoming import ALLOWED_UPDATES, Me
from channels.telegram.request import AiohttpRequest, NoAnswer, NotConnected, Refused, Wire, silence_libraries
from domain.chat import NotStored

log = structlog.get_logger(__name__)

Clock = Callable[[], datetime]
Sleep = Callable[[float], Awaitable[None]]

_DEAF_AFTER = timedelta(seconds=90)
_LONGEST_WAIT = 15.0
"""After a dead long poll (60 s) has ended, this much later at most the next one hears again: within 90 s."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where Telegram posts updates, and the secret it sends along. `url` is public HTTPS."""

    url: str = field(repr=False)
    secret: str = field(repr=False)
    max_connections: int = 100


class _Client(Bot):
    def __repr__(self) -> str:
        return "Bot(token hidden)"


class Line:
    """Everything that polling, the webhook and sending share.

    `problem` is a short code for what keeps us from hearing, empty when all is well. `heard_at` is when the way in was
    last seen to be open: a refusal is an answer, but nothing comes in by it.
    """

    def __init__(
        self, name: str, token: str, api_base: str, wire: Wire, clock: Clock, sleep: Sleep, random: Random
    ) -> None:
        silence_libraries()
        self.name = name
        self.me: Me | None = None
        self.problem = ""
        self.heard_at: datetime | None = None
        self.clock = clock
        self.sleep = sleep
        self._random = random
        self._request = AiohttpRequest(wire)
        self._base = f"{api_base.rstrip('/')}/bot"
        self._files = f"{api_base.rstrip('/')}/file/bot"
        self._token = token
        self._renewed_at = clock()
        self._listening_since: datetime | None = None
        self._poll_grace = wire.poll_grace
        self.bot: Bot = _Client(token, base_url=self._base, request=self._request, get_updates_request=self._request)

    def __repr__(self) -> str:
        return f"Line({self.name!r})"

    @property
    def silent_since(self) -> datetime | None:
        """Since when nothing has been heard; None while we do not listen."""
        since = self._listening_since
        return max(since, self.heard_at) if since and self.heard_at else since

    @contextmanager
    def listening(self) -> Iterator[None]:
        self._listening_since = self.clock()
        try:
            yield
        finally:
            self._listening_since = None

    def heard(self) -> None:
        """Updates come in, or would if there were any."""
        self.heard_at = self.clock()
        self.problem = ""

    async def open(self, webhook: Webhook | None) -> Me:
        """Learn who we are and choose how updates come. Nothing that waits is dropped. Raises `TelegramError`."""
        me = await self.meet()
        if webhook is None:
            await self.bot.delete_webhook(drop_pending_updates=False)
        else:
            await self.bot.set_webhook(
                webhook.url,
                secret_token=webhook.secret,
                max_connections=webhook.max_connections,
                allowed_updates=ALLOWED_UPDATES,
                drop_pending_updates=False,
            )
        self.problem = ""
        log.info("telegram_opened", account=self.name, webhook=webhook is not None)
        return me

    async def meet(self) -> Me:
        """Learn who we are there, and leave alone how updates come. Raises `TelegramError`."""
        user = await self.bot.get_me()
        self.me = Me(user.id, user.username or "")
        return self.me

    async def updates(self, offset: int | None, limit: int, timeout: int) -> bytes:
        """The raw reply of getUpdates. Raises `TelegramError`."""
        parameters = {"limit": limit, "timeout": timeout, "allowed_updates": ALLOWED_UPDATES}
        if offset is not None:
            parameters["offset"] = offset
        return await self.call("getUpdates", parameters, timeout + self._poll_grace)

    async def call(self, method: str, parameters: dict[str, Any], wait: float) -> bytes:
        """The raw reply of any method. Raises `TelegramError`."""
        return await self._request.post_raw(f"{self._base}{self._token}/{method}", parameters, wait)

    async def download(self, path: str, most: int, wait: float) -> bytes:
        """The file at this path, of at most `most` bytes. Raises `TelegramError`."""
        return await self._request.download(f"{self._files}{self._token}/{path}", most, wait)

    async def recover(self, error: Exception, failures: int) -> None:
        """Wait as long as `error` and the count of failures ask for; a line silent for 90 s gets new connections."""
        self.problem = trouble(error)
        wait = self._wait(error, failures)
        log.warning("telegram_line_failed", account=self.name, why=self.problem, failures=failures, wait=round(wait, 1))
        now = self.clock()
        if now - max(self.heard_at or self._renewed_at, self._renewed_at) >= _DEAF_AFTER:
            self._renewed_at = now
            await self._request.rebuild()
            log.warning("telegram_connections_renewed", account=self.name)
        await self.sleep(wait)

    def _wait(self, error: Exception, failures: int) -> float:
        if isinstance(error, Refused) and error.retry_after:
            return error.retry_after
        longest = min(_LONGEST_WAIT, 2.0 ** min(failures - 1, 10))
        return longest * self._random.uniform(0.5, 1.0)

    async def close(self) -> None:
        await self._request.shutdown()


def trouble(error: Exception) -> str:
    """A short code without anything private."""
    if isinstance(error, Refused):
        return f"status_{error.status}"
    if isinstance(error, NotStored):
        return "not_stored"
    if isinstance(error, NotConnected | NoAnswer):
        return f"no_contact_{error.message}"
    return type(error).__name__
