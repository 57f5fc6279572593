"""One-use codes that a person can read off paper and type: 128 random bits, no letters that look alike."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no I, L, O, U."""
LENGTH = 26
GROUP = 5
_LOOK_ALIKE = str.maketrans({"O": "0", "I": "1", "L": "1"})
_BETWEEN = re.compile(r"[\s\-–—._]+")


def new_code(random_bits: Callable[[int], int]) -> str:
    """A fresh code from `random_bits`, such as `secrets.randbits`."""
    bits = random_bits(128)
    return "".join(ALPHABET[(bits >> shift) & 31] for shift in range(125, -1, -5))


def shown(code: str) -> str:
    """In groups of five, as printed: `4F7QZ-...`."""
    return "-".join(code[start : start + GROUP] for start in range(0, LENGTH, GROUP))


def tidy_code(typed: str) -> str | None:
    """The code in what somebody typed or scanned, or None if it cannot be one."""
    text = _BETWEEN.sub("", unicodedata.normalize("NFKC", typed)).upper().translate(_LOOK_ALIKE)
    return text if len(text) == LENGTH and all(letter in ALPHABET for letter in text) else None


def looks_like_code(typed: str) -> bool:
    """Whether somebody meant this to be a code, letters missing or too many though there may be."""
    text = _BETWEEN.sub("", unicodedata.normalize("NFKC", typed))
    digits = sum(letter.isdigit() for letter in text)
    return abs(len(text) - LENGTH) <= 6 and text.isascii() and text.isalnum() and digits >= 2
