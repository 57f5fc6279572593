"""The declaration: one tap when well, a short question a screen when not, a receipt, and corrections."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from domain.answering import Accepted, accept, next_question, takes_photo, toggle
from domain.campaign import MORNING, WORKPLACE
from domain.chat import File
from domain.files import PICTURES
from domain.questions import Answer, Question, is_answered
from domain.risk import assess
from domain.typed import match_option
from handlers import alarm, behalf, control, result_photo, screens, sealing
from handlers.router import Router
from handlers.screens import Screen
from handlers.sealing import show
from handlers.turn import RECENT, Turn, say
from storage import asks, declarations, posted
from storage.asks import Ask
from storage.declarations import Draft
from storage.dialogues import Dialogue
from storage.outbox import Letter

router = Router()
REVIEW = "review"
ASKING = ("answer", "tick", "at")
"""Verbs of the buttons that answer a question; a typed word is an answer only where they are on screen."""

OnAsk = Callable[[Turn, Ask, Sequence[str], str], Awaitable[Sequence[Letter]]]


def on_ask(verb: str) -> Callable[[OnAsk], OnAsk]:
    """A button of one ask: the handler runs only if the ask is the tapper's to answer and still counts."""

    def register(handler: OnAsk) -> OnAsk:
        @router.tap(verb)
        async def checked(turn: Turn, args: Sequence[str], message_id: str) -> Sequence[Letter]:
            await asks.lock(turn.session, int(args[0]))
            ask = await behalf.ask_of(turn, int(args[0]))
            if ask is None:
                return [say(turn, "help.stale_button")]
            if not ask.is_open:
                return [show(turn, ask, await _closed(turn, ask), message_id)]
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
    return [show(turn, ask, await _receipt(turn, ask)) for ask in reversed(mine) if ask.state == "answered"]


async def open_prompt(turn: Turn, hint: str = "") -> Sequence[Letter]:
    """The prompt of the round that waits for this person right now, if one does."""
    mine = await asks.current(turn.session, turn.staff.id, turn.today - RECENT)
    return [await _prompted(turn, ask, hint) for ask in mine[:1] if ask.state == "due"]


async def prompt_again(turn: Turn, ask_id: int) -> Sequence[Letter]:
    """The prompt of this ask, to its person, if it can still be answered."""
    ask = await asks.of_person(turn.session, ask_id, turn.staff.id)
    return [await _prompted(turn, ask)] if ask and ask.is_open else []


async def prompt_for(turn: Turn, ask: Ask, message_id: str | None) -> Letter:
    """The prompt, to somebody who answers for its person."""
    return show(turn, ask, await _prompt(turn, ask), message_id)


