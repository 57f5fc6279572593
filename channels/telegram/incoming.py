"""Raw Telegram updates read as `Incoming`. Whatever arrives, reading it never raises."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Annotated
from unicodedata import normalize

import msgspec

from domain.chat import (
    Address,
    Command,
    Contact,
    File,
    Ignored,
    Incoming,
    Joined,
    Language,
    Left,
    Moved,
    Said,
    Tap,
    Text,
    Unreadable,
)

ALLOWED_UPDATES = ("message", "callback_query", "my_chat_member")

Id = Annotated[int, msgspec.Meta(ge=-(2**52), le=2**52)]

_COMMAND = re.compile(r"/([A-Za-z0-9_]{1,32})(?:@([A-Za-z0-9_]+))?(?:\s+(.*))?", re.DOTALL)
# Only where the service itself puts it, so that no text inside an update can pass for its number.
_UPDATE_ID = re.compile(rb'\s*(?:\{\s*"ok"\s*:\s*true\s*,\s*"result"\s*:\s*\[\s*)?\{\s*"update_id"\s*:\s*(\d{1,16})\b')
_INSIDE = {"creator", "administrator", "member", "restricted"}
_GROUPS = {"group", "supergroup"}


class _User(msgspec.Struct):
    id: Id
    is_bot: bool = False
    language_code: str | None = None


class _Chat(msgspec.Struct):
    id: Id
    type: str
    title: str | None = None


class _Contact(msgspec.Struct):
    phone_number: str
    user_id: int | None = None


class _PhotoSize(msgspec.Struct):
    file_id: str
    width: int
    height: int
    file_size: int = 0


class _Document(msgspec.Struct):
    file_id: str
    file_name: str = ""
    mime_type: str = ""
    file_size: int = 0


class _Replied(msgspec.Struct, rename={"sender": "from"}):
    sender: _User | None = None


class _Message(msgspec.Struct, rename={"sender": "from"}):
    message_id: int
    chat: _Chat
    sender: _User | None = None
    sender_chat: _Chat | None = None
    text: str | None = None
    contact: _Contact | None = None
    photo: list[_PhotoSize] | None = None
    document: _Document | None = None
    reply_to_message: _Replied | None = None
    migrate_to_chat_id: Id | None = None


class _Place(msgspec.Struct):
    message_id: int
    chat: _Chat


class _CallbackQuery(msgspec.Struct, rename={"sender": "from"}):
    id: str
    sender: _User
    message: _Place | None = None
    data: str | None = None


class _Member(msgspec.Struct):
    status: str
    is_member: bool | None = None


class _MyChatMember(msgspec.Struct, rename={"sender": "from"}):
    chat: _Chat
    sender: _User
    old_chat_member: _Member
    new_chat_member: _Member


class _Update(msgspec.Struct):
    update_id: Annotated[int, msgspec.Meta(ge=0, le=2**62)]
    message: _Message | None = None
    callback_query: _CallbackQuery | None = None
    my_chat_member: _MyChatMember | None = None


_updates = msgspec.json.Decoder(_Update)


@dataclass(frozen=True, slots=True)
class Me:
    """Who the bot is on Telegram."""

    id: int
    username: str


@dataclass(frozen=True, slots=True)
class Arrival:
    """One update as read. `update_id` orders it for long polling, `callback_id` lets the tap be answered."""

    incoming: Incoming
    update_id: int | None = None
    callback_id: str | None = None


def read_update(raw: bytes, channel: str, me: Me) -> Arrival:
    """The update, `Ignored` if it says nothing to the bot, `Unreadable` if it cannot be understood."""
    try:
        update = _updates.decode(raw)
    except msgspec.ValidationError as error:
        return _unreadable(raw, channel, str(error))  # names the field and the types, never the value
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        return _unreadable(raw, channel, type(error).__name__)
    reader = _Reader(channel, me, raw, update.update_id)
    if update.callback_query is not None:
        return reader.callback(update.callback_query)
    if update.message is not None:
        return reader.message(update.message)
    if update.my_chat_member is not None:
        return reader.membership(update.my_chat_member)
    return reader.arrival(None, None, Ignored())


def number_of(raw: bytes) -> int | None:
    """The update's number, or that of the first one of a getUpdates reply, found without reading the rest."""
    found = _UPDATE_ID.match(raw)
    return int(found[1]) if found else None


def _unreadable(raw: bytes, channel: str, reason: str) -> Arrival:
    nobody = Address(channel, "")
    number = number_of(raw)
    key = "hash:" + hashlib.sha256(raw).hexdigest()[:32] if number is None else str(number)
    return Arrival(Incoming(key, nobody, nobody, Unreadable(reason), raw), number)


