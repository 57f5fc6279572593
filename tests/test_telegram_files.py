"""A file from Telegram, fetched over real HTTP from the configured server, within bounds, and from nowhere else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from channels.telegram import TelegramAccount
from domain.chat import Address, Attached, File, Outgoing, Rejected, RetryLater, Sent
from domain.files import MOST_BYTES
from tests.phone import PHOTO
from tests.servers.bot_api import BotApi
from tests.servers.bot_api_state import Fault
from tests.servers.telegram_bench import Store, account_at, listening

AN = 101
GROUP = -100500
TO = Address("telegram", str(AN))


@pytest_asyncio.fixture
async def server() -> AsyncIterator[BotApi]:
    async with BotApi() as server:
        server.user(AN, "An")
        server.group(GROUP, "Phòng Kế hoạch")
        yield server
        assert server.violations == []


@pytest_asyncio.fixture
async def account(server: BotApi) -> AsyncIterator[TelegramAccount]:
    account = account_at(server)
    yield account
    await account.close()


async def test_the_largest_size_of_a_photo_and_a_document_are_heard_and_can_be_fetched(
    server: BotApi, account: TelegramAccount
) -> None:
    workbook = b"PK\x03\x04" + bytes(1000)
    async with listening(account, Store()) as store:
        await server.sends_photo(AN, PHOTO)
        await server.sends_document(AN, workbook, "danh sách.xlsx", "application/vnd.ms-excel")
        await server.sends_photo(AN, PHOTO, chat=GROUP)
        await server.until(lambda: len(store.kept) == 3)
    photo, document, elsewhere = (update.said for update in store.kept)
    assert isinstance(photo, File)
    assert (photo.media_type, photo.size, photo.content) == ("image/jpeg", len(PHOTO), None)
    assert await account.fetch(photo.file_id) == PHOTO
    assert isinstance(document, File)
    assert (document.name, document.media_type) == ("danh sách.xlsx", "application/vnd.ms-excel")
    assert await account.fetch(document.file_id) == workbook
    assert not isinstance(elsewhere, File)


@pytest.mark.parametrize("tells_sizes", [True, False])
async def test_a_file_larger_than_we_take_is_refused_before_it_is_in(
    server: BotApi, account: TelegramAccount, tells_sizes: bool
) -> None:
    server.tells_sizes = tells_sizes
    server.files["big"] = bytes(MOST_BYTES + 1)
    server.files["just"] = bytes(MOST_BYTES)
    assert await account.fetch("big") == Rejected("too_large")
    assert len(await _content(account, "just")) == MOST_BYTES
    assert server.calls.count("file") == (1 if tells_sizes else 2)


async def test_a_file_that_even_telegram_finds_too_large_is_said_to_be_so(
    server: BotApi, account: TelegramAccount
) -> None:
    server.fails("file_too_big", method="getFile")
    assert await account.fetch("any") == Rejected("too_large")


async def test_a_file_that_is_gone_is_not_asked_for_again(server: BotApi, account: TelegramAccount) -> None:
    assert isinstance(await account.fetch("gone"), Rejected)


@pytest.mark.parametrize(
    ("where", "trouble"),
    [
        *(("getFile", trouble) for trouble in ("error", "drop_before", "garbage", "flood", "block_page")),
        *(("file", trouble) for trouble in ("error", "flood", "block_page")),
    ],
)
async def test_every_doubt_is_worth_another_try(
    server: BotApi, account: TelegramAccount, where: str, trouble: str
) -> None:
    server.files["photo"] = PHOTO
    server.fails(trouble, method=where)
    assert isinstance(await account.fetch("photo"), RetryLater)
    assert await account.fetch("photo") == PHOTO


@pytest.mark.parametrize(
    "path",
    ["http://evil.example/x", "//evil.example/x", "/etc/passwd", "../../control/stats", "a/../b", "a b", "a?b=c", ""],
)
async def test_no_path_leads_anywhere_else(server: BotApi, account: TelegramAccount, path: str) -> None:
    reply = '{"ok":true,"result":{"file_id":"f","file_unique_id":"u","file_path":"' + path + '"}}'
    server.faults.append(Fault("body", description=reply, method="getFile"))
    assert await account.fetch("photo") == Rejected("no_path")
    assert "file" not in server.calls


async def test_a_picture_that_telegram_cannot_read_is_rejected(server: BotApi, account: TelegramAccount) -> None:
    sent = await account.send(Outgoing(TO, "x", attached=Attached("a.png", "image/png", b"no picture")), "k")
    assert sent == Rejected("image_process_failed")


async def test_a_large_document_arrives_whole(server: BotApi, account: TelegramAccount) -> None:
    large = b"PK\x03\x04" + bytes(MOST_BYTES)
    await account.send(Outgoing(TO, "Tệp", attached=Attached("lớn.xlsx", "application/zip", large)), "k")
    assert server.last(AN).content == large


async def test_a_document_that_replaces_comes_as_a_new_message(server: BotApi, account: TelegramAccount) -> None:
    first = await account.send(Outgoing(TO, "Đang làm"), "1")
    assert isinstance(first, Sent)
    file = Attached("bảng.xlsx", "application/zip", b"PK\x03\x04")
    second = await account.send(Outgoing(TO, "Xong", attached=file, replaces=first.message_id, silent=True), "2")
    assert second != first
    assert [(one.text, one.document, one.silent) for one in server.screen(AN)] == [
        ("Đang làm", "", False),
        ("Xong", "bảng.xlsx", True),
    ]


async def test_words_too_long_for_a_caption_come_below_the_picture_anew(
    server: BotApi, account: TelegramAccount
) -> None:
    shown = await account.send(Outgoing(TO, "Ảnh", attached=Attached("a.jpg", "image/jpeg", PHOTO)), "1")
    assert isinstance(shown, Sent)
    await account.send(Outgoing(TO, "dài " * 400, replaces=shown.message_id), "2")
    assert [one.text[:3] for one in server.screen(AN)] == ["Ảnh", "dài"]


async def _content(account: TelegramAccount, file_id: str) -> bytes:
    fetched: Any = await account.fetch(file_id)
    assert isinstance(fetched, bytes)
    return fetched
