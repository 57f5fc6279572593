"""The declaration: one tap when well, a short question a screen when not, a receipt, and corrections."""

from __future__ import annotations

from collections.abc import Sequence

from domain.answering import Accepted, accept, next_question, toggle
from domain.campaign import MORNING, WORKPLACE
from domain.questions import Answer, Question
from domain.risk import assess
from handlers import screens
from handlers.router import Router
from handlers.screens import Screen
from handlers.turn import RECENT, Turn, reply, say
from storage import asks, declarations, outbox, people
from storage.asks import Ask
from storage.declarations import Draft
from storage.outbox import Letter

router = Router()
REVIEW = "review"


@router.command("today")
async def today(turn: Turn, args: str) -> Sequence[Letter]:
    """The open prompt, or what was declared today and how to correct it."""
    mine = [ask for ask in await asks.current(turn.session, turn.staff.id, turn.today) if ask.opens_at <= turn.now]
    if not mine:
        return [say(turn, "declaration.nothing_today", day=turn.day(turn.today))]
    if mine[0].state in ("due", "missed", "excused"):
        return [_show(turn, mine[0], await _prompt(turn, mine[0]))]
    return [_show(turn, ask, await _shown_receipt(turn, ask)) for ask in reversed(mine) if ask.state == "answered"]


async def open_prompt(turn: Turn) -> Sequence[Letter]:
    """The prompt of the round that is open for this person right now, if it still waits for them."""
    mine = await asks.current(turn.session, turn.staff.id, turn.today)
    for ask in mine[:1]:
        if ask.state == "due":
            await asks.reached(turn.session, turn.staff.id, turn.today, "delivered", turn.now)
            return [_show(turn, ask, await _prompt(turn, ask))]
    return []


