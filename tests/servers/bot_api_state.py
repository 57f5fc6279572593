"""What the stand-in Bot API remembers: chats, messages, updates, speed limits and planned faults."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Message:
    """A message of the bot as it stands on the screen now."""

    id: int
    chat_id: int
    text: str
    entities: list[dict[str, Any]]
    markup: dict[str, Any]
    silent: bool = False
    protect: bool = False
    edits: int = 0
    document: str = ""
    picture: bool = False
    content: bytes = b""
    no_preview: bool = False

    @property
    def buttons(self) -> list[list[dict[str, Any]]]:
        rows: list[list[dict[str, Any]]] = self.markup.get("inline_keyboard") or self.markup.get("keyboard") or []
        return rows

    @property
    def labels(self) -> list[list[str]]:
        return [[button["text"] for button in row] for row in self.buttons]

    @property
    def title(self) -> str:
        """The text that is bold from the beginning."""
        for entity in self.entities:
            if entity["type"] == "bold" and entity["offset"] == 0:
                return self.text.encode("utf-16-le")[: entity["length"] * 2].decode("utf-16-le")
        return ""

    @property
    def body(self) -> str:
        return self.text[len(self.title) :].lstrip("\n")

    def button(self, label: str) -> dict[str, Any]:
        """The button of this label; fails with what is on the screen."""
        for row in self.buttons:
            for button in row:
                if button["text"] == label:
                    return button
        raise AssertionError(f"no button {label!r} below {self.text!r}: {self.labels}")


@dataclass(slots=True)
class Chat:
    """`started`: the person pressed Start, or the bot is in the group. `refusal` is how every send fails, if set."""

    id: int
    kind: str
    name: str
    language: str = "vi"
    started: bool = True
    refusal: tuple[int, str] | None = None
    moved_to: int | None = None
    messages: dict[int, Message] = field(default_factory=dict)
    next_id: int = 1

    @property
    def as_json(self) -> dict[str, Any]:
        if self.kind == "private":
            return {"id": self.id, "type": "private", "first_name": self.name}
        return {"id": self.id, "type": self.kind, "title": self.name}

    def take_id(self) -> int:
        self.next_id += 1
        return self.next_id - 1


@dataclass(slots=True, eq=False)
class Update:
    """`queue` orders webhook deliveries: one at a time per chat, and per person for taps."""

    id: int
    body: bytes
    queue: str


@dataclass(slots=True)
class Send:
    """One send or edit that was accepted, with the server's own monotonic time. `answered`: the bot was told."""

    at: float
    chat_id: int
    method: str
    message_id: int
    text: str
    answered: bool = True


@dataclass(slots=True)
class Fault:
    """What to do to the next `times` matching requests. With `accept` the request has its effect first."""

    kind: str
    status: int = 0
    description: str = ""
    parameters: dict[str, int] = field(default_factory=dict)
    accept: bool = False
    delay: float = 0.0
    method: str | None = None
    chat: int | None = None
    times: int = 1
    probability: float = 1.0


def fault(name: str, *, retry_after: int = 1, migrate_to: int = 0, delay: float = 0.0, **where: Any) -> Fault:
    """A fault by name; `where` narrows it: `method`, `chat`, `times`, `probability`."""
    if name == "flood":
        text = f"Too Many Requests: retry after {retry_after}"
        return Fault("answer", 429, text, {"retry_after": retry_after}, **where)
    if name == "migrate":
        text = "Bad Request: group chat was upgraded to a supergroup chat"
        return Fault("answer", 400, text, {"migrate_to_chat_id": migrate_to}, **where)
    if name in ANSWERS:
        return Fault("answer", *ANSWERS[name], accept=name == "error_after_accepting", **where)
    if name in ("drop_before", "drop_after"):
        return Fault("drop", accept=name == "drop_after", **where)
    if name in ("silent", "delay", "block_page"):
        return Fault(name, delay=delay, **where)
    if name in BODIES:
        return Fault("body", description=BODIES[name], accept=True, **where)
    raise ValueError(f"no such fault: {name}")


BODIES = {
    "garbage": "<html>",
    "not_ok": '{"ok":false}',
    "odd_result": '{"ok":true,"result":true}',
    "no_chat_id": '{"ok":true,"result":{"message_id":1,"date":1,"chat":{}}}',
}

