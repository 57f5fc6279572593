"""The rules of a campaign as values: when one holds, and which risk level it then sets."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from domain.questions import Answer, Answers, Words


class Level(Enum):
    """A person's risk level. Known levels rise from low to very high; unknown is beside them, never low."""

    UNKNOWN = "unknown"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    VERY_HIGH = "very_high"

    @property
    def rank(self) -> int:
        """0 for unknown, then 1 (low) to 4 (very high)."""
        return _RANKS[self.value]


_RANKS = {level.value: rank for rank, level in enumerate(Level)}
KNOWN_LEVELS = (Level.LOW, Level.MEDIUM, Level.HIGH, Level.VERY_HIGH)


@dataclass(frozen=True, slots=True)
class Chosen:
    """Holds if at least (and at most) so many of these options were chosen."""

    question: str
    options: frozenset[str]
    at_least: int = 1
    at_most: int | None = None


@dataclass(frozen=True, slots=True)
class Measured:
    """Holds if a number was given and lies in this range, both ends included."""

    question: str
    at_least: float | None = None
    at_most: float | None = None


@dataclass(frozen=True, slots=True)
class AnyOf:
    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class AllOf:
    conditions: tuple[Condition, ...]


Condition = Chosen | Measured | AnyOf | AllOf


@dataclass(frozen=True, slots=True)
class Rule:
    """If `when` holds, the person's level is at least `level`, for this reason."""

    key: str
    level: Level
    reason: Words
    when: Condition


def holds(condition: Condition, answers: Answers) -> bool:
    match condition:
        case AnyOf(conditions):
            return any(holds(each, answers) for each in conditions)
        case AllOf(conditions):
            return all(holds(each, answers) for each in conditions)
        case Chosen(question, options, at_least, at_most):
            count = len(options & _chosen(answers.get(question)))
            return at_least <= count and (at_most is None or count <= at_most)
        case Measured(question, low, high):
            value = answers.get(question)
            if isinstance(value, bool) or not isinstance(value, int | float):
                return False
            return (low is None or low <= value) and (high is None or value <= high)


def _chosen(answer: Answer) -> frozenset[str]:
    if isinstance(answer, str):
        return frozenset((answer,))
    return frozenset(answer) if isinstance(answer, list) else frozenset()
