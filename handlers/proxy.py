"""Answering for somebody who cannot: why, then their own questions; they are told at once and may contest it."""

from __future__ import annotations

from collections.abc import Sequence

from domain.chat import Button, File
from domain.names import tidy
from handlers import behalf, declaration, privacy
from handlers.notices import close_by, notices
from handlers.on_screen import asked_for
from handlers.router import Router
from handlers.screens import PROXY_REASONS
from handlers.turn import Turn, button, column, reply, say
from storage import asks, audit, declarations, dialogues
from storage.asks import Ask
from storage.dialogues import Dialogue
from storage.outbox import Letter

router = Router()
REASON = "reason"
LONGEST = 200
"""Characters of a reason in one's own words: a sentence, not a report."""


@router.tap("proxy")
async def why(turn: Turn, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """For what reason? Nothing can be answered for anybody without one."""
    ask = await behalf.open_to(turn, int(args[0]))
    if ask is None:
        return [say(turn, "heads.proxy_refused")]
    data = {"ask": ask.id}
    await dialogues.keep(turn.session, turn.chat, turn.staff.id, behalf.TOPIC, REASON, data, turn.now)
    return [_reasons(turn, ask, message_id)]


@router.tap("proxy_why")
async def begin(turn: Turn, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """The reason tapped; the person's questions follow in its place."""
    ask = await behalf.open_to(turn, int(args[0]))
    if ask is None or args[1] not in PROXY_REASONS:
        return [say(turn, "heads.proxy_refused")]
    return await _begin(turn, ask, args[1], message_id)


@router.dialogue(behalf.TOPIC)
async def typed(turn: Turn, waiting: Dialogue, said: str | File) -> Sequence[Letter] | None:
    """A reason in one's own words, or an answer in words to the person's question on screen."""
    if isinstance(said, File):
        return None
    ask_id = int(waiting.data["ask"])
    if waiting.step == REASON:
        return await _reason_in_words(turn, ask_id, said)
    ask = await behalf.ask_of(turn, ask_id)
    asked = turn.house.campaign.question(waiting.data.get("step", "")) if ask else None
    if ask is None or asked is None or behalf.is_own(turn, ask):
        return None
    return await declaration.in_words(turn, ask, asked, said)


@router.tap("proxy_right", before_consent=True)
async def stands(turn: Turn, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """The person agrees with what was said for them. It stays a proxy answer: these were not their words."""
    ask = await asks.of_person(turn.session, int(args[0]), turn.staff.id)
    if ask is None:
        return [say(turn, "help.stale_button")]
    await audit.record(turn.session, turn.now, str(turn.staff.id), "proxy_agreed", args[0], version=int(args[1]))
    return [reply(turn, turn.text("heads.proxy_stands"), replaces=message_id)]


@router.tap("proxy_wrong", before_consent=True)
async def contest(turn: Turn, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """The person does not: it no longer counts, they declare themselves, and those responsible are told."""
    await asks.lock(turn.session, int(args[0]))
    ask = await asks.of_person(turn.session, int(args[0]), turn.staff.id)
    given = await declarations.latest(turn.session, ask.id) if ask else None
    if ask is None or given is None or not await declarations.contest(turn.session, ask.id, int(args[1]), turn.now):
        return [say(turn, "help.stale_button")]
    await asks.contested(turn.session, ask.id, turn.now)
    await audit.record(turn.session, turn.now, str(turn.staff.id), "proxy_contested", args[0], version=given.version)
    told = {given.given_by_id} | await close_by(turn.session, ask.unit_path, but=turn.staff.id)
    letters = await notices(
        turn.session,
        told,
        f"contested:{ask.id}:{given.version}",
        "heads.was_contested",
        unit_id=ask.unit_id,
        name=turn.staff.name,
        giver=given.given_by,
        day=f"{ask.day:%d/%m}",
    )
    return [*await _asked_again(turn, ask, message_id), *letters]


async def _asked_again(turn: Turn, ask: Ask, message_id: str) -> Sequence[Letter]:
    done = reply(turn, turn.text("heads.proxy_contested"), replaces=message_id)
    if not turn.staff.has_agreed:
        return [done, *await privacy.notice(turn)]
    return [done, *await declaration.prompt_again(turn, ask.id)]


async def _reason_in_words(turn: Turn, ask_id: int, said: str) -> Sequence[Letter] | None:
    """Only while the reasons are the last thing on screen, and only what is none of them."""
    first = await asked_for(turn, said)
    if first is None or first.verb != "proxy_why" or first.args[0] != str(ask_id):
        return None
    ask = await behalf.open_to(turn, ask_id)
    if ask is None:
        return [say(turn, "heads.proxy_refused")]
    reason = tidy(said)
    if not 3 <= len(reason) <= LONGEST:
        return [_reasons(turn, ask, None, "heads.proxy_why_again")]
    return await _begin(turn, ask, reason, None)


def _reasons(turn: Turn, ask: Ask, message_id: str | None, key: str = "heads.proxy_why") -> Letter:
    offered = [Button(turn.text(f"heads.why_{one}"), f"proxy_why:{ask.id}:{one}") for one in PROXY_REASONS]
    back = button(turn, "heads.proxy_stop", f"missing_card:{ask.id}")
    title = turn.text("heads.proxy_for", name=ask.person_name)
    return reply(turn, turn.text(key), title=title, keyboard=column(*offered, back), replaces=message_id)


async def _begin(turn: Turn, ask: Ask, reason: str, message_id: str | None) -> Sequence[Letter]:
    await behalf.begin(turn, ask, reason)
    return [await declaration.prompt_for(turn, ask, message_id)]
