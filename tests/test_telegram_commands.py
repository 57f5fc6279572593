"""Starting an account: who it is, its links, and the command menus it shows."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from telegram.error import TelegramError

from channels.telegram import CommandMenu, TelegramAccount
from tests.servers.bot_api import BotApi
from tests.servers.telegram_bench import Clock, account_at

VI = CommandMenu("private", "vi", (("today", "Lượt khai hôm nay"), ("help", "Trợ giúp")))
EN = CommandMenu("private", None, (("today", "Today's declaration"), ("help", "Help")))
GROUPS = CommandMenu("groups", "vi", (("bind", "Gắn nhóm với đơn vị"),))
HEAD = CommandMenu("chat", None, (("status", "How the unit stands"),), chat_id="101")


@pytest_asyncio.fixture
async def server() -> AsyncIterator[BotApi]:
    async with BotApi() as server:
        yield server


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest_asyncio.fixture
async def account(server: BotApi, clock: Clock) -> AsyncIterator[TelegramAccount]:
    account = account_at(server, clock=clock)
    yield account
    await account.close()


async def test_a_deep_link_needs_the_username(account: TelegramAccount) -> None:
    with pytest.raises(ValueError, match="not started"):
        account.deep_link("abc")
    await account.start()
    assert account.username == "vung_xanh_bot"
    assert account.deep_link("aZ-_09") == "https://t.me/vung_xanh_bot?start=aZ-_09"


async def test_starting_to_poll_drops_nothing(server: BotApi, account: TelegramAccount) -> None:
    await account.start()
    assert server.calls == ["getMe", "deleteWebhook"]
    assert not server.dropped_pending


async def test_a_wrong_token_is_told_without_the_token(server: BotApi, account: TelegramAccount) -> None:
    server.fails("unauthorized")
    with pytest.raises(TelegramError) as failure:
        await account.start()
    assert server.token not in repr(failure.value)


async def test_menus_are_set_per_scope_and_language_and_only_when_they_differ(
    server: BotApi, account: TelegramAccount
) -> None:
    assert await account.publish_commands([VI, EN, GROUPS, HEAD])
    assert [(scope, language) for scope, language in server.commands] == [
        ("all_private_chats", "vi"),
        ("all_private_chats", ""),
        ("all_group_chats", "vi"),
        ("chat101", ""),
    ]
    assert server.commands["all_private_chats", "vi"][0] == {"command": "today", "description": "Lượt khai hôm nay"}
    server.calls.clear()
    assert await account.publish_commands([VI, EN, GROUPS, HEAD])
    assert server.calls == ["getMyCommands"] * 4
    assert server.violations == []


async def test_menus_wait_as_long_as_told(server: BotApi, account: TelegramAccount, clock: Clock) -> None:
    server.fails("flood", retry_after=33, method="setMyCommands")
    assert await account.publish_commands([VI])
    assert clock.naps == [33]
    assert len(server.commands) == 1


async def test_a_menu_refused_does_not_stop_the_others(server: BotApi, account: TelegramAccount) -> None:
    bad = CommandMenu("private", "vi", (("Today!", "x"),))
    assert not await account.publish_commands([bad, CommandMenu("default", None, ())])
    assert list(server.commands) == []
    assert not await account.publish_commands([bad, EN])
    assert list(server.commands) == [("all_private_chats", "")]


async def test_menus_are_given_up_after_five_tries(server: BotApi, account: TelegramAccount, clock: Clock) -> None:
    server.fails("error", method="getMyCommands", times=99)
    assert not await account.publish_commands([VI])
    assert len(clock.naps) == 4
