"""The real web application over HTTP, with a real store, and a conversation scripted by the test."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from zoneinfo import ZoneInfo

import aiohttp
import sqlalchemy as sa
from aiohttp import web

from channels.webchat import WebChat
from domain.chat import Address, Attached, Command, File, Incoming, NotStored, Outgoing, Receipt, Sent, Tap, Text
from domain.seal import Seal
from storage import attachments, outbox, people, units, updates
from storage.database import Database
from storage.outbox import Letter
from storage.settlement import Settled, settle
from storage.tables import person
from tests.channel_contract import Shown
from web.app import build, serve
from web.demo import DemoControl
from web.health import Account, Health, Pulse
from web.links import chat_link, group_link
from web.metrics import Metrics
from web.proxies import Networks

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
NOW = datetime(2026, 11, 23, 0, 5, tzinfo=UTC)
LAN = "lan-0123456789abcdef0"


@dataclass
class House:
    """What a test holds: the address of the server, the store, and the script of the conversation."""

    database: Database
    seal: Seal
    hub: WebChat
    metrics: Metrics = field(default_factory=Metrics)
    heard: list[Incoming] = field(default_factory=list)
    refuses: bool = False
    url: str = ""
    now: datetime = NOW
    app: web.Application = field(default_factory=web.Application)

    def path(self, chat_id: str = LAN) -> str:
        return f"/chat/{chat_link(self.seal, chat_id)}"

    def group_path(self, group_id: str, reader_id: str = LAN) -> str:
        return f"/chat/{group_link(self.seal, group_id, reader_id)}"

    async def show(self, message: Outgoing, key: str, *, person_id: int | None = None) -> str:
        """File a letter and deliver it, as the outbox and delivery do; the id on the page."""
        outcome = await self.hub.send(message, key)
        file = await self._attach(message.attached) if message.attached else None
        await self._file([Letter(key, "reply", message, person_id=person_id, attachment_id=file)])
        assert isinstance(outcome, Sent)
        return outcome.message_id

    async def _attach(self, file: Attached) -> int:
        async with self.database.transaction() as session:
            owner: int = (await session.execute(sa.select(sa.func.min(person.c.id)))).scalar_one()
            return await attachments.add(session, owner, file.name, file.media_type, file.content, self.now)

    async def _file(self, letters: Sequence[Letter]) -> None:
        async with self.database.transaction() as session:
            leased = await outbox.enqueue_leased(session, letters, self.now, {self.hub.name: self.hub.capabilities})
            results = [Settled(one, await self.hub.send(one.message, one.key)) for one in leased]
            await settle(session, results, self.now)
        self.metrics.settled(results)
        self.hub.changed({letter.message.to.chat_id for letter in letters})

    async def receive(self, batch: Sequence[Incoming]) -> Sequence[Receipt]:
        """The scripted conversation: it answers what it heard, once."""
        if self.refuses:
            raise NotStored("disk full")
        for update in batch:
            async with self.database.transaction() as session:
                is_new = await updates.first_time(session, update, self.now)
            if is_new:
                self.heard.append(update)
                await self._file([self._answer(update)])
        return [Receipt(saved=True) for _ in batch]

    def _answer(self, update: Incoming) -> Letter:
        match update.said:
            case Tap(data, message_id):
                reply = Outgoing(update.chat, f"Đã ghi: {data}", title="Cảm ơn", replaces=message_id or None)
            case Command(name, args):
                reply = Outgoing(update.chat, f"Lệnh {name} [{args}]")
            case Text(text):
                reply = Outgoing(update.chat, f"Nghe: {text}")
            case File(_, name, kind, size):
                reply = Outgoing(update.chat, f"Nhận: {name} {kind} {size}")
            case other:
                raise AssertionError(other)
        return Letter(f"reply:{update.update_key}", "reply", reply)

    async def enrol(
        self, name: str = "Trần Thị Lan", chat_id: str = LAN, code: str = "S1", language: str = "vi"
    ) -> int:
        """A member of staff whose chat this is."""
        async with self.database.transaction() as session:
            root = await units.ensure_root(session, "Sở Thử nghiệm")
            values = {"staff_code": code, "name": name, "unit_id": root.id, "joined_at": self.now, "language": language}
            made: int = (await session.execute(person.insert().values(values).returning(person.c.id))).scalar_one()
            await people.link(session, made, Address(self.hub.name, chat_id), self.now)
        return made


@asynccontextmanager
async def house(
    empty_store: Path,
    tmp_path: Path,
    *,
    demo: DemoControl | None = None,
    telegram: dict[str, Account] | None = None,
    pulses: dict[str, Pulse] | None = None,
    trusted: Networks = (),
) -> AsyncIterator[House]:
    """Everything running on a free port."""
    database = Database(f"sqlite:///{shutil.copy(empty_store, tmp_path / 'web.db')}")
    here = House(database, Seal(b"k" * 32), WebChat())
    accounts = telegram or {}
    numbers = itertools.count(1)
    app = build(
        database=database,
        seal=here.seal,
        receive=here.metrics.counted(here.receive),
        hub=here.hub,
        zone=ZONE,
        organisation="Sở <Thử> nghiệm",
        new_id=lambda: f"fresh-{next(numbers):016d}",
        health=Health(database, lambda: here.now, (here.hub.name, *accounts), accounts, pulses or {}),
        metrics=here.metrics,
        telegram=accounts,
        demo=demo,
        trusted=trusted,
    )
    here.app = app
    runner = await serve(app, "127.0.0.1", 0)
    here.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield here
    finally:
        await here.hub.close()
        await runner.cleanup()
        await database.close()


def client(here: House, **headers: str) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(here.url, headers=headers)


class Page(HTMLParser):
    """The messages on a page as a browser without JavaScript shows them, and its hidden fields."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.shown: list[Shown] = []
        self.fields: dict[str, str] = {}
        self.taps: dict[str, str] = {}
        self.pictures: dict[str, str] = {}
        self.documents: dict[str, str] = {}
        self._into = ""
        self._tap = ""
        self._in_article = False
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        kind = given.get("class", "")
        if tag == "article":
            self._in_article = True
            self.shown.append(Shown(given["data-id"], ""))
        elif tag == "input" and given.get("type") == "hidden":
            self.fields[given["name"]] = given["value"]
        elif not self._in_article:
            return
        elif tag == "img":
            self.pictures[self.shown[-1].message_id] = given["src"]
        elif kind == "button document":
            self._into = "document"
            self.documents[self.shown[-1].message_id] = given["href"]
        elif kind == "row":
            self._last(labels=(*self.shown[-1].labels, ()))
        elif kind.startswith("button") and given.get("name", "tap") == "tap":
            self._into, self._tap = "label", given.get("value", "")
            self._last(labels=(*self.shown[-1].labels[:-1], (*self.shown[-1].labels[-1], "")))
        elif kind in ("text", "title"):
            self._into = kind
        elif tag == "span":
            self._into = ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "article":
            self._in_article = False
        if tag in ("p", "h2", "button", "a"):
            self._into = ""

    def handle_data(self, data: str) -> None:
        if self._into == "label":
            *rows, row = self.shown[-1].labels
            self._last(labels=(*rows, (*row[:-1], row[-1] + data)))
            self.taps[row[-1] + data] = self._tap
        elif self._into:
            self._last(**{self._into: getattr(self.shown[-1], self._into) + data})

    def _last(self, **changes: object) -> None:
        self.shown[-1] = replace(self.shown[-1], **changes)  # type: ignore[arg-type]
