"""One `Outgoing` as the Telegram messages that show it: bold title, keyboards, files, parts of at most 4,096 units."""

from __future__ import annotations

from dataclasses import dataclass
from unicodedata import normalize

from telegram import InlineKeyboardButton, InlineKeyboardMarkup, KeyboardButton, MessageEntity, ReplyKeyboardMarkup

from domain.chat import Attached, Button, Keyboard, Outgoing

TEXT_LENGTH = 4096
CAPTION_LENGTH = 1024


@dataclass(frozen=True, slots=True)
class Part:
    """One message on the wire. Formatting is by entities, counted in UTF-16 units, so nothing needs escaping."""

    text: str
    entities: tuple[MessageEntity, ...] = ()
    markup: InlineKeyboardMarkup | ReplyKeyboardMarkup | None = None
    replaces: int | None = None
    attached: Attached | None = None


def render(message: Outgoing) -> list[Part]:
    """The messages to send, in order; empty if there is nothing to show.

    The first part replaces, the last one carries the keyboard. A keyboard that asks for the phone number cannot be
    put on an edited message, and a file cannot be put into one, so such a message replaces nothing. A file goes with
    its text if that fits below it, else ahead of it.
    """
    title = _clean(message.title)
    whole = "\n".join(filter(None, (title, _clean(message.text))))
    markup = _markup(message.keyboard)
    if message.attached is None:
        return _texts(title, whole, markup, _message_id(message.replaces))
    if units(whole) <= CAPTION_LENGTH:
        return [Part(whole, _bold(title, whole), markup, attached=message.attached)]
    return [Part("", attached=message.attached), *_texts(title, whole, markup, None)]


def _texts(
    title: str, whole: str, markup: InlineKeyboardMarkup | ReplyKeyboardMarkup | None, replaces: int | None
) -> list[Part]:
    texts = split(whole)
    if isinstance(markup, ReplyKeyboardMarkup) and len(texts) == 1:
        replaces = None
    last = len(texts) - 1
    return [
        Part(
            text,
            _bold(title, text) if index == 0 else (),
            markup if index == last else None,
            replaces if index == 0 else None,
        )
        for index, text in enumerate(texts)
    ]


def units(text: str) -> int:
    """Length as Telegram counts it."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le")) // 2


def split(text: str, limit: int = TEXT_LENGTH) -> list[str]:
    """Parts of at most `limit` UTF-16 units, cut between lines, else between words, else where it must be."""
    parts = []
    rest = text.strip()
    while units(rest) > limit:
        cut = _cut(rest, limit)
        parts.append(rest[:cut].rstrip())
        rest = rest[cut:].lstrip()
    return [*parts, rest] if rest else parts


def _cut(text: str, limit: int) -> int:
    # "ignore" drops a surrogate pair that the limit would tear apart.
    head = text.encode("utf-16-le")[: limit * 2].decode("utf-16-le", "ignore")
    if text[len(head)] in "\n ":
        return len(head)
    for border in "\n ":
        at = head.rfind(border)
        if at > 0:
            return at
    return len(head)


def _bold(title: str, text: str) -> tuple[MessageEntity, ...]:
    if not title:
        return ()
    return (MessageEntity(MessageEntity.BOLD, 0, min(units(title), units(text))),)


def _markup(keyboard: Keyboard) -> InlineKeyboardMarkup | ReplyKeyboardMarkup | None:
    if not any(keyboard):
        return None
    if any(button.asks_phone for row in keyboard for button in row):
        keys = [
            [KeyboardButton(button.label, request_contact=button.asks_phone or None) for button in row]
            for row in keyboard
        ]
        return ReplyKeyboardMarkup(keys, one_time_keyboard=True, resize_keyboard=True)
    return InlineKeyboardMarkup([[_inline(button) for button in row] for row in keyboard])


def _inline(button: Button) -> InlineKeyboardButton:
    return InlineKeyboardButton(
        button.label, callback_data=button.data or None, url=button.url or None, style=button.style or None
    )


def _message_id(replaces: str | None) -> int | None:
    return int(replaces) if replaces and replaces.isascii() and replaces.isdigit() else None


def _clean(text: str) -> str:
    """NFC, and no half surrogate, which no wire can carry."""
    return normalize("NFC", text).replace("\0", "").encode("utf-8", "replace").decode().strip()
