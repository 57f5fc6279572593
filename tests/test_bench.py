"""What `make bench` measures is the real thing: its department declares, and its Telegram is understood."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bench import organisation
from bench.organisation import Prompts
from bench.pace import paced
from bench.telegram import taken
from channels.telegram.incoming import Me, read_update
from storage import tables
from storage.database import Database
from tests.world import MONDAY, build

ME = Me(7000001, "bench_bot")


async def test_its_taps_are_declarations_with_receipts(database: Database) -> None:
    await organisation.furnish(database, 60, MONDAY)
    made = await build(database)
    taps = [read_update(organisation.tap(n, organisation.button(n)), "telegram", ME) for n in range(1, 61)]
    receipts = await made.receive([one.incoming for one in taps])
    assert all(one.saved for one in receipts) and {one.callback_id for one in taps} == {
        str(organisation.FIRST_CALLBACK + n) for n in range(1, 61)
    }
    assert await made.count(tables.declaration, tables.declaration.c.given_by_id == tables.declaration.c.ask_id) == 60
    await made.settle()
    assert sum("Đã nhận khai báo" in message.title for _, message in made.telegram.sent) == 60
    assert await made.count(tables.board) == organisation.UNITS


@pytest.mark.parametrize(("prompts", "waiting"), [("sent", 0), ("waiting", 5), ("none", 0)])
async def test_its_prompts_wait_where_they_are_to_be_sent(database: Database, prompts: Prompts, waiting: int) -> None:
    await organisation.furnish(database, 5, MONDAY, prompts)
    assert await organisation.answer_yesterday(database, 5, MONDAY) == MONDAY.date() - timedelta(days=1)
    made = await build(database)
    assert await made.count(tables.outbox, tables.outbox.c.state == "waiting") == waiting
    assert await made.count(tables.declaration) == 5


HEAD = b"HTTP/1.1 200 OK\r\n"
MESSAGES = [
    ("with a length", HEAD + b"Content-Length: 2\r\n\r\nok", b"ok"),
    ("without a body", HEAD + b"X: y\r\n\r\n", b""),
    ("in chunks", HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", b"2\r\nok\r\n0\r\n\r\n"),
]


@pytest.mark.parametrize(("whole", "body"), [one[1:] for one in MESSAGES], ids=[one[0] for one in MESSAGES])
def test_a_message_is_taken_once_it_is_whole(whole: bytes, body: bytes) -> None:
    read, found = bytearray(), []
    for byte in whole + whole:
        read.append(byte)
        if message := taken(read):
            found.append(message)
    assert [one[1] for one in found] == [body, body]
    assert read == b""


def test_the_busiest_second_slides() -> None:
    assert paced([0.0, 0.5, 0.9, 1.2, 1.4, 3.0], 6).busiest == 4