@on_ask("well")
async def declare_well(turn: Turn, ask: Ask, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """The one tap: everything that this prompt said, its workplace too, for the round printed on it."""
    letters = await _seal(turn, ask, turn.house.campaign.healthy_answers(), message_id, args)
    is_first = behalf.is_own(turn, ask) and ask.state != "answered"
    return [*letters, *control.question(turn, ask)] if is_first else letters


@on_ask("unwell")
async def report(turn: Turn, ask: Ask, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """Begin the questions, or go on with them; to correct such a report of one's own, begin with what it said."""
    draft = await behalf.draft_of(turn, ask)
    earlier = await declarations.latest(turn.session, ask.id)
    is_mine = earlier is not None and earlier.given_by_id == turn.staff.id
    if not draft.answers and earlier and is_mine and earlier.answers != turn.house.campaign.healthy_answers():
        draft = replace(draft, answers=earlier.answers, attachment_id=earlier.attachment_id)
    return await _step(turn, ask, draft, message_id)


@on_ask("answer")
async def take_answer(turn: Turn, ask: Ask, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """One option tapped: keep it and ask the next question in its place."""
    asked = turn.house.campaign.question(args[0])
    accepted = accept(asked, args[1]) if asked else None
    draft = await behalf.draft_of(turn, ask)
    if asked is None or not isinstance(accepted, Accepted) or not draft.step:
        return await _resume(turn, ask, draft, message_id)
    return await _step(turn, ask, _with(draft, asked, accepted.answer), message_id)


@on_ask("tick")
async def tick(turn: Turn, ask: Ask, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """Tick or clear one of several."""
    asked = turn.house.campaign.question(args[0])
    draft = await behalf.draft_of(turn, ask)
    if asked and draft.step == asked.key:
        ticked = draft.answers.get(asked.key)
        draft = _with(draft, asked, toggle(asked, ticked if isinstance(ticked, list) else [], args[1]))
        await behalf.keep_draft(turn, ask, draft)
    return await _resume(turn, ask, draft, message_id)


@on_ask("next")
async def go_on(turn: Turn, ask: Ask, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """Go on from a question that has its answer; nothing ticked is no answer."""
    draft = await behalf.draft_of(turn, ask)
    if not draft.step:
        return await _resume(turn, ask, draft, message_id)
    asked = turn.house.campaign.question(draft.step)
    if asked and asked.kind == "several" and not is_answered(asked, draft.answers):
        return await _resume(turn, ask, draft, message_id, "declaration.tick_one")
    return await _step(turn, ask, draft, message_id)


@on_ask("change")
async def change(turn: Turn, ask: Ask, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """From the review to one question, and back to the review once it is answered."""
    draft = await behalf.draft_of(turn, ask)
    if draft.step == REVIEW and turn.house.campaign.question(args[0]):
        draft = replace(draft, step=args[0])
        await behalf.keep_draft(turn, ask, draft)
    return await _resume(turn, ask, draft, message_id)


@on_ask("back")
async def back(turn: Turn, ask: Ask, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """One screen back, what was answered stays; from the first question to the prompt."""
    draft = await behalf.draft_of(turn, ask)
    keys = [question.key for question in turn.house.campaign.questions]
    if not draft.step:
        return await _resume(turn, ask, draft, message_id)
    if draft.step == WORKPLACE and draft.answers:
        return await _step(turn, ask, draft, message_id)
    here = len(keys) if draft.step == REVIEW else keys.index(draft.step) if draft.step in keys else 0
    if here:
        draft = replace(draft, step=keys[here - 1])
        await behalf.keep_draft(turn, ask, draft)
        return await _resume(turn, ask, draft, message_id)
    await behalf.keep_draft(turn, ask, replace(draft, answers={}, step=""))
    return [show(turn, ask, await _prompt(turn, ask), message_id)]


@on_ask("send")
async def send(turn: Turn, ask: Ask, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """Declare what this review shows; an older one is brought up to date first."""
    draft = await behalf.draft_of(turn, ask)
    shown = screens.fingerprint(_declared(turn, ask, draft), draft.attachment_id)
    if draft.step != REVIEW or next_question(turn.house.campaign, draft.answers) or [shown] != list(args):
        return await _resume(turn, ask, draft, message_id)
    return await _seal(turn, ask, draft.answers, message_id)


@router.dialogue(result_photo.TOPIC)
async def take_photo(turn: Turn, waiting: Dialogue, said: str | File) -> Sequence[Letter] | None:
    """A photo that goes with the answers just reviewed; the review says that it is there."""
    ask = await asks.of_person(turn.session, waiting.data["ask"], turn.staff.id)
    if ask is None or not isinstance(said, File):
        return None
    draft = await declarations.draft_of(turn.session, ask.id)
    if draft.step != REVIEW or not ask.is_open:
        return [say(turn, "declaration.photo_too_late")]
    if said.media_type not in PICTURES:
        return [say(turn, "declaration.photo_unknown")]
    return await _resume(turn, ask, await result_photo.keep(turn, ask, draft, said), None)


@on_ask("photo_drop")
async def drop_photo(turn: Turn, ask: Ask, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    draft = await behalf.draft_of(turn, ask)
    if draft.step == REVIEW and draft.attachment_id:
        draft = await result_photo.drop(turn, ask, draft)
    return await _resume(turn, ask, draft, message_id)


@on_ask("correct")
async def correct(turn: Turn, ask: Ask, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """Declare again; the earlier version stays on record."""
    await behalf.drop_draft(turn, ask)
    return [show(turn, ask, await _prompt(turn, ask), message_id)]


@on_ask("keep")
async def keep(turn: Turn, ask: Ask, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """No correction after all: the receipt as it was."""
    await behalf.drop_draft(turn, ask)
    return [show(turn, ask, await _receipt(turn, ask), message_id)]


@on_ask("place")
async def choose_place(turn: Turn, ask: Ask, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    draft = await behalf.draft_of(turn, ask)
    draft = replace(draft, step=WORKPLACE)
    await behalf.keep_draft(turn, ask, draft)
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
    return await in_words(turn, ask, asked, text)


async def in_words(turn: Turn, ask: Ask, asked: Question, text: str) -> Sequence[Letter] | None:
    """Take the words as the answer to the question of this ask, if that is what is on screen."""
    shown = await posted.open_keyboard(turn.session, turn.chat)
    labels = [one.label for row in shown[0] for one in row] if shown else []
    first = turn.house.seal.opened(shown[0][0][0].data, turn.chat) if shown else None
    if shown and (first is None or first.verb not in ASKING or first.args[0] != str(ask.id)):
        return None
    await asks.lock(turn.session, ask.id)
    accepted = accept(asked, text)
    draft = await behalf.draft_of(turn, ask)
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
    return show(turn, ask, _hinted(await _prompt(turn, ask), hint))


async def _prompt(turn: Turn, ask: Ask) -> Screen:
    place = sealing.place_of(turn, ask, await behalf.draft_of(turn, ask))
    if not behalf.is_own(turn, ask):
        return screens.for_another(turn, ask, place)
    if ask.state == "answered":
        return screens.correction(turn, ask, place)
    return screens.prompt(turn.house, turn.language, ask.id, ask.kind, ask.day, place)


async def _work_at(turn: Turn, ask: Ask, place: str, message_id: str | None) -> Sequence[Letter]:
    """Back to where the question about the place was asked from: the prompt, or the review."""
    draft = await behalf.draft_of(turn, ask)
    draft = replace(draft, workplace=screens.proposed(turn.house.campaign, place), step="")
    if draft.answers:
        return await _step(turn, ask, draft, message_id)
    await behalf.keep_draft(turn, ask, draft)
    return [show(turn, ask, await _prompt(turn, ask), message_id)]


async def _step(turn: Turn, ask: Ask, draft: Draft, message_id: str | None) -> Sequence[Letter]:
    """Show the next open question, or the review, and remember which."""
    following = next_question(turn.house.campaign, draft.answers)
    draft = replace(draft, step=following.key if following else REVIEW)
    await behalf.keep_draft(turn, ask, draft)
    return await _resume(turn, ask, draft, message_id)


async def _resume(turn: Turn, ask: Ask, draft: Draft, message_id: str | None, hint: str = "") -> Sequence[Letter]:
    screen = await _screen(turn, ask, draft)
    return [show(turn, ask, _hinted(screen, turn.text(hint) if hint else ""), message_id)]


async def _screen(turn: Turn, ask: Ask, draft: Draft) -> Screen:
    """Where the conversation stands: a question, the review, or before and after them prompt and receipt."""
    asked = turn.house.campaign.question(draft.step)
    if draft.step == REVIEW:
        may_send_photo = await result_photo.await_one(turn, ask, draft)
        answers = _declared(turn, ask, draft)
        return screens.review(turn, ask, answers, draft.attachment_id, may_send_photo=may_send_photo)
    if draft.step == WORKPLACE:
        return screens.places(turn, ask)
    if asked:
        return screens.question(turn, ask, asked, draft.answers)
    if ask.state == "answered" and not draft.workplace:
        return await _receipt(turn, ask)
    return await _prompt(turn, ask)


async def _seal(
    turn: Turn, ask: Ask, answers: dict[str, Answer], message_id: str, said_place: Sequence[str] = ()
) -> Sequence[Letter]:
    """Store the declaration and turn every open copy of its question into the receipt."""
    draft = await behalf.draft_of(turn, ask)
    place = sealing.said_place(turn, ask, draft, said_place)
    earlier = await declarations.latest(turn.session, ask.id)
    photo = draft.attachment_id if takes_photo(turn.house.campaign, answers) else None
    why = await behalf.reason_of(turn, ask)
    said = (turn.staff.id, answers, place, photo)
    if earlier and said == (earlier.given_by_id, earlier.answers, earlier.workplace, earlier.attachment_id):
        await behalf.drop_draft(turn, ask)
        return [show(turn, ask, screens.receipt(turn, ask, earlier), message_id)]
    result, version = assess(turn.house.campaign, answers), earlier.version + 1 if earlier else 1
    made = sealing.make(turn, ask, answers, result, place, version=version, photo=photo, why=why)
    await sealing.store(turn.session, [made], turn.now)
    await behalf.drop_draft(turn, ask)  # after it, for the photo of the draft is the declaration's from now on
    letters = [sealing.receipt(turn, made, message_id)]
    letters += await behalf.close_copies(turn, ask, message_id, version)
    letters += await alarm.declared(turn, ask, result)
    is_own = behalf.is_own(turn, ask)
    return letters if is_own else [*letters, *await behalf.told(turn, made.ask, made.new.declared)]


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


def _declared(turn: Turn, ask: Ask, draft: Draft) -> dict[str, Answer]:
    """The answers with the workplace among them, as shown to the person."""
    return {WORKPLACE: sealing.place_of(turn, ask, draft), **draft.answers} if ask.kind == MORNING else draft.answers


def _with(draft: Draft, asked: Question, answer: Answer) -> Draft:
    return replace(draft, answers={**draft.answers, asked.key: answer})


def _hinted(screen: Screen, hint: str) -> Screen:
    return Screen(screen.title, f"{hint}\n\n{screen.text}" if hint else screen.text, screen.keyboard)
