"""What takes two administrators: asked for by one, agreed to by another within a day, never by oneself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import texts
from domain.chat import Button, Outgoing
from domain.policy import Action, Role, may
from domain.refusal import Refusal
from handlers import appointing
from handlers.admin_desk import NotTheirs, Paths, home, labelled, on_tap, role_name, screen, tree_of, unit_of, why
from handlers.router import Router
from handlers.turn import Turn, reply
from storage import approvals, audit, people, posts
from storage.approvals import Approval
from storage.outbox import Letter
from storage.people import Person
from storage.units import Unit

router = Router()
Asked = Literal["post_given", "post_ended"]


async def ask(turn: Turn, action: Asked, person: Person, role: Role, unit: Unit, message_id: str) -> Sequence[Letter]:
    """Put it to every other administrator of the unit; with none, say what is left to do."""
    others = await _others(turn, unit)
    if not others:
        return [reply(turn, turn.text("console.only_admin"), keyboard=(home(turn),), replaces=message_id)]
    detail = {"person": person.id, "role": role.value, "unit": unit.id}
    number = await approvals.request(turn.session, action, detail, turn.staff.id, turn.now)
    if number is None:
        return [reply(turn, turn.text("console.asked_already"), keyboard=(home(turn),), replaces=message_id)]
    await audit.record(turn.session, turn.now, str(turn.staff.id), "approval_asked", str(number), what=action, **detail)
    told = await _put_to(turn, others, number, action, person, role, unit)
    said = turn.text("console.asked_others", n=len(told)) if told else turn.text("console.asked_nobody")
    return [reply(turn, said, keyboard=(home(turn),), replaces=message_id), *told]


async def _others(turn: Turn, unit: Unit) -> set[int]:
    """The other administrators who answer for this unit."""
    holders = await posts.holders(turn.session, Action.CONFIRM_POST)
    return {one.person_id for one in holders if unit.path.startswith(one.unit_path)} - {turn.staff.id}


async def _put_to(
    turn: Turn, others: set[int], number: int, action: Asked, person: Person, role: Role, unit: Unit
) -> list[Letter]:
    languages = await people.languages(turn.session, others)
    letters = []
    for person_id, chat in sorted((await people.chats_of(turn.session, others)).items()):
        language = languages[person_id]
        named = texts.text(language, f"console.role_{role.value}")
        keyboard = (
            (Button(texts.text(language, "console.agree"), f"adm_yes:{number}", style="success"),),
            (Button(texts.text(language, "console.disagree"), f"adm_no:{number}"),),
        )
        text = texts.text(
            language,
            f"console.ask_{action}",
            by=turn.staff.name,
            name=person.name,
            code=person.staff_code,
            role=named,
            unit=unit.name,
        )
        message = Outgoing(chat, text, keyboard=keyboard)
        letters.append(Letter("", "notice", message, person_id=person_id))
    return letters


async def pending_for(turn: Turn, paths: Paths) -> list[Approval]:
    """What waits for a second yes in these subtrees."""
    inside = {one.id for one in await tree_of(turn, paths)}
    return [one for one in await approvals.pending(turn.session, turn.now) if one.detail["unit"] in inside]


@on_tap(router, "adm_pending", Action.CONFIRM_POST)
async def pending(turn: Turn, paths: Paths, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """What waits for a second yes, for those who missed the message."""
    found = await pending_for(turn, paths)
    known = await people.by_ids(turn.session, {one.detail["person"] for one in found})
    rows: list[tuple[Button, ...]] = [
        (labelled(f"{known[who].name}: {role_name(turn, Role(one.detail['role']))}", f"adm_approve:{one.id}"),)
        for one in found
        if (who := one.detail["person"]) in known
    ]
    key = "console.pending_list" if rows else "console.pending_none"
    return [screen(turn, "", [turn.text(key)], [*rows, home(turn)], message_id)]


@on_tap(router, "adm_approve", Action.CONFIRM_POST)
async def look(turn: Turn, paths: Paths, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    one = await _open(turn, args[0])
    lines = [await _in_words(turn, paths, one)]
    if one.requested_by_id == turn.staff.id:
        return [screen(turn, "", [*lines, turn.text("console.not_your_own")], [home(turn)], message_id)]
    yes = Button(turn.text("console.agree"), f"adm_yes:{one.id}", style="success")
    no = Button(turn.text("console.disagree"), f"adm_no:{one.id}")
    return [screen(turn, "", lines, [(yes,), (no,), home(turn)], message_id)]


@on_tap(router, "adm_yes", Action.CONFIRM_POST)
async def agree(turn: Turn, paths: Paths, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """The second yes: done now, if the first one still has the right to ask."""
    one = await _open(turn, args[0])
    if one.requested_by_id == turn.staff.id:
        return [reply(turn, turn.text("console.not_your_own"))]
    person, role, unit = await _meant(turn, paths, one)
    rights = await posts.held_by(turn.session, one.requested_by_id)
    if not may(rights, Action.CONFIRM_POST, unit.path):
        await _settle(turn, one, "no")
        return [reply(turn, turn.text("console.asker_lost"), replaces=message_id)]
    await _settle(turn, one, "yes")
    try:
        await _do(turn, one, person, role, unit)
    except Refusal as refusal:
        return [reply(turn, why(turn, refusal.key, refusal.values), replaces=message_id)]
    return [
        reply(turn, f"{await _in_words(turn, paths, one)}\n\n{turn.text('console.agreed')}", replaces=message_id),
        *await _tell(turn, one, "console.was_agreed", person, role),
    ]


@on_tap(router, "adm_no", Action.CONFIRM_POST)
async def disagree(turn: Turn, paths: Paths, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    one = await _open(turn, args[0])
    if one.requested_by_id == turn.staff.id:
        return [reply(turn, turn.text("console.not_your_own"))]
    person, role, _ = await _meant(turn, paths, one)
    await _settle(turn, one, "no")
    return [
        reply(turn, turn.text("console.disagreed"), replaces=message_id),
        *await _tell(turn, one, "console.was_disagreed", person, role),
    ]


async def _open(turn: Turn, number: str) -> Approval:
    """Still to be decided; what is decided or too old is a button of the past. Raises NotTheirs."""
    for one in await approvals.pending(turn.session, turn.now):
        if one.id == int(number):
            return one
    raise NotTheirs


async def _meant(turn: Turn, paths: Paths, one: Approval) -> tuple[Person, Role, Unit]:
    """Raises NotTheirs if the unit is not in this administrator's hands, or the person has left."""
    person = await people.by_id(turn.session, one.detail["person"])
    if person is None:
        raise NotTheirs
    return person, Role(one.detail["role"]), await unit_of(turn, paths, one.detail["unit"])


