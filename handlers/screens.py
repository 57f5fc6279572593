"""What a declaration looks like: the prompt, a question, the review, the receipt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

import texts
from domain.answering import answer_text, summary_lines
from domain.campaign import MORNING, Campaign
from domain.chat import Button, ButtonStyle, Keyboard, Language
from domain.questions import Answer, Choice, Question, choices
from domain.risk import Assessment, Level
from handlers.turn import House, Turn
from storage.asks import Ask


@dataclass(frozen=True, slots=True)
class Screen:
    """One message's words and buttons, to whomever it goes."""

    title: str
    text: str
    keyboard: Keyboard


def prompt(
    house: House,
    language: Language,
    ask_id: int,
    kind: str,
    day: date,
    workplace: str,
    *,
    heading: str = "declaration.prompt",
) -> Screen:
    """The question of a round: all that one tap declares, and the way to say something else."""
    campaign = house.campaign
    title = texts.text(language, heading, kind=kind_name(language, kind), day=texts.day(language, day))
    lines = [campaign.statement[language]]
    keyboard = [
        (Button(campaign.well_label[language], f"well:{ask_id}", style="success"),),
        (Button(campaign.unwell_label[language], f"unwell:{ask_id}"),),
    ]
    if kind == MORNING:
        where = answer_text(campaign.workplace.question, proposed(campaign, workplace), language)
        lines.append(texts.text(language, "declaration.workplace", place=where))
        keyboard.append((Button(texts.text(language, "declaration.change_place"), f"place:{ask_id}"),))
    return Screen(title, "\n\n".join(lines), tuple(keyboard))


def proposed(campaign: Campaign, workplace: str) -> str:
    """The remembered workplace if the campaign still knows it, else the usual one."""
    known = {option.key for option in campaign.workplace.question.options}
    return workplace if workplace in known else campaign.workplace.usual


def places(turn: Turn, ask: Ask) -> Screen:
    """Where somebody works today."""
    question = turn.house.campaign.workplace.question
    rows = [(Button(one.label, f"at:{ask.id}:{one.key}"),) for one in choices(question, turn.language)]
    rows.append((_button(turn, "declaration.back", f"back:{ask.id}"),))
    return Screen(question.title[turn.language], question.text[turn.language], tuple(rows))


def question(turn: Turn, ask: Ask, asked: Question, answer: Answer) -> Screen:
    """One question, one screen."""
    number = turn.house.campaign.questions.index(asked) + 1
    title = turn.text("declaration.question", number=number, of=len(turn.house.campaign.questions))
    offered = choices(asked, turn.language)
    rows: list[tuple[Button, ...]]
    if asked.kind == "several":
        ticked = answer if isinstance(answer, list) else []
        rows = [(_tick(ask, asked, one, one.key in ticked),) for one in offered]
        rows.append((_button(turn, "declaration.next", f"next:{ask.id}:{asked.key}", style="primary"),))
    elif asked.kind == "number":
        values = [Button(one.label, f"answer:{ask.id}:{asked.key}:{one.key}") for one in offered]
        rows = [tuple(values[start : start + 2]) for start in range(0, len(values), 2)]
    else:
        rows = [(Button(one.label, f"answer:{ask.id}:{asked.key}:{one.key}"),) for one in offered]
    rows.append((_button(turn, "declaration.back", f"back:{ask.id}"),))
    return Screen(title, asked.text[turn.language], tuple(rows))


def review(turn: Turn, ask: Ask, answers: Mapping[str, Answer]) -> Screen:
    """Everything before it is sent."""
    lines = [f"• {title}: {answer}" for title, answer in summary_lines(turn.house.campaign, answers, turn.language)]
    keyboard = (
        (_button(turn, "declaration.send", f"send:{ask.id}", style="success"),),
        (_button(turn, "declaration.back", f"back:{ask.id}"),),
    )
    text = "\n".join([turn.text("declaration.review_text"), "", *lines])
    return Screen(turn.text("declaration.review"), text, keyboard)


def receipt(
    turn: Turn,
    ask: Ask,
    answers: Mapping[str, Answer],
    result: Assessment,
    version: int,
    at: datetime,
    late: bool,
) -> Screen:
    """What was declared, when, and what it means; with a button to correct it."""
    key = "declaration.corrected" if version > 1 else "declaration.received"
    lines = [turn.text("declaration.for_round", kind=kind_name(turn.language, ask.kind), day=turn.day(ask.day))]
    if late:
        lines.append(turn.text("declaration.late"))
    shown = summary_lines(turn.house.campaign, answers, turn.language)
    lines += ["", *(f"• {name}: {answer}" for name, answer in shown)]
    if result.level not in (Level.LOW, Level.UNKNOWN):
        reasons = "; ".join(reason.text[turn.language] for reason in result.reasons)
        lines += ["", turn.text("declaration.level", level=level_name(turn.language, result.level.value), why=reasons)]
    correct = _button(turn, "declaration.correct", f"correct:{ask.id}")
    return Screen(turn.text(key, at=turn.clock(at)), "\n".join(lines), ((correct,),))


def kind_name(language: str, kind: str) -> str:
    return texts.text(language, f"declaration.{kind}")


def level_name(language: str, level: str) -> str:
    return texts.text(language, f"declaration.level_{level}")


def _tick(ask: Ask, asked: Question, one: Choice, ticked: bool) -> Button:
    return Button(f"{'☑' if ticked else '☐'} {one.label}", f"tick:{ask.id}:{asked.key}:{one.key}")


def _button(turn: Turn, key: str, data: str, style: ButtonStyle = "") -> Button:
    return Button(turn.text(key), data, style=style)
