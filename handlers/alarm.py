"""The alarm: who is told of an incident and when, and that everybody told learns what becomes of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from domain.chat import Address, Outgoing
from domain.incident import HEALTH, SERIOUS, height
from domain.risk import Assessment
from handlers import incident_screens as shown
from handlers import screens
from handlers.incident_screens import Case
from handlers.screens import Screen
from handlers.turn import House, Turn
from storage import audit, bindings, incidents, outbox, people
from storage.asks import Ask
from storage.bindings import Binding
from storage.database import Session
from storage.incidents import Incident, Shown
from storage.outbox import Letter
from storage.posts import Officer

SERIOUS_LEVELS = frozenset(level.value for level in SERIOUS)


async def sound(session: Session, house: House, of: Incident, now: datetime) -> tuple[Case, list[Letter]]:
    """Tell everybody who must know by now; doing it again tells nobody twice in the same chat.

    If none of them can be reached, everybody above is told at once, the committee among them.
    """
    case = await shown.load(session, of)
    others = [one for one in case.officers.values() if one.person_id in case.chats]
    others = [one for one in others if one.person_id != of.reported_by_id]
    due = [one for one in others if case.must_know(one)] or others
    await incidents.tell(session, of.id, [one.person_id for one in due], of.climbed, now)
    case = replace(case, told=case.told | {one.person_id for one in due})
    letters = [_alarm(house, case, one) for one in due]
    return case, letters if of.climbed or of.kind == HEALTH else [*letters, *await _groups(session, house, of)]


async def climb(session: Session, house: House, of: Incident, now: datetime) -> int | None:
    """Nobody has answered in time: tell those further up, and everybody told once more; how many letters.

    None if it is not for us to do: somebody has answered, or another process was faster.
    """
    climbed = max(of.climbed, height(of.reported_at, now))
    if not await incidents.climb(session, of, climbed):
        return None
    _, letters = await sound(session, house, replace(of, climbed=climbed), now)
    await audit.record(session, now, "ticks", "incident_climbed", str(of.id), climbed=climbed, told=len(letters))
    return await outbox.enqueue(session, [house.sealed(one, one.key) for one in letters], now)


async def spread(turn: Turn, of: Incident, what: str, message_id: str) -> tuple[Case, list[Letter]]:
    """Every message in which it stands says what has become of it; who was told and has none of it is told anew.

    `what` names the change for ever. The message just tapped is left to the reply that takes its place.
    """
    await incidents.withdraw(turn.session, of.id, turn.now)
    case = await shown.load(turn.session, of)
    everywhere = await incidents.shown(turn.session, of.id)
    there = [one for one in everywhere if (one.to, one.message_id) != (turn.chat, message_id)]
    bound = {one.id: one for one in await bindings.confirmed(turn.session)} if of.closed_at else {}
    edited = (_edited(turn.house, case, one, what, bound.get(one.binding_id or 0)) for one in there)
    letters = [one for one in edited if one]
    uninformed = case.told - {one.person_id for one in there} - {turn.staff.id}
    for one in case.officers.values():
        if one.person_id in uninformed and one.person_id in case.chats:
            key = f"incident:{of.id}:{what}:person {one.person_id}"
            letters.append(_to_officer(turn.house, case, one, key))
    return case, letters


def tell_reporter(turn: Turn, case: Case, what: str) -> list[Letter]:
    """A word to whoever reported it, or whose declaration raised it, unless it is they who act."""
    of = case.of
    text = shown.news_for_reporter(turn.house, case)
    chat = case.chats.get(of.reported_by_id)
    if not text or chat is None or of.reported_by_id == turn.staff.id:
        return []
    return [_letter(f"incident:{of.id}:{what}:reporter", case, of.reported_by_id, chat, Screen("", text, ()))]


async def note(turn: Turn, of: Incident, text: str) -> tuple[Case, list[Letter]]:
    """Keep a note; it goes to everybody told but its author, with a button that leads to the whole."""
    note_id = await incidents.note(turn.session, of.id, turn.staff.id, text, turn.now)
    case = await shown.load(turn.session, of)
    letters = []
    for one in case.officers.values():
        if one.person_id in case.told - {turn.staff.id} and one.person_id in case.chats:
            screen = shown.news(one.language, of, turn.staff.name, text)
            key = f"incident:{of.id}:note {note_id}:person {one.person_id}"
            letters.append(_letter(key, case, one.person_id, case.chats[one.person_id], screen))
    return case, letters


async def declared(turn: Turn, ask: Ask, result: Assessment) -> list[Letter]:
    """A declaration that has become serious is told to those entitled, once; correcting it leaves a note for them.

    `ask` is as it was before this declaration.
    """
    was, level = ask.level if ask.state == "answered" else "", result.level.value
    if not {was, level} & SERIOUS_LEVELS or was == level:
        return []
    known = await incidents.of_ask(turn.session, ask.id)
    if known:
        text = turn.text("incident.corrected", level=screens.level_name(turn.language, level))
        return (await note(turn, known, text))[1]
    if level not in SERIOUS_LEVELS or was in SERIOUS_LEVELS:
        return []
    who = await people.by_id(turn.session, ask.person_id)
    if who is None:
        return []
    incident_id = await incidents.report(
        turn.session,
        unit_id=who.unit_id,
        kind=HEALTH,
        text=" ".join(reason.rule for reason in result.reasons),
        by=who.id,
        channel=turn.chat.channel,
        now=turn.now,
        ask_id=ask.id,
        is_drill=ask.is_drill,
    )
    return (await first_sounded(turn, incident_id))[1]


async def first_sounded(turn: Turn, incident_id: int) -> tuple[Case, list[Letter]]:
    """The alarm of an incident that this turn has stored, and the line about it in the audit."""
    of = await incidents.by_id(turn.session, incident_id)
    if of is None:
        raise LookupError("the incident just stored is not there")
    case, letters = await sound(turn.session, turn.house, of, turn.now)
    await audit.record(
        turn.session,
        turn.now,
        str(turn.staff.id),
        "incident_reported",
        str(of.id),
        unit=of.unit_id,
        drill=of.is_drill,
        told=len(case.told),
    )
    return case, letters


def _alarm(house: House, case: Case, one: Officer) -> Letter:
    chat = case.chats[one.person_id]
    key = f"incident:{case.of.id}:{case.of.climbed}:{one.person_id}:{chat.channel}:{chat.chat_id}"
    return replace(_to_officer(house, case, one, key), incident_id=case.of.id)


def _to_officer(house: House, case: Case, one: Officer, key: str) -> Letter:
    return _letter(key, case, one.person_id, case.chats[one.person_id], shown.page(house, one.language, case))


def _letter(key: str, case: Case, person_id: int, chat: Address, screen: Screen, replaces: str | None = None) -> Letter:
    """To the reporter, or to somebody who must still answer for the unit when it is sent."""
    message = Outgoing(chat, screen.text, screen.title, screen.keyboard, replaces)
    unit_id = None if person_id == case.of.reported_by_id else case.of.unit_id
    return Letter(key, "incident", message, person_id=person_id, unit_id=unit_id)


def _edited(house: House, case: Case, where: Shown, what: str, bound: Binding | None) -> Letter | None:
    """What stands there from now on; None where it stays as it is."""
    key = f"incident:{case.of.id}:{what}:{where.to.channel}:{where.to.chat_id}:{where.message_id}"
    if bound:
        message = Outgoing(where.to, shown.group_line(house, bound.language, case.of), replaces=where.message_id)
        return Letter(key, "incident", message, binding_id=bound.id, to_group=True)
    if where.person_id is None:
        return None
    officer = case.officers.get(where.person_id)
    if where.person_id == case.of.reported_by_id:
        screen = shown.receipt(house, case.of.reported_in, case)
    elif officer:
        screen = (shown.page if where.is_last else shown.brief)(house, officer.language, case)
    else:
        return None
    return _letter(key, case, where.person_id, where.to, screen, where.message_id)


async def _groups(session: Session, house: House, of: Incident) -> Sequence[Letter]:
    """The line without names in the unit's own supervisor chats."""
    bound = [one for one in await bindings.confirmed(session) if one.unit_id == of.unit_id]
    return [
        Letter(
            f"incident:{of.id}:group {one.id}",
            "incident",
            Outgoing(one.chat, shown.group_line(house, one.language, of)),
            binding_id=one.id,
            incident_id=of.id,
            to_group=True,
        )
        for one in bound
    ]
