"""The chat page: reading it, hearing what is new, and saying something, with or without JavaScript."""

from __future__ import annotations

import asyncio
import urllib.parse
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from datetime import tzinfo
from functools import partial
from http import HTTPStatus
from typing import Any, Protocol

import aiohttp_jinja2
import structlog
from aiohttp import web

import texts
from domain.chat import LANGUAGES, Command, Incoming, Language, NotStored, Receipt, Receive
from domain.codes import shown as in_groups
from domain.codes import tidy_code
from domain.files import MOST_BYTES, PICTURES
from domain.seal import Seal
from storage.database import Database
from web import links, log, spoken, uploads
from web.guard import Flood, form_fields, prefers_json, read_body
from web.links import Visit
from web.log import Log, Message
from web.proxies import Networks, visitor
from web.spoken import Refused, Spoken
from web.streams import QUIET, Streams

logger = structlog.get_logger(__name__)

ANSWER_WAIT = 1.5
"""Seconds that a page without JavaScript waits for the answer, so that it is there when the page comes back."""
SAYS_PER_MINUTE = 30
FILES_PER_MINUTE = 10
JOINS_PER_MINUTE = 240
"""From one network address: a whole office may enrol behind one."""


class Watch(Protocol):
    async def changed(self) -> frozenset[str]:
        """The chats that changed, as soon as one did; empty when no more will be told."""


class Hub(Protocol):
    """The web chat channel, as far as pages need it."""

    name: str

    def watch(self, *chat_ids: str) -> AbstractContextManager[Watch]: ...


