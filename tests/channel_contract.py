"""What every channel must do, whatever the messenger: one set of checks that each channel's tests run.

@pytest.mark.parametrize("check", CHECKS, ids=check_name)
async def test_contract(check: Check, bench: Bench) -> None:
    await check(bench)
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import pytest

from domain.chat import (
    Address,
    Attached,
    Button,
    Channel,
    Keyboard,
    Outcome,
    Outgoing,
    RetryLater,
    Sent,
    Unknown,
    Unreachable,
)

Trouble = Literal["blocked", "slow_down", "unknown", "not_connected"]

HOSTILE = '<b>An & "Bình"</b> *đậm* _x_ [a](http://x) `code` \\ 🟢 e\u0301'
PICTURE = Attached("kết-quả.png", "image/png", b"\x89PNG\r\n\x1a\n...")
DOCUMENT = Attached("danh sách.xlsx", "application/zip", b"PK\x03\x04...")
YES_NO: Keyboard = (
    (Button("Tôi khoẻ", data="1.well.a", style="success"),),
    (Button("Có vấn đề", data="1.unwell.a", style="danger"), Button("Xem thêm", url="https://example.vn/x")),
)


@dataclass(frozen=True, slots=True)
class Shown:
    """One message on the person's screen. `text` is without the title; `title` is what stands out above it.

    `picture` is what they see in it, `document` what it is called that they can open.
    """

    message_id: str
    text: str
    title: str = ""
    labels: tuple[tuple[str, ...], ...] = ()
    picture: bytes = b""
    document: str = ""


class Bench(Protocol):
    """A channel set up for the checks. `troubles` are those its service can run into at all."""

    channel: Channel
    to: Address
    troubles: frozenset[Trouble]

    async def screen(self) -> Sequence[Shown]:
        """What the person at `to` sees, oldest first."""

    async def trouble(self, kind: Trouble) -> None:
        """Make the next send meet this trouble, once. `unknown`: it arrives, but the channel is not told."""


Check = Callable[[Bench], Awaitable[None]]


def check_name(check: Check) -> str:
    return getattr(check, "__name__", repr(check))


async def text_arrives_as_written(bench: Bench) -> None:
    sent = await _send(bench, Outgoing(bench.to, HOSTILE))
    (shown,) = await bench.screen()
    assert shown.message_id == sent
    assert shown.text == HOSTILE.replace("e\u0301", "é")
    assert shown.labels == ()


async def title_stands_above_the_text(bench: Bench) -> None:
    await _send(bench, Outgoing(bench.to, HOSTILE, title="🟢 Sáng <thứ Hai> & *chiều*"))
    (shown,) = await bench.screen()
    assert shown.title == "🟢 Sáng <thứ Hai> & *chiều*"
    assert shown.text == HOSTILE.replace("e\u0301", "é")


async def keyboard_shows_its_options_in_order(bench: Bench) -> None:
    await _send(bench, Outgoing(bench.to, "Hôm nay anh/chị thế nào?", keyboard=YES_NO))
    (shown,) = await bench.screen()
    if bench.channel.capabilities.buttons:
        assert shown.labels == (("Tôi khoẻ",), ("Có vấn đề", "Xem thêm"))
    else:
        assert shown.text.index("1. Tôi khoẻ") < shown.text.index("2. Có vấn đề")


async def a_replacement_stands_where_the_old_one_stood(bench: Bench) -> None:
    asked = await _send(bench, Outgoing(bench.to, "Câu hỏi", keyboard=YES_NO), "ask")
    await _send(bench, Outgoing(bench.to, "Tin khác"), "other")
    thanked = await _send(bench, Outgoing(bench.to, "Cảm ơn", title="Đã ghi", replaces=asked), "thanks")
    screen = await bench.screen()
    if not bench.channel.capabilities.edit:
        assert [shown.text for shown in screen][1:] == ["Tin khác", "Cảm ơn"]
        return
    assert [(shown.text, shown.labels) for shown in screen] == [("Cảm ơn", ()), ("Tin khác", ())]
    assert thanked == screen[0].message_id
    again = await bench.channel.send(Outgoing(bench.to, "Cảm ơn", title="Đã ghi", replaces=thanked), "thanks-2")
    assert again == Sent(thanked)


async def a_replacement_of_nothing_is_shown_all_the_same(bench: Bench) -> None:
    await _send(bench, Outgoing(bench.to, "Cảm ơn", replaces="987654321"))
    assert [shown.text for shown in await bench.screen()] == ["Cảm ơn"]


async def a_long_text_arrives_whole_and_in_order(bench: Bench) -> None:
    limit = bench.channel.capabilities.text_length
    lines = [f"{number}. Phòng Kế hoạch 🟢 {'ă' * 60}" for number in range(limit // 24)]
    last = await _send(bench, Outgoing(bench.to, "\n".join(lines), keyboard=YES_NO))
    screen = await bench.screen()
    assert "\n".join(shown.text for shown in screen).split("\n")[: len(lines)] == lines
    assert screen[-1].message_id == last
    if bench.channel.capabilities.buttons:
        assert [bool(shown.labels) for shown in screen] == [False] * (len(screen) - 1) + [True]


async def a_picture_is_seen_with_its_words(bench: Bench) -> None:
    sent = await _send(bench, Outgoing(bench.to, HOSTILE, title="Ảnh", keyboard=YES_NO, attached=PICTURE))
    (shown,) = await bench.screen()
    assert (shown.message_id, shown.title, shown.picture, shown.document) == (sent, "Ảnh", PICTURE.content, "")
    assert shown.text == HOSTILE.replace("e\u0301", "é")
    assert shown.labels or not bench.channel.capabilities.buttons


async def a_document_keeps_its_name(bench: Bench) -> None:
    await _send(bench, Outgoing(bench.to, "Danh sách kèm theo", attached=DOCUMENT))
    (shown,) = await bench.screen()
    assert (shown.text, shown.document, shown.picture) == ("Danh sách kèm theo", DOCUMENT.name, b"")


async def new_words_leave_the_picture_where_it_is(bench: Bench) -> None:
    sent = await _send(bench, Outgoing(bench.to, "Một ảnh", keyboard=YES_NO, attached=PICTURE), "picture")
    again = await _send(bench, Outgoing(bench.to, "Đã xem", title="Xong", replaces=sent), "seen")
    screen = await bench.screen()
    assert [(shown.title, shown.text) for shown in screen][-1] == ("Xong", "Đã xem")
    assert screen[-1].message_id == again
    if bench.channel.capabilities.edit:
        assert [(shown.picture, shown.labels) for shown in screen] == [(PICTURE.content, ())]


async def a_picture_goes_ahead_of_a_text_too_long_for_it(bench: Bench) -> None:
    lines = [f"{number}. {'ă' * 60}" for number in range(40)]
    last = await _send(bench, Outgoing(bench.to, "\n".join(lines), keyboard=YES_NO, attached=PICTURE))
    screen = await bench.screen()
    assert screen[0].picture == PICTURE.content
    assert "\n".join(shown.text for shown in screen).strip().split("\n")[: len(lines)] == lines
    assert screen[-1].message_id == last


async def a_blocked_chat_is_unreachable(bench: Bench) -> None:
    outcome = await _send_in_trouble(bench, "blocked")
    assert isinstance(outcome, Unreachable)
    assert outcome.why
    assert await bench.screen() == []


async def slow_down_says_how_long(bench: Bench) -> None:
    outcome = await _send_in_trouble(bench, "slow_down")
    assert isinstance(outcome, RetryLater)
    assert outcome.after > 0
    assert await bench.screen() == []
    await _send(bench, Outgoing(bench.to, "Xin chào"))
    assert [shown.text for shown in await bench.screen()] == ["Xin chào"]


async def an_unheard_answer_is_an_unknown_outcome(bench: Bench) -> None:
    outcome = await _send_in_trouble(bench, "unknown")
    assert isinstance(outcome, Unknown)
    assert [shown.text for shown in await bench.screen()] == ["Xin chào"]


async def no_connection_is_worth_another_try(bench: Bench) -> None:
    outcome = await _send_in_trouble(bench, "not_connected")
    assert isinstance(outcome, RetryLater)
    assert outcome.whole_account
    assert await bench.screen() == []


CHECKS: tuple[Check, ...] = (
    text_arrives_as_written,
    title_stands_above_the_text,
    keyboard_shows_its_options_in_order,
    a_replacement_stands_where_the_old_one_stood,
    a_replacement_of_nothing_is_shown_all_the_same,
    a_long_text_arrives_whole_and_in_order,
    a_picture_is_seen_with_its_words,
    a_document_keeps_its_name,
    new_words_leave_the_picture_where_it_is,
    a_picture_goes_ahead_of_a_text_too_long_for_it,
    a_blocked_chat_is_unreachable,
    slow_down_says_how_long,
    an_unheard_answer_is_an_unknown_outcome,
    no_connection_is_worth_another_try,
)


async def _send(bench: Bench, message: Outgoing, key: str = "m1") -> str:
    outcome = await bench.channel.send(message, key)
    assert isinstance(outcome, Sent), outcome
    return outcome.message_id


async def _send_in_trouble(bench: Bench, kind: Trouble) -> Outcome:
    if kind not in bench.troubles:
        pytest.skip(f"{bench.channel.name} cannot meet {kind}")
    await bench.trouble(kind)
    return await bench.channel.send(Outgoing(bench.to, "Xin chào"), "m1")
