"""The HTTP side of python-telegram-bot on one aiohttp session, with errors that say how far a request came."""

from __future__ import annotations

import io
import logging
from dataclasses import dataclass
from typing import Any

import aiohttp
import msgspec
from aiohttp.abc import AbstractResolver
from telegram.error import TelegramError
from telegram.request import BaseRequest, RequestData

_NOTHING_WRITTEN = (
    aiohttp.ClientConnectorError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.ServerFingerprintMismatch,
    aiohttp.ClientHttpProxyError,
    ValueError,  # an address or header that cannot be written; its own text may show the token
)
_JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True, slots=True)
class Wire:
    """Settings of the connection; times in seconds. `proxy` is for networks whose carriers block Telegram.
    `resolver` looks names up otherwise than the system does.

    `keep_alive` is shorter than the server's own idle limit: a request written to a connection that is just
    being closed leaves its outcome unknown. `poll_grace` is how long after its end a long poll may still answer.
    """

    connections: int = 100
    connect_timeout: float = 10.0
    read_timeout: float = 20.0
    keep_alive: float = 15.0
    poll_grace: float = 10.0
    proxy: str | None = None
    resolver: AbstractResolver | None = None


class NotConnected(TelegramError):
    """Nothing was written: the request certainly had no effect."""


class NoAnswer(TelegramError):
    """Written, but no answer that can be read came back: it may have had its effect."""


class Refused(TelegramError):
    """The Bot API said no. `genuine` is false if the answer is not the Bot API's, such as a carrier's block page."""

    def __init__(
        self, status: int, description: str, retry_after: float | None, migrate_to: int | None, genuine: bool
    ) -> None:
        super().__init__(f"refused with {status}")
        self.status = status
        self.description = description
        self.retry_after = retry_after
        self.migrate_to = migrate_to
        self.genuine = genuine


class TooLarge(TelegramError):
    """A file with more bytes than we take."""


class _Parameters(msgspec.Struct):
    retry_after: float | None = None
    migrate_to_chat_id: int | None = None


class _Refusal(msgspec.Struct):
    ok: bool
    description: str = ""
    parameters: _Parameters | None = None


_refusals = msgspec.json.Decoder(_Refusal)


class AiohttpRequest(BaseRequest):
    """`telegram.request.BaseRequest` over aiohttp. No error of it names the URL, which holds the token."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._session: aiohttp.ClientSession | None = None
        self._closed = False

    @property
    def read_timeout(self) -> float | None:
        return self._wire.read_timeout

    async def initialize(self) -> None:
        """The session is opened by the first request, inside the running loop."""

    async def shutdown(self) -> None:
        self._closed = True
        await self.rebuild()

    async def rebuild(self) -> None:
        """Drop every connection; the next request opens new ones."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def do_request(
        self,
        url: str,
        method: str,
        request_data: RequestData | None = None,
        read_timeout: Any = BaseRequest.DEFAULT_NONE,
        write_timeout: Any = BaseRequest.DEFAULT_NONE,
        connect_timeout: Any = BaseRequest.DEFAULT_NONE,
        pool_timeout: Any = BaseRequest.DEFAULT_NONE,
    ) -> tuple[int, bytes]:
        """Returns only successes. Raises `Refused`, `NotConnected` or `NoAnswer`."""
        wait = self._wire.read_timeout if read_timeout is BaseRequest.DEFAULT_NONE else read_timeout
        if request_data is not None and request_data.contains_files:
            return 200, await self._call(method, url, _form(request_data), {}, wait)
        body = msgspec.json.encode(request_data.parameters if request_data else {})
        return 200, await self._call(method, url, body, _JSON, wait)

    async def post_raw(self, url: str, parameters: dict[str, Any], wait: float) -> bytes:
        """POST and return the body as it came, waiting at most `wait` seconds for it."""
        return await self._call("POST", url, msgspec.json.encode(parameters), _JSON, wait)

    async def download(self, url: str, most: int, wait: float) -> bytes:
        """The body at `url`, of at most `most` bytes. Raises `TooLarge` before taking in more."""
        return await self._call("GET", url, b"", {}, wait, most)

    async def _call(
        self,
        method: str,
        url: str,
        body: bytes | aiohttp.FormData,
        headers: dict[str, str],
        wait: float | None,
        most: int | None = None,
    ) -> bytes:
        connect = self._wire.connect_timeout
        # `connect` covers the wait for a free connection too, so a plain time-out always means "written".
        timeout = aiohttp.ClientTimeout(total=wait and wait + 2 * connect, connect=connect, sock_read=wait)
        try:
            async with self._open().request(
                method,
                url,
                data=body,
                headers=headers,
                timeout=timeout,
                allow_redirects=False,
                proxy=self._wire.proxy,
            ) as answer:
                payload = await answer.read() if most is None else await _at_most(most, answer)
                status = answer.status
        except _NOTHING_WRITTEN as error:
            raise NotConnected(type(error).__name__) from None
        except TimeoutError:
            raise NoAnswer("timeout") from None
        except (aiohttp.ClientError, OSError):
            raise NoAnswer("disconnected") from None
        if not 200 <= status <= 299:
            raise self._refused(status, payload)
        return payload

    def _refused(self, status: int, payload: bytes) -> Refused:
        try:
            refusal = _refusals.decode(payload)
        except (msgspec.MsgspecError, RecursionError):
            return Refused(status, "", None, None, genuine=False)
        parameters = refusal.parameters or _Parameters()
        return Refused(
            status, refusal.description, parameters.retry_after, parameters.migrate_to_chat_id, genuine=not refusal.ok
        )

    def _open(self) -> aiohttp.ClientSession:
        if self._closed:
            raise NotConnected("closed")
        if self._session is None:
            connector = aiohttp.TCPConnector(
                limit=self._wire.connections, keepalive_timeout=self._wire.keep_alive, resolver=self._wire.resolver
            )
            self._session = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())
        return self._session

    @staticmethod
    def parse_json_payload(payload: bytes) -> dict[str, Any]:
        """Raises `NoAnswer` for a success that is not the Bot API's: the message may be out."""
        try:
            answer = msgspec.json.decode(payload)
        except (msgspec.MsgspecError, RecursionError):
            raise NoAnswer("unreadable") from None
        if not isinstance(answer, dict) or answer.get("ok") is not True or "result" not in answer:
            raise NoAnswer("unexpected")
        return answer


async def _at_most(most: int, answer: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in answer.content.iter_chunked(64 * 1024):
        body += chunk
        if len(body) > most:
            raise TooLarge(f"more than {most} bytes")
    return bytes(body)


def _form(request_data: RequestData) -> aiohttp.FormData:
    form = aiohttp.FormData(quote_fields=False)  # a percent-encoded file name would be shown as such
    for name, value in request_data.json_parameters.items():
        form.add_field(name, value)
    for name, (filename, content, kind) in request_data.multipart_data.items():
        body = io.BytesIO(content) if isinstance(content, bytes) else content  # read in pieces, not sent as one
        form.add_field(name, body, filename=filename, content_type=kind)
    return form


def silence_libraries() -> None:
    """Cut off the loggers of the client libraries: at DEBUG they print URLs with the token, texts and names."""
    for name in ("telegram", "httpx", "httpcore", "aiohttp.client"):
        logger = logging.getLogger(name)
        logger.propagate = False
        if not logger.handlers:
            logger.addHandler(logging.NullHandler())
