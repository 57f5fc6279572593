"""What a file is, told by its content: names and declared types are whatever the sender likes."""

from __future__ import annotations

MOST_BYTES = 5 * 1024 * 1024
"""Taken from anybody; a photo from a phone, a roster of 20,000 people and a year's export all fit."""
PICTURES = frozenset({"image/jpeg", "image/png", "image/webp"})

_BEGINNINGS = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"PK\x03\x04", "application/zip"),
)
_MARKS_OF_TEXT = ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


def media_type(content: bytes) -> str:
    """A picture's type, `application/zip` (workbooks too), `text/plain` (CSV too), or "" for anything else."""
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    for beginning, kind in _BEGINNINGS:
        if content.startswith(beginning):
            return kind
    return "text/plain" if _is_text(content) else ""


def _is_text(content: bytes) -> bool:
    """Text in Unicode, or in the one-byte code pages that old spreadsheets write: no zero bytes, few controls."""
    for mark, encoding in _MARKS_OF_TEXT:
        if content.startswith(mark):
            return _decodes(content, encoding)
    controls = sum(content.count(byte) for byte in range(32) if byte not in b"\t\n\r\f")
    return bool(content) and not controls


def _decodes(content: bytes, encoding: str) -> bool:
    try:
        content.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True
