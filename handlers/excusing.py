"""Excusing somebody from declaring: why and for which days; they are told and may object, the head can end it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from domain.chat import Button, File
from domain.dates import compact, from_compact, span
from domain.policy import Action, may, scope
from handlers import absence
from handlers.absence import LONGEST
from handlers.notices import notices
from handlers.on_screen import asked_for
from handlers.router import Router
from handlers.turn import Turn, button, column, reply, say
from storage import absences, asks, audit, dialogues, people, posts
from storage.asks import Ask
from storage.dialogues import Dialogue
from storage.outbox import Letter

router = Router()
TOPIC = "excuse"


@router.tap("excuse", before_consent=True)
async def which(turn: Turn, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    ask = await _excusable(turn, int(args[0]))
    if ask is None:
        return [say(turn, "heads.nothing_here")]
    kinds = [Button(turn.text(f"leave.{kind}"), f"excuse_kind:{ask.id}:{kind}") for kind in absences.KINDS]
    back = button(turn, "leave.back", f"missing_card:{ask.id}")
    text = turn.text("heads.excuse_which", name=ask.person_name)
    return [reply(turn, text, keyboard=column(*kinds, back), replaces=message_id)]


@router.tap("excuse_kind", before_consent=True)
async def from_when(turn: Turn, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    ask = await _excusable(turn, int(args[0]))
    return [await _from(turn, ask, args[1], message_id) if ask else say(turn, "heads.nothing_here")]


@router.tap("excuse_from", before_consent=True)
async def until_when(turn: Turn, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    ask = await _excusable(turn, int(args[0]))
    if ask is None:
        return [say(turn, "heads.nothing_here")]
    return [await _until(turn, ask, args[1], from_compact(args[2]), message_id)]


@router.tap("excuse_to", before_consent=True)
async def record(turn: Turn, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """Record it and tell the person, who may object."""
    ask = await _excusable(turn, int(args[0]))
    if ask is None:
        return [say(turn, "heads.nothing_here")]
    first = from_compact(args[2])
    return await _record(turn, ask, args[1], first, first + timedelta(days=int(args[3])), message_id)


@router.dialogue(TOPIC, before_consent=True)
async def typed(turn: Turn, waiting: Dialogue, said: str | File) -> Sequence[Letter] | None:
    """A date typed while the first or the last day is being asked for."""
    choice = None if isinstance(said, File) else await asked_for(turn, said)
    if isinstance(said, File) or choice is None or choice.verb != waiting.step:
        return None
    ask = await _excusable(turn, int(choice.args[0]))
    if ask is None:
        return [say(turn, "heads.nothing_here")]
    kind = choice.args[1]
    if choice.verb == "excuse_from":
        day = absence.typed_day(said, turn.today)
        return [await _until(turn, ask, kind, day) if day else await _from(turn, ask, kind, is_bad=True)]
    first = from_compact(choice.args[2])
    last = absence.typed_day(said, first)
    return await _record(turn, ask, kind, first, last) if last else [await _until(turn, ask, kind, first, is_bad=True)]


@router.tap("excuse_end", before_consent=True)
async def end(turn: Turn, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """End what a head has recorded; a person's own leave is theirs to end."""
    known = await absences.by_id(turn.session, int(args[0]))
    if known is None or known.given_by_id == known.person_id or not await _may_excuse(turn, known.person_id):
        return [say(turn, "heads.nothing_here")]
    await absence.end(turn, known.person_id, known.id)
    days = {"before": f"{known.first_day} {known.last_day}", "after": ""}
    await audit.record(turn.session, turn.now, str(turn.staff.id), "excuse_ended", str(known.id), **days)
    told = span(known.first_day, known.last_day)
    key = f"excuse_ended:{known.id}"
    letters = await notices(
        turn.session, [known.person_id], key, "heads.excuse_ended_told", giver=turn.staff.name, span=told
    )
    return [reply(turn, turn.text("heads.excuse_ended", span=told), replaces=message_id), *letters]


