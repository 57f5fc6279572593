"""The edge of the web application: headers everywhere, changes from our pages only, nothing told to strangers."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from domain.chat import Address, Outgoing, Receive, RetryLater
from storage import outbox
from storage.outbox import Letter
from storage.settlement import Settled
from tests.web_bench import LAN, NOW, House, client, house
from tests.web_demo_day import DemoDay
from web.app import VERSION
from web.guard import HEADERS
from web.health import Pulse


class Messenger:
    """An account whose service was last heard of at `heard_at`."""

    def __init__(self) -> None:
        self.problem = ""
        self.heard_at: datetime | None = NOW - timedelta(seconds=20)
        self.taken: list[tuple[bytes, str | None]] = []
        self.status = 200

    async def take(self, body: bytes, secret_header: str | None, receive: Receive) -> tuple[int, bytes]:
        self.taken.append((body, secret_header))
        return self.status, b""


@pytest_asyncio.fixture
async def here(empty_store: Path, tmp_path: Path) -> AsyncIterator[House]:
    async with house(empty_store, tmp_path) as running:
        yield running


async def test_every_route_has_the_headers_and_errors_too(empty_store: Path, tmp_path: Path) -> None:
    telegram: dict[str, Any] = {"telegram": Messenger()}
    async with house(empty_store, tmp_path, telegram=telegram) as here, client(here) as browser:
        await here.enrol()
        fillers = {
            "id": "1",
            "link": here.path().removeprefix("/chat/"),
            "code": "ABC",
            "account": "telegram",
            "version": VERSION,
            "name": "style.css",
        }
        paths = {route.resource.canonical.format(**fillers) for route in here.app.router.routes() if route.resource}
        for path in (*paths, "/nowhere", "/chat/xxxxxxxxxxxx", "/telegram/other", "/static/x/style.css", "/chat/%00"):
            for method in ("GET", "POST", "DELETE"):
                async with browser.request(method, path, allow_redirects=False) as answer:
                    for name, value in HEADERS.items():
                        assert answer.headers[name] == value, (method, path, name)
                    kept = path.startswith(f"/static/{VERSION}") and answer.status == 200
                    assert kept or answer.headers["Cache-Control"] == "no-store", (method, path)
        assert not [path for path in paths if "{" in path]


async def test_the_policy_allows_nothing_inline_and_nothing_from_elsewhere(here: House) -> None:
    policy = HEADERS["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    await here.show(Outgoing(Address("webchat", LAN), "Xin chào"), "one")
    async with client(here) as browser:
        for path in (here.path(), "/chat/join", "/nowhere"):
            async with browser.get(path) as answer:
                html = await answer.text()
            for mark in (" style=", "<style", " onclick", "http://", "https://"):
                assert mark not in html, (path, mark)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Origin": "null"}, 200),
        ({"Origin": "OWN"}, 200),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "null"}, 200),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null", "Sec-Fetch-Site": "cross-site"}, 403),
        ({"Origin": "OWN", "Sec-Fetch-Site": "same-site"}, 403),
    ],
)
async def test_a_change_comes_from_our_own_pages(here: House, headers: dict[str, str], status: int) -> None:
    sent = {name: here.url if value == "OWN" else value for name, value in headers.items()}
    async with client(here) as browser:
        spoken = {"key": "k" * 16, "text": "2"}
        async with browser.post(f"{here.path()}/say", json=spoken, headers=sent) as answer:
            assert answer.status == status
        async with browser.post("/chat/join", data={"code": "x"}, headers=sent) as answer:
            assert answer.status == status
    assert len(here.heard) == (2 if status == 200 else 0)


async def test_an_unknown_page_says_so_in_both_languages_and_tells_nothing(here: House) -> None:
    async with client(here) as browser, browser.get("/chat/no.such.link.here") as answer:
        html = await answer.text()
    assert answer.status == 404
    assert "Không tìm thấy trang này" in html
    assert "This page was not found" in html
    assert "no.such.link" not in html


async def test_what_breaks_inside_is_a_plain_page_and_no_trace(here: House, log_file: Path) -> None:
    before = log_file.stat().st_size
    async with here.database.transaction() as session:
        await session.exec_driver_sql("DROP TABLE post")
    await here.enrol()
    async with client(here) as browser:
        async with browser.get(here.path()) as answer:
            html = await answer.text()
            assert answer.status == 500
        async with browser.get("/chat/join/SECRETCODE"):
            pass
    assert "Traceback" not in html
    assert "no such table" not in html
    said = log_file.read_bytes()[before:].decode()
    assert "request_failed" in said or "error" in said
    assert here.path() not in said
    assert "SECRETCODE" not in said


async def test_bodies_over_the_limit_are_refused_before_they_are_read(here: House) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield b"x" * 1024

    async with client(here) as browser, browser.post(f"{here.path()}/say", data=endless()) as answer:
        assert answer.status == 413


async def test_telegrams_updates_go_to_their_account(empty_store: Path, tmp_path: Path) -> None:
    account = Messenger()
    secret = {"X-Telegram-Bot-Api-Secret-Token": "s3"}
    async with house(empty_store, tmp_path, telegram={"telegram": account}) as here, client(here) as browser:
        async with browser.post("/telegram/telegram", data=b'{"update_id":1}', headers=secret) as answer:
            assert answer.status == 200
        assert account.taken == [(b'{"update_id":1}', "s3")]
        account.status = 503
        async with browser.post("/telegram/telegram", data=b"{}") as answer:
            assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
        async with browser.post("/telegram/other", data=b"{}", headers=secret) as answer:
            assert answer.status == 404
        async with browser.post(
            "/telegram/telegram", data=io.BytesIO(b"x" * (1024 * 1024 + 1)), headers=secret
        ) as answer:
            assert answer.status == 413
        assert len(account.taken) == 2


async def test_health_says_what_does_not_work(empty_store: Path, tmp_path: Path) -> None:
    account, ticked = Messenger(), [NOW]
    pulses = {"tick": Pulse(lambda: ticked[0], timedelta(minutes=3))}

    async def health(browser: aiohttp.ClientSession) -> tuple[int, Any]:
        async with browser.get("/healthz") as answer:
            return answer.status, await answer.json()

    async with (
        house(empty_store, tmp_path, telegram={"telegram": account}, pulses=pulses) as here,
        client(here) as browser,
    ):
        status, body = await health(browser)
        assert (status, body["ok"], body["database"]) == (200, True, "ok")
        assert body["channels"]["telegram"]["heard_seconds_ago"] == 20
        account.heard_at, account.problem = NOW - timedelta(minutes=6), "conflict"
        status, body = await health(browser)
        assert status == 503
        assert not body["channels"]["telegram"]["hearing"]
        assert body["channels"]["telegram"]["problem"] == "conflict"
        account.heard_at = None
        assert (await health(browser))[0] == 503
        account.heard_at = here.now = NOW + timedelta(minutes=4)
        status, body = await health(browser)
        assert (status, body["parts"]["tick"]) == (503, {"ok": False, "seconds_ago": 240})
        ticked[0] = here.now
        async with here.database.transaction() as session:
            letters = [Letter("old", "reply", Outgoing(Address("telegram", "1"), "Chờ"))]
            await outbox.enqueue(session, letters, here.now - timedelta(minutes=11))
        status, body = await health(browser)
        assert status == 503
        assert body["channels"]["telegram"]["sending"] is False
        assert body["channels"]["telegram"]["oldest_waiting_seconds"] == 660
        async with here.database.transaction() as session:
            await session.exec_driver_sql("DROP TABLE outbox")
        status, body = await health(browser)
        assert (status, body["database"]) == (503, "failed")


async def test_metrics_count_what_passes_and_name_nobody(empty_store: Path, tmp_path: Path) -> None:
    async with (
        house(empty_store, tmp_path, telegram={"telegram": Messenger()}) as here,
        client(here) as browser,
    ):
        for text in ("2", "/today"):
            async with browser.post(f"{here.path()}/say", json={"key": "k" * 16, "text": text}):
                pass
        here.refuses = True
        async with browser.post(f"{here.path()}/say", json={"key": "k" * 16, "tap": "1.a"}):
            pass
        async with here.database.transaction() as session:
            letter = Letter("p", "reply", Outgoing(Address("webchat", LAN), "Hỏi"))
            leased = await outbox.enqueue_leased(session, [letter], NOW, {"webchat": here.hub.capabilities})
        here.metrics.settled([Settled(leased[0], RetryLater(3))])
        async with browser.get("/metrics") as answer:
            lines = (await answer.text()).splitlines()
    for line in (
        'vungxanh_updates_total{channel="webchat",said="text"} 1.0',
        'vungxanh_updates_total{channel="webchat",said="command"} 1.0',
        'vungxanh_updates_not_saved_total{channel="webchat",why="not_stored"} 1.0',
        'vungxanh_letters_total{channel="webchat",kind="reply",outcome="sent"} 2.0',
        'vungxanh_letters_total{channel="webchat",kind="reply",outcome="retrylater"} 1.0',
        'vungxanh_letters_waiting{channel="webchat"} 0.0',
        'vungxanh_heard_seconds{channel="telegram"} 20.0',
        "vungxanh_healthy 1.0",
    ):
        assert line in lines, line
    assert not [line for line in lines if LAN in line]


async def test_a_stream_tells_what_is_new_and_ends_with_the_server(empty_store: Path, tmp_path: Path) -> None:
    async with client_of_stream(empty_store, tmp_path) as (here, events):
        first = await anext(events)
        assert "event: news" in first
        assert "Một" in first
        await here.show(Outgoing(Address("webchat", LAN), "Hai"), "two")
        second = await anext(events)
        assert "Hai" in second
        assert "Một" not in second
        await here.hub.close()
        assert [event async for event in events] == []


async def test_a_page_that_reconnects_hears_only_that_the_line_stands(here: House) -> None:
    await here.show(Outgoing(Address("webchat", LAN), "Một"), "one")
    async with client(here) as browser:
        async with browser.get(f"{here.path()}/messages") as answer:
            state = (await answer.json())["state"]
        async with browser.get(f"{here.path()}/events", headers={"Last-Event-ID": state}) as answer:
            assert "event: still" in (await answer.content.readuntil(b"\n\n")).decode()


async def test_one_chat_cannot_hold_more_than_its_share_of_streams(here: House) -> None:
    async with client(here) as browser:
        answers = [await browser.get(f"{here.path()}/events") for _ in range(11)]
        assert [answer.status for answer in answers] == [200] * 10 + [429]
        for answer in answers:
            answer.close()


async def test_somebody_who_left_hears_no_more_of_the_group(here: House) -> None:
    await here.enrol()
    async with client(here) as browser, browser.get(f"{here.group_path('group-a')}/events") as answer:
        await answer.content.readuntil(b"\n\n")
        async with here.database.transaction() as session:
            await session.exec_driver_sql("UPDATE person SET left_at = '2026-11-23 00:00:00'")
        await here.show(Outgoing(Address("webchat", "group-a"), "Bảng"), "board")
        assert await answer.content.read() == b""


async def test_the_demonstrations_clock_is_moved_by_its_buttons(empty_store: Path, tmp_path: Path) -> None:
    async with house(empty_store, tmp_path) as plain, client(plain) as browser, browser.get("/demo") as answer:
        assert answer.status == 404
    day = DemoDay(plain.seal)
    async with house(empty_store, tmp_path, demo=day) as here, client(here) as browser:
        for n, phone in enumerate(day.phones[:4]):
            await here.enrol(chat_id=phone.link.rpartition(".")[0], code=f"S{n}")
        async with browser.get("/") as answer:
            html = await answer.text()
        assert answer.url.path == "/demo"
        assert "06:30" in html
        assert html.count("<iframe") == 5
        async with browser.get("/demo/events") as stream:
            assert '"clock":"06:30"' in (await stream.content.readuntil(b"\n\n")).decode()
            accept = {"Accept": "application/json"}
            async with browser.post("/demo/clock", data={"action": "to_morning"}, headers=accept) as answer:
                assert (await answer.json())["clock"] == "07:00"
            assert '"clock":"07:00"' in (await stream.content.readuntil(b"\n\n")).decode()
            await here.show(Outgoing(Address("webchat", "group-ke-hoach"), "Bảng"), "board")
            assert b"event: phones\ndata: [4]" in await stream.content.readuntil(b"\n\n")
        for action in ("next", "run", "pause", "next", "next"):
            async with browser.post("/demo/clock", data={"action": action}) as answer:
                assert answer.url.path == "/demo"
        async with browser.post("/demo/clock", data={"action": "back"}) as answer:
            assert answer.status == 400
        async with browser.post("/demo/language", data={"language": "en"}) as answer:
            assert "to 07:00" in await answer.text()
    assert day.moves == ["to_morning", "next", "run", "pause", "next", "next", "en"]


@asynccontextmanager
async def client_of_stream(empty_store: Path, tmp_path: Path) -> AsyncIterator[tuple[House, AsyncIterator[str]]]:
    """One open stream, event by event."""
    async with house(empty_store, tmp_path) as here, client(here) as browser:
        await here.show(Outgoing(Address("webchat", LAN), "Một"), "one")
        async with browser.get(f"{here.path()}/events") as answer:
            yield here, _events(answer)


async def _events(answer: aiohttp.ClientResponse) -> AsyncIterator[str]:
    while event := await answer.content.readuntil(b"\n\n"):
        yield event.decode()
