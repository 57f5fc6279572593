"""The declaration: one tap when well, a short question a screen when not, a receipt, and corrections."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from domain.answering import Accepted, accept, next_question, toggle
from domain.campaign import MORNING, WORKPLACE
from domain.questions import Answer, Question, is_answered
from domain.risk import assess
from domain.typed import match_option
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
ASKING = ("answer", "tick", "at")
"""Verbs of the buttons that answer a question; a typed word is an answer only where they are on screen."""

OnAsk = Callable[[Turn, Ask, Sequence[str], str], Awaitable[Sequence[Letter]]]


def on_ask(verb: str) -> Callable[[OnAsk], OnAsk]:
    """A button of one ask: the handler runs only if the ask is the tapper's own and still counts."""

    def register(handler: OnAsk) -> OnAsk:
        @router.tap(verb)
        async def checked(turn: Turn, args: Sequence[str], message_id: str) -> Sequence[Letter]:
            await asks.lock(turn.session, int(args[0]))
            ask = await asks.of_person(turn.session, int(args[0]), turn.staff.id)
            if ask is None:
                return [say(turn, "help.stale_button")]
            if not ask.is_open:
                return [_show(turn, ask, await _closed(turn, ask), message_id)]
            return await handler(turn, ask, args[1:], message_id)

        return handler

    return register


@router.command("today")
async def today(turn: Turn, args: str) -> Sequence[Letter]:
    """The open prompt, or what was declared today and how to correct it."""
    mine = await asks.current(turn.session, turn.staff.id, turn.today)
    if not mine:
        return [say(turn, "declaration.nothing_today", day=turn.day(turn.today))]
    if mine[0].state != "answered":
        return [await _prompted(turn, mine[0])]
    return [_show(turn, ask, await _receipt(turn, ask)) for ask in reversed(mine) if ask.state == "answered"]


async def open_prompt(turn: Turn, hint: str = "") -> Sequence[Letter]:
    """The prompt of the round that waits for this person right now, if one does."""
    mine = await asks.current(turn.session, turn.staff.id, turn.today - RECENT)
    return [await _prompted(turn, ask, hint) for ask in mine[:1] if ask.state == "due"]


