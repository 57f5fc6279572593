"""The token, names and texts of a Telegram account appear in no log, error or representation."""

from __future__ import annotations

import io
import logging
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest
from telegram.error import TelegramError

from channels.telegram import TelegramAccount, Webhook
from domain.chat import Address, Outgoing
from tests.servers.bot_api import BotApi
from tests.servers.telegram_bench import Store, account_at, listening

NAME, TEXT = "Nguyễn Canary", "sốt và ho canary"
TROUBLES = ["flood", "error", "unauthorized", "not_found", "drop_before", "garbage", "block_page", "blocked"]


@pytest.fixture
def everything_logged() -> Iterator[io.StringIO]:
    """All that the standard logging carries, at the most talkative level."""
    output = io.StringIO()
    listener = logging.StreamHandler(output)
    root, before = logging.getLogger(), logging.getLogger().level
    root.addHandler(listener)
    root.setLevel(logging.DEBUG)
    yield output
    root.removeHandler(listener)
    root.setLevel(before)


async def test_no_trouble_brings_a_secret_to_the_log(
    everything_logged: io.StringIO, capfd: pytest.CaptureFixture[str], log_file: Path
) -> None:
    before = log_file.stat().st_size
    async with BotApi() as server:
        server.user(101, NAME)
        account = account_at(server)
        for trouble in TROUBLES:
            server.fails(trouble, method="getUpdates")
            server.fails(trouble, method="sendMessage")
            await account.send(Outgoing(Address("telegram", "101"), TEXT), trouble)
        await server.says(101, TEXT)
        async with listening(account, Store()):
            await server.until(lambda: not server.pending)
        await account.send(Outgoing(Address("telegram", "101"), TEXT), "last")
        await account.close()
        captured = capfd.readouterr()
        ours = log_file.read_bytes()[before:].decode()
        seen = everything_logged.getvalue() + captured.out + captured.err + ours
        assert "telegram_line_failed" in seen
        for secret in (server.token, server.token.split(":")[1], NAME, TEXT):
            assert secret not in seen


@pytest.mark.parametrize("base", ["http://127.0.0.1:9", "http://no host:x", "ftp://127.0.0.1", "http://[::1"])
async def test_no_error_names_the_token(base: str) -> None:
    server = BotApi()
    account = account_at(server, base=base)
    with pytest.raises(TelegramError) as failure:
        await account.start()
    told = "".join(traceback.format_exception(failure.value)) + repr(failure.value)
    assert server.token not in told
    assert server.token.split(":")[1] not in told
    await account.close()


def test_no_representation_shows_a_secret() -> None:
    server = BotApi()
    webhook = Webhook("https://bot.example.vn/telegram/x", "made-up_Secret-7")
    account: TelegramAccount = account_at(server, base="http://127.0.0.1:9", webhook=webhook)
    told = repr(account) + repr(webhook) + "".join(repr(part) for part in vars(account).values())
    told += repr(account._line.bot)
    assert server.token not in told
    assert "made-up_Secret-7" not in told
