"""The other end of the line: a Bot API that answers at once and costs next to nothing, and a Telegram that posts taps.

It is no check of anybody's correctness (the tests have a strict server for that); it only must never be the slow side.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import cast

TOKEN = "7000001:made-up-token-for-measurements-00000"
SECRET = "made-up-secret"
LIMIT = 30
"""Messages a second that Telegram takes from one bot."""
ME = b'{"id":7000001,"is_bot":true,"first_name":"Bench","username":"bench_bot"}'
MESSAGE = b'{"message_id":%d,"date":1795300000,"chat":{"id":1,"type":"private","first_name":"A"},"text":"x"}'
BATCH = 100
"""The most updates Telegram gives out at once, and the most connections it posts on."""

_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_METHOD = re.compile(rb"^[A-Z]+ /bot[^/ ]+/(\w+)")
_CALLBACK = re.compile(rb"callback_query_id\D.{0,160}?(\d{12,})", re.DOTALL)
"""An id of a tap, wherever a client may put it: JSON, a form, or one part of several."""
_OFFSET = re.compile(rb"offset[^0-9]{1,40}(\d+)")
_SENDS = (b"sendMessage", b"editMessageText")


@dataclass(slots=True)
class BotApi:
    """What every bot talks to. `delay` is the network's, in seconds; times are of `time.perf_counter`."""

    delay: float = 0.0
    url: str = ""
    webhook: str = ""
    calls: dict[bytes, int] = field(default_factory=dict)
    answered: dict[int, float] = field(default_factory=dict)
    sends: list[float] = field(default_factory=list)
    waiting: deque[bytes] = field(default_factory=deque)
    """Updates for long polling, the first of which has the number `first`."""
    first: int = 1
    on_answer: Callable[[], object] = lambda: None
    _polls: list[_Served] = field(default_factory=list)
    _server: asyncio.Server | None = None

    async def start(self) -> None:
        self._server = await asyncio.get_running_loop().create_server(lambda: _Served(self), "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def stop(self) -> None:
        if self._server:
            self._server.close()

    def offer(self, updates: Sequence[bytes]) -> None:
        """More to be polled; whoever waits for them gets them at once."""
        self.waiting.extend(updates)
        polls, self._polls = self._polls, []
        for poll in polls:
            self._give(poll)

    def answer(self, connection: _Served, head: bytes, body: bytes) -> None:
        found = _METHOD.match(head)
        method = found[1] if found else b""
        self.calls[method] = self.calls.get(method, 0) + 1
        if method == b"getUpdates":
            self._poll(connection, body)
            return
        if method == b"answerCallbackQuery" and (callback := _CALLBACK.search(body)):
            self.acknowledged(int(callback[1]))
        connection.reply(self._result(method), self.delay)

    def acknowledged(self, callback: int) -> None:
        if callback not in self.answered:
            self.answered[callback] = time.perf_counter()
            self.on_answer()

    def _result(self, method: bytes) -> bytes:
        if method in _SENDS:
            self.sends.append(time.perf_counter())
            return MESSAGE % len(self.sends)
        if method == b"getMe":
            return ME
        if method == b"getWebhookInfo":
            known = {"url": self.webhook, "has_custom_certificate": False, "pending_update_count": 0}
            return json.dumps(known).encode()
        return b"[]" if method == b"getMyCommands" else b"true"

    def _poll(self, connection: _Served, body: bytes) -> None:
        offset = _OFFSET.search(body)
        while self.waiting and offset and self.first < int(offset[1]):
            self.waiting.popleft()
            self.first += 1
        if self.waiting:
            self._give(connection)
        else:
            self._polls.append(connection)

    def _give(self, connection: _Served) -> None:
        batch = [self.waiting[n] for n in range(min(len(self.waiting), BATCH))]
        connection.reply(b"[" + b",".join(batch) + b"]", self.delay)


class _Served(asyncio.Protocol):
    """One connection of a bot, one request at a time."""

    def __init__(self, api: BotApi) -> None:
        self._api = api
        self._read = bytearray()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._read += data
        whole = taken(self._read)
        if whole:
            self._api.answer(self, *whole)

    def reply(self, result: bytes, delay: float) -> None:
        body = b'{"ok":true,"result":' + result + b"}"
        answer = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (
            len(body),
            body,
        )
        if delay:
            asyncio.get_running_loop().call_later(delay, self._write, answer)
        else:
            self._write(answer)

    def _write(self, answer: bytes) -> None:
        if self._transport and not self._transport.is_closing():
            self._transport.write(answer)


@dataclass(slots=True)
class Poster:
    """Telegram's side of a webhook: so many connections, one post at a time on each."""

    api: BotApi
    port: int
    path: str
    refused: int = 0
    _waiting: deque[bytes] = field(default_factory=deque)
    _idle: list[_Posting] = field(default_factory=list)
    _all: list[_Posting] = field(default_factory=list)

    async def open(self, connections: int = BATCH) -> None:
        loop = asyncio.get_running_loop()
        for _ in range(connections):
            _, posting = await loop.create_connection(lambda: _Posting(self), "127.0.0.1", self.port)
            self._all.append(posting)
        self._idle = list(self._all)

    def post(self, updates: Sequence[bytes]) -> None:
        """Post these as soon as a connection is free."""
        self._waiting.extend(updates)
        while self._waiting and self._idle:
            self._idle.pop().post(self._waiting.popleft())

    def free(self, posting: _Posting, status: int, body: bytes) -> None:
        if status != 200:
            self.refused += 1
        elif callback := _CALLBACK.search(body):
            self.api.acknowledged(int(callback[1]))
        if self._waiting:
            posting.post(self._waiting.popleft())
        else:
            self._idle.append(posting)

    def drop(self) -> None:
        """Post nothing more."""
        self._waiting.clear()

    def close(self) -> None:
        for posting in self._all:
            posting.close()

    def request(self, update: bytes) -> bytes:
        head = (
            f"POST {self.path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nContent-Type: application/json\r\n"
            f"X-Telegram-Bot-Api-Secret-Token: {SECRET}\r\nContent-Length: {len(update)}\r\n\r\n"
        )
        return head.encode() + update


class _Posting(asyncio.Protocol):
    def __init__(self, poster: Poster) -> None:
        self._poster = poster
        self._read = bytearray()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def post(self, update: bytes) -> None:
        assert self._transport
        self._transport.write(self._poster.request(update))

    def data_received(self, data: bytes) -> None:
        self._read += data
        whole = taken(self._read)
        if whole:
            self._poster.free(self, int(whole[0][9:12]), whole[1])

    def close(self) -> None:
        if self._transport:
            self._transport.close()


def taken(read: bytearray) -> tuple[bytes, bytes] | None:
    """Head and body of the message at the beginning of what was read, which is taken off; None until it is whole."""
    end = read.find(b"\r\n\r\n")
    if end < 0:
        return None
    length = _LENGTH.search(read, 0, end)
    if length:
        whole = end + 4 + int(length[1])
    elif read.find(b"chunked", 0, end) > 0:
        last = read.find(b"0\r\n\r\n", end)
        whole = last + 5 if last > 0 else len(read) + 1
    else:
        whole = end + 4
    if len(read) < whole:
        return None
    head, body = bytes(read[:end]), bytes(read[end + 4 : whole])
    del read[:whole]
    return head, body