async def _settle(turn: Turn, one: Approval, decision: approvals.Decision) -> None:
    if not await approvals.decide(turn.session, one.id, decision, turn.staff.id, turn.now):
        raise NotTheirs
    action = "approval_given" if decision == "yes" else "approval_refused"
    detail = {"what": one.action, "asked_by": one.requested_by_id, **one.detail}
    await audit.record(turn.session, turn.now, str(turn.staff.id), action, str(one.id), **detail)


async def _do(turn: Turn, one: Approval, person: Person, role: Role, unit: Unit) -> None:
    act = appointing.appoint if one.action == "post_given" else appointing.end
    await act(turn.session, person.staff_code, role, unit.code, turn.now, str(turn.staff.id))


async def _in_words(turn: Turn, paths: Paths, one: Approval) -> str:
    person, role, unit = await _meant(turn, paths, one)
    asker = await people.by_id(turn.session, one.requested_by_id)
    return turn.text(
        f"console.ask_{one.action}",
        by=asker.name if asker else "–",
        name=person.name,
        code=person.staff_code,
        role=role_name(turn, role),
        unit=unit.name,
    )


async def _tell(turn: Turn, one: Approval, key: str, person: Person, role: Role) -> list[Letter]:
    """The one who asked hears what became of it."""
    chats = await people.chats_of(turn.session, [one.requested_by_id])
    languages = await people.languages(turn.session, [one.requested_by_id])
    letters = []
    for asker, chat in chats.items():
        named = texts.text(languages[asker], f"console.role_{role.value}")
        text = texts.text(languages[asker], key, by=turn.staff.name, name=person.name, role=named)
        letters.append(Letter("", "notice", Outgoing(chat, text), person_id=asker))
    return letters
