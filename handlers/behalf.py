"""On whose behalf somebody answers: their own, or another's who cannot, with a reason and with both names on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import texts
from domain.chat import Language, Outgoing
from domain.policy import Action, scope
from handlers import screens
from handlers.turn import Turn, button, column
from storage import asks, audit, declarations, dialogues, people, posted, posts
from storage.asks import MISSING, Ask
from storage.declarations import Declared, Draft
from storage.dialogues import Dialogue
from storage.outbox import Letter
from storage.posted import Copy

TOPIC = "proxy"
ANSWERING = "answering"
"""The step of the dialogue in which the questions are asked; what was said so far is in its data."""


def is_own(turn: Turn, ask: Ask) -> bool:
    return ask.person_id == turn.staff.id


async def ask_of(turn: Turn, ask_id: int) -> Ask | None:
    """The ask, if it is the speaker's own, or one that they are answering for somebody in this chat just now."""
    own = await asks.of_person(turn.session, ask_id, turn.staff.id)
    if own or await _open(turn, ask_id) is None:
        return own
    return await open_to(turn, ask_id)


async def open_to(turn: Turn, ask_id: int) -> Ask | None:
    """The ask, if the speaker may answer it for somebody else now: in their units, and not the person's own word yet.

    Nobody answers for themselves this way, for one who does not want to be asked, or against one who has objected.
    """
    rights = scope(await posts.held_by(turn.session, turn.staff.id), Action.ANSWER_FOR)
    ask = await asks.within(turn.session, ask_id, rights)
    if ask is None or is_own(turn, ask) or not ask.is_open or ask.consent == "declined":
        return None
    if ask.state not in MISSING and not ask.proxy:
        return None
    before = await declarations.latest(turn.session, ask_id)
    return None if before and before.contested_at else ask


async def begin(turn: Turn, ask: Ask, reason: str) -> None:
    """From now on the buttons of this ask's questions are the speaker's to tap, here."""
    await _keep(turn, {"ask": ask.id, "reason": reason})


async def reason_of(turn: Turn, ask: Ask) -> str:
    """Why the speaker answers for the person; "" if they are the person."""
    waiting = None if is_own(turn, ask) else await _open(turn, ask.id)
    return str(waiting.data["reason"]) if waiting else ""


async def draft_of(turn: Turn, ask: Ask) -> Draft:
    """What the speaker has answered so far: the person's own half-given answers are nobody else's to see."""
    if is_own(turn, ask):
        return await declarations.draft_of(turn.session, ask.id)
    waiting = await _open(turn, ask.id)
    said = waiting.data if waiting else {}
    return Draft(dict(said.get("answers", {})), said.get("workplace", ""), said.get("step", ""))


async def keep_draft(turn: Turn, ask: Ask, draft: Draft) -> None:
    if is_own(turn, ask):
        await declarations.keep_draft(turn.session, ask.id, draft, turn.now)
        return
    said = {"answers": draft.answers, "workplace": draft.workplace, "step": draft.step}
    await _keep(turn, {"ask": ask.id, "reason": await reason_of(turn, ask), **said})


async def drop_draft(turn: Turn, ask: Ask) -> None:
    if is_own(turn, ask):
        await declarations.drop_draft(turn.session, ask.id)
    else:
        await dialogues.drop(turn.session, turn.chat)


async def told(turn: Turn, ask: Ask, declared: Declared) -> Sequence[Letter]:
    """Record that somebody answered for the person, and tell the person at once, with a way to contest it."""
    detail = {"version": declared.version, "person": ask.person_id}
    await audit.record(turn.session, turn.now, str(turn.staff.id), "answered_for", str(ask.id), **detail)
    chats = await people.chats_of(turn.session, [ask.person_id])
    if ask.person_id not in chats:
        return []
    language = (await people.languages(turn.session, [ask.person_id]))[ask.person_id]
    theirs = replace(turn, language=language)
    screen = screens.receipt(theirs, ask, declared)
    choices = [
        button(theirs, "heads.proxy_right", f"proxy_right:{ask.id}:{declared.version}"),
        button(theirs, "heads.proxy_wrong", f"proxy_wrong:{ask.id}:{declared.version}"),
    ]
    title = theirs.text("heads.proxy_told", giver=turn.staff.name, at=turn.clock(turn.now))
    message = Outgoing(chats[ask.person_id], screen.text, title, column(*choices))
    return [Letter(f"proxy:{ask.id}:{declared.version}", "notice", message, person_id=ask.person_id)]


async def close_copies(turn: Turn, ask: Ask, message_id: str, version: int) -> list[Letter]:
    """Every other message that still asks says instead that it has been answered, and by whom."""
    copies = (await posted.copies(turn.session, [ask.id]))[ask.id]
    others = {one.person_id for one in copies if one.person_id and one.person_id != turn.staff.id}
    languages = await people.languages(turn.session, others) if others else {}
    return closings(turn, ask, message_id, version, copies, languages)


def closings(
    turn: Turn, ask: Ask, message_id: str, version: int, copies: Sequence[Copy], languages: Mapping[int, Language]
) -> list[Letter]:
    """What these copies of the question say now, all but the message just tapped, which the reply replaces."""
    letters = []
    for copy in copies:
        if not copy.person_id or (copy.to, copy.message_id) == (turn.chat, message_id):
            continue
        language = languages.get(copy.person_id, turn.language)
        key = f"closing:{ask.id}:{version}:{copy.to.channel}:{copy.to.chat_id}:{copy.message_id}"
        letters.append(posted.closing(key, copy, _closing_words(turn, ask, copy, language, turn.now)))
    return letters


def _closing_words(turn: Turn, ask: Ask, copy: Copy, language: Language, at: datetime) -> str:
    clock = turn.clock(at)
    if copy.person_id != ask.person_id:
        return texts.text(language, "heads.is_answered", name=ask.person_name, at=clock)
    if not is_own(turn, ask):
        return texts.text(language, "heads.answered_for_you", giver=turn.staff.name, at=clock)
    return texts.text(language, "declaration.answered_elsewhere", at=clock)


async def _open(turn: Turn, ask_id: int) -> Dialogue | None:
    waiting = await dialogues.open_in(turn.session, turn.chat, turn.now)
    is_this = waiting and (waiting.topic, waiting.step) == (TOPIC, ANSWERING) and waiting.data["ask"] == ask_id
    return waiting if is_this else None


async def _keep(turn: Turn, data: dict[str, Any]) -> None:
    await dialogues.keep(turn.session, turn.chat, turn.staff.id, TOPIC, ANSWERING, data, turn.now)