@dataclass(frozen=True, slots=True)
class _Reader:
    channel: str
    me: Me
    raw: bytes
    update_id: int

    def arrival(self, sender: _User | None, chat: _Chat | None, said: Said, callback_id: str | None = None) -> Arrival:
        incoming = Incoming(
            str(self.update_id),
            Address(self.channel, str(sender.id) if sender else ""),
            Address(self.channel, str(chat.id) if chat else ""),
            said,
            self.raw,
            _language(sender),
        )
        return Arrival(incoming, self.update_id, callback_id)

    def callback(self, query: _CallbackQuery) -> Arrival:
        """The message may be too old to be shown to the bot (only its ids come) or missing altogether."""
        sender, place = query.sender, query.message
        chat = place.chat if place else _Chat(sender.id, "private")
        if query.data is None or sender.is_bot:
            return self.arrival(sender, chat, Ignored())
        tap = Tap(_clean(query.data), str(place.message_id) if place else "")
        return self.arrival(sender, chat, tap, query.id)

    def message(self, message: _Message) -> Arrival:
        sender, chat = message.sender, message.chat
        if message.migrate_to_chat_id is not None and chat.type in _GROUPS:
            return self.arrival(sender, chat, Moved(str(message.migrate_to_chat_id)))
        if sender is None or sender.is_bot or message.sender_chat is not None:
            return self.arrival(sender, chat, Ignored())
        if chat.type == "private" and chat.id != sender.id:
            return self.arrival(sender, chat, Unreadable("a private chat of somebody else"))
        if chat.type != "private" and chat.type not in _GROUPS:
            return self.arrival(sender, chat, Ignored())
        return self.arrival(sender, chat, self._said(message, sender))

    def _said(self, message: _Message, sender: _User) -> Said:
        private = message.chat.type == "private"
        if message.contact is not None and private:
            return Contact(_clean(message.contact.phone_number), message.contact.user_id == sender.id)
        if private and (message.photo or message.document):
            return _file(message)
        if message.text is None:
            return Ignored()
        text = _clean(message.text)
        command = _COMMAND.fullmatch(text)
        if command is not None:
            return self._command(command)
        if private:
            return Text(text)
        return self._group_text(text, message)

    def _command(self, command: re.Match[str]) -> Said:
        name, addressee, args = command.groups()
        if addressee is not None and addressee.lower() != self.me.username.lower():
            return Ignored()
        return Command(name.lower(), (args or "").strip())

    def _group_text(self, text: str, message: _Message) -> Said:
        """In a group only a mention at the start or a reply to the bot speaks to it."""
        mention, _, rest = text.partition(" ")
        if mention.lower() == f"@{self.me.username.lower()}":
            return Text(rest.strip())
        replied = message.reply_to_message
        if replied is not None and replied.sender is not None and replied.sender.id == self.me.id:
            return Text(text)
        return Ignored()

    def membership(self, change: _MyChatMember) -> Arrival:
        """Blocked or removed, allowed or added; a mere change of the bot's rights is nobody's business."""
        was, now = _inside(change.old_chat_member), _inside(change.new_chat_member)
        private, status = change.chat.type == "private", change.new_chat_member.status
        said: Said = Ignored()
        if not private and change.chat.type not in _GROUPS:
            said = Ignored()
        elif not now:
            said = Left("blocked" if private else "kicked" if status == "kicked" else "left")
        elif not was:
            said = Joined(_clean(change.chat.title or ""))
        return self.arrival(change.sender, change.chat, said)


def _file(message: _Message) -> Said:
    """A photo in the largest of its sizes, or a document."""
    if message.photo:
        largest = max(message.photo, key=lambda size: (size.width * size.height, size.file_size))
        return File(_clean(largest.file_id), media_type="image/jpeg", size=largest.file_size)
    sent = message.document
    if sent is None:
        return Ignored()
    return File(_clean(sent.file_id), _clean(sent.file_name), _clean(sent.mime_type), sent.file_size)


def _inside(member: _Member) -> bool:
    if member.status == "restricted":
        return member.is_member is not False
    return member.status in _INSIDE


def _language(sender: _User | None) -> Language | None:
    code = (sender.language_code or "").lower() if sender else ""
    if code == "vi" or code.startswith("vi-"):
        return "vi"
    return "en" if code.startswith("en") else None


def _clean(text: str) -> str:
    """NFC without NUL, which PostgreSQL cannot hold."""
    return normalize("NFC", text).replace("\0", "")