@on_ask("well")
async def declare_well(turn: Turn, ask: Ask, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """The one tap: everything that this prompt said, its workplace too, for the round printed on it."""
    place = screens.proposed(turn.house.campaign, args[0]) if args else ""
    return await _seal(turn, ask, turn.house.campaign.healthy_answers(), message_id, place)


@on_ask("unwell")
async def report(turn: Turn, ask: Ask, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """Begin the questions, or go on with them; to correct such a report, begin with what it said."""
    draft = await declarations.draft_of(turn.session, ask.id)
    earlier = await declarations.latest(turn.session, ask.id)
    said = earlier.answers if earlier and earlier.answers != turn.house.campaign.healthy_answers() else {}
    return await _step(turn, ask, Draft(draft.answers or said, draft.workplace, ""), message_id)


@on_ask("answer")
async def take_answer(turn: Turn, ask: Ask, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """One option tapped: keep it and ask the next question in its place."""
    asked = turn.house.campaign.question(args[0])
    accepted = accept(asked, args[1]) if asked else None
    draft = await declarations.draft_of(turn.session, ask.id)
    if asked is None or not isinstance(accepted, Accepted) or not draft.step:
        return await _resume(turn, ask, draft, message_id)
    return await _step(turn, ask, _with(draft, asked, accepted.answer), message_id)


@on_ask("tick")
async def tick(turn: Turn, ask: Ask, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """Tick or clear one of several."""
    asked = turn.house.campaign.question(args[0])
    draft = await declarations.draft_of(turn.session, ask.id)
    if asked and draft.step == asked.key:
        ticked = draft.answers.get(asked.key)
        draft = _with(draft, asked, toggle(asked, ticked if isinstance(ticked, list) else [], args[1]))
        await declarations.keep_draft(turn.session, ask.id, draft, turn.now)
    return await _resume(turn, ask, draft, message_id)


@on_ask("next")
async def go_on(turn: Turn, ask: Ask, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """Go on from a question that has its answer; nothing ticked is no answer."""
    draft = await declarations.draft_of(turn.session, ask.id)
    if not draft.step:
        return await _resume(turn, ask, draft, message_id)
    asked = turn.house.campaign.question(draft.step)
    if asked and asked.kind == "several" and not is_answered(asked, draft.answers):
        return await _resume(turn, ask, draft, message_id, "declaration.tick_one")
    return await _step(turn, ask, draft, message_id)


@on_ask("change")
async def change(turn: Turn, ask: Ask, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """From the review to one question, and back to the review once it is answered."""
    draft = await declarations.draft_of(turn.session, ask.id)
    if draft.step == REVIEW and turn.house.campaign.question(args[0]):
        draft = Draft(draft.answers, draft.workplace, args[0])
        await declarations.keep_draft(turn.session, ask.id, draft, turn.now)
    return await _resume(turn, ask, draft, message_id)


@on_ask("back")
async def back(turn: Turn, ask: Ask, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """One screen back, what was answered stays; from the first question to the prompt."""
    draft = await declarations.draft_of(turn.session, ask.id)
    keys = [question.key for question in turn.house.campaign.questions]
    if not draft.step:
        return await _resume(turn, ask, draft, message_id)
    if draft.step == WORKPLACE and draft.answers:
        return await _step(turn, ask, draft, message_id)
    here = len(keys) if draft.step == REVIEW else keys.index(draft.step) if draft.step in keys else 0
    if here:
        draft = Draft(draft.answers, draft.workplace, keys[here - 1])
        await declarations.keep_draft(turn.session, ask.id, draft, turn.now)
        return await _resume(turn, ask, draft, message_id)
    await declarations.keep_draft(turn.session, ask.id, Draft({}, draft.workplace, ""), turn.now)
    return [_show(turn, ask, await _prompt(turn, ask), message_id)]


@on_ask("send")
async def send(turn: Turn, ask: Ask, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """Declare what this review shows; an older one is brought up to date first."""
    draft = await declarations.draft_of(turn.session, ask.id)
    shown = screens.fingerprint(_declared(turn, ask, draft))
    if draft.step != REVIEW or next_question(turn.house.campaign, draft.answers) or [shown] != list(args):
        return await _resume(turn, ask, draft, message_id)
    return await _seal(turn, ask, draft.answers, message_id)


@on_ask("correct")
async def correct(turn: Turn, ask: Ask, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """Declare again; the earlier version stays on record."""
    await declarations.drop_draft(turn.session, ask.id)
    return [_show(turn, ask, await _prompt(turn, ask), message_id)]


@on_ask("keep")
async def keep(turn: Turn, ask: Ask, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """No correction after all: the receipt as it was."""
    await declarations.drop_draft(turn.session, ask.id)
    return [_show(turn, ask, await _receipt(turn, ask), message_id)]


@on_ask("place")
async def choose_place(turn: Turn, ask: Ask, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    draft = await declarations.draft_of(turn.session, ask.id)
    draft = Draft(draft.answers, draft.workplace, WORKPLACE)
    await declarations.keep_draft(turn.session, ask.id, draft, turn.now)
    return await _resume(turn, ask, draft, message_id)


@on_ask("at")
async def take_place(turn: Turn, ask: Ask, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """Where they work today; part of the declaration once that is made."""
    return await _work_at(turn, ask, args[0], message_id)


@router.text()
async def typed(turn: Turn, text: str) -> Sequence[Letter] | None:
    """An answer in words to the question on screen; None if something else is on screen, or nothing."""
    opened = await declarations.open_step(turn.session, turn.staff.id, turn.today - RECENT)
    asked = turn.house.campaign.question(opened[1]) if opened else None
    ask = await asks.of_person(turn.session, opened[0], turn.staff.id) if opened else None
    if ask is None or asked is None or not ask.is_open:
        return None
    shown = await outbox.open_keyboard(turn.session, turn.chat)
    labels = [one.label for row in shown[0] for one in row] if shown else []
    first = turn.house.seal.opened(shown[0][0][0].data, turn.chat) if shown else None
    if shown and (first is None or first.verb not in ASKING or first.args[0] != str(ask.id)):
        return None
    await asks.lock(turn.session, ask.id)
    accepted = accept(asked, text)
    draft = await declarations.draft_of(turn.session, ask.id)
    if not isinstance(accepted, Accepted):
        on_screen = match_option(labels, text) is not None
        return None if on_screen else await _resume(turn, ask, draft, None, f"declaration.{accepted.why}")
    if asked.key == WORKPLACE:
        return await _work_at(turn, ask, str(accepted.answer), None)
    return await _step(turn, ask, _with(draft, asked, accepted.answer), None)


async def _prompted(turn: Turn, ask: Ask, hint: str = "") -> Letter:
    """The prompt, shown in reply to something said: from now on it has reached its person."""
    await asks.reached(turn.session, turn.staff.id, ask.day, "delivered", turn.now)
    if ask.state == "excused" and not hint:
        hint = turn.text("declaration.excused", reason=turn.text(f"leave.{ask.reason}"))
    return _show(turn, ask, _hinted(await _prompt(turn, ask), hint))


async def _prompt(turn: Turn, ask: Ask) -> Screen:
    place = _place(turn, ask, await declarations.draft_of(turn.session, ask.id))
    if ask.state == "answered":
        return screens.correction(turn, ask, place)
    return screens.prompt(turn.house, turn.language, ask.id, ask.kind, ask.day, place)


async def _work_at(turn: Turn, ask: Ask, place: str, message_id: str | None) -> Sequence[Letter]:
    """Back to where the question about the place was asked from: the prompt, or the review."""
    draft = await declarations.draft_of(turn.session, ask.id)
    draft = Draft(draft.answers, screens.proposed(turn.house.campaign, place), "")
    if draft.answers:
        return await _step(turn, ask, draft, message_id)
    await declarations.keep_draft(turn.session, ask.id, draft, turn.now)
    return [_show(turn, ask, await _prompt(turn, ask), message_id)]


async def _step(turn: Turn, ask: Ask, draft: Draft, message_id: str | None) -> Sequence[Letter]:
    """Show the next open question, or the review, and remember which."""
    following = next_question(turn.house.campaign, draft.answers)
    draft = Draft(draft.answers, draft.workplace, following.key if following else REVIEW)
    await declarations.keep_draft(turn.session, ask.id, draft, turn.now)
    return await _resume(turn, ask, draft, message_id)


async def _resume(turn: Turn, ask: Ask, draft: Draft, message_id: str | None, hint: str = "") -> Sequence[Letter]:
    screen = await _screen(turn, ask, draft)
    return [_show(turn, ask, _hinted(screen, turn.text(hint) if hint else ""), message_id)]


async def _screen(turn: Turn, ask: Ask, draft: Draft) -> Screen:
    """Where the conversation stands: a question, the review, or before and after them prompt and receipt."""
    asked = turn.house.campaign.question(draft.step)
    if draft.step == REVIEW:
        return screens.review(turn, ask, _declared(turn, ask, draft))
    if draft.step == WORKPLACE:
        return screens.places(turn, ask)
    if asked:
        return screens.question(turn, ask, asked, draft.answers)
    if ask.state == "answered" and not draft.workplace:
        return await _receipt(turn, ask)
    return await _prompt(turn, ask)


async def _seal(turn: Turn, ask: Ask, answers: dict[str, Answer], message_id: str, place: str = "") -> Sequence[Letter]:
    """Store the declaration and turn every open copy of its question into the receipt."""
    draft = await declarations.draft_of(turn.session, ask.id)
    place = (place or _place(turn, ask, draft)) if ask.kind == MORNING else ""
    earlier = await declarations.latest(turn.session, ask.id)
    if earlier and earlier.answers == answers and earlier.workplace == place:
        await declarations.drop_draft(turn.session, ask.id)
        return [_show(turn, ask, await _receipt(turn, ask), message_id)]
    result = assess(turn.house.campaign, answers)
    late = ask.closed_at is not None or turn.now >= ask.closes_at
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
    if place in turn.house.campaign.workplace.worked:
        await people.works_at(turn.session, turn.staff.id, place)
    sealed = await asks.of_person(turn.session, ask.id, turn.staff.id) or ask
    letter = _show(turn, ask, await _receipt(turn, sealed), message_id)
    return [letter, *await _close_copies(turn, ask, message_id, version)]


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


async def _receipt(turn: Turn, ask: Ask) -> Screen:
    declared = await declarations.latest(turn.session, ask.id)
    if declared is None:
        return await _prompt(turn, ask)
    return screens.receipt(turn, ask, declared)


async def _closed(turn: Turn, ask: Ask) -> Screen:
    """A button of a round that no longer counts: say which day it was for, and what stands."""
    kind, day = screens.kind_name(turn.language, ask.kind), turn.day(ask.day)
    if ask.state != "answered":
        return Screen("", turn.text("declaration.closed", kind=kind, day=day), ())
    return _hinted(await _receipt(turn, ask), turn.text("declaration.closed_answered", kind=kind, day=day))


def _place(turn: Turn, ask: Ask, draft: Draft) -> str:
    """Where the person works on this day: as chosen just now, else as declared, else as remembered."""
    return screens.proposed(turn.house.campaign, draft.workplace or ask.workplace or turn.staff.workplace)


def _declared(turn: Turn, ask: Ask, draft: Draft) -> dict[str, Answer]:
    """The answers with the workplace among them, as shown to the person."""
    return {WORKPLACE: _place(turn, ask, draft), **draft.answers} if ask.kind == MORNING else draft.answers


def _with(draft: Draft, asked: Question, answer: Answer) -> Draft:
    return Draft({**draft.answers, asked.key: answer}, draft.workplace, draft.step)


def _hinted(screen: Screen, hint: str) -> Screen:
    return Screen(screen.title, f"{hint}\n\n{screen.text}" if hint else screen.text, screen.keyboard)


def _show(turn: Turn, ask: Ask, screen: Screen, replaces: str | None = None) -> Letter:
    return reply(turn, screen.text, title=screen.title, keyboard=screen.keyboard, replaces=replaces, ask_id=ask.id)
