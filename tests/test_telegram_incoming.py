"""Raw updates as they arrive, and what the bot makes of them."""

from __future__ import annotations

import json
from random import Random
from typing import Any
from unicodedata import normalize

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.telegram.incoming import Me, read_update
from domain.chat import (
    Address,
    Command,
    Contact,
    File,
    Ignored,
    Incoming,
    Joined,
    Left,
    Moved,
    Said,
    Tap,
    Text,
    Unreadable,
)

ME = Me(7000001, "Vung_Xanh_bot")
AN = {"id": 101, "is_bot": False, "first_name": "An", "language_code": "vi"}
PRIVATE = {"id": 101, "type": "private", "first_name": "An"}
GROUP = {"id": -100500, "type": "supergroup", "title": "Phòng Kế hoạch"}
NOBODY = Address("telegram", "")


def read(update: dict[str, Any]) -> Incoming:
    return read_update(json.dumps(update).encode(), "telegram", ME).incoming


def message(chat: dict[str, Any] = PRIVATE, **content: Any) -> dict[str, Any]:
    body = {"message_id": 5, "date": 1, "chat": chat, "from": AN} | content
    return {"update_id": 9001, "message": body}


def callback(**content: Any) -> dict[str, Any]:
    return {"update_id": 9002, "callback_query": {"id": "43", "from": AN, "chat_instance": "1"} | content}


def membership(chat: dict[str, Any], was: str, now: str, **extra: Any) -> dict[str, Any]:
    user = {"id": ME.id, "is_bot": True, "first_name": "Bot"}
    change = {
        "chat": chat,
        "from": AN,
        "date": 1,
        "old_chat_member": {"status": was, "user": user},
        "new_chat_member": {"status": now, "user": user} | extra,
    }
    return {"update_id": 9003, "my_chat_member": change}


