"""A person's risk level from one declaration, with the reasons for it."""

from __future__ import annotations

from dataclasses import dataclass

from domain.campaign import Campaign
from domain.questions import Answers, Question, Words, is_answered
from domain.rules import KNOWN_LEVELS, Level, Rule, holds

__all__ = ["KNOWN_LEVELS", "Assessment", "Level", "Reason", "assess"]


@dataclass(frozen=True, slots=True)
class Reason:
    """Why: the rule that applies and what it says to people. `level` is what this rule alone would set."""

    rule: str
    level: Level
    text: Words


@dataclass(frozen=True, slots=True)
class Assessment:
    """A level, everything that speaks for one (the deciding reason first), and the version of the rules."""

    level: Level
    reasons: tuple[Reason, ...]
    rule_version: int


def assess(campaign: Campaign, answers: Answers | None) -> Assessment:
    """The highest level that applies; unknown for None, or if nothing applies but a required answer is missing."""
    applying = [rule for rule in campaign.rules if answers is not None and holds(rule.when, answers)]
    reasons = tuple(_reason(rule) for rule in sorted(applying, key=lambda rule: -rule.level.rank))
    if not reasons:
        reasons = (_default_reason(campaign, answers),)
    return Assessment(reasons[0].level, reasons, campaign.version)


def _reason(rule: Rule) -> Reason:
    return Reason(rule.key, rule.level, rule.reason)


def _default_reason(campaign: Campaign, answers: Answers | None) -> Reason:
    if answers is not None and all(_is_settled(question, answers) for question in campaign.questions):
        return Reason("otherwise", Level.LOW, campaign.otherwise)
    return Reason("undeclared", Level.UNKNOWN, campaign.undeclared)


def _is_settled(question: Question, answers: Answers) -> bool:
    return is_answered(question, answers) or (question.optional and question.key not in answers)
