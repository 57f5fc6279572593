"""The way between one process and Telegram, in the place of its HTTP session: what travels may not arrive."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import aiohttp
import msgspec

from channels.telegram import TelegramAccount
from domain.chat import Address, Outcome, Outgoing
from tests.servers.bot_api_state import ANSWERS
from tests.simulation.department import TELEGRAM
from tests.simulation.loop import Process, this_process
from tests.simulation.records import Attempt, Records, Shown
from tests.simulation.service import Service, refused
from tests.simulation.weather import POLLING, SENDING, Weather

SENDS = ("sendMessage", "sendPhoto", "sendDocument", "editMessageText", "editMessageCaption")
READ_TIMEOUT = 20.0
_LETTER: ContextVar[str] = ContextVar("letter", default="")
"""Which letter the program is sending: the wire does not say, and only the records may know."""
CrashHere = Callable[[str], Awaitable[None]]


@dataclass(slots=True)
class Reply:
    """What an aiohttp response is to its reader."""

    status: int
    body: bytes
    retry_after: int = 0

    async def read(self) -> bytes:
        return self.body


@dataclass(slots=True)
class Wire:
    """One process's connections. `appeared` is told whatever comes up on somebody's screen."""

    service: Service
    weather: Weather
    records: Records
    far_side: Process
    appeared: Callable[[Shown], None]
    crash_here: CrashHere

    def request(self, method: str, url: str, *, data: bytes = b"", **options: Any) -> _Call:
        return _Call(self, url.rpartition("/")[2], msgspec.json.decode(data) if data else {})

    async def close(self) -> None:
        """Nothing is open."""

    async def exchange(self, method: str, parameters: dict[str, Any]) -> Reply:
        attempt = self._attempt(method, parameters)
        if attempt:
            await self.crash_here("crash_before_send")
        fault = self.weather.one_of(SENDING if attempt else POLLING if method == "getUpdates" else {})
        if fault == "no_connection" or self.service.is_down:
            await asyncio.sleep(1.0)
            if attempt:
                attempt.told = "nothing"
            raise aiohttp.ConnectionTimeoutError
        reply: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self.far_side.run(self._serve(method, parameters, attempt, fault, reply))
        if attempt:
            await self.crash_here("crash_in_send")
        try:
            answer = await reply
        except (TimeoutError, aiohttp.ClientError):
            if attempt:
                attempt.told = "unknown"
            raise
        if attempt:
            await self.crash_here("crash_after_send")
            attempt.told, attempt.ended = _heard(answer), self.service.time()
            attempt.wait = float(answer.retry_after)
        return answer

    def _attempt(self, method: str, parameters: dict[str, Any]) -> Attempt | None:
        if method not in SENDS:
            return None
        chat, process = Address(TELEGRAM, str(parameters["chat_id"])), this_process()
        assert process is not None
        attempt = Attempt(_LETTER.get(), chat, self.service.time(), process, method.startswith("edit"))
        self.records.attempts.append(attempt)
        return attempt

    # On the other side

    async def _serve(
        self, method: str, parameters: dict[str, Any], attempt: Attempt | None, fault: str, reply: asyncio.Future[Reply]
    ) -> None:
        """The request arrives, unless it is lost; the answer comes back, unless it is lost."""
        await self._travel()
        if method == "getUpdates":
            answer = await self._updates(parameters, fault)
        elif attempt and (planned := self._refusal(fault, attempt)):
            answer = planned
        else:
            answer = await self._accept(method, parameters, attempt)
        await self._come_back(fault, answer, reply)

    async def _travel(self) -> None:
        await asyncio.sleep(self.weather.chance("wire").uniform(0.02, 0.06))

    def _refusal(self, fault: str, attempt: Attempt) -> Reply | None:
        """The reply of a service that does not take it, if this fault is such a one."""
        if fault == "flood":
            wait = self.weather.chance("flood").choice((1, 3, 10, 35))
            self.service.limits.order_wait(int(attempt.chat.chat_id), self.service.time() + wait)
            return _json(429, refused(429, f"Too Many Requests: retry after {wait}", {"retry_after": wait}))
        if fault == "rejected":
            return _json(400, refused(*ANSWERS["bad_request"], {}))
        if fault.endswith("_before"):
            return _json(502, refused(*ANSWERS["error"], {}))
        return None

    async def _accept(self, method: str, parameters: dict[str, Any], attempt: Attempt | None) -> Reply:
        status, body = await self.service.answer(method, parameters)
        if attempt and status == 200:
            attempt.shown = self.service.appeared(
                body["result"], attempt.letter, attempt.began, is_edit=attempt.is_edit
            )
            self.appeared(attempt.shown)
        return _json(status, body)

    async def _updates(self, parameters: dict[str, Any], fault: str) -> Reply:
        if fault == "poll_error":
            return _json(502, refused(*ANSWERS["error"], {}))
        status, body = await self.service.poll(parameters)
        if status == 200 and fault in ("duplicated", "shuffled"):
            with suppress(ValueError):  # something malformed is in it
                updates = json.loads(body)["result"]
                updates = [*updates, *updates[:1]] if fault == "duplicated" else updates
                self.weather.chance("shuffled").shuffle(updates)
                body = json.dumps({"ok": True, "result": updates}).encode()
        return Reply(status, body)

    async def _come_back(self, fault: str, answer: Reply, reply: asyncio.Future[Reply]) -> None:
        if fault == "slow":
            await asyncio.sleep(self.weather.chance("slow").uniform(2, 18))
        elif fault.startswith("silent"):
            await asyncio.sleep(READ_TIMEOUT)
        else:
            await self._travel()
        if reply.done():
            return
        if fault.startswith("silent"):
            reply.set_exception(TimeoutError())
        elif fault.startswith("reset") or fault == "poll_lost":
            reply.set_exception(aiohttp.ServerDisconnectedError())
        elif fault in ("garbled", "poll_garbled"):
            reply.set_result(Reply(200, b"<html>"))
        elif fault == "error_after":
            reply.set_result(_json(504, refused(*ANSWERS["error_after_accepting"], {})))
        else:
            reply.set_result(answer)


class _Call:
    """`async with session.request(...) as answer`."""

    def __init__(self, wire: Wire, method: str, parameters: dict[str, Any]) -> None:
        self._wire = wire
        self._method = method
        self._parameters = parameters

    async def __aenter__(self) -> Reply:
        return await self._wire.exchange(self._method, self._parameters)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """The answer was read at once."""


class Account(TelegramAccount):
    """The real account over a `Wire`; it lets the records know which letter each call is for."""

    def connect(self, wire: Wire) -> None:
        """Everything above the socket is the program's own."""
        vars(self._line._request)["_open"] = lambda: wire

    async def send(self, message: Outgoing, key: str) -> Outcome:
        _LETTER.set(key)
        return await super().send(message, key)


def _json(status: int, body: dict[str, Any]) -> Reply:
    return Reply(status, json.dumps(body).encode(), body.get("parameters", {}).get("retry_after", 0))


def _heard(answer: Reply) -> str:
    if answer.status == 200:
        return "sent" if answer.body.startswith(b'{"ok": true') else "unknown"
    if answer.status == 429:
        return "flood"
    if answer.status >= 500:
        return "unknown"
    return "rejected" if b"reply markup is too long" in answer.body else "refused"
