"""Reads and checks `rules.toml`: thresholds and the rules that set a person's risk level."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from domain.questions import Question, Words
from domain.rules import KNOWN_LEVELS, AllOf, AnyOf, Chosen, Condition, Level, Measured, Rule
from domain.toml_reader import Section

_LONGEST_REASON = 200
_DEEPEST = 5
_NOTHING = Chosen("", frozenset())


@dataclass(frozen=True, slots=True)
class RuleFile:
    """What the file says: rules in order, named figures, and the words for a low and for no declaration."""

    rules: tuple[Rule, ...]
    thresholds: Mapping[str, float]
    otherwise: Words
    undeclared: Words


def read_rules(file: Section, questions: Sequence[Question] | None) -> RuleFile:
    """Rules may name only these questions; None when the questions could not be read, and are not compared."""
    otherwise, undeclared = file.words("otherwise", _LONGEST_REASON), file.words("undeclared", _LONGEST_REASON)
    thresholds = file.figures("thresholds")
    asked = None if questions is None else {question.key: question for question in questions}
    reader = _Conditions(asked, thresholds)
    rules: list[Rule] = []
    for section in file.sections("rules", 1):
        rule = _rule(section, reader)
        if rule.key in {"otherwise", "undeclared", *(each.key for each in rules if each.key)}:
            section.fault("key", f'expected a key of its own, "{rule.key}" is taken')
        rules.append(rule)
    for name in thresholds.keys() - reader.used:
        file.fault(f"thresholds.{name}", "expected a rule that uses this threshold, found none")
    file.finish()
    return RuleFile(tuple(rules), thresholds, otherwise, undeclared)


def _rule(section: Section, reader: _Conditions) -> Rule:
    key = section.name("key")
    level = Level(section.one_of("level", [level.value for level in KNOWN_LEVELS]))
    reason = section.words("reason", _LONGEST_REASON)
    when = section.section("when", "a table with question, any or all")
    condition = reader.condition(when) if when else _NOTHING
    section.finish()
    return Rule(key, level, reason, condition)


@dataclass(frozen=True, slots=True)
class _Conditions:
    asked: Mapping[str, Question] | None
    thresholds: Mapping[str, float]
    used: set[str] = field(default_factory=set)

    def condition(self, section: Section, depth: int = 1) -> Condition:
        kinds = [name for name in ("question", "any", "all") if section.has(name)]
        if len(kinds) != 1:
            found = " and ".join(kinds) or "none"
            section.fault("", f"expected just one of question, any, all, found {found}")
            return _NOTHING
        if kinds == ["question"]:
            return self._about_question(section)
        if depth > _DEEPEST:
            section.fault(kinds[0], f"expected at most {_DEEPEST} levels of any and all")
            return _NOTHING
        parts = tuple(self.condition(part, depth + 1) for part in section.sections(kinds[0], 1))
        section.finish()
        return AnyOf(parts) if kinds == ["any"] else AllOf(parts)

    def _about_question(self, section: Section) -> Condition:
        key = section.key("question")
        question = self._question(section, key)
        numeric = question.measure is not None if question else "chosen" not in section
        condition = self._measured(section, key, question) if numeric else self._chosen(section, key, question)
        section.finish()
        return condition

    def _question(self, section: Section, key: str) -> Question | None:
        if self.asked is None or not key:
            return None
        if key not in self.asked:
            section.fault("question", f'expected one of {", ".join(self.asked)}, found "{key}"')
        return self.asked.get(key)

    def _chosen(self, section: Section, key: str, question: Question | None) -> Condition:
        if question:
            options = section.some_of("chosen", [option.key for option in question.options])
        else:
            options = section.texts("chosen", 40)
        low, high = self._bound(section, "at_least"), self._bound(section, "at_most")
        for name, bound in (("at_least", low), ("at_most", high)):
            if bound is not None and options and (bound != int(bound) or not 1 <= bound <= len(options)):
                section.fault(name, f"expected a count from 1 to {len(options)}, found {bound:g}")
        self._check_order(section, low, high)
        return Chosen(key, frozenset(options), int(low or 1), None if high is None else int(high))

    def _measured(self, section: Section, key: str, question: Question | None) -> Condition:
        low, high = self._bound(section, "at_least"), self._bound(section, "at_most")
        if "at_least" not in section and "at_most" not in section:
            section.fault("at_least", "missing, expected at_least, at_most or both")
        measure = question.measure if question else None
        for name, bound in (("at_least", low), ("at_most", high)):
            if bound is not None and measure and not measure.low <= bound <= measure.high:
                section.fault(name, f"expected a number from {measure.low:g} to {measure.high:g}, found {bound:g}")
        self._check_order(section, low, high)
        return Measured(key, low, high)

    def _check_order(self, section: Section, low: float | None, high: float | None) -> None:
        if low is not None and high is not None and high < low:
            section.fault("at_most", f"expected no less than at_least ({low:g}), found {high:g}")

    def _bound(self, section: Section, name: str) -> float | None:
        """A number, or the name of a threshold; None if absent or wrong."""
        value = section.value(name)
        if isinstance(value, str):
            self.used.add(value)
            if value not in self.thresholds:
                known = ", ".join(self.thresholds) or "none is defined"
                section.fault(name, f'expected a number or the name of a threshold ({known}), found "{value}"')
            return self.thresholds.get(value)
        return None if value is None else section.number(name)
