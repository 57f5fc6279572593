"""The demonstration: several phones side by side, and a clock that the visitor moves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from functools import partial
from typing import Any, Protocol

import aiohttp_jinja2
from aiohttp import web

import texts
from domain.chat import LANGUAGES, Language
from web.chat import Hub, Watch
from web.guard import form_fields, read_body
from web.streams import QUIET, Stream, Streams

MOST_BYTES = 1024


@dataclass(frozen=True, slots=True)
class DemoPhone:
    """One phone: whose it is, what they are, and the last part of the `/chat/…` address it shows."""

    title: str
    subtitle: str
    link: str


class DemoControl(Protocol):
    """What the demonstration can do; made by `bot.demo`. Texts it gives are in `language`."""

    language: Language
    running: bool

    @property
    def phones(self) -> Sequence[DemoPhone]:
        """In the order in which they stand; the first is the one that the guide asks to answer on."""

    def now(self) -> datetime:
        """The demonstration's clock."""

    async def next_event(self) -> tuple[datetime, str] | None:
        """When the clock would stop next, and what happens then."""

    async def to_morning(self) -> None:
        """On to the next 07:00, with everything due until then done."""

    async def to_next(self) -> None:
        """On to the next event, with everything due until then done."""

    def run(self) -> None:
        """Let the clock run, a minute each quarter of a second."""

    def pause(self) -> None: ...

    async def speak(self, language: Language) -> None:
        """From now on everybody in the demonstration, and its page, uses this language."""

    async def wait_changed(self) -> None:
        """Returns after the clock moved, started or stopped."""


@dataclass(slots=True)
class DemoPages:
    """`chat_of` gives the chat id behind a phone's link."""

    control: DemoControl
    hub: Hub
    chat_of: Callable[[str], str]
    zone: tzinfo
    streams: Streams

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/demo", self.page),
            web.get("/demo/events", self.events),
            web.post("/demo/clock", self.clock),
            web.post("/demo/language", self.language),
        ]

    async def page(self, request: web.Request) -> web.Response:
        language = self.control.language
        phones = self.control.phones
        context = {
            "t": partial(texts.text, language),
            "language": language,
            "other": LANGUAGES[1 - LANGUAGES.index(language)],
            "phones": phones,
            "clock": await self._clock(),
        }
        return aiohttp_jinja2.render_template("demo.html", request, context)

    async def clock(self, request: web.Request) -> web.Response:
        """Move the clock; answered when everything due until then is done."""
        fields = await _fields(request)
        match fields.get("action"):
            case "to_morning":
                await self.control.to_morning()
            case "next":
                await self.control.to_next()
            case "run":
                self.control.run()
            case "pause":
                self.control.pause()
            case _:
                raise web.HTTPBadRequest
        return await self._moved(request)

    async def language(self, request: web.Request) -> web.Response:
        fields = await _fields(request)
        await self.control.speak("en" if fields.get("language") == "en" else "vi")
        raise web.HTTPSeeOther("/demo")

    async def _moved(self, request: web.Request) -> web.Response:
        if request.headers.get("Accept") == "application/json":
            return web.json_response(await self._clock())
        raise web.HTTPSeeOther("/demo")

    async def events(self, request: web.Request) -> web.StreamResponse:
        """The clock as it moves, and which phones have something new.

        The phones have no streams of their own: a browser allows six at once to one host, and then nothing else.
        """
        phones = {self.chat_of(phone.link): number for number, phone in enumerate(self.control.phones)}
        async with self.streams.open(request, "demo") as stream:
            with self.hub.watch(*phones) as watch:
                telling = (self._tell_clock(stream), _tell_phones(stream, watch, phones))
                await _first_of(*(asyncio.ensure_future(one) for one in telling))
        return stream.response

    async def _tell_clock(self, stream: Stream) -> None:
        """Until cancelled, or until the reader has gone."""
        while True:
            await stream.tell("clock", await self._clock())
            try:
                async with asyncio.timeout(QUIET):
                    await self.control.wait_changed()
            except TimeoutError:
                continue

    async def _clock(self) -> dict[str, Any]:
        """What the bar at the top says, in the demonstration's language."""
        language, now = self.control.language, self.control.now().astimezone(self.zone)
        return {
            "day": texts.day(language, now.date()),
            "clock": f"{now:%H:%M}",
            "next": await self._next(language, now),
            "running": self.control.running,
        }

    async def _next(self, language: Language, now: datetime) -> str:
        event = await self.control.next_event()
        if event is None:
            return texts.text(language, "web.demo_nothing_next")
        at, what = event[0].astimezone(self.zone), event[1]
        key = "web.demo_next" if at.date() == now.date() else "web.demo_next_other_day"
        return texts.text(language, key, what=what, clock=f"{at:%H:%M}", day=texts.day(language, at.date()))


async def _tell_phones(stream: Stream, watch: Watch, phones: Mapping[str, int]) -> None:
    """Until the channel is closed."""
    while changed := await watch.changed():
        await stream.tell("phones", sorted(phones[chat] for chat in changed))


async def _first_of(*tasks: asyncio.Task[None]) -> None:
    """Wait until one of them ends, and end the others. Raises what that one raised."""
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()


async def _fields(request: web.Request) -> dict[str, str]:
    try:
        return form_fields(await read_body(request, MOST_BYTES))
    except ValueError as error:
        raise web.HTTPBadRequest from error
