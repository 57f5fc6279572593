"""Every way in which sending to Telegram ends, over real HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from channels.telegram import TelegramAccount, Wire
from domain.chat import Address, Moved, Outcome, Outgoing, Rejected, RetryLater, Sent, Unknown, Unreachable
from tests.servers.bot_api import BotApi
from tests.servers.telegram_bench import Clock, account_at

AN, BINH, GROUP = 101, 102, -100500


@pytest_asyncio.fixture
async def server() -> AsyncIterator[BotApi]:
    async with BotApi() as server:
        server.user(AN)
        server.user(BINH)
        server.user(103, started=False)
        server.group(GROUP, "Phòng")
        yield server


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest_asyncio.fixture
async def account(server: BotApi, clock: Clock) -> AsyncIterator[TelegramAccount]:
    account = account_at(server, clock=clock, wire=Wire(connect_timeout=0.3, read_timeout=0.15))
    yield account
    await account.close()


def hello(chat: int = AN, **more: Any) -> Outgoing:
    return Outgoing(Address("telegram", str(chat)), "Xin chào", **more)


OUTCOMES: list[tuple[str, dict[str, Any], Outcome]] = [
    ("blocked", {}, Unreachable("blocked")),
    ("deactivated", {}, Unreachable("deactivated")),
    ("kicked", {}, Unreachable("kicked")),
    ("not_member", {}, Unreachable("not_member")),
    ("group_deleted", {}, Unreachable("chat_deleted")),
    ("not_started", {}, Unreachable("not_started")),
    ("no_chat", {}, Unreachable("chat_not_found")),
    ("migrate", {"migrate_to": -100777}, Moved("-100777")),
    ("flood", {"retry_after": 7}, RetryLater(7, why="flood")),
    ("unauthorized", {}, RetryLater(60, whole_account=True, why="unauthorized")),
    ("not_found", {}, RetryLater(60, whole_account=True, why="not_found")),
    ("two_pollers", {}, RetryLater(60, whole_account=True, why="conflict")),
    ("block_page", {}, RetryLater(30, whole_account=True, why="foreign_answer_403")),
    ("bad_request", {}, Rejected("reply_markup_is_too_long")),
    ("error", {}, Unknown("status_502")),
    ("internal", {}, Unknown("status_500")),
    ("error_after_accepting", {}, Unknown("status_504")),
    ("drop_before", {}, Unknown("no_answer_disconnected")),
    ("drop_after", {}, Unknown("no_answer_disconnected")),
    ("silent", {}, Unknown("no_answer_timeout")),
    ("garbage", {}, Unknown("no_answer_unreadable")),
    ("not_ok", {}, Unknown("no_answer_unexpected")),
    ("odd_result", {}, Unknown("unreadable_answer")),
    ("no_chat_id", {}, Unknown("unreadable_answer")),
]


@pytest.mark.parametrize(("fault", "settings", "outcome"), OUTCOMES, ids=[case[0] for case in OUTCOMES])
async def test_outcome_of_sending(
    server: BotApi, account: TelegramAccount, fault: str, settings: dict[str, Any], outcome: Outcome
) -> None:
    server.fails(fault, **settings)
    assert await account.send(hello(), "k") == outcome
    assert isinstance(await account.send(hello(), "k"), Sent)


@pytest.mark.parametrize(
    ("fault", "edited"),
    [
        ("not_modified", Sent("1")),
        ("edit_gone", Sent("2")),
        ("edit_closed", Sent("2")),
        ("blocked", Unreachable("blocked")),
        ("error", Unknown("status_502")),
        ("drop_after", Unknown("no_answer_disconnected")),
        ("flood", RetryLater(1, why="flood")),
        ("bad_request", Rejected("reply_markup_is_too_long")),
    ],
)
async def test_outcome_of_replacing(server: BotApi, account: TelegramAccount, fault: str, edited: Outcome) -> None:
    await account.send(hello(), "k")
    server.fails(fault, method="editMessageText")
    assert await account.send(hello(silent=True, replaces="1"), "k2") == edited


async def test_real_states_of_chats(server: BotApi, account: TelegramAccount) -> None:
    assert await account.send(hello(103), "a") == Unreachable("chat_not_found")
    assert await account.send(hello(999), "b") == Unreachable("chat_not_found")
    await server.removes_bot(AN, GROUP)
    assert await account.send(hello(GROUP), "c") == Unreachable("kicked")
    await server.adds_bot(AN, GROUP)
    await server.upgrades(AN, GROUP, -100888)
    assert await account.send(hello(GROUP), "d") == Moved("-100888")
    server.deactivates(AN)
    assert await account.send(hello(), "e") == Unreachable("deactivated")


@pytest.mark.parametrize("base", ["http://127.0.0.1:9", "http://no-such-host.invalid", "http://127.0.0.1:99999"])
async def test_nothing_written_is_worth_another_try(server: BotApi, base: str) -> None:
    account = account_at(server, base=base)
    assert await account.send(hello(), "k") == RetryLater(5, whole_account=True, why="no_connection")
    assert account.problem == "no_connection"
    await account.close()


async def test_only_a_hundred_half_sent_texts_are_remembered(server: BotApi, account: TelegramAccount) -> None:
    long = Outgoing(Address("telegram", str(AN)), "\n".join(letter * 4000 for letter in "ab"))
    for number in range(102):
        server.fails("delay")
        server.fails("flood")
        assert isinstance(await account.send(long, str(number)), RetryLater)
    server.chats[AN].messages.clear()
    await account.send(long, "0")
    await account.send(long, "101")
    assert [message.text[0] for message in server.screen(AN)] == ["a", "b", "b"]


async def test_one_slow_chat_does_not_stop_the_account(server: BotApi, account: TelegramAccount, clock: Clock) -> None:
    server.fails("flood", retry_after=9, times=3)
    assert await account.send(hello(AN), "a") == RetryLater(9, why="flood")
    assert await account.send(hello(AN), "b") == RetryLater(9, why="flood")
    clock.now += timedelta(seconds=2)
    assert await account.send(hello(BINH), "c") == RetryLater(9, why="flood")


async def test_two_slow_chats_at_once_stop_the_account(server: BotApi, account: TelegramAccount) -> None:
    server.fails("flood", retry_after=9, times=3)
    assert await account.send(hello(AN), "a") == RetryLater(9, why="flood")
    assert await account.send(hello(GROUP), "b") == RetryLater(9, why="flood")
    assert await account.send(hello(BINH), "c") == RetryLater(9, whole_account=True, why="flood")


async def test_the_account_tells_what_is_wrong_with_it(server: BotApi, account: TelegramAccount) -> None:
    assert account.problem == ""
    server.fails("unauthorized")
    await account.send(hello(), "a")
    assert account.problem == "unauthorized"
    server.fails("drop_before")
    await account.send(hello(), "a")
    assert account.problem == "unauthorized"
    await account.send(hello(), "a")
    assert account.problem == ""
