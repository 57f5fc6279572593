"""The edge of every page: headers on all answers, plain error pages, and the checks before a change."""

from __future__ import annotations

import urllib.parse
from collections.abc import Awaitable, Callable
from http import HTTPStatus

import aiohttp_jinja2
import structlog
from aiohttp import web

import texts
from domain.chat import LANGUAGES

log = structlog.get_logger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; frame-src 'self'; frame-ancestors 'self'; base-uri 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Frame-Options": "SAMEORIGIN",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "X-Robots-Tag": "noindex, nofollow",
    "Server": "vungxanh",
}
KEEP = "public, max-age=31536000, immutable"
"""For our own style and script, whose address changes with their content: a poor line fetches them once."""
EXPLAINED = (400, 403, 404, 405, 413, 429, 500, 503)


async def put_headers(request: web.Request, response: web.StreamResponse) -> None:
    """On every answer, errors and streams included."""
    response.headers.update(HEADERS)
    response.headers.setdefault("Cache-Control", "no-store")


@web.middleware
async def plain_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Whatever goes wrong becomes a short page in both languages; nothing of the inside is shown or logged."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        if error.status < HTTPStatus.BAD_REQUEST:
            raise
        page = error_page(request, error.status)
        for name in ("Allow", "Retry-After"):
            if name in error.headers:
                page.headers[name] = error.headers[name]
        return page
    except ConnectionResetError:
        raise  # the reader has gone; there is nobody to show a page to
    except Exception as problem:  # noqa: BLE001 - the last resort of every page
        log.error("page_failed", route=route_name(request), problem=type(problem).__name__)
        return error_page(request, HTTPStatus.INTERNAL_SERVER_ERROR)


def error_page(request: web.Request, status: int) -> web.Response:
    """What went wrong in plain words, Vietnamese first, then English."""
    key = f"web.error_{status if status in EXPLAINED else 400 if status < 500 else 500}"
    sentences = [texts.text(language, key) for language in LANGUAGES]
    if prefers_json(request):
        return web.json_response({"saved": False, "error": sentences[0]}, status=status)
    hints = [texts.text(language, "web.error_hint") if status == HTTPStatus.NOT_FOUND else "" for language in LANGUAGES]
    lines = list(zip(LANGUAGES, sentences, hints, strict=True))
    return aiohttp_jinja2.render_template("error.html", request, {"lines": lines}, status=status)


def route_name(request: web.Request) -> str:
    """The route's pattern, never the address itself: addresses hold links and codes."""
    resource = request.match_info.route.resource
    return resource.canonical if resource else "unknown"


def prefers_json(request: web.Request) -> bool:
    """Whether our own script asks, which reads the answer itself."""
    return "application/json" in (request.content_type, request.headers.get("Accept"))


def is_same_origin(request: web.Request) -> bool:
    """Whether a change may come from our own page, by what the browser says of it.

    Under `no-referrer` a form's Origin is "null", and Sec-Fetch-Site is missing without TLS: then nothing speaks
    against it, and what protects the page is the signature in its address.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = request.headers.get("Origin", "null")
    return origin == "null" or urllib.parse.urlsplit(origin).netloc.lower() == request.host.lower()


@web.middleware
async def own_pages_only(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Changes come from our pages; messengers' webhooks prove themselves otherwise."""
    is_change = request.method not in ("GET", "HEAD", "OPTIONS")
    if is_change and not request.path.startswith("/telegram/") and not is_same_origin(request):
        raise web.HTTPForbidden
    return await handler(request)


async def read_body(request: web.Request, most: int) -> bytes:
    """The body, if it has at most `most` bytes; raises the HTTP error 413 before taking in more."""
    if (request.content_length or 0) > most:
        raise web.HTTPRequestEntityTooLarge(most, request.content_length or 0)
    body = bytearray()
    async for chunk in request.content.iter_chunked(4096):
        body += chunk
        if len(body) > most:
            raise web.HTTPRequestEntityTooLarge(most, len(body))
    return bytes(body)


def form_fields(body: bytes) -> dict[str, str]:
    """The fields of a posted form. Raises ValueError if it is none."""
    return dict(urllib.parse.parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=20))


class Flood:
    """Lets each of many speak so often a minute, in bursts of that size; `now` is any steady clock, in seconds."""

    def __init__(self, per_minute: int, most_remembered: int = 10_000) -> None:
        self._interval = 60 / per_minute
        self._most = most_remembered
        self._next: dict[str, float] = {}

    def allows(self, who: str, now: float) -> bool:
        """Whether `who` may speak now; if so it counts."""
        due = max(self._next.get(who, now), now)
        if due - now > 60 - self._interval:
            return False
        if len(self._next) >= self._most:
            self._next = {one: at for one, at in self._next.items() if at > now}
        self._next[who] = due + self._interval
        return True