OWN = {"phone_number": "84912345678", "first_name": "An", "user_id": 101}
SIZE = {"file_id": "small", "file_unique_id": "u", "width": 90, "height": 60}
SAID: list[tuple[str, dict[str, Any], Said]] = [
    ("text", message(text="chào"), Text("chào")),
    ("text in NFD", message(text=normalize("NFD", "đã khoẻ")), Text("đã khoẻ")),
    ("NUL", message(text="a\0b"), Text("ab")),
    ("command", message(text="/help"), Command("help")),
    ("command in capitals", message(text="/HELP"), Command("help")),
    ("payload", message(text="/start  aZ-_09 "), Command("start", "aZ-_09")),
    ("several lines", message(text="/leave 1/3\nđến 3/3"), Command("leave", "1/3\nđến 3/3")),
    ("a path", message(text="/a/b"), Text("/a/b")),
    ("lone slash", message(text="/ 5"), Text("/ 5")),
    ("to us", message(GROUP, text="/bind@vung_xanh_BOT x y"), Command("bind", "x y")),
    ("to nobody by name", message(GROUP, text="/bind x"), Command("bind", "x")),
    ("to another bot", message(GROUP, text="/bind@other_bot x"), Ignored()),
    ("group chatter", message(GROUP, text="chào cả phòng"), Ignored()),
    ("mention", message(GROUP, text="@vung_xanh_bot thế nào?"), Text("thế nào?")),
    ("reply to us", message(GROUP, text="2", reply_to_message={"from": {"id": ME.id}}), Text("2")),
    ("reply to another", message(GROUP, text="2", reply_to_message={"from": {"id": 5}}), Ignored()),
    ("own contact", message(contact=OWN), Contact("84912345678", own=True)),
    ("another's contact", message(contact=OWN | {"user_id": 102}), Contact("84912345678", own=False)),
    ("typed contact", message(contact={"phone_number": "0912", "first_name": "B"}), Contact("0912", own=False)),
    ("contact in a group", message(GROUP, contact=OWN), Ignored()),
    ("sticker", message(sticker={"file_id": "x"}), Ignored()),
    ("photo without a size", message(caption="x", photo=[]), Ignored()),
    (
        "photo in several sizes",
        message(caption="x", photo=[SIZE, SIZE | {"file_id": "large", "width": 900, "file_size": 70_000}, SIZE]),
        File("large", "", "image/jpeg", 70_000),
    ),
    ("photo in a group", message(GROUP, photo=[SIZE]), Ignored()),
    (
        "document",
        message(document={"file_id": "d", "file_name": "a\0b.xlsx", "mime_type": "text/csv", "file_size": 7}),
        File("d", "ab.xlsx", "text/csv", 7),
    ),
    ("document of which nothing is said", message(document={"file_id": "d"}), File("d")),
    ("document in a group", message(GROUP, document={"file_id": "d"}), Ignored()),
    ("anonymous admin", message(GROUP, text="/bind x", sender_chat=GROUP), Ignored()),
    ("a bot", message(text="/start", **{"from": AN | {"is_bot": True}}), Ignored()),
    (
        "somebody else's private chat",
        message(PRIVATE | {"id": 999}, text="x"),
        Unreadable("a private chat of somebody else"),
    ),
    ("in a channel", message(GROUP | {"type": "channel"}, text="/bind x"), Ignored()),
    ("moved", message(GROUP | {"type": "group"}, migrate_to_chat_id=-100777), Moved("-100777")),
    ("moved by an anonymous admin", message(GROUP, migrate_to_chat_id=-7, sender_chat=GROUP), Moved("-7")),
    ("moved here", message(GROUP, migrate_from_chat_id=-5), Ignored()),
    ("moved, which no private chat can be", message(migrate_to_chat_id=102), Ignored()),
    ("edited", {"update_id": 1, "edited_message": {"text": "x"}}, Ignored()),
    ("channel post", {"update_id": 1, "channel_post": {"text": "x"}}, Ignored()),
    ("unheard of", {"update_id": 1, "news_of_2030": [1]}, Ignored()),
    ("tap", callback(data="1.a.b", message={"message_id": 77, "date": 1, "chat": PRIVATE}), Tap("1.a.b", "77")),
    (
        "tap on a message too old",
        callback(data="x", message={"message_id": 77, "date": 0, "chat": GROUP}),
        Tap("x", "77"),
    ),
    ("tap without message", callback(data="x", inline_message_id="q"), Tap("x", "")),
    ("tap without data", callback(game_short_name="g"), Ignored()),
    ("blocked", membership(PRIVATE, "member", "kicked"), Left("blocked")),
    ("unblocked", membership(PRIVATE, "kicked", "member"), Joined("")),
    ("kicked", membership(GROUP, "member", "kicked"), Left("kicked")),
    ("left", membership(GROUP, "administrator", "left"), Left("left")),
    ("added", membership(GROUP, "left", "member"), Joined("Phòng Kế hoạch")),
    ("added, may not write", membership(GROUP, "left", "restricted", is_member=True), Joined("Phòng Kế hoạch")),
    ("restricted after leaving", membership(GROUP, "member", "restricted", is_member=False), Left("left")),
    ("promoted", membership(GROUP, "member", "administrator"), Ignored()),
    ("added to a channel", membership(GROUP | {"type": "channel"}, "left", "administrator"), Ignored()),
]


@pytest.mark.parametrize(("update", "said"), [case[1:] for case in SAID], ids=[case[0] for case in SAID])
def test_what_was_said(update: dict[str, Any], said: Said) -> None:
    assert read(update).said == said


def test_who_said_it_and_where() -> None:
    raw = json.dumps(message(GROUP, text="/status")).encode()
    incoming = read_update(raw, "telegram", ME).incoming
    assert incoming == Incoming(
        "9001", Address("telegram", "101"), Address("telegram", "-100500"), Command("status"), raw, "vi"
    )
    assert not incoming.is_private
    assert read(message(text="x")).is_private