@dataclass(slots=True)
class ChatPages:
    """`new_id` gives a fresh name of at least 128 random bits, safe in a URL, such as `secrets.token_urlsafe`."""

    database: Database
    seal: Seal
    receive: Receive
    hub: Hub
    zone: tzinfo
    organisation: str
    new_id: Callable[[], str]
    streams: Streams
    trusted: Networks = ()
    _says: Flood = field(default_factory=lambda: Flood(SAYS_PER_MINUTE))
    _files: Flood = field(default_factory=lambda: Flood(FILES_PER_MINUTE))
    _joins: Flood = field(default_factory=lambda: Flood(JOINS_PER_MINUTE))

    def routes(self) -> list[web.RouteDef]:
        chat = "/chat/{link:[A-Za-z0-9_.~-]{8,300}}"
        return [
            web.get("/chat/join", self.join),
            web.get("/chat/join/{code:[^/]{1,80}}", self.join),
            web.post("/chat/join", self.joined),
            web.get(chat, self.page),
            web.get(f"{chat}/messages", self.news),
            web.get(f"{chat}/events", self.events),
            web.post(f"{chat}/say", self.say),
            web.post(f"{chat}/file", self.send_file),
            web.get(f"{chat}/file/{{id:[0-9]{{1,15}}}}", self.file),
        ]

    async def page(self, request: web.Request) -> web.Response:
        """The whole chat. Reading it changes nothing."""
        shown = await self._log(request)
        response = aiohttp_jinja2.render_template("chat.html", request, self._context(shown, shown.messages))
        response.enable_compression()
        return response

    async def news(self, request: web.Request) -> web.Response:
        """All messages if the page's state is an old one, else 204: for lines on which events do not get through."""
        shown = await self._log(request)
        if request.query.get("state") == shown.state:
            return web.Response(status=HTTPStatus.NO_CONTENT)
        response = web.json_response({"state": shown.state, "html": self._html(request, shown, shown.messages)})
        response.enable_compression()
        return response

    async def events(self, request: web.Request) -> web.StreamResponse:
        """What is new, as it happens. Who may read is looked up anew each time."""
        shown = await self._log(request)
        visit = shown.visit
        their_state = request.headers.get("Last-Event-ID") or request.query.get("state", "")
        known = shown.versions if their_state == shown.state else {}
        async with self.streams.open(request, visit.reader.chat_id) as stream:
            with self.hub.watch(visit.chat.chat_id) as watch:
                is_open = True
                while is_open:
                    seen = await log.read(self.database, visit, self.zone)
                    if seen is None:
                        break
                    news = seen.beyond(known)
                    told = {"state": seen.state, "html": self._html(request, seen, news) if news else ""}
                    await stream.tell("news" if news else "still", told, seen.state)
                    known = seen.versions
                    is_open = await _next_look(watch)
        return stream.response

    async def say(self, request: web.Request) -> web.StreamResponse:
        """Take a tap or a text; a page that repeats it because the line broke does no harm."""
        visit = self._visit(request)
        said, is_json = Spoken(), prefers_json(request)
        try:
            body = await read_body(request, spoken.MOST_BYTES)
            said = spoken.read_json(body) if is_json else spoken.read_form(body)
            if not self._says.allows(visit.reader.chat_id, asyncio.get_running_loop().time()):
                raise Refused(HTTPStatus.TOO_MANY_REQUESTS, "web.too_fast")
            receipt = await self._take(spoken.incoming(visit, said, body), visit, wait=not is_json)
        except Refused as refused:
            return await self._refusal(request, visit, said, refused)
        if is_json:
            return web.json_response(asdict(receipt))
        raise web.HTTPSeeOther(f"/chat/{visit.link}#end")

    async def send_file(self, request: web.Request) -> web.StreamResponse:
        """Take a photo or document; sent again because the line broke, it is taken once."""
        visit, said = self._visit(request), Spoken()
        try:
            if not self._files.allows(visit.reader.chat_id, asyncio.get_running_loop().time()):
                raise Refused(HTTPStatus.TOO_MANY_REQUESTS, "web.too_fast")
            if not await log.is_staff(self.database, visit):
                raise Refused(HTTPStatus.FORBIDDEN, "web.error_403")
            is_json = prefers_json(request)
            receipt = await self._take(await uploads.read(request, visit), visit, wait=not is_json)
        except Refused as refused:
            return await self._refusal(request, visit, said, refused)
        if is_json:
            return web.json_response(asdict(receipt))
        raise web.HTTPSeeOther(f"/chat/{visit.link}#end")

    async def file(self, request: web.Request) -> web.Response:
        """A picture or document of a message that this reader sees. Only pictures open in the page."""
        found = await log.file(self.database, self._visit(request), int(request.match_info["id"]))
        if found is None:
            raise web.HTTPNotFound
        if found.media_type in PICTURES:
            return web.Response(body=found.content, content_type=found.media_type)
        name = urllib.parse.quote(found.name or "file", safe="")
        headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{name}"}
        return web.Response(body=found.content, content_type="application/octet-stream", headers=headers)

    async def join(self, request: web.Request) -> web.Response:
        """The form for an invitation code. Opening it, by whatever previews links, uses nothing up."""
        language: Language = "en" if request.query.get("lang") == "en" else "vi"
        return self._join_page(
            request, language, request.match_info.get("code", ""), self.seal.link("join", self.new_id())
        )

    async def joined(self, request: web.Request) -> web.StreamResponse:
        """A new chat that says `/start CODE`; every code leads on to it, and the conversation tells the rest.

        The chat's name comes with the form, so a form sent twice over a poor line joins once.
        """
        try:
            fields = form_fields(body := await read_body(request, spoken.MOST_BYTES))
        except ValueError as error:
            raise web.HTTPBadRequest from error
        language: Language = "en" if fields.get("lang") == "en" else "vi"
        code = fields.get("code", "").strip()[:80]
        chat_id = self.seal.name_in("join", fields.get("seed", "")) or self.new_id()
        if not code:
            raise web.HTTPSeeOther(f"/chat/join?lang={language}")
        visit = links.visit(self.seal, self.hub.name, links.chat_link(self.seal, chat_id))
        if visit is None:
            raise web.HTTPBadRequest
        try:
            if not self._joins.allows(visitor(request, self.trusted), asyncio.get_running_loop().time()):
                raise Refused(HTTPStatus.TOO_MANY_REQUESTS, "web.too_fast")
            told = spoken.incoming(visit, Spoken(key="join", text=code), body, language)
            start = Incoming(told.update_key, told.sender, told.chat, Command("start", code), body, language)
            await self._take(start, visit, wait=True)
        except Refused as refused:
            seed = self.seal.link("join", chat_id)
            page = self._join_page(request, language, code, seed, texts.text(language, refused.key))
            page.set_status(refused.status)
            return page
        raise web.HTTPSeeOther(f"/chat/{visit.link}#end")

    def _join_page(
        self, request: web.Request, language: Language, code: str, seed: str, problem: str = ""
    ) -> web.Response:
        tidy = tidy_code(code)
        context = self._words(language) | {
            "code": in_groups(tidy) if tidy else code,
            "other": LANGUAGES[1 - LANGUAGES.index(language)],
            "here": f"/chat/join/{urllib.parse.quote(code, safe='')}" if code else "/chat/join",
            "seed": seed,
            "problem": problem,
        }
        return aiohttp_jinja2.render_template("join.html", request, context)

    async def _take(self, update: Incoming, visit: Visit, *, wait: bool) -> Receipt:
        """Store it; with `wait`, until the answer is on the page, but not for long."""
        with self.hub.watch(visit.chat.chat_id) as watch:
            try:
                (receipt,) = await self.receive([update])
            except NotStored as error:
                raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, "web.not_stored") from error
            if wait:
                await _next_look(watch, ANSWER_WAIT)
        return receipt

    def _visit(self, request: web.Request) -> Visit:
        visit = links.visit(self.seal, self.hub.name, request.match_info["link"])
        if visit is None:
            raise web.HTTPNotFound
        return visit

    async def _log(self, request: web.Request) -> Log:
        shown = await log.read(self.database, self._visit(request), self.zone)
        if shown is None:
            raise web.HTTPNotFound
        return shown

    async def _refusal(self, request: web.Request, visit: Visit, said: Spoken, refused: Refused) -> web.Response:
        """Why not, in the reader's language; a form keeps what was said, to be sent again."""
        try:
            shown = await log.read(self.database, visit, self.zone)
        except Exception as problem:  # noqa: BLE001 - the store may be what failed; the sentence is owed all the same
            logger.error("reader_unknown", problem=type(problem).__name__)
            shown = None
        language = shown.language if shown else "vi"
        sentence = texts.text(language, refused.key)
        again = refused.status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)
        headers = {"Retry-After": "20" if refused.status == HTTPStatus.TOO_MANY_REQUESTS else "5"} if again else {}
        if prefers_json(request):
            answer = web.json_response({"saved": False, "error": sentence}, status=refused.status)
        else:
            context = self._words(language) | {"link": visit.link, "said": said, "sentence": sentence, "again": again}
            answer = aiohttp_jinja2.render_template("refused.html", request, context, status=refused.status)
        answer.headers.update(headers)
        return answer

    def _words(self, language: Language) -> dict[str, Any]:
        return {"t": partial(texts.text, language), "language": language, "organisation": log.plain(self.organisation)}

    def _context(self, shown: Log, messages: Sequence[Message]) -> dict[str, Any]:
        return self._words(shown.language) | {
            "log": shown,
            "messages": messages,
            "key": self.new_id(),
            "most_bytes": MOST_BYTES,
        }

    def _html(self, request: web.Request, shown: Log, messages: Sequence[Message]) -> str:
        return aiohttp_jinja2.render_string("messages.html", request, self._context(shown, messages))


async def _next_look(watch: Watch, most: float = QUIET) -> bool:
    """Wait for a change, or for `most` seconds; false when the channel was closed."""
    try:
        async with asyncio.timeout(most):
            return bool(await watch.changed())
    except TimeoutError:
        return True
