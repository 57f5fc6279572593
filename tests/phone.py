"""A messenger in memory and the phones on it: what is on the screen, and tapping only what is there."""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

from domain.chat import (
    Address,
    Button,
    Capabilities,
    Command,
    Contact,
    Incoming,
    Outcome,
    Outgoing,
    Receipt,
    Receive,
    Said,
    Sent,
    Tap,
    Text,
    Unreachable,
)

EVERYTHING = Capabilities(buttons=100, edit=True, text_length=4096, groups=True, phone=False)


@dataclass(slots=True)
class Messenger:
    """A channel account whose wire is a dictionary. It honours edits and blocked chats, and can be told to fail."""

    name: str
    capabilities: Capabilities = EVERYTHING
    screens: dict[str, dict[str, Outgoing]] = field(default_factory=dict)
    sent: list[tuple[str, Outgoing]] = field(default_factory=list)
    blocked: set[str] = field(default_factory=set)
    faults: list[Outcome] = field(default_factory=list)
    fail: Callable[[Outgoing], Outcome | None] = lambda message: None
    _ids: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    async def listen(self, receive: Receive) -> None:
        raise NotImplementedError("phones speak by themselves")

    async def send(self, message: Outgoing, key: str) -> Outcome:
        chat = message.to.chat_id
        if chat in self.blocked:
            return Unreachable("blocked")
        fault = self.faults.pop(0) if self.faults else self.fail(message)
        if fault is not None:
            return fault
        self.sent.append((key, message))
        shown = self.screens.setdefault(chat, {})
        if message.replaces and self.capabilities.edit and message.replaces in shown:
            shown[message.replaces] = message
            return Sent(message.replaces)
        number = str(next(self._ids))
        shown[number] = message
        return Sent(number)

    async def close(self) -> None:
        """Nothing is open."""


@dataclass(slots=True)
class Phone:
    """Somebody's phone on one messenger, or in one group of it."""

    name: str
    messenger: Messenger
    chat_id: str
    receive: Receive
    settle: Callable[[], Awaitable[None]]
    group_id: str | None = None
    receipts: list[Receipt] = field(default_factory=list)
    _keys: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def address(self) -> Address:
        return Address(self.messenger.name, self.chat_id)

    def in_group(self, group_id: str) -> Phone:
        """The same person, looking at a group chat."""
        return replace(self, group_id=group_id)

    @property
    def messages(self) -> list[tuple[str, Outgoing]]:
        return list(self.messenger.screens.get(self.group_id or self.chat_id, {}).items())

    @property
    def screen(self) -> str:
        """Everything on the screen, oldest first."""
        return "\n---\n".join(_drawn(message) for _, message in self.messages) or "(nothing)"

    @property
    def last(self) -> str:
        return _drawn(self.messages[-1][1]) if self.messages else "(nothing)"

    def sees(self, *words: str) -> None:
        for each in words:
            assert each in self.screen, f"{self.name} does not see {each!r}:\n{self.screen}"

    def sees_not(self, *words: str) -> None:
        for each in words:
            assert each not in self.screen, f"{self.name} sees {each!r}:\n{self.screen}"

    async def type(self, text: str) -> None:
        name, _, args = text[1:].partition(" ")
        await self.says(Command(name, args) if text.startswith("/") else Text(text))

    async def tap(self, label: str) -> None:
        """Tap the newest visible button whose label contains these words."""
        message_id, button = self.button(label)
        await self.says(Tap(button.data, message_id))

    def button(self, label: str) -> tuple[str, Button]:
        for message_id, message in reversed(self.messages):
            for one in itertools.chain(*message.keyboard):
                if label in one.label:
                    return message_id, one
        raise AssertionError(f"{self.name} has no button {label!r}:\n{self.screen}")

    async def press(self, data: str, message_id: str = "") -> None:
        """Send button data as a client could that does not keep to what is on its screen."""
        await self.says(Tap(data, message_id))

    @property
    def buttons(self) -> list[tuple[str, Button]]:
        """Every button on the screen with its message, oldest first."""
        return [(at, one) for at, message in self.messages for row in message.keyboard for one in row]

    async def share_phone(self, number: str, *, own: bool = True) -> None:
        await self.says(Contact(number, own))

    async def says(self, said: Said, key: str = "") -> Receipt:
        """Send one update and let everything that follows from it happen."""
        incoming = self.update(said, key)
        receipt = (await self.receive([incoming]))[0]
        self.receipts.append(receipt)
        await self.settle()
        return receipt

    def update(self, said: Said, key: str = "") -> Incoming:
        chat = Address(self.messenger.name, self.group_id or self.chat_id)
        key = key or f"{self.chat_id}-{self.group_id}-{next(self._keys)}"
        return Incoming(key, self.address, chat, said, raw=b"{}")


def _drawn(message: Outgoing) -> str:
    rows = [" ".join(f"[{one.label}]" for one in row) for row in message.keyboard]
    return "\n".join(part for part in (message.title, message.text, *rows) if part)
