"""What a declaration looks like: the prompt, a question, the review, the receipt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from hashlib import sha256

import texts
from domain.answering import Accepted, accept, answer_text, summary_lines
from domain.campaign import MORNING, WORKPLACE, Campaign
from domain.chat import Button, ButtonStyle, Keyboard, Language
from domain.questions import Answer, Choice, Question, choices, is_answered
from domain.risk import Level
from handlers.turn import House, Turn
from storage.asks import Ask
from storage.declarations import Declared

PROXY_REASONS = ("phone_broken", "busy", "by_phone")
"""Why somebody else answers; further reasons are typed."""


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
    where = f":{proposed(campaign, workplace)}" if kind == MORNING else ""
    keyboard = [
        (Button(campaign.well_label[language], f"well:{ask_id}{where}", style="success"),),
        (Button(campaign.unwell_label[language], f"unwell:{ask_id}"),),
    ]
    if kind == MORNING:
        shown = answer_text(campaign.workplace.question, proposed(campaign, workplace), language)
        lines.append(texts.text(language, "declaration.workplace", place=shown))
        keyboard.append((Button(texts.text(language, "declaration.change_place"), f"place:{ask_id}"),))
    return Screen(title, "\n\n".join(lines), (*keyboard, incident_row(language)))


def correction(turn: Turn, ask: Ask, workplace: str) -> Screen:
    """The prompt once more, with a way to leave everything as it was."""
    kind, day, heading = ask.kind, ask.day, "declaration.correction"
    again = prompt(turn.house, turn.language, ask.id, kind, day, workplace, heading=heading)
    *rows, last = again.keyboard
    return replace(again, keyboard=(*rows, (_button(turn, "declaration.keep", f"keep:{ask.id}"),), last))


def for_another(turn: Turn, ask: Ask, workplace: str) -> Screen:
    """The prompt to somebody who answers for its person: what that person says, not what the speaker does."""
    asked = prompt(turn.house, turn.language, ask.id, ask.kind, ask.day, workplace)
    (well,), (unwell,), *rest, _ = asked.keyboard
    keyboard = (
        (replace(well, label=turn.text("heads.proxy_well")),),
        (replace(unwell, label=turn.text("heads.proxy_unwell")),),
        *rest,
        (_button(turn, "heads.proxy_stop", f"missing_card:{ask.id}"),),
    )
    return Screen(asked.title, "\n\n".join([turn.text("heads.proxy_says"), asked.text]), keyboard)


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


def question(turn: Turn, ask: Ask, asked: Question, answers: Mapping[str, Answer]) -> Screen:
    """One question, one screen. What was answered before is marked, and can be left as it is."""
    number = turn.house.campaign.questions.index(asked) + 1
    title = turn.text("declaration.question", number=number, of=len(turn.house.campaign.questions))
    known = is_answered(asked, answers)
    buttons = [_option(ask, asked, one, answers) for one in choices(asked, turn.language)]
    across = 2 if asked.kind == "number" else 1
    rows = [tuple(buttons[start : start + across]) for start in range(0, len(buttons), across)]
    if known or asked.kind == "several":
        rows.append((_button(turn, "declaration.next", f"next:{ask.id}:{asked.key}", style="primary"),))
    rows.append((_button(turn, "declaration.back", f"back:{ask.id}"),))
    return Screen(title, asked.text[turn.language], (*rows, incident_row(turn.language)))


def review(turn: Turn, ask: Ask, answers: Mapping[str, Answer], photo: int | None, *, may_send_photo: bool) -> Screen:
    """Everything before it is sent, and a way to change each part of it."""
    campaign = turn.house.campaign
    send = _button(turn, "declaration.send", f"send:{ask.id}:{fingerprint(answers, photo)}", style="success")
    changes = [
        Button(turn.text("declaration.change", title=one.title[turn.language]), f"change:{ask.id}:{one.key}")
        for one in campaign.questions
    ]
    if WORKPLACE in answers:
        changes.insert(0, _button(turn, "declaration.change_place", f"place:{ask.id}"))
    rows = [tuple(changes[start : start + 2]) for start in range(0, len(changes), 2)]
    lines = [turn.text("declaration.review_text"), "", *_lines(turn, answers)]
    if may_send_photo:
        lines += ["", turn.text("declaration.photo_attached" if photo else "declaration.photo_offer")]
        rows += [(_button(turn, "declaration.photo_drop", f"photo_drop:{ask.id}"),)] if photo else []
    text = "\n".join(lines)
    back = _button(turn, "declaration.back", f"back:{ask.id}")
    return Screen(turn.text("declaration.review"), text, ((send,), *rows, (back,), incident_row(turn.language)))


def fingerprint(answers: Mapping[str, Answer], photo: int | None) -> str:
    """Tells one review from another, so that what is sent is what was read."""
    listed = repr((sorted((key, answer) for key, answer in answers.items()), photo))
    return sha256(listed.encode()).hexdigest()[:6]


def receipt(turn: Turn, ask: Ask, declared: Declared) -> Screen:
    """What was declared, when, and what it means; with a button to correct it while that is possible."""
    campaign = turn.house.campaign
    key = "declaration.corrected" if declared.version > 1 else "declaration.received"
    lines = [turn.text("declaration.for_round", kind=kind_name(turn.language, ask.kind), day=turn.day(ask.day))]
    if ask.late:
        lines.append(turn.text("declaration.late"))
    place = {WORKPLACE: declared.workplace} if declared.workplace else {}
    if declared.answers == campaign.healthy_answers():
        # The one tap said this sentence; "not measured" and "not tested" were never said.
        lines += ["", campaign.statement[turn.language], *([""] if place else []), *_lines(turn, place)]
    else:
        lines += ["", *_lines(turn, place | declared.answers)]
    if declared.attachment_id:
        lines.append(turn.text("declaration.photo_attached"))
    if declared.level not in (Level.LOW.value, Level.UNKNOWN.value):
        why = "; ".join(rule.reason[turn.language] for rule in campaign.rules if rule.key in declared.reasons)
        lines += ["", turn.text("declaration.level", level=level_name(turn.language, declared.level), why=why)]
    if declared.proxy_reason:
        why = why_proxy(turn, declared.proxy_reason)
        lines += ["", turn.text("heads.by_proxy", giver=declared.given_by, name=ask.person_name, why=why)]
    if declared.contested_at:
        lines.append(turn.text("heads.contested", at=turn.clock(declared.contested_at)))
    correct = _button(turn, "declaration.correct", f"correct:{ask.id}")
    if ask.person_id != turn.staff.id:
        correct = _button(turn, "heads.to_card", f"missing_card:{ask.id}")
    title = turn.text(key, at=turn.clock(declared.answered_at))
    rows = ((correct,),) if ask.is_open else ()
    return Screen(title, "\n".join(lines), (*rows, incident_row(turn.language)))


def incident_row(language: Language) -> tuple[Button, ...]:
    """The way to report something abnormal, at the bottom of what people have on their screens."""
    return (Button(texts.text(language, "incident.report"), "incident_new"),)


def why_proxy(turn: Turn, reason: str) -> str:
    """The reason as people read it: one of those offered, or as it was typed."""
    return turn.text(f"heads.why_{reason}") if reason in PROXY_REASONS else reason


def kind_name(language: str, kind: str) -> str:
    return texts.text(language, f"declaration.{kind}")


def level_name(language: str, level: str) -> str:
    return texts.text(language, f"declaration.level_{level}")


def _option(ask: Ask, asked: Question, one: Choice, answers: Mapping[str, Answer]) -> Button:
    answer = answers.get(asked.key)
    if asked.kind == "several":
        ticked = isinstance(answer, list) and one.key in answer
        return Button(f"{'☑' if ticked else '☐'} {one.label}", f"tick:{ask.id}:{asked.key}:{one.key}")
    chosen = asked.key in answers and accept(asked, one.key) == Accepted(answer)
    return Button(f"{'● ' if chosen else ''}{one.label}", f"answer:{ask.id}:{asked.key}:{one.key}")


def _lines(turn: Turn, answers: Mapping[str, Answer]) -> list[str]:
    return [f"• {title}: {answer}" for title, answer in summary_lines(turn.house.campaign, answers, turn.language)]


def _button(turn: Turn, key: str, data: str, style: ButtonStyle = "") -> Button:
    return Button(turn.text(key), data, style=style)
