"""Messages without a messenger: what came in, what goes out, and how sending ended."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

Language = Literal["vi", "en"]
LANGUAGES: tuple[Language, ...] = ("vi", "en")


@dataclass(frozen=True, slots=True)
class Address:
    """One chat on one channel account; `channel` is the account's name, such as `telegram` or `webchat`."""

    channel: str
    chat_id: str


@dataclass(frozen=True, slots=True)
class Text:
    text: str


@dataclass(frozen=True, slots=True)
class Command:
    """`/name args`, already without the slash and without `@bot`."""

    name: str
    args: str = ""


@dataclass(frozen=True, slots=True)
class Tap:
    """A pressed button. `data` comes from the client: it may be old, repeated or forged."""

    data: str
    message_id: str


@dataclass(frozen=True, slots=True)
class Contact:
    """A shared phone number; `own` only if the channel vouches that it is the sender's."""

    phone: str
    own: bool


@dataclass(frozen=True, slots=True)
class File:
    """A photo or document. From a messenger first `file_id` alone comes, by which the channel can fetch it; then,

    if a conversation waits for it, the same once more with its `content`.
    """

    file_id: str
    name: str = ""
    media_type: str = ""
    size: int = 0
    content: bytes | None = None


@dataclass(frozen=True, slots=True)
class Joined:
    """The bot was added to this group chat (or a person allowed it again in a private one)."""

    title: str = ""


@dataclass(frozen=True, slots=True)
class Left:
    """The bot was removed from this chat, or blocked in it."""

    why: str


@dataclass(frozen=True, slots=True)
class Moved:
    """The chat goes on under another id (a group became a supergroup). Also an outcome of sending."""

    chat_id: str


@dataclass(frozen=True, slots=True)
class Unreadable:
    """An update that could not be understood. It is set aside with its reason; the others go on."""

    reason: str


@dataclass(frozen=True, slots=True)
class Ignored:
    """An update that says nothing to the bot: an edit, a sticker, someone else's business."""


Said = Text | Command | Tap | Contact | File | Joined | Left | Moved | Unreadable | Ignored


@dataclass(frozen=True, slots=True)
class Incoming:
    """One update. `update_key` is unique within `sender.channel`; `raw` is what the wire carried.

    In a private chat `sender` and `chat` are the same address. `language` is the client's hint.
    """

    update_key: str
    sender: Address
    chat: Address
    said: Said
    raw: bytes = b""
    language: Language | None = None

    @property
    def is_private(self) -> bool:
        return self.sender == self.chat


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a channel may tell the sender at once: `saved` is false when nothing was kept."""

    saved: bool
    notice: str = ""


Receive = Callable[[Sequence[Incoming]], Awaitable[Sequence[Receipt]]]
"""Given to every channel. Returns one receipt per update, in order, once all are durably stored.

Raises `NotStored` when the store refuses: then the service must not be told the updates arrived.
"""

May = Callable[[], bool]
"""Whether this process is still the one to do something; asked right before it is done."""


def always() -> bool:
    return True


class NotStored(Exception):
    """The store did not take the updates; nothing was kept, and they must be offered again."""


ButtonStyle = Literal["", "primary", "success", "danger"]


@dataclass(frozen=True, slots=True)
class Button:
    """One option. Exactly one of `data`, `url` and `asks_phone` is set; `data` is at most 64 bytes on the wire."""

    label: str
    data: str = ""
    url: str = ""
    asks_phone: bool = False
    style: ButtonStyle = ""


Keyboard = tuple[tuple[Button, ...], ...]


@dataclass(frozen=True, slots=True)
class Attached:
    """A picture or document that goes with a message. A `media_type` of `image/*` is shown as a picture."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message to show. Text and title are plain; `replaces` is the id of the message it stands in for.

    A picture or document stays where it is when other words replace those below it. `attached` is filled in by
    delivery; whoever writes a letter gives its `attachment_id`.
    """

    to: Address
    text: str
    title: str = ""
    keyboard: Keyboard = ()
    replaces: str | None = None
    silent: bool = False
    protect: bool = False
    attached: Attached | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    message_id: str


@dataclass(frozen=True, slots=True)
class RetryLater:
    """Asked to wait `after` seconds. `whole_account` stops everything of the account, else only this chat."""

    after: float
    whole_account: bool = False
    why: str = ""


@dataclass(frozen=True, slots=True)
class Unreachable:
    """The chat blocked the bot, is gone, or never began: sending there is pointless until it speaks again."""

    why: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """The service will never take this message: our fault, worth an operator's eye."""

    why: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """No answer, or one that leaves open whether the message arrived (time-out after sending, 5xx)."""

    why: str


Outcome = Sent | RetryLater | Moved | Unreachable | Rejected | Unknown
Fetched = bytes | RetryLater | Rejected
"""A file's content, or why there is none: `Rejected` says that asking again will not help."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a channel can do, and how fast.

    `buttons` is the most per message (0: options are numbered). `text_length` counts UTF-16 units of NFC text.
    Rates are the service's own limits; `None` means unlimited.
    """

    buttons: int
    edit: bool
    text_length: int
    groups: bool
    per_second: float | None = None
    chat_interval: float = 0.0
    group_per_minute: int | None = None
    phone: bool = False
    """Whether a person can be asked to share their own number with a tap."""
    own_pages: bool = False
    """Whether its messages are shown by pages of this program, which may be open in any of its processes."""


class Channel(Protocol):
    """One account on one messenger."""

    name: str
    capabilities: Capabilities

    async def listen(self, receive: Receive, may: May = always) -> None:
        """Take updates until cancelled or until it may no more; a single failure of the service never ends it."""

    async def send(self, message: Outgoing, key: str) -> Outcome:
        """Send once. `key` names this message for ever, for services that can refuse a second copy."""

    async def fetch(self, file_id: str) -> Fetched:
        """The content of a file that somebody sent, up to the limit of `domain.files`."""

    async def leave(self, chat: Address) -> Outcome:
        """Leave this group; `Sent` once the bot is not in it any more."""

    async def close(self) -> None: ...
