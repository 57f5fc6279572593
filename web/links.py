"""Personal signed links: who may open which chat without an account."""

from __future__ import annotations

from dataclasses import dataclass

from domain.chat import Address
from domain.seal import Seal

_BETWEEN = "~"


@dataclass(frozen=True, slots=True)
class Visit:
    """A page of `chat`, opened by `reader`; in a private chat they are the same."""

    link: str
    chat: Address
    reader: Address

    @property
    def is_private(self) -> bool:
        return self.chat == self.reader


def chat_link(seal: Seal, chat_id: str) -> str:
    """The last part of `/chat/…` for a person's own chat."""
    return seal.link("chat", chat_id)


def group_link(seal: Seal, group_id: str, reader_id: str) -> str:
    """The last part of `/chat/…` for a group chat as the person whose own chat is `reader_id` reads it."""
    return seal.link("group", f"{group_id}{_BETWEEN}{reader_id}")


def visit(seal: Seal, channel: str, link: str) -> Visit | None:
    """What a link opens, or None if it was not made here."""
    own = seal.name_in("chat", link)
    if own is not None:
        chat = Address(channel, own)
        return Visit(link, chat, chat)
    shared = seal.name_in("group", link)
    if shared is None:
        return None
    group_id, _, reader_id = shared.partition(_BETWEEN)
    return Visit(link, Address(channel, group_id), Address(channel, reader_id))
