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
    Fetched,
    File,
    Incoming,
    May,
    Outcome,
    Outgoing,
    Receipt,
    Receive,
    Rejected,
    Said,
    Sent,
    Tap,
    Text,
    Unreachable,
    always,
)
from domain.files import PICTURES, media_type

PHOTO = b"\xff\xd8\xff\xe0 a photo \xff\xd9"
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
    left: list[str] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    fetch_faults: list[Fetched] = field(default_factory=list)
    files_come_whole: bool = False
    _ids: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    async def listen(self, receive: Receive, may: May = always) -> None:
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
        if message.replaces and self.capabilities.edit and message.replaces in shown and not message.attached:
            shown[message.replaces] = replace(message, attached=shown[message.replaces].attached)
            return Sent(message.replaces)
        number = str(next(self._ids))
        shown[number] = message
        return Sent(number)

    async def fetch(self, file_id: str) -> Fetched:
        return self.fetch_faults.pop(0) if self.fetch_faults else self.files.get(file_id, Rejected("gone"))

    async def leave(self, chat: Address) -> Outcome:
        self.left.append(chat.chat_id)
        return self.faults.pop(0) if self.faults else Sent("")

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

    async def sends_photo(self, content: bytes = PHOTO) -> None:
        """As a messenger does, whose photos have neither name nor type of their own."""
        await self._sends(File("", media_type="image/jpeg"), content)

    async def sends_document(self, content: bytes, name: str = "", media_type: str = "") -> None:
        await self._sends(File("", name, media_type), content)

    async def _sends(self, file: File, content: bytes) -> None:
        """The file itself where it comes whole (a web page); elsewhere what the channel can fetch it by."""
        if self.messenger.files_come_whole:
            whole = replace(file, media_type=media_type(content), size=len(content), content=content)
            await self.says(whole)
        else:
            file_id = f"file{len(self.messenger.files)}"
            self.messenger.files[file_id] = content
            await self.says(replace(file, file_id=file_id, size=len(content)))

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
    file = message.attached
    shown = "" if file is None else "[ảnh]" if file.media_type in PICTURES else f"[tệp {file.name}]"
    return "\n".join(part for part in (shown, message.title, message.text, *rows) if part)
