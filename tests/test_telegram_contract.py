"""Telegram keeps the contract of all channels, over real HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import pytest
import pytest_asyncio

from channels.telegram import TelegramAccount
from domain.chat import Address, Channel
from tests.channel_contract import CHECKS, Bench, Check, Shown, Trouble, check_name
from tests.servers.bot_api import BotApi
from tests.servers.telegram_bench import account_at

AN = 101
GROUP = -100500


class TelegramBench:
    troubles: frozenset[Trouble] = frozenset({"blocked", "slow_down", "unknown", "not_connected"})

    def __init__(self, server: BotApi, channel: TelegramAccount, chat: int) -> None:
        self.server = server
        self.channel: Channel = channel
        self.to = Address(channel.name, str(chat))
        self._chat = chat

    async def screen(self) -> Sequence[Shown]:
        return [
            Shown(
                str(message.id),
                message.body,
                message.title,
                tuple(map(tuple, message.labels)),
                message.content if message.picture else b"",
                "" if message.picture else message.document,
            )
            for message in self.server.screen(self._chat)
        ]

    async def trouble(self, kind: Trouble) -> None:
        if kind == "blocked":
            await self.server.blocks(self._chat)
        elif kind == "slow_down":
            self.server.fails("flood", retry_after=3)
        elif kind == "unknown":
            self.server.fails("drop_after")
        else:
            await self.server.stop()


@pytest_asyncio.fixture(params=[AN, GROUP], ids=["private", "group"])
async def bench(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    async with BotApi() as server:
        server.user(AN, "An")
        server.group(GROUP, "Phòng Kế hoạch")
        account = account_at(server)
        yield TelegramBench(server, account, request.param)
        await account.close()
        assert server.violations == []


@pytest.mark.parametrize("check", CHECKS, ids=check_name)
async def test_contract(check: Check, bench: Bench) -> None:
    await check(bench)
