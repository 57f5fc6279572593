"""What a campaign asks, and which answers fit."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from domain.chat import Language

Answer = str | list[str] | float | None
"""An option key (choice), option keys in the question's order (several), a number, or None (skipped)."""

Answers = Mapping[str, Answer]
"""Question key to answer, fit for JSON. A question that is absent has not been answered."""

Kind = Literal["choice", "several", "number"]

SKIP = "skip"
"""The key of the tap that passes over an optional question."""


@dataclass(frozen=True, slots=True)
class Words:
    """One text in every language the bot speaks."""

    vi: str
    en: str

    def __getitem__(self, language: Language) -> str:
        return self.vi if language == "vi" else self.en


@dataclass(frozen=True, slots=True)
class Option:
    """One possible answer. `exclusive` goes with no other; `also` are further words people type for it."""

    key: str
    label: Words
    exclusive: bool = False
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Measure:
    """What a number question takes: a range, a precision, and the values offered as taps."""

    unit: Words
    low: float
    high: float
    decimals: int
    taps: tuple[float, ...] = ()
    unit_words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """One screen. `skip` labels the way past an optional question; `well` is the healthy person's answer.

    `photo`: whoever answers anything else may send a photo with it, of a test result for example.
    """

    key: str
    kind: Kind
    title: Words
    text: Words
    options: tuple[Option, ...] = ()
    measure: Measure | None = None
    skip: Words | None = None
    well: tuple[str, ...] = ()
    photo: bool = False

    @property
    def optional(self) -> bool:
        return self.skip is not None

    @property
    def well_answer(self) -> Answer:
        """What the one-tap declaration of a healthy person says here."""
        if not self.well:
            return None
        return list(self.well) if self.kind == "several" else self.well[0]


@dataclass(frozen=True, slots=True)
class Choice:
    """One tap under a question; `key` is what `accept` takes back."""

    key: str
    label: str


def choices(question: Question, language: Language) -> tuple[Choice, ...]:
    """The taps of a question, in the order in which a channel without buttons numbers them."""
    offered = [Choice(option.key, option.label[language]) for option in question.options]
    if question.measure:
        offered += [
            Choice(tap_key(question.measure, tap), number_text(question.measure, tap, language))
            for tap in question.measure.taps
        ]
    if question.skip:
        offered.append(Choice(SKIP, question.skip[language]))
    return tuple(offered)


def tap_key(measure: Measure, value: float) -> str:
    return f"{value:.{measure.decimals}f}"


def number_text(measure: Measure, value: float, language: Language) -> str:
    """A number as people write it, with its unit: `37,5 °C` in Vietnamese, `37.5 °C` in English."""
    figure = tap_key(measure, value)
    if language == "vi":
        figure = figure.replace(".", ",")
    return f"{figure} {measure.unit[language]}".rstrip()


def fits(question: Question, answer: object) -> bool:
    """True if this value can stand as an answer; a stored answer whose option has gone does not."""
    if answer is None:
        return question.optional
    if question.measure:
        return _is_number(answer) and question.measure.low <= float(str(answer)) <= question.measure.high
    keys = {option.key for option in question.options}
    if question.kind == "choice":
        return isinstance(answer, str) and answer in keys
    return isinstance(answer, list) and _fits_several(question, answer, keys)


def is_answered(question: Question, answers: Answers) -> bool:
    return question.key in answers and fits(question, answers[question.key])


def _is_number(answer: object) -> bool:
    return isinstance(answer, int | float) and not isinstance(answer, bool) and math.isfinite(answer)


def _fits_several(question: Question, answer: list[object], keys: set[str]) -> bool:
    chosen = [key for key in answer if isinstance(key, str)]
    if not chosen or len(chosen) != len(answer) or len(set(chosen)) != len(chosen) or not keys.issuperset(chosen):
        return False
    return len(chosen) == 1 or not any(option.exclusive for option in question.options if option.key in chosen)
