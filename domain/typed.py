"""Understanding what people type instead of tapping: option labels, option numbers, numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal

from domain.names import folded, tidy

_NUMBER_WORDS = {
    word: number
    for number, words in enumerate(
        (
            ("một", "mot", "one"),
            ("hai", "two"),
            ("ba", "three"),
            ("bốn", "bon", "four"),
            ("năm", "five"),
            ("sáu", "six"),
            ("bảy", "bẩy", "seven"),
            ("tám", "eight"),
            ("chín", "chin", "nine"),
            ("mười", "muoi", "ten"),
        ),
        start=1,
    )
    for word in words
}
"""Without diacritics only where that is no other everyday word: `sau` is "later", `nam` "male", `tam` "for now"."""

_POSITION = re.compile(r"[(\[#]?\s*(?:(?:số|so|thứ|thu|no\.?|number)\s+)?([0-9]{1,2})\s*[.)\]:]?")
_NUMBER = re.compile(r"([0-9]{1,6})(?:[.,]([0-9]{1,6}))?")
_SIGNED = re.compile(r"(?:^|(?<=\s))[-+](?=[0-9])")
_BETWEEN = re.compile(r"[^\w±]+|_+")
_SEPARATORS = re.compile(r"[,;+&/\n]+|\b(?:và|va|and)\b", re.IGNORECASE)


def match_option(labels: Sequence[str], typed: str) -> int | None:
    """The index of the one option that was meant, by its label or its number from 1; None when in any doubt."""
    return match_names([(label,) for label in labels], typed)


def match_names(names: Sequence[Sequence[str]], typed: str) -> int | None:
    """Like `match_option` for options that have several names each."""
    named = _named(names, typed)
    position = _position(typed)
    if position is not None and 0 < position <= len(names):
        named = named | {position - 1}
    if not named:
        worded = _NUMBER_WORDS.get(_worded(typed), 0)
        return worded - 1 if 0 < worded <= len(names) else None
    return named.pop() if len(named) == 1 else None


def match_several(names: Sequence[Sequence[str]], typed: str) -> list[int] | None:
    """The indexes of all options meant by `1,3`, `1 3` or `sốt, ho và đau họng`; None if any part is in doubt."""
    whole = match_names(names, typed)
    if whole is not None:
        return [whole]
    parts = [part for part in _SEPARATORS.split(_lower(typed)) if part.strip()]
    if re.fullmatch(r"[0-9\s.,;+&/]+", typed.strip()):
        parts = re.findall(r"[0-9]+", typed)
    found = [match_names(names, part) for part in parts]
    known = {index for index in found if index is not None}
    return sorted(known) if known and None not in found else None


def number_in(typed: str, unit_words: Sequence[str] = ()) -> Decimal | None:
    """The one number typed, with comma or point and perhaps its unit: `37,8 độ`, `37 độ 8`, `37 rưỡi`."""
    units = sorted({folded(word) for word in unit_words}, key=len, reverse=True)
    unit = "|".join(re.escape(word) for word in units) or "(?!)"
    text = folded(typed)
    spoken = re.fullmatch(rf"([0-9]{{1,6}})\s*(?:(?:{unit})\s*([0-9])|(?:{unit})?\s*ruoi)", text)
    if spoken:
        return Decimal(f"{spoken[1]}.{spoken[2] or 5}")
    written = re.fullmatch(rf"{_NUMBER.pattern}\s*(?:{unit})?[.!]?", text)
    return Decimal(f"{written[1]}.{written[2] or 0}") if written else None


def _named(names: Sequence[Sequence[str]], typed: str) -> set[int]:
    """Options with this name as it was typed, or else with this name when diacritics are left aside."""
    for form in (_bare, _folded_bare):
        meant = form(typed)
        found = {index for index, known in enumerate(names) if meant and meant in map(form, known)}
        if found:
            return found
    return set()


def _position(typed: str) -> int | None:
    shown = _POSITION.fullmatch(_lower(typed))
    return int(shown[1]) if shown else None


def _worded(typed: str) -> str:
    return re.sub(r"^(?:số|so|thứ|thu|number)\s+", "", _bare(typed))


def _lower(text: str) -> str:
    """Lower case, tidy, and without what turns a digit into a keycap emoji."""
    return tidy(tidy(text.replace("\u20e3", "")).casefold())


def _bare(text: str) -> str:
    """Lower case with punctuation as space; a sign before a number stays, for -2 is not 2."""
    return tidy(_BETWEEN.sub(" ", _SIGNED.sub("±", _lower(text))))


def _folded_bare(text: str) -> str:
    return folded(_bare(text))
