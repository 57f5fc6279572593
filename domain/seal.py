"""Button data and personal links that nobody can guess, alter, or use from another chat."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from domain.chat import Address

FORMAT = "1"
MAC_BYTES = 9
MOST_BYTES = 64
"""Telegram's limit for `callback_data`."""
LASTING = 32
"""As much of a key signs links; buttons are signed with all of it, so that a longer key ends buttons alone."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What a button means: a verb and its arguments."""

    verb: str
    args: tuple[str, ...] = ()


class Seal:
    """Signs and checks with the organisation's secret key; older keys still open what they sealed."""

    def __init__(self, key: bytes, *older: bytes) -> None:
        if len(key) < LASTING:
            raise ValueError("the secret key needs at least 32 bytes")
        self._keys = (key, *older)

    def button(self, data: str, chat: Address) -> str:
        """`verb:arg:arg` as it goes over the wire to `chat`. Raises ValueError if it would not fit."""
        body = f"{FORMAT}.{data}"
        sealed = f"{body}.{_mac(self._keys[0], 'button', body, chat.channel, chat.chat_id)}"
        if len(sealed.encode()) > MOST_BYTES:
            raise ValueError(f"button data of {len(sealed.encode())} bytes")
        return sealed

    def opened(self, sealed: str, chat: Address) -> Choice | None:
        """What the button means, or None unless exactly these bytes were issued to this chat."""
        body, _, mac = sealed.rpartition(".")
        if not _is_one_of(mac, self._keys, "button", body, chat.channel, chat.chat_id):
            return None
        version, _, data = body.partition(".")
        verb, *args = data.split(":")
        return Choice(verb, tuple(args)) if version == FORMAT else None

    def link(self, purpose: str, name: str) -> str:
        """`name` with a signature, safe in a URL: a personal link without an account."""
        return f"{name}.{_mac(self._keys[0][:LASTING], purpose, name)}"

    def name_in(self, purpose: str, link: str) -> str | None:
        """The name inside a link of this purpose, or None if it was not made here."""
        name, _, mac = link.rpartition(".")
        return name if _is_one_of(mac, [key[:LASTING] for key in self._keys], purpose, name) else None


def _is_one_of(mac: str, keys: Sequence[bytes], *parts: str) -> bool:
    offered = _bytes(mac)
    return any(hmac.compare_digest(_mac(key, *parts).encode(), offered) for key in keys)


def _mac(key: bytes, *parts: str) -> str:
    message = b"\x00".join(_bytes(part) for part in parts)
    return base64.urlsafe_b64encode(hmac.digest(key, message, sha256)[:MAC_BYTES]).decode()


def _bytes(text: str) -> bytes:
    # JSON can carry half a surrogate pair; that is no reason to fail, only never ours.
    return text.encode(errors="surrogatepass")