def test_a_tap_can_be_answered() -> None:
    arrival = read_update(json.dumps(callback(data="x")).encode(), "telegram", ME)
    assert (arrival.callback_id, arrival.update_id) == ("43", 9002)
    assert arrival.incoming.is_private


@pytest.mark.parametrize(
    ("code", "language"), [("vi", "vi"), ("vi-VN", "vi"), ("en", "en"), ("en-GB", "en"), ("fr", None), (None, None)]
)
def test_language(code: str | None, language: str | None) -> None:
    assert read(message(text="x", **{"from": AN | {"language_code": code}})).language == language


UNREADABLE = [
    (b"", "hash"),
    (b"[]", "hash"),
    (b'{"message":{}}', "hash"),
    (b'{"update_id":"7"}', "hash"),
    (b'{"update_id":7,"message":5}', "7"),
    (b'{"update_id":7,"message":{"message_id":1,"chat":{"id":"x"}}}', "7"),
    (b'{"update_id":7,"message":{"message_id":1,"chat":{"id":99999999999999999999,"type":"private"}}}', "7"),
    (b'{"update_id":7,"message":{"text":"\\ud800"}}', "7"),
    (b'{"update_id":7,"message":{"text":"\xff"}}', "7"),
    (b'{"update_id":7,"x":' + b"[" * 100_000, "7"),
    (b'{"message":{"update_id":7}}', "hash"),
    (json.dumps(callback(data=5)).encode(), "9002"),
]


@pytest.mark.parametrize(("raw", "key"), UNREADABLE)
def test_what_cannot_be_understood_is_kept_with_its_reason(raw: bytes, key: str) -> None:
    arrival = read_update(raw, "telegram", ME)
    assert isinstance(arrival.incoming.said, Unreadable)
    assert arrival.incoming.raw == raw
    assert arrival.incoming.sender == NOBODY
    assert arrival.incoming.update_key == key or arrival.incoming.update_key.startswith(f"{key}:")


def test_two_updates_without_number_have_keys_of_their_own() -> None:
    keys = {read_update(raw, "telegram", ME).incoming.update_key for raw in (b"{}", b"{ }", b"[]")}
    assert len(keys) == 3


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(SAID), st.data())
def test_any_part_replaced_by_anything_never_raises(
    case: tuple[str, dict[str, Any], Said], data: st.DataObject
) -> None:
    update = json.loads(json.dumps(case[1]))
    place = update
    while True:
        name = data.draw(st.sampled_from(sorted(place)))
        if not isinstance(place[name], dict) or not place[name] or data.draw(st.booleans()):
            break
        place = place[name]
    place[name] = data.draw(ANYTHING)
    _is_sound(json.dumps(update).encode("utf-8", "replace"))


def test_3000_damaged_updates_never_raise() -> None:
    chance = Random(20260302)
    sources = [json.dumps(update, ensure_ascii=False).encode() for _, update, _ in SAID]
    for _ in range(3000):
        raw = bytearray(chance.choice(sources))
        for _ in range(chance.randint(1, 6)):
            _damage(raw, chance)
        _is_sound(bytes(raw))


def _damage(raw: bytearray, chance: Random) -> None:
    at = chance.randrange(len(raw) + 1)
    match chance.randrange(5):
        case 0:
            del raw[at : at + chance.randint(1, 20)]
        case 1:
            raw[at:at] = bytes(chance.choices(b'{}[]":,\\0-e.\xff\x00 tfnu', k=chance.randint(1, 4)))
        case 2:
            raw[at : at + 1] = bytes([chance.randrange(256)])
        case 3:
            raw[at:at] = raw[at : at + 30]
        case _:
            raw[at:at] = b"9" * chance.randint(1, 40)


def _is_sound(raw: bytes) -> None:
    incoming = read_update(raw, "telegram", ME).incoming
    assert incoming.update_key
    assert incoming.raw == raw
    assert "\0" not in repr(incoming.said)
    repr(incoming.said).encode()