@router.tap("well")
async def declare_well(turn: Turn, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """The one tap: everything the prompt said, declared by this person for the round printed on it."""
    ask = await _open(turn, args)
    if ask is None:
        return await _closed(turn, args, message_id)
    return await _seal(turn, ask, turn.house.campaign.healthy_answers(), message_id)


@router.tap("unwell")
async def report(turn: Turn, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """Begin the questions."""
    ask = await _open(turn, args)
    if ask is None:
        return await _closed(turn, args, message_id)
    draft = await declarations.draft_of(turn.session, ask.id)
    return await _step(turn, ask, Draft({}, draft.workplace, ""), message_id)


@router.tap("answer")
async def take_answer(turn: Turn, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """One option tapped: keep it and ask the next question in its place."""
    ask = await _open(turn, args)
    if ask is None:
        return await _closed(turn, args, message_id)
    asked = turn.house.campaign.question(args[1])
    accepted = accept(asked, args[2]) if asked else None
    draft = await declarations.draft_of(turn.session, ask.id)
    if asked is None or not isinstance(accepted, Accepted) or not draft.step:
        return [_show(turn, ask, await _prompt(turn, ask), message_id)]
    return await _step(turn, ask, _with(draft, asked, accepted.answer), message_id)


@router.tap("tick")
async def tick(turn: Turn, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """Tick or clear one of several."""
    ask = await _open(turn, args)
    if ask is None:
        return await _closed(turn, args, message_id)
    asked = turn.house.campaign.question(args[1])
    draft = await declarations.draft_of(turn.session, ask.id)
    if asked is None or draft.step != asked.key:
        return await _resume(turn, ask, draft, message_id)
    ticked = draft.answers.get(asked.key)
    chosen = toggle(asked, ticked if isinstance(ticked, list) else [], args[2])
    draft = _with(draft, asked, chosen)
    await declarations.keep_draft(turn.session, ask.id, draft, turn.now)
    return [_show(turn, ask, screens.question(turn, ask, asked, chosen), message_id)]


@router.tap("next")
async def after_ticks(turn: Turn, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """Go on from a question with several ticks; nothing ticked is no answer."""
    ask = await _open(turn, args)
    if ask is None:
        return await _closed(turn, args, message_id)
    draft = await declarations.draft_of(turn.session, ask.id)
    if draft.step == args[1] and not draft.answers.get(args[1]):
        asked = turn.house.campaign.question(args[1])
        if asked:
            return [_show(turn, ask, _with_hint(turn, screens.question(turn, ask, asked, []), "tick_one"), message_id)]
    return await _step(turn, ask, draft, message_id)


@router.tap("back")
async def back(turn: Turn, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """One screen back; from the first question to the prompt."""
    ask = await _open(turn, args)
    if ask is None:
        return await _closed(turn, args, message_id)
    draft = await declarations.draft_of(turn.session, ask.id)
    keys = [question.key for question in turn.house.campaign.questions]
    here = keys.index(draft.step) if draft.step in keys else len(keys) if draft.step == REVIEW else 0
    if here == 0:
        await declarations.keep_draft(turn.session, ask.id, Draft({}, draft.workplace, ""), turn.now)
        return [_show(turn, ask, await _prompt(turn, ask), message_id)]
    kept = {key: answer for key, answer in draft.answers.items() if key in keys[: here - 1]}
    return await _step(turn, ask, Draft(kept, draft.workplace, draft.step), message_id)


@router.tap("send")
async def send(turn: Turn, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """Declare what the review shows."""
    ask = await _open(turn, args)
    if ask is None:
        return await _closed(turn, args, message_id)
    draft = await declarations.draft_of(turn.session, ask.id)
    if draft.step != REVIEW or next_question(turn.house.campaign, draft.answers):
        return await _resume(turn, ask, draft, message_id)
    return await _seal(turn, ask, draft.answers, message_id)


@router.tap("correct")
async def correct(turn: Turn, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """Declare again; the earlier version stays on record."""
    ask = await _open(turn, args)
    if ask is None:
        return await _closed(turn, args, message_id)
    return [_show(turn, ask, await _prompt(turn, ask, "declaration.correction"), message_id)]


@router.tap("place")
async def choose_place(turn: Turn, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    ask = await _open(turn, args)
    if ask is None:
        return await _closed(turn, args, message_id)
    return [_show(turn, ask, screens.places(turn, ask), message_id)]


@router.tap("at")
async def take_place(turn: Turn, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """Where they work today; part of the declaration once that is made."""
    ask = await _open(turn, args)
    if ask is None:
        return await _closed(turn, args, message_id)
    place = screens.proposed(turn.house.campaign, args[1])
    await declarations.keep_draft(turn.session, ask.id, Draft({}, place, ""), turn.now)
    return [_show(turn, ask, await _prompt(turn, ask), message_id)]


@router.text()
async def typed(turn: Turn, text: str) -> Sequence[Letter] | None:
    """An answer in words to the question on screen; None if there is none."""
    opened = await declarations.open_step(turn.session, turn.staff.id, turn.today - RECENT)
    ask = await asks.of_person(turn.session, opened[0], turn.staff.id) if opened else None
    asked = turn.house.campaign.question(opened[1]) if opened else None
    if ask is None or asked is None or not ask.is_open:
        return None
    accepted = accept(asked, text)
    draft = await declarations.draft_of(turn.session, ask.id)
    if isinstance(accepted, Accepted):
        return await _step(turn, ask, _with(draft, asked, accepted.answer), None)
    screen = screens.question(turn, ask, asked, draft.answers.get(asked.key))
    return [_show(turn, ask, _with_hint(turn, screen, accepted.why))]


async def _open(turn: Turn, args: Sequence[str]) -> Ask | None:
    """The ask named by a button if it is this person's and still counts."""
    ask = await asks.of_person(turn.session, int(args[0]), turn.staff.id)
    if ask is None or not ask.is_open:
        return None
    await asks.lock(turn.session, ask.id)
    return ask


async def _closed(turn: Turn, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """A button of a round that no longer counts: say which day it was for, and what stands."""
    ask = await asks.of_person(turn.session, int(args[0]), turn.staff.id)
    if ask is None:
        return [say(turn, "help.stale_button")]
    key = "declaration.closed_answered" if ask.state == "answered" else "declaration.closed"
    text = turn.text(key, kind=screens.kind_name(turn.language, ask.kind), day=turn.day(ask.day))
    return [reply(turn, text, replaces=message_id)]


async def _prompt(turn: Turn, ask: Ask, heading: str = "declaration.prompt") -> Screen:
    draft = await declarations.draft_of(turn.session, ask.id)
    place = draft.workplace or ask.workplace or turn.staff.workplace
    return screens.prompt(turn.house, turn.language, ask.id, ask.kind, ask.day, place, heading=heading)


async def _step(turn: Turn, ask: Ask, draft: Draft, message_id: str | None) -> Sequence[Letter]:
    """Show the next open question, or the review, and remember which."""
    following = next_question(turn.house.campaign, draft.answers)
    draft = Draft(draft.answers, draft.workplace, following.key if following else REVIEW)
    await declarations.keep_draft(turn.session, ask.id, draft, turn.now)
    return await _resume(turn, ask, draft, message_id)


async def _resume(turn: Turn, ask: Ask, draft: Draft, message_id: str | None) -> Sequence[Letter]:
    asked = turn.house.campaign.question(draft.step)
    if draft.step == REVIEW:
        answers = _declared(turn, ask, draft.answers, draft.workplace)
        return [_show(turn, ask, screens.review(turn, ask, answers), message_id)]
    if asked is None:
        screen = await _shown_receipt(turn, ask) if ask.state == "answered" else await _prompt(turn, ask)
        return [_show(turn, ask, screen, message_id)]
    return [_show(turn, ask, screens.question(turn, ask, asked, draft.answers.get(asked.key)), message_id)]


async def _seal(turn: Turn, ask: Ask, answers: dict[str, Answer], message_id: str) -> Sequence[Letter]:
    """Store the declaration and turn every open copy of its question into the receipt."""
    draft = await declarations.draft_of(turn.session, ask.id)
    place = draft.workplace or ask.workplace or turn.staff.workplace
    place = screens.proposed(turn.house.campaign, place) if ask.kind == MORNING else ""
    earlier = await declarations.latest(turn.session, ask.id)
    result = assess(turn.house.campaign, answers)
    late = ask.closed_at is not None or turn.now >= ask.closes_at
    if earlier and earlier.answers == answers and earlier.workplace == place:
        await declarations.drop_draft(turn.session, ask.id)
        return [_show(turn, ask, await _shown_receipt(turn, ask), message_id)]
    version = await declarations.seal(
        turn.session,
        ask.id,
        answers=answers,
        workplace=place,
        level=result.level.value,
        reasons=[reason.rule for reason in result.reasons],
        rule_version=result.rule_version,
        given_by=turn.staff.id,
        channel=turn.chat.channel,
        late=late,
        now=turn.now,
    )
    await asks.answered(turn.session, ask.id, result.level.value, place, late, turn.now)
    if place:
        await people.works_at(turn.session, turn.staff.id, place)
    screen = screens.receipt(turn, ask, _declared(turn, ask, answers, place), result, version, turn.now, late)
    return [_show(turn, ask, screen, message_id), *await _close_copies(turn, ask, message_id, version)]


async def _close_copies(turn: Turn, ask: Ask, message_id: str, version: int) -> list[Letter]:
    """Every other message that still asks says instead that it has been answered."""
    await outbox.withdraw(turn.session, [ask.id], ("prompt", "reminder"), turn.now)
    text = turn.text("declaration.answered_elsewhere", at=turn.clock(turn.now))
    letters = []
    for copy in await outbox.copies(turn.session, ask.id):
        if (copy.to, copy.message_id) != (turn.chat, message_id) and copy.person_id:
            key = f"closing:{ask.id}:{version}:{copy.to.channel}:{copy.to.chat_id}:{copy.message_id}"
            letters.append(outbox.closing(key, copy, text))
    return letters


async def _shown_receipt(turn: Turn, ask: Ask) -> Screen:
    declared = await declarations.latest(turn.session, ask.id)
    if declared is None:
        return await _prompt(turn, ask)
    result = assess(turn.house.campaign, declared.answers)
    answers = _declared(turn, ask, declared.answers, declared.workplace)
    return screens.receipt(turn, ask, answers, result, declared.version, declared.answered_at, declared.late)


def _declared(turn: Turn, ask: Ask, answers: dict[str, Answer], place: str) -> dict[str, Answer]:
    """The answers with the workplace among them, as shown to the person."""
    if ask.kind != MORNING:
        return answers
    return {WORKPLACE: screens.proposed(turn.house.campaign, place or turn.staff.workplace), **answers}


def _with(draft: Draft, asked: Question, answer: Answer) -> Draft:
    return Draft({**draft.answers, asked.key: answer}, draft.workplace, draft.step)


def _with_hint(turn: Turn, screen: Screen, why: str) -> Screen:
    return Screen(screen.title, f"{turn.text(f'declaration.{why}')}\n\n{screen.text}", screen.keyboard)


def _show(turn: Turn, ask: Ask, screen: Screen, replaces: str | None = None) -> Letter:
    return reply(
        turn, screen.text, title=screen.title, keyboard=screen.keyboard, replaces=replaces, ask_id=ask.id
    )
