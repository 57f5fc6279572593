"""The Bot API server that stands in for Telegram is strict, keeps time, and runs as a process of its own."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from tests.servers.bot_api import TOKEN, BotApi
from tests.servers.bot_api_spec import problems
from tests.servers.bot_api_state import Limits, busiest

AN, GROUP = 101, -100500


@pytest_asyncio.fixture
async def server() -> AsyncIterator[BotApi]:
    async with BotApi() as server:
        server.user(AN)
        server.group(GROUP, "Phòng")
        yield server


@pytest_asyncio.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as http:
        yield http


async def call(http: aiohttp.ClientSession, server: BotApi, method: str, **parameters: Any) -> tuple[int, Any]:
    async with http.post(f"{server.base}/bot{server.token}/{method}", json=parameters) as answer:
        body = await answer.json()
        return answer.status, body.get("result", body.get("description"))


def inline(**button: Any) -> dict[str, Any]:
    return {"inline_keyboard": [[{"text": "A"} | button]]}


WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("sendMesage", {}, "unknown method"),
    ("sendMessage", {"chat_id": 1}, "text: missing"),
    ("sendMessage", {"chat_id": 1, "text": "x", "silent": True}, "silent: unknown field"),
    ("sendMessage", {"chat_id": [1], "text": "x"}, "chat_id: not"),
    ("sendMessage", {"chat_id": 1, "text": 5}, "text: not String"),
    ("sendMessage", {"chat_id": 1, "text": ""}, "text: 0 is outside"),
    ("sendMessage", {"chat_id": 1, "text": "x" * 4097}, "text: 4097 is outside"),
    ("sendMessage", {"chat_id": 1, "text": "🟢" * 2049}, "text: 4098 is outside"),
    ("sendMessage", {"chat_id": 1, "text": "x", "disable_notification": 1}, "not Boolean"),
    ("sendMessage", {"chat_id": 1, "text": "x", "reply_markup": inline(callback_data="ă" * 33)}, "66 is outside"),
    ("sendMessage", {"chat_id": 1, "text": "x", "reply_markup": inline(callback_data="a", style="red")}, "words"),
    ("sendMessage", {"chat_id": 1, "text": "x", "reply_markup": inline()}, "exactly one thing"),
    ("sendMessage", {"chat_id": 1, "text": "x", "entities": [{"type": "bold", "offset": 0, "length": 2}]}, "beyond"),
    ("answerCallbackQuery", {"callback_query_id": "1", "text": "x" * 201}, "201 is outside"),
    ("setWebhook", {"url": "https://x", "secret_token": "x" * 300}, "300 is outside"),
    ("getUpdates", {"limit": 101}, "101 is outside"),
    ("getUpdates", {"limit": True}, "not Integer"),
]


@pytest.mark.parametrize(("method", "parameters", "found"), WRONG)
async def test_a_wrong_request_is_recorded_and_refused(
    server: BotApi, http: aiohttp.ClientSession, method: str, parameters: dict[str, Any], found: str
) -> None:
    assert found in " ".join(problems(method, parameters))
    status, _ = await call(http, server, method, **parameters)
    assert status == (404 if "unknown method" in found else 400)
    assert found in " ".join(server.violations)


async def test_a_form_and_a_file_are_understood(server: BotApi, http: aiohttp.ClientSession) -> None:
    form = aiohttp.FormData({"chat_id": str(AN), "caption": "Tổng hợp", "reply_markup": '{"inline_keyboard": []}'})
    form.add_field("document", b"%PDF", filename="a.pdf", content_type="application/pdf")
    async with http.post(f"{server.base}/bot{server.token}/sendDocument", data=form) as answer:
        assert answer.status == 200, await answer.text()
    assert (server.last(AN).document, server.last(AN).content) == ("a.pdf", b"%PDF")
    assert server.violations == []


async def test_the_older_of_two_pollers_gets_409(server: BotApi, http: aiohttp.ClientSession) -> None:
    older = asyncio.create_task(call(http, server, "getUpdates", timeout=50))
    await server.until(lambda: server.polls == 1)
    newer = asyncio.create_task(call(http, server, "getUpdates", timeout=50))
    assert (await older)[0] == 409
    await server.says(AN, "chào")
    status, updates = await newer
    assert (status, len(updates)) == (200, 1)
    assert (await call(http, server, "getUpdates"))[1] == updates
    assert (await call(http, server, "getUpdates", offset=updates[0]["update_id"] + 1))[1] == []


async def test_the_account_takes_30_a_second(server: BotApi, http: aiohttp.ClientSession) -> None:
    server.limits.enforce = True
    for number in range(40):
        server.user(1000 + number)
    sends = [call(http, server, "sendMessage", chat_id=1000 + number, text="x") for number in range(40)]
    statuses = [status for status, _ in await asyncio.gather(*sends)]
    assert (statuses.count(200), statuses.count(429)) == (30, 10)
    assert server.busiest_second() == 30
    assert server.limits.refused == 10
    assert (await call(http, server, "sendMessage", chat_id=1000, text="x"))[0] == 429
    assert server.limits.calls_inside_wait >= 1


def test_limits_of_a_chat_and_of_a_group() -> None:
    limits = Limits(enforce=True)
    assert [limits.refusal(AN, 0.0, is_edit=False) for _ in range(4)] == [None, None, None, 1]
    assert limits.refusal(AN, 1.0, is_edit=False) is None
    assert limits.refusal(AN, 1.1, is_edit=True) is None
    assert limits.calls_inside_wait == 0
    spaced = [limits.refusal(GROUP, 2.0 + number, is_edit=True) for number in range(21)]
    assert spaced == [None] * 20 + [40]
    assert limits.refusal(GROUP, 30.0, is_edit=False) == 32
    assert limits.calls_inside_wait == 1


@pytest.mark.parametrize(
    ("times", "most"), [([], 0), ([1.0], 1), ([0, 0.5, 0.99, 1.0], 3), ([0, 0.6, 1.2, 1.3, 1.5, 1.6], 4)]
)
def test_busiest(times: list[float], most: int) -> None:
    assert busiest(times) == most


@pytest_asyncio.fixture
async def process() -> AsyncIterator[str]:
    running = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.servers.bot_api", "--users", "1", "2", stdout=asyncio.subprocess.PIPE
    )
    assert running.stdout is not None
    yield (await running.stdout.readline()).decode().strip()
    running.terminate()
    await running.communicate()


async def test_as_a_process_of_its_own(process: str, http: aiohttp.ClientSession) -> None:
    async def order(path: str, **content: Any) -> Any:
        async with http.post(f"{process}/control/{path}", json=content) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def ask(path: str) -> Any:
        async with http.get(f"{process}/control/{path}") as answer:
            return await answer.json()

    bot = f"{process}/bot{TOKEN}"
    await order("users", first=1, count=2284)
    await order("says", all=[[1, "/start a"], [2, "/start b"]])
    await order("fails", name="drop_after", method="sendMessage", chat=2)
    began = time.perf_counter()
    for user in range(1, 2285):
        message = {"chat_id": user, "text": "Sáng nay?", "reply_markup": inline(callback_data=f"1.{user}")}
        if user == 2:
            with pytest.raises(aiohttp.ClientError):
                await http.post(f"{bot}/sendMessage", json=message)
        else:
            async with http.post(f"{bot}/sendMessage", json=message) as answer:
                assert answer.status == 200
    assert len((await order("tap-all", label="A"))["tapped"]) == 2284
    assert time.perf_counter() - began < 60
    assert (await order("tap", user=1, label="A"))["message"] == 2
    stats = await ask("stats")
    assert (stats["sends"], stats["pending"], stats["unanswered_sends"], stats["violations"]) == (2284, 2287, 1, 0)
    assert stats["busiest_second"] > 30
    assert (await ask("messages?chat=2"))[0]["labels"] == [["A"]]
    assert [send["chat_id"] for send in await ask("sends") if not send["answered"]] == [2]
    assert await ask("violations") == []
    async with http.post(f"{bot}/getUpdates", json={"offset": 1005, "limit": 1}) as answer:
        assert len((await answer.json())["result"]) == 1
