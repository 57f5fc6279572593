"""Completion: how many of those due have answered, added up and shown without flattery."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

from domain.chat import Language

_SMALLEST, _LARGEST = Decimal("0.1"), Decimal("99.9")


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts of one round. Every person due is answered, excused or missed, once.

    `late`, `proxy` and `corrected` say how many of the answered were so. A person excused who answers
    all the same counts as answered. Raises ValueError for counts that cannot tie out.
    """

    due: int = 0
    answered: int = 0
    late: int = 0
    excused: int = 0
    proxy: int = 0
    corrected: int = 0

    def __post_init__(self) -> None:
        if min(astuple(self)) < 0:
            raise ValueError("a count is negative")
        if self.answered + self.excused > self.due:
            raise ValueError("more answered and excused than due")
        if max(self.late, self.proxy, self.corrected) > self.answered:
            raise ValueError("more late, proxy or corrected answers than answers")

    @property
    def missed(self) -> int:
        """Neither answered nor excused: awaited while the round is open, missed once it is closed."""
        return self.due - self.answered - self.excused

    @property
    def completion(self) -> Fraction | None:
        return completion(self.due, self.answered, self.excused)

    def __add__(self, other: Tally) -> Tally:
        return Tally(*(one + two for one, two in zip(astuple(self), astuple(other), strict=True)))


def completion(due: int, answered: int, excused: int) -> Fraction | None:
    """Answered ÷ (due - excused); None when nobody is left to answer, which is neither 0 % nor 100 %."""
    expected = due - excused
    return Fraction(answered, expected) if expected > 0 else None


def percent_text(share: Fraction, language: Language) -> str:
    """At most one decimal: `99,9%` or `99.9%`. Only all is 100 %, and only none is 0 %."""
    percent = Decimal(share.numerator * 100) / share.denominator
    shown = percent.quantize(Decimal("0.1"), rounding=ROUND_HALF_UP)
    if 0 < share < 1:
        shown = min(max(shown, _SMALLEST), _LARGEST)
    figure = f"{shown:f}".removesuffix(".0")
    return f"{figure.replace('.', ',') if language == 'vi' else figure}%"
