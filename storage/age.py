"""Files that only the holder of a key can read: the format of age-encryption.org/v1, for one X25519 key.

Writing needs only the public half of the key. Any other `age` program opens what is written here.
"""

from __future__ import annotations

import base64
import hmac
import io
import secrets
from hashlib import sha256
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from storage import bech32

CHUNK = 64 * 1024
TAG = 16
SECRET, PUBLIC = "age-secret-key-", "age"
_VERSION = b"age-encryption.org/v1\n"
_WRAP = b"age-encryption.org/v1/X25519"
_LONGEST_LINE, _FULL_LINE = 200, 65
_MOST_STANZAS, _MOST_LINES = 20, 100


class NotReadable(Exception):
    """Not such a file, not with this key, or not as it was written; the message says which in a few words."""


def new_key() -> str:
    """A secret key as text, to be kept elsewhere."""
    return bech32.encode(SECRET, secrets.token_bytes(32)).upper()


def public_half(key: str) -> str:
    """What is needed to write for the holder of this secret key. Raises ValueError if it is none."""
    return bech32.encode(PUBLIC, _public(X25519PrivateKey.from_private_bytes(bech32.decode(SECRET, key.lower()))))


class Sealing:
    """A stream whose content only the holder of the secret key, or of `file_key`, can read once it is finished.

    `file_key` opens this one file: whoever has just written it can prove that it can be read.
    """

    def __init__(self, file: BinaryIO, public: str) -> None:
        self.file_key = secrets.token_bytes(16)
        self._file = file
        nonce = secrets.token_bytes(16)
        file.write(_header(self.file_key, bech32.decode(PUBLIC, public)) + nonce)
        self._cipher = ChaCha20Poly1305(_derived(self.file_key, nonce, b"payload"))
        self._pending = bytearray()
        self._count = 0

    def write(self, data: bytes) -> int:
        self._pending += data
        while len(self._pending) > CHUNK:  # a full last chunk waits, since it is sealed as the last
            self._put(bytes(self._pending[:CHUNK]), is_last=False)
            del self._pending[:CHUNK]
        return len(data)

    def flush(self) -> None:
        """Only whole chunks leave."""

    def finish(self) -> None:
        """Without this the file counts as cut off."""
        self._put(bytes(self._pending), is_last=True)

    def _put(self, chunk: bytes, *, is_last: bool) -> None:
        self._file.write(self._cipher.encrypt(_nonce(self._count, is_last=is_last), chunk, None))
        self._count += 1


class Opened(io.RawIOBase):
    """The content of a sealed file, by its secret key as text or by its file key.

    Raises NotReadable, also in the middle: nothing that was read counts before the end has been reached.
    """

    def __init__(self, file: BinaryIO, key: str | bytes) -> None:
        super().__init__()
        self._file = file
        file_key = _opened_header(file, key)
        nonce = file.read(16)
        self._cipher = ChaCha20Poly1305(_derived(file_key, nonce, b"payload"))
        self._plain = b""
        self._ahead: bytes | None = file.read(CHUNK + TAG)
        self._count = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if not self._plain and self._ahead is not None:
            self._next(self._ahead)
        count = min(len(buffer), len(self._plain))
        buffer[:count] = self._plain[:count]
        self._plain = self._plain[count:]
        return count

    def _next(self, chunk: bytes) -> None:
        following = self._file.read(CHUNK + TAG)
        self._ahead = following or None
        try:
            self._plain = self._cipher.decrypt(_nonce(self._count, is_last=not following), chunk, None)
        except InvalidTag:
            raise NotReadable("it is damaged or cut off") from None
        if not self._plain and self._count:
            raise NotReadable("it is damaged or cut off")
        self._count += 1


def _header(file_key: bytes, recipient: bytes) -> bytes:
    ephemeral = X25519PrivateKey.generate()
    share = _public(ephemeral)
    shared = ephemeral.exchange(X25519PublicKey.from_public_bytes(recipient))
    body = ChaCha20Poly1305(_derived(shared, share + recipient, _WRAP)).encrypt(bytes(12), file_key, None)
    covered = _VERSION + b"-> X25519 " + _base64(share) + b"\n" + _base64(body) + b"\n---"
    return covered + b" " + _base64(_mac(file_key, covered)) + b"\n"


def _opened_header(file: BinaryIO, key: str | bytes) -> bytes:
    """The key of this file, once the header has proved to be as it was written."""
    if file.readline(_LONGEST_LINE) != _VERSION:
        raise NotReadable("it is not a sealed file")
    covered, stanzas = _VERSION, []
    for _ in range(_MOST_STANZAS):
        line = file.readline(_LONGEST_LINE)
        if line.startswith(b"--- "):
            break
        body = _body(file)
        covered += line + body
        stanzas.append((line.split(), body))
    else:
        raise NotReadable("it is damaged or cut off")
    file_key = key if isinstance(key, bytes) else _file_key(stanzas, key)
    if not hmac.compare_digest(_bytes(line[4:].strip()), _mac(file_key, covered + b"---")):
        raise NotReadable("it is damaged or cut off")
    return file_key


def _body(file: BinaryIO) -> bytes:
    """Of a stanza: up to its first short line."""
    lines = [file.readline(_LONGEST_LINE)]
    while len(lines[-1]) == _FULL_LINE and len(lines) < _MOST_LINES:
        lines.append(file.readline(_LONGEST_LINE))
    return b"".join(lines)


def _file_key(stanzas: list[tuple[list[bytes], bytes]], key: str) -> bytes:
    secret = X25519PrivateKey.from_private_bytes(bech32.decode(SECRET, key.strip().lower()))
    for words, body in stanzas:
        if len(words) != 3 or words[:2] != [b"->", b"X25519"]:
            continue
        share, wrapped = _bytes(words[2]), _bytes(body.strip())
        if len(share) != 32 or len(wrapped) != 32:
            raise NotReadable("it is damaged or cut off")
        try:
            shared = secret.exchange(X25519PublicKey.from_public_bytes(share))
            salt = share + _public(secret)
            return ChaCha20Poly1305(_derived(shared, salt, _WRAP)).decrypt(bytes(12), wrapped, None)
        except (InvalidTag, ValueError):
            continue
    raise NotReadable("it was sealed for another key, or is damaged")


def _derived(secret: bytes, salt: bytes, info: bytes) -> bytes:
    return HKDF(SHA256(), 32, salt or None, info).derive(secret)


def _mac(file_key: bytes, covered: bytes) -> bytes:
    return hmac.digest(_derived(file_key, b"", b"header"), covered, sha256)


def _nonce(count: int, *, is_last: bool) -> bytes:
    return count.to_bytes(11) + bytes([is_last])


def _public(key: X25519PrivateKey) -> bytes:
    return key.public_key().public_bytes_raw()


def _base64(data: bytes) -> bytes:
    return base64.b64encode(data).rstrip(b"=")


def _bytes(text: bytes) -> bytes:
    """Without padding, and only as it would be written: no second spelling of the same bytes."""
    try:
        data = base64.b64decode(text + b"=" * (-len(text) % 4), validate=True)
    except ValueError:
        raise NotReadable("it is damaged or cut off") from None
    if _base64(data) != text:
        raise NotReadable("it is damaged or cut off")
    return data