@router.tap("excuse_object", before_consent=True)
async def object_(turn: Turn, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """The person says that they are not away; whoever recorded it is told and decides."""
    known = await absences.by_id(turn.session, int(args[0]))
    if known is None or known.person_id != turn.staff.id:
        return [say(turn, "help.stale_button")]
    await audit.record(turn.session, turn.now, str(turn.staff.id), "excuse_objected", str(known.id))
    letters = await notices(
        turn.session,
        [known.given_by_id],
        f"objected:{known.id}",
        "heads.excuse_objected",
        unit_id=turn.staff.unit_id,
        buttons=[("heads.excuse_end_short", f"excuse_end:{known.id}")],
        name=turn.staff.name,
        span=span(known.first_day, known.last_day),
    )
    return [reply(turn, turn.text("heads.excuse_objection_noted"), replaces=message_id), *letters]


async def _excusable(turn: Turn, ask_id: int) -> Ask | None:
    """The ask whose person the speaker may excuse: somebody else, in their units then and now."""
    rights = await posts.held_by(turn.session, turn.staff.id)
    ask = await asks.within(turn.session, ask_id, scope(rights, Action.ANSWER_FOR))
    return ask if ask and await _may_excuse(turn, ask.person_id) else None


async def _may_excuse(turn: Turn, person_id: int) -> bool:
    person = await people.by_id(turn.session, person_id)
    if person is None or person.id == turn.staff.id:
        return False
    return may(await posts.held_by(turn.session, turn.staff.id), Action.ANSWER_FOR, person.unit_path)


async def _from(turn: Turn, ask: Ask, kind: str, message_id: str | None = None, *, is_bad: bool = False) -> Letter:
    await _ask(turn, "excuse_from")
    text = turn.text("heads.excuse_from", name=ask.person_name, kind=turn.text(f"leave.{kind}"))
    if is_bad:
        text = turn.text("leave.bad_day", first=f"{turn.today:%d/%m/%Y}", longest=LONGEST)
    keyboard = absence.first_days(turn, f"excuse:{ask.id}", lambda day: f"excuse_from:{ask.id}:{kind}:{compact(day)}")
    return reply(turn, text, keyboard=keyboard, replaces=message_id)


async def _until(
    turn: Turn, ask: Ask, kind: str, first: date, message_id: str | None = None, *, is_bad: bool = False
) -> Letter:
    if first < turn.today:  # a button of an earlier day: what is past has been reported as it was
        return await _from(turn, ask, kind, message_id)
    await _ask(turn, "excuse_to")
    kind_name = turn.text(f"leave.{kind}")
    text = turn.text("heads.excuse_until", name=ask.person_name, kind=kind_name, first=f"{first:%d/%m}")
    if is_bad:
        text = turn.text("leave.bad_day", first=f"{first:%d/%m/%Y}", longest=LONGEST)
    begun = f"excuse_to:{ask.id}:{kind}:{compact(first)}"
    keyboard = absence.last_days(
        turn, first, f"excuse_kind:{ask.id}:{kind}", lambda day: f"{begun}:{(day - first).days}"
    )
    return reply(turn, text, keyboard=keyboard, replaces=message_id)


async def _ask(turn: Turn, step: str) -> None:
    await dialogues.keep(turn.session, turn.chat, turn.staff.id, TOPIC, step, {}, turn.now)


async def _record(
    turn: Turn, ask: Ask, kind: str, first: date, last: date, message_id: str | None = None
) -> Sequence[Letter]:
    if first < turn.today:
        return [await _from(turn, ask, kind, message_id)]
    await dialogues.drop(turn.session, turn.chat)
    days = span(first, last)
    text = turn.text("heads.excuse_recorded", name=ask.person_name, kind=turn.text(f"leave.{kind}"), span=days)
    back = button(turn, "heads.to_card", f"missing_card:{ask.id}")
    done = reply(turn, text, keyboard=column(back), replaces=message_id)
    made = await absence.record(turn, ask.person_id, kind, first, last)
    return [done, *await _told(turn, ask, kind, days, made)] if made else [done]


async def _told(turn: Turn, ask: Ask, kind: str, days: str, made: int) -> Sequence[Letter]:
    """The audit says for which days, not why: that may be a fact about health."""
    detail = {"person": ask.person_id, "before": "", "after": days}
    await audit.record(turn.session, turn.now, str(turn.staff.id), "excused", str(made), **detail)
    return await notices(
        turn.session,
        [ask.person_id],
        f"excused:{made}",
        f"heads.excuse_told_{kind}",
        buttons=[("heads.excuse_object", f"excuse_object:{made}")],
        giver=turn.staff.name,
        span=days,
    )
