"""What goes out to Telegram, seen on the screens of a local Bot API server."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from channels.telegram import TelegramAccount
from channels.telegram.outgoing import render, split, units
from domain.chat import Address, Button, Outgoing, Rejected, RetryLater, Sent, Unknown, Unreachable
from tests.servers.bot_api import BotApi
from tests.servers.telegram_bench import account_at

AN = 101
TO = Address("telegram", str(AN))
WELL = ((Button("Tôi khoẻ", data="1.well", style="success"), Button("Không", data="1.no")),)
PHONE = ((Button("Gửi số điện thoại", asks_phone=True),), (Button("Bỏ qua", data="1.skip"),))


@pytest_asyncio.fixture
async def server() -> AsyncIterator[BotApi]:
    async with BotApi() as server:
        server.user(AN, "An")
        yield server
        assert server.violations == []


@pytest_asyncio.fixture
async def account(server: BotApi) -> AsyncIterator[TelegramAccount]:
    account = account_at(server)
    yield account
    await account.close()


async def test_buttons_carry_data_link_and_style(server: BotApi, account: TelegramAccount) -> None:
    keyboard = (*WELL, (Button("Xem", url="https://example.vn/a"),))
    await account.send(Outgoing(TO, "Chọn", keyboard=keyboard), "k")
    assert server.last(AN).buttons == [
        [
            {"text": "Tôi khoẻ", "callback_data": "1.well", "style": "success"},
            {"text": "Không", "callback_data": "1.no"},
        ],
        [{"text": "Xem", "url": "https://example.vn/a"}],
    ]


async def test_a_group_is_left_once_and_a_person_cannot_be(server: BotApi, account: TelegramAccount) -> None:
    group = Address("telegram", str(server.group(-100500, "Nhóm lạ")))
    assert await account.leave(group) == Sent("")
    assert isinstance(await account.leave(group), Unreachable)
    assert isinstance(await account.send(Outgoing(group, "Chào"), "k"), Unreachable)
    assert isinstance(await account.leave(TO), Rejected)
    server.fails("flood", method="leaveChat", retry_after=7)
    assert await account.leave(group) == RetryLater(7, why="flood")


async def test_silent_and_protected_only_when_asked(server: BotApi, account: TelegramAccount) -> None:
    await account.send(Outgoing(TO, "một"), "1")
    await account.send(Outgoing(TO, "hai", silent=True, protect=True), "2")
    first, second = server.screen(AN)
    assert (first.silent, first.protect, first.no_preview) == (False, False, True)
    assert (second.silent, second.protect, second.no_preview) == (True, True, True)


async def test_asking_for_the_phone_is_a_reply_keyboard(server: BotApi, account: TelegramAccount) -> None:
    asked = await account.send(Outgoing(TO, "Số nào?", keyboard=WELL), "1")
    assert isinstance(asked, Sent)
    sent = await account.send(Outgoing(TO, "Xin số", keyboard=PHONE, replaces=asked.message_id), "2")
    message = server.last(AN)
    assert sent == Sent(str(message.id))
    assert message.markup == {
        "keyboard": [[{"text": "Gửi số điện thoại", "request_contact": True}], [{"text": "Bỏ qua"}]],
        "one_time_keyboard": True,
        "resize_keyboard": True,
    }


async def test_a_message_that_cannot_be_edited_is_sent_anew(server: BotApi, account: TelegramAccount) -> None:
    asked = await account.send(Outgoing(TO, "Xin số", keyboard=PHONE), "1")
    assert isinstance(asked, Sent)
    thanked = await account.send(Outgoing(TO, "Cảm ơn", replaces=asked.message_id), "2")
    assert [message.text for message in server.screen(AN)] == ["Xin số", "Cảm ơn"]
    assert thanked == Sent(str(server.last(AN).id))


async def test_an_id_of_another_channel_replaces_nothing(server: BotApi, account: TelegramAccount) -> None:
    assert await account.send(Outgoing(TO, "Cảm ơn", replaces="web-abc"), "1") == Sent("1")


async def test_a_long_replacement_edits_once_and_goes_on_below(server: BotApi, account: TelegramAccount) -> None:
    asked = await account.send(Outgoing(TO, "Câu hỏi", keyboard=WELL), "1")
    assert isinstance(asked, Sent)
    text = "\n".join(["x" * 2000, "y" * 2000, "z" * 2000])
    sent = await account.send(Outgoing(TO, text, title="Tổng hợp", keyboard=WELL, replaces=asked.message_id), "2")
    first, second = server.screen(AN)
    assert (first.title, first.edits, first.labels) == ("Tổng hợp", 1, [])
    assert (second.text, second.title, second.labels) == ("z" * 2000, "", [["Tôi khoẻ", "Không"]])
    assert sent == Sent(str(second.id))


async def test_a_long_text_cut_short_goes_on_where_it_stopped(server: BotApi, account: TelegramAccount) -> None:
    message = Outgoing(TO, "\n".join(letter * 4000 for letter in "abc"), keyboard=WELL)
    server.fails("delay", delay=0, times=1)
    server.fails("flood", retry_after=2)
    assert await account.send(message, "long") == RetryLater(2, why="flood")
    server.fails("error")
    assert await account.send(message, "long") == Unknown("status_502")
    assert isinstance(await account.send(message, "long"), Sent)
    assert [message.text[0] for message in server.screen(AN)] == ["a", "b", "c"]
    await account.send(message, "another key")
    assert len(server.screen(AN)) == 6


async def test_nothing_to_say_and_nowhere_to_say_it(account: TelegramAccount) -> None:
    assert await account.send(Outgoing(TO, " \n "), "1") == Rejected("message_text_is_empty")
    assert await account.send(Outgoing(Address("telegram", "x"), "a"), "2") == Rejected("chat_id_is_not_a_number")


async def test_data_of_more_than_64_bytes_is_our_fault(server: BotApi, account: TelegramAccount) -> None:
    outcome = await account.send(Outgoing(TO, "x", keyboard=((Button("A", data="ă" * 33),),)), "1")
    assert isinstance(outcome, Rejected)
    assert len(server.violations) == 1
    server.violations.clear()


async def test_a_file_goes_out_as_a_form(server: BotApi, account: TelegramAccount) -> None:
    sent = await account._line.bot.send_document(AN, b"%PDF-1.7", caption="Tổng hợp", filename="a.pdf")
    assert (sent.message_id, server.last(AN).text, server.last(AN).document) == (1, "Tổng hợp", "a.pdf")


async def test_after_closing_nothing_is_sent(server: BotApi, account: TelegramAccount) -> None:
    await account.send(Outgoing(TO, "x"), "1")
    await account.close()
    assert isinstance(await account.send(Outgoing(TO, "y"), "2"), RetryLater)
    assert len(server.screen(AN)) == 1


SPLITS = [
    ("", []),
    ("ab", ["ab"]),
    ("abcdefgh", ["abcde", "fgh"]),
    ("ab\ncde\nf", ["ab", "cde\nf"]),
    ("ab cdef gh", ["ab", "cdef", "gh"]),
    ("abcde\nf", ["abcde", "f"]),
    ("🟢🟢🟢", ["🟢🟢", "🟢"]),
    ("a\n\n\n\n\n\nb", ["a", "b"]),
]


@pytest.mark.parametrize(("text", "parts"), SPLITS)
def test_split(text: str, parts: list[str]) -> None:
    assert split(text, 5) == parts


@given(st.text(alphabet="aă🟢 \n", max_size=80), st.integers(2, 20))
def test_split_loses_nothing_but_white_space(text: str, limit: int) -> None:
    parts = split(text, limit)
    assert "".join("".join(parts).split()) == "".join(text.split())
    assert all(part.strip() and units(part) <= limit for part in parts)


@given(st.text(), st.text())
def test_any_title_and_text_can_be_rendered(title: str, text: str) -> None:
    for part in render(Outgoing(TO, text, title=title)):
        assert 0 < units(part.text) <= 4096
        for entity in part.entities:
            assert 0 < entity.length <= units(part.text)