ANSWERS = {
    "error": (502, "Bad Gateway"),
    "internal": (500, "Internal Server Error"),
    "error_after_accepting": (504, "Gateway Timeout"),
    "blocked": (403, "Forbidden: bot was blocked by the user"),
    "deactivated": (403, "Forbidden: user is deactivated"),
    "kicked": (403, "Forbidden: bot was kicked from the supergroup chat"),
    "not_member": (403, "Forbidden: bot is not a member of the supergroup chat"),
    "group_deleted": (403, "Forbidden: the group chat was deleted"),
    "not_started": (403, "Forbidden: bot can't initiate conversation with a user"),
    "no_chat": (400, "Bad Request: chat not found"),
    "bad_request": (400, "Bad Request: reply markup is too long"),
    "not_modified": (400, "Bad Request: message is not modified: specified new message content is the same"),
    "edit_gone": (400, "Bad Request: message to edit not found"),
    "edit_closed": (400, "Bad Request: message can't be edited"),
    "file_too_big": (400, "Bad Request: file is too big"),
    "too_old": (400, "Bad Request: query is too old and response timeout expired or query ID is invalid"),
    "unauthorized": (401, "Unauthorized"),
    "not_found": (404, "Not Found: method not found"),
    "two_pollers": (
        409,
        "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
    ),
    "webhook_active": (409, "Conflict: can't use getUpdates method while webhook is active"),
}


@dataclass(slots=True)
class Limits:
    """Telegram's speed limits. Without `enforce` they are only measured.

    Sends and edits count for the account and for groups; only sends count in a private chat.
    """

    enforce: bool = False
    per_second: int = 30
    chat_burst: int = 3
    group_per_minute: int = 20
    refused: int = 0
    calls_inside_wait: int = 0
    _account: deque[float] = field(default_factory=deque)
    _groups: dict[int, deque[float]] = field(default_factory=dict)
    _private: dict[int, tuple[float, float]] = field(default_factory=dict)
    _waits: dict[int, float] = field(default_factory=dict)

    def refusal(self, chat_id: int, now: float, *, is_edit: bool) -> int | None:
        """Seconds to wait if this call is too fast, else None and the call is counted."""
        if now < max(self._waits.get(chat_id, 0.0), self._waits.get(0, 0.0)):
            self.calls_inside_wait += 1
        account, wait = self._window(self._account, now, 1.0, self.per_second), None
        group = self._groups.setdefault(chat_id, deque()) if chat_id < 0 else None
        whole = account
        if group is not None:
            wait = self._window(group, now, 60.0, self.group_per_minute)
        elif not is_edit:
            wait = self._bucket(chat_id, now)
        longest = max(account or 0, wait or 0)
        if longest and self.enforce:
            self.refused += 1
            self.order_wait(0 if whole else chat_id, now + longest)
            return longest
        self._account.append(now)
        if group is not None:
            group.append(now)
        elif not is_edit:
            self._spend(chat_id, now)
        return None

    def order_wait(self, chat_id: int, until: float) -> None:
        """Chat 0 is the whole account."""
        self._waits[chat_id] = until

    @staticmethod
    def _window(times: deque[float], now: float, seconds: float, most: int) -> int | None:
        while times and now - times[0] >= seconds:
            times.popleft()
        return max(1, math.ceil(times[0] + seconds - now)) if len(times) >= most else None

    def _level(self, chat_id: int, now: float) -> float:
        level, at = self._private.get(chat_id, (float(self.chat_burst), now))
        return min(float(self.chat_burst), level + now - at)

    def _bucket(self, chat_id: int, now: float) -> int | None:
        level = self._level(chat_id, now)
        return None if level >= 1.0 else max(1, math.ceil(1.0 - level))

    def _spend(self, chat_id: int, now: float) -> None:
        self._private[chat_id] = (self._level(chat_id, now) - 1.0, now)


def busiest(times: list[float], seconds: float = 1.0) -> int:
    """The most events in any window of `seconds`."""
    most, first = 0, 0
    for index, at in enumerate(times):
        while at - times[first] >= seconds:
            first += 1
        most = max(most, index - first + 1)
    return most
