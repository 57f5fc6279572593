"""Tidy names: one Unicode form, plain spaces, nothing invisible, and no shouting."""

from __future__ import annotations

import re
import unicodedata

_SPACES = re.compile(r"[\s\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\u2800\u3164\uffa0]+")
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    "\u202a-\u202e\u2060-\u206f\ud800-\udfff\ue000-\uf8ff\ufe00-\ufe0f\ufeff\ufff0-\uffff\U000e0000-\U0010ffff]+"
)
_MARKS = re.compile(r"[\u0300-\u036f]+")
_LETTERS = re.compile(r"[^\W\d_]+")
_UNTIDY = re.compile(rf"{_SPACES.pattern}(?<! )|  |^ | $|{_INVISIBLE.pattern}")
_PLAIN = re.compile(r"[\x21-\x7e]+(?: [\x21-\x7e]+)*")
_TONES = frozenset("\u0300\u0301\u0303\u0309\u0323")


def tidy(text: str) -> str:
    """NFC, single plain spaces, without control, zero-width, bidirectional or private characters."""
    if not text or (text.isascii() and _PLAIN.fullmatch(text)):
        return text
    if not _UNTIDY.search(text) and unicodedata.is_normalized("NFC", text):
        return text
    seen = _SPACES.sub(" ", _INVISIBLE.sub("", text)).strip()
    return unicodedata.normalize("NFC", seen)


def tidy_name(text: str) -> str:
    """A person's name as it is written on a card: `TRỊNH  CÔNG NAM` becomes `Trịnh Công Nam`.

    Only names wholly in capitals (or wholly in small letters) change case; where a tone mark stands is left alone.
    """
    name = tidy(text)
    if " " in name and (name.isupper() or name.islower()):
        return unicodedata.normalize("NFC", _LETTERS.sub(lambda word: word[0].capitalize(), name))
    return name


def folded(text: str) -> str:
    """For comparing words: no marks, no case, `đ` as `d`, single spaces."""
    bare = tidy(text).casefold()
    if not bare.isascii():
        bare = _MARKS.sub("", unicodedata.normalize("NFKD", bare)).replace("đ", "d")
    return " ".join(bare.split())


def same_name_key(text: str) -> str:
    """Equal for names that differ only in case, spaces, or where the tone mark stands (`Hoà`, `Hòa`)."""
    words = unicodedata.normalize("NFD", tidy(text).casefold()).split()
    return " ".join(_tone_last(word) for word in words)


def _tone_last(word: str) -> str:
    if word.isascii():
        return word
    tones = [sign for sign in word if sign in _TONES]
    return "".join([sign for sign in word if sign not in _TONES] + tones) if tones else word
