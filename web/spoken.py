"""What a page posted: read strictly, and made an update like that of any other channel."""

from __future__ import annotations

import unicodedata
from hashlib import sha256

import msgspec

from domain.chat import Command, Incoming, Language, Said, Tap, Text
from web.guard import form_fields
from web.links import Visit

MOST_BYTES = 16 * 1024
MOST_LETTERS = 4000


class Refused(Exception):
    """Not taken, and why: an HTTP status and the key of a sentence for the person."""

    def __init__(self, status: int, key: str) -> None:
        super().__init__(key)
        self.status = status
        self.key = key


class Spoken(msgspec.Struct, frozen=True):
    """`key` is made by the page, once for each thing said, and makes a repeat harmless."""

    key: str = ""
    text: str = ""
    tap: str = ""
    message_id: str = ""


def read_json(body: bytes) -> Spoken:
    try:
        return checked(msgspec.json.decode(body, type=Spoken))
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Refused(400, "web.not_understood") from error


def read_form(body: bytes) -> Spoken:
    try:
        fields = form_fields(body)
    except ValueError as error:
        raise Refused(400, "web.not_understood") from error
    return checked(Spoken(*(fields.get(name, "") for name in Spoken.__struct_fields__)))


def checked(spoken: Spoken) -> Spoken:
    """Within bounds, with one thing said. Raises Refused."""
    kept = msgspec.structs.replace(spoken, text=tidy(spoken.text))
    if not 8 <= len(kept.key) <= 64 or len(kept.tap) > 200 or len(kept.message_id) > 64:
        raise Refused(400, "web.not_understood")
    if len(kept.text) > MOST_LETTERS:
        raise Refused(413, "web.too_long")
    if not kept.text and not kept.tap:
        raise Refused(400, "web.nothing_said")
    return kept


def incoming(visit: Visit, spoken: Spoken, raw: bytes, language: Language | None = None) -> Incoming:
    """The update. Its key covers who said what, so that nobody can use up another's."""
    parts = (visit.reader.chat_id, visit.chat.chat_id, spoken.key, spoken.tap, spoken.message_id, spoken.text)
    key = sha256("\x00".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]
    return Incoming(key, visit.reader, visit.chat, _said(spoken), raw, language)


def _said(spoken: Spoken) -> Said:
    if spoken.tap:
        return Tap(spoken.tap, spoken.message_id)
    if not spoken.text.startswith("/"):
        return Text(spoken.text)
    word, _, args = spoken.text[1:].partition(" ")
    return Command(word.partition("@")[0].lower(), args.strip())


def tidy(text: str) -> str:
    """NFC, without control characters other than line ends."""
    kept = (
        letter
        for letter in unicodedata.normalize("NFC", text)
        if letter == "\n" or unicodedata.category(letter) not in ("Cc", "Cs")
    )
    return "".join(kept).strip()
