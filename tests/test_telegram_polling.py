"""Taking updates by long poll: nothing is confirmed before it is stored, and nothing ends the hearing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest
import pytest_asyncio
from aiohttp import ClientSession
from structlog.testing import capture_logs

from channels.telegram import TelegramAccount, Wire
from channels.telegram.incoming import Arrival
from channels.telegram.taps import TapAnswers
from domain.chat import (
    Address,
    Button,
    Command,
    Incoming,
    Joined,
    Left,
    Moved,
    Outgoing,
    Receipt,
    Tap,
    Text,
    Unreadable,
)
from tests.servers.bot_api import BotApi, Message
from tests.servers.telegram_bench import Clock, Store, account_at, listening

AN, GROUP = 101, -100500


@pytest_asyncio.fixture
async def server() -> AsyncIterator[BotApi]:
    async with BotApi() as server:
        server.user(AN, "An")
        server.group(GROUP, "Phòng", kind="group")
        yield server
        assert server.violations == []


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest_asyncio.fixture
async def account(server: BotApi, clock: Clock) -> AsyncIterator[TelegramAccount]:
    account = account_at(server, clock=clock)
    yield account
    await account.close()


def said(store: Store) -> list[object]:
    return [incoming.said for incoming in store.kept]


async def test_what_waits_comes_in_order_and_once(server: BotApi, account: TelegramAccount) -> None:
    await server.says(AN, "/start abc")
    await server.says(AN, "chào")
    async with listening(account, Store()) as store:
        await server.until(lambda: not server.pending)
        await server.says(AN, "nữa")
        await server.until(lambda: not server.pending and len(store.kept) == 3)
    assert said(store) == [Command("start", "abc"), Text("chào"), Text("nữa")]
    assert store.batches == [2, 1]
    assert len({incoming.update_key for incoming in store.kept}) == 3


async def test_everything_that_happens_to_a_group(server: BotApi, account: TelegramAccount) -> None:
    async with listening(account, Store()) as store:
        await server.adds_bot(AN, GROUP)
        await server.says(AN, "/bind@vung_xanh_bot kh", chat=GROUP)
        await server.upgrades(AN, GROUP, -100777)
        await server.removes_bot(AN, -100777)
        await server.until(lambda: len(store.kept) == 5)
    wanted = [Joined("Phòng"), Command("bind", "kh"), Moved("-100777"), Left("kicked")]
    assert [each for each in said(store) if each in wanted] == wanted
    assert store.kept[0].chat.chat_id == str(GROUP)
    assert store.kept[0].sender.chat_id == str(AN)


async def test_two_hundred_and_fifty_come_by_the_hundred(server: BotApi, account: TelegramAccount) -> None:
    for number in range(250):
        await server.says(AN, str(number))
    async with listening(account, Store()) as store:
        await server.until(lambda: not server.pending)
    assert store.batches == [100, 100, 50]
    assert said(store) == [Text(str(number)) for number in range(250)]


async def test_what_was_not_stored_is_offered_again(server: BotApi, account: TelegramAccount, clock: Clock) -> None:
    await server.says(AN, "một")
    await server.says(AN, "hai")
    async with listening(account, Store(refusals=3)) as store:
        await server.until(lambda: not server.pending)
    assert said(store) == [Text("một"), Text("hai")]
    assert store.batches == [2, 2, 2, 2]
    assert len(clock.naps) == 3


async def test_the_offset_stands_while_storing(server: BotApi, account: TelegramAccount) -> None:
    storing, go_on = asyncio.Event(), asyncio.Event()

    async def receive(batch: Sequence[Incoming]) -> Sequence[Receipt]:
        storing.set()
        await go_on.wait()
        return [Receipt(saved=True) for _ in batch]

    await server.says(AN, "một")
    task = asyncio.create_task(account.listen(receive))
    await storing.wait()
    assert len(server.pending) == 1
    go_on.set()
    await server.until(lambda: not server.pending)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_killed_reader_finds_what_it_had_not_stored(server: BotApi) -> None:
    await server.says(AN, "một")
    first = account_at(server)
    async with listening(first, Store(refusals=10**6)) as store:
        await server.until(lambda: len(store.batches) > 2)
    await first.close()
    second = account_at(server)
    async with listening(second, Store()) as store:
        await server.until(lambda: not server.pending)
    assert said(store) == [Text("một")]
    await second.close()


@pytest.mark.parametrize(
    ("receipt", "shown"),
    [
        (Receipt(saved=True, notice="Đã ghi lúc 07:02"), {"text": "Đã ghi lúc 07:02"}),
        (Receipt(saved=False, notice="Chưa ghi được"), {"text": "Chưa ghi được", "show_alert": True}),
        (Receipt(saved=True), {}),
        (Receipt(saved=True, notice="x" * 300), {"text": "x" * 200}),
    ],
)
async def test_a_tap_is_answered(
    server: BotApi, account: TelegramAccount, receipt: Receipt, shown: dict[str, object]
) -> None:
    async with listening(account, Store(receipt=receipt)) as store:
        message = await _prompt(server, account)
        callback = server.tap_data(AN, message, "1.well")
        await server.until(lambda: callback in server.callback_answers)
    assert said(store) == [Tap("1.well", str(message.id))]
    assert server.callback_answers[callback] == {"callback_query_id": callback} | shown


async def test_a_tap_too_old_to_answer_is_stored_all_the_same(server: BotApi, account: TelegramAccount) -> None:
    message = await _prompt(server, account)
    server.tap_data(AN, message, "1.well")
    server.expire_taps()
    async with listening(account, Store()) as store:
        await server.until(lambda: account.taps_unanswered == 1)
    assert len(store.kept) == 1


async def test_every_tap_of_a_rush_is_answered(server: BotApi, account: TelegramAccount) -> None:
    message = await _prompt(server, account)
    for _ in range(300):
        server.tap_data(AN, message, "1.well")
    async with listening(account, Store()) as store:
        await server.until(lambda: len(server.callback_answers) == 300)
    assert len(store.kept) == 300
    assert account.taps_unanswered == 0


FAULTS = ["unauthorized", "not_found", "two_pollers", "error", "internal", "drop_before", "garbage", "block_page"]


@pytest.mark.parametrize("fault", FAULTS)
async def test_no_error_ends_the_hearing(server: BotApi, account: TelegramAccount, clock: Clock, fault: str) -> None:
    server.fails(fault, method="getMe", times=2)
    server.fails(fault, method="getUpdates", times=20)
    await server.says(AN, "chào")
    async with listening(account, Store()) as store:
        await server.until(lambda: not server.pending)
    assert said(store) == [Text("chào")]
    assert len(clock.naps) == 22
    assert 0.5 <= clock.naps[0] <= 1
    assert 7.5 <= max(clock.naps) <= 15
    assert account.problem == ""


async def test_flood_wait_is_kept_to_the_second(server: BotApi, account: TelegramAccount, clock: Clock) -> None:
    server.fails("flood", method="getUpdates", retry_after=47)
    await server.says(AN, "chào")
    async with listening(account, Store()):
        await server.until(lambda: not server.pending)
    assert clock.naps == [47]


async def test_a_half_open_connection_is_given_up(server: BotApi, clock: Clock) -> None:
    account = account_at(server, clock=clock, wire=Wire(poll_grace=0.05), poll_timeout=0)
    server.fails("silent", method="getUpdates", times=2)
    await server.says(AN, "chào")
    async with listening(account, Store()):
        await server.until(lambda: not server.pending)
    assert len(clock.naps) == 2
    await account.close()


async def test_a_webhook_set_by_somebody_is_removed(server: BotApi, account: TelegramAccount) -> None:
    async with listening(account, Store()) as store:
        await server.until(lambda: "getUpdates" in server.calls)
        async with ClientSession() as somebody:
            await somebody.post(f"{server.base}/bot{server.token}/setWebhook", json={"url": "http://127.0.0.1:9/"})
        await server.until(lambda: server.calls.count("getMe") == 2)
        await server.until(lambda: server.poster is None)
        await server.says(AN, "chào")
        await server.until(lambda: not server.pending)
    assert said(store) == [Text("chào")]
    assert not server.dropped_pending


async def test_silence_of_90_seconds_renews_the_connections(server: BotApi, clock: Clock) -> None:
    account = account_at(server, clock=clock, base="http://127.0.0.1:9")
    with capture_logs() as logs:
        async with listening(account, Store()):
            while sum(clock.naps) < 400:
                await asyncio.sleep(0)
    assert [log["event"] for log in logs].count("telegram_connections_renewed") in (3, 4)
    assert account.problem == "no_contact_ClientConnectorError"
    assert account.heard_at is None
    await account.close()


SPOILED = [
    b'{"update_id":%d,"message":{"text":"\\ud800"}}',
    b'{"update_id":%d,"message":{"text":"\xff\xfe"}}',
    b'{"update_id":%d,"message":' + b"[" * 3000 + b"]" * 3000 + b"}",
    b'{"update_id":%d,"message":{"chat":7}}',
    b'{"update_id":%d,"message":}',
    b'{"update_id":%d,"message":{"text":"\x01"}}',
]


@pytest.mark.parametrize("spoiled", SPOILED)
async def test_one_spoiled_update_holds_up_nobody(server: BotApi, account: TelegramAccount, spoiled: bytes) -> None:
    await server.says(AN, "trước")
    server.offer_raw(spoiled.replace(b"%d", b"1001"))
    await server.says(AN, "sau")
    async with listening(account, Store()) as store:
        await server.until(lambda: not server.pending)
    kinds = [type(each) for each in said(store)]
    assert kinds == [Text, Unreadable, Text]
    assert [incoming.update_key for incoming in store.kept] == ["1000", "1001", "1002"]


async def test_an_update_without_number_is_kept_but_cannot_be_confirmed(
    server: BotApi, account: TelegramAccount
) -> None:
    server.offer_raw(b'{"message":{}}')
    async with listening(account, Store()) as store:
        await server.until(lambda: len(store.kept) > 1)
    assert len({incoming.update_key for incoming in store.kept}) == 1
    assert account.problem == "no_contact_updates_without_number"


async def test_an_unexpected_failure_of_ours_does_not_end_it(server: BotApi, account: TelegramAccount) -> None:
    store, failures = Store(), [ZeroDivisionError(), KeyError("x")]

    async def receive(batch: Sequence[Incoming]) -> Sequence[Receipt]:
        if failures:
            raise failures.pop()
        return await store.receive(batch)

    await server.says(AN, "chào")
    task = asyncio.create_task(account.listen(receive))
    await server.until(lambda: not server.pending)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert said(store) == [Text("chào")]


async def _prompt(server: BotApi, account: TelegramAccount) -> Message:
    keyboard = ((Button("Tôi khoẻ", data="1.well"),),)
    await account.send(Outgoing(Address("telegram", str(AN)), "Hôm nay thế nào?", keyboard=keyboard), "prompt")
    return server.last(AN)


async def test_taps_beyond_what_can_wait_are_only_counted(server: BotApi, account: TelegramAccount) -> None:
    taps = TapAnswers(account._line, at_once=1, waiting=2)
    tap = Incoming("1", Address("telegram", "101"), Address("telegram", "101"), Tap("x", "1"))
    arrivals = [Arrival(tap, 1, "cb1")] * 5
    taps.answer(arrivals, [Receipt(saved=True)] * 5)
    assert taps.failed == 3
    await taps.close()
    assert server.calls == ["answerCallbackQuery"] * 2
