"""The conversation's pure part: which question is next, what a reply means, and how answers read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from domain.campaign import Campaign
from domain.chat import LANGUAGES, Language
from domain.questions import (
    SKIP,
    Answer,
    Answers,
    Measure,
    Question,
    choices,
    is_answered,
    number_text,
)
from domain.typed import match_names, match_several, number_in

_SKIP_WORDS = ("bỏ qua", "skip")

Unclear = Literal["not_an_option", "contradiction", "not_a_number", "out_of_range", "too_precise"]


@dataclass(frozen=True, slots=True)
class Accepted:
    answer: Answer


@dataclass(frozen=True, slots=True)
class AskBack:
    """The reply is not, or not surely, an answer; `why` names the hint to show."""

    why: Unclear


def next_question(campaign: Campaign, answers: Answers) -> Question | None:
    """The first question not yet answered or skipped; None when it is time to review."""
    return next((question for question in campaign.questions if not is_answered(question, answers)), None)


def accept(question: Question, reply: str) -> Accepted | AskBack:
    """What a tapped key or a typed text answers. Doubt is asked back, never guessed."""
    tapped = {choice.key for choice in choices(question, "vi")}
    if reply in tapped:
        return _tapped(question, reply)
    if question.measure:
        return _measured(question, question.measure, reply)
    if question.kind == "several":
        return _several(question, reply)
    meant = match_names(_names(question), reply)
    return AskBack("not_an_option") if meant is None else _tapped(question, choices(question, "vi")[meant].key)


def toggle(question: Question, chosen: Sequence[str], option_key: str) -> list[str]:
    """The ticks after one more tap, in the question's order; an exclusive option and the others clear each other."""
    tapped = next((option for option in question.options if option.key == option_key), None)
    if tapped is None:
        return list(chosen)
    if option_key in chosen:
        return [key for key in chosen if key != option_key]
    kept = set() if tapped.exclusive else {o.key for o in question.options if o.key in chosen and not o.exclusive}
    return [option.key for option in question.options if option.key in kept | {option_key}]


def answer_text(question: Question, answer: Answer, language: Language) -> str:
    """An answer as people read it: labels, a number with its unit, or the words for a skipped question."""
    if answer is None:
        return question.skip[language] if question.skip else "—"
    if isinstance(answer, int | float):
        return number_text(question.measure, answer, language) if question.measure else str(answer)
    chosen = [answer] if isinstance(answer, str) else answer
    labels = {option.key: option.label[language] for option in question.options}
    return ", ".join(labels.get(key, key) for key in chosen)


def summary_lines(campaign: Campaign, answers: Answers, language: Language) -> list[tuple[str, str]]:
    """Short title and answer of everything answered, for the last screen and for the history."""
    asked = (campaign.workplace.question, *campaign.questions)
    return [
        (question.title[language], answer_text(question, answers[question.key], language))
        for question in asked
        if question.key in answers
    ]


def takes_photo(campaign: Campaign, answers: Answers) -> bool:
    """Whether a photo may go with these answers: where one is foreseen and there is something to show."""
    return any(
        answers.get(question.key) not in (None, question.well_answer)
        for question in campaign.questions
        if question.photo
    )


def _tapped(question: Question, key: str) -> Accepted:
    if key == SKIP:
        return Accepted(None)
    if question.measure:
        return Accepted(float(key))
    return Accepted([key] if question.kind == "several" else key)


def _several(question: Question, reply: str) -> Accepted | AskBack:
    meant = match_several(_names(question), reply)
    if meant is None:
        return AskBack("not_an_option")
    keys = [choices(question, "vi")[index].key for index in meant]
    alone = {SKIP} | {option.key for option in question.options if option.exclusive}
    if len(keys) > 1 and alone.intersection(keys):
        return AskBack("contradiction")
    return Accepted(None) if keys == [SKIP] else Accepted(keys)


def _measured(question: Question, measure: Measure, reply: str) -> Accepted | AskBack:
    value = number_in(reply, measure.unit_words)
    if value is not None and Decimal(str(measure.low)) <= value <= Decimal(str(measure.high)):
        precise = value == round(value, measure.decimals)
        return Accepted(float(value)) if precise else AskBack("too_precise")
    meant = match_names(_names(question), reply)
    if meant is not None:
        return _tapped(question, choices(question, "vi")[meant].key)
    return AskBack("not_a_number" if value is None else "out_of_range")


def _names(question: Question) -> list[tuple[str, ...]]:
    """For each tap, in order, every name it goes by in any language."""
    also = {option.key: option.also for option in question.options} | {SKIP: _SKIP_WORDS}
    shown = [choices(question, language) for language in LANGUAGES]
    return [(*(choice.label for choice in same), *also.get(same[0].key, ())) for same in zip(*shown, strict=True)]
