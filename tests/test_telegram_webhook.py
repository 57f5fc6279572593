"""Taking updates by webhook: the server posts over real HTTP to a route as the web part has it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

import pytest
import pytest_asyncio
from aiohttp import web

from channels.telegram import TelegramAccount, Webhook
from domain.chat import Incoming, Receipt, Tap, Text, Unreadable
from tests.servers.bot_api import BotApi, Message
from tests.servers.telegram_bench import Clock, Store, account_at

AN, BINH = 101, 102
SECRET = "made-up_Secret-7"
UPDATE = b'{"update_id":5,"message":{"message_id":1,"chat":{"id":101,"type":"private"},"from":{"id":101},"text":"a"}}'


@dataclass
class Site:
    """The route that the web part provides, in front of one account."""

    store: Store = field(default_factory=Store)
    account: TelegramAccount | None = None
    statuses: list[int] = field(default_factory=list)
    url: str = ""

    async def respond(self, request: web.Request) -> web.Response:
        assert self.account is not None
        header = request.headers.get("X-Telegram-Bot-Api-Secret-Token")
        status, body = await self.account.take(await request.read(), header, self.store.receive)
        self.statuses.append(status)
        return web.Response(status=status, body=body, headers={"Retry-After": "1"} if status == 503 else {})


@pytest_asyncio.fixture
async def server() -> AsyncIterator[BotApi]:
    async with BotApi(pace=0.001) as server:
        server.user(AN, "An")
        server.user(BINH, "Bình")
        yield server
        assert server.violations == []


@pytest_asyncio.fixture
async def site(server: BotApi) -> AsyncIterator[Site]:
    site = Site()
    app = web.Application()
    app.router.add_post("/telegram/telegram", site.respond)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    site.url = f"http://127.0.0.1:{runner.addresses[0][1]}/telegram/telegram"
    site.account = account_at(server, webhook=Webhook(site.url, SECRET))
    yield site
    await server.stop()
    await site.account.close()
    await runner.cleanup()


@pytest_asyncio.fixture
async def account(site: Site) -> TelegramAccount:
    assert site.account is not None
    await site.account.start()
    return site.account


async def test_what_waited_and_what_comes_is_stored_in_order_per_chat(server: BotApi, site: Site) -> None:
    assert site.account is not None
    await server.says(AN, "trước")
    await site.account.start()
    for number in range(50):
        await server.says(AN, str(number))
        await server.says(BINH, str(number))
    await server.until(lambda: not server.pending)
    texts = [one.said.text for one in site.store.kept if one.sender.chat_id == str(AN) and isinstance(one.said, Text)]
    assert texts == ["trước", *map(str, range(50))]
    assert len(site.store.kept) == 101
    assert set(site.statuses) == {200}
    assert not server.dropped_pending


async def test_what_was_not_stored_comes_again(server: BotApi, site: Site, account: TelegramAccount) -> None:
    site.store.refusals = 3
    await server.says(AN, "chào")
    await server.until(lambda: not server.pending)
    assert [one.said for one in site.store.kept] == [Text("chào")]
    assert site.statuses == [503, 503, 503, 200]


async def test_a_tap_is_answered_after_storing(server: BotApi, site: Site, account: TelegramAccount) -> None:
    async with asyncio.timeout(30):
        from_screen = await _prompted(server)
        callback = server.tap_data(AN, from_screen, "1.well")
        await server.until(lambda: callback in server.callback_answers)
    assert [type(one.said) for one in site.store.kept] == [Tap]
    assert server.callback_answers[callback]["text"] == "Đã ghi"
    assert "answerCallbackQuery" not in server.calls  # the webhook's own reply said it


async def test_those_who_wait_together_share_one_commit(account: TelegramAccount) -> None:
    batches: list[int] = []
    go_on = asyncio.Event()

    async def receive(batch: Sequence[Incoming]) -> Sequence[Receipt]:
        batches.append(len(batch))
        await go_on.wait()
        return [Receipt(saved=True) for _ in batch]

    takes = [asyncio.create_task(account.take(_numbered(number), SECRET, receive)) for number in range(150)]
    while not batches:
        await asyncio.sleep(0)
    takes[0].cancel()
    go_on.set()
    statuses = await asyncio.gather(*takes, return_exceptions=True)
    assert batches == [100, 50]
    assert statuses[1:] == [(200, b"")] * 149


REFUSED = [
    ("no secret", UPDATE, None, 403),
    ("empty secret", UPDATE, "", 403),
    ("one letter off", UPDATE, SECRET[:-1] + "8", 403),
    ("longer", UPDATE, SECRET + "x", 403),
    ("not ASCII", UPDATE, "bí mật \udcff", 403),
    ("secret before size", b"x" * (1 << 21), "wrong", 403),
    ("too big", b"{" + b" " * (1 << 20) + b"}", SECRET, 413),
    ("empty", b"", SECRET, 400),
    ("not JSON", b"<xml/>", SECRET, 400),
    ("a list", b"[1]", SECRET, 400),
    ("half an object", UPDATE[:-1], SECRET, 400),
    ("not an object inside", b'{"update_id":5,}', SECRET, 400),
]


@pytest.mark.parametrize(
    ("body", "secret", "status"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED]
)
async def test_refused(account: TelegramAccount, body: bytes, secret: str | None, status: int) -> None:
    store = Store()
    assert await account.take(body, secret, store.receive) == (status, b"")
    assert store.batches == []


@pytest.mark.parametrize("body", [b'{"update_id":7,"message":"what"}', b'{"update_id":7,"callback_query":{}}', b"{}"])
async def test_what_cannot_be_understood_is_kept_and_not_sent_again(account: TelegramAccount, body: bytes) -> None:
    store = Store()
    assert await account.take(body, SECRET, store.receive) == (200, b"")
    assert isinstance(store.kept[0].said, Unreadable)
    assert store.kept[0].raw == body


async def test_a_failure_of_ours_is_offered_again(account: TelegramAccount) -> None:
    async def receive(batch: Sequence[Incoming]) -> Sequence[Receipt]:
        raise ZeroDivisionError

    assert await account.take(UPDATE, SECRET, receive) == (503, b"")
    assert await account.take(UPDATE, SECRET, Store().receive) == (200, b"")


async def test_before_the_start_nothing_is_taken(server: BotApi) -> None:
    fresh = account_at(server, webhook=Webhook("http://127.0.0.1:9/", SECRET))
    assert await fresh.take(UPDATE, SECRET, Store().receive) == (503, b"")
    polling = account_at(server)
    assert await polling.take(UPDATE, "", Store().receive) == (404, b"")
    await fresh.close()
    await polling.close()


async def test_a_webhook_set_elsewhere_is_set_back(server: BotApi, site: Site) -> None:
    clock = Clock()
    account = account_at(server, clock=clock, webhook=Webhook(site.url, SECRET))
    server.fails("error", method="setWebhook", times=2)
    watching = asyncio.create_task(account.listen(site.store.receive))
    await server.until(lambda: server.poster is not None and clock.naps)
    assert server.poster is not None
    server.poster.url = "http://127.0.0.1:9/elsewhere"
    await server.until(lambda: server.poster is not None and server.poster.url == site.url)
    await server.until(lambda: account.problem == "")
    assert not watching.done()
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
    await account.close()


def _numbered(number: int) -> bytes:
    return json.dumps(json.loads(UPDATE) | {"update_id": number}).encode()


async def _prompted(server: BotApi) -> Message:
    return Message(1, AN, "Hôm nay thế nào?", [], {})
