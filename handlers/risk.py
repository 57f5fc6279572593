"""The unit's risk update: confirmed in one tap by whoever answers for the unit, or corrected figure by figure."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import msgspec

from domain.chat import Button, File, Keyboard
from domain.policy import Action, may, scope
from domain.zone import Correction
from handlers import risk_draft, risk_round
from handlers.risk_draft import ITEMS, Draft
from handlers.router import Router
from handlers.screens import Screen
from handlers.turn import Turn, button, column, reply, say
from storage import audit, dialogues, posted, posts, risk_updates, rounds
from storage.database import take_turns
from storage.dialogues import Dialogue
from storage.outbox import Letter
from storage.risk_updates import RiskUpdate
from summaries import zone_words

router = Router()
TOPIC = "risk"
LONGEST_REASON = 200
MOST_PEOPLE = 9999
REASONS = ("test", "mistake", "away", "more")

OnUpdate = Callable[[Turn, RiskUpdate, Sequence[str], str], Awaitable[Sequence[Letter]]]


def on_update(verb: str) -> Callable[[OnUpdate], OnUpdate]:
    """A button of one update: the handler runs only if the tapper answers for the unit and the day is not over."""

    def register(handler: OnUpdate) -> OnUpdate:
        @router.tap(verb, before_consent=True)
        async def checked(turn: Turn, args: Sequence[str], message_id: str) -> Sequence[Letter]:
            update = await risk_updates.by_id(turn.session, int(args[0]))
            rights = await posts.held_by(turn.session, turn.staff.id)
            if update is None or not may(rights, Action.UPDATE_RISK, update.unit_path):
                return [say(turn, "risk.gone")]
            if update.day != turn.today:
                text = turn.text("risk.closed", day=turn.day(update.day))
                return [reply(turn, text, replaces=message_id)]
            return await handler(turn, update, args[1:], message_id)

        return handler

    return register


@router.command("risk", before_consent=True)
async def today(turn: Turn, args: str) -> Sequence[Letter]:
    """Today's updates of the units one answers for: the draft itself if there is one, else a list."""
    paths = scope(await posts.held_by(turn.session, turn.staff.id), Action.UPDATE_RISK)
    found = await risk_updates.on(turn.session, turn.today)
    latest = {one.unit_id: one for one in found if any(one.unit_path.startswith(path) for path in paths)}
    if not latest:
        return [say(turn, "risk.none")]
    if len(latest) == 1:
        return [await _shown(turn, next(iter(latest.values())))]
    waiting_first = sorted(latest.values(), key=lambda one: (one.confirmed_at is not None, one.unit_path))
    screen = risk_round.listed(turn.language, turn.today, waiting_first)
    return [reply(turn, screen.text, title=screen.title, keyboard=screen.keyboard)]


@on_update("risk_open")
async def open_one(turn: Turn, update: RiskUpdate, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    return [await _shown(turn, update)]


@on_update("risk_ok")
@on_update("risk_same")
async def confirm(turn: Turn, update: RiskUpdate, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """Confirm what this draft shows; if the figures have changed since, show them first."""
    await take_turns(turn.session, f"risk update {update.id}")
    draft = await _draft(turn, update)
    if [draft.fingerprint] != list(args):
        screen = risk_draft.screen(turn.house, turn.language, draft, turn.now, note=turn.text("risk.changed"))
        return [_letter(turn, update, screen, message_id)]
    late = update.closed_at is not None or turn.now >= update.closes_at
    await risk_updates.confirm(
        turn.session,
        update.id,
        facts=draft.facts,
        zone=draft.zone,
        corrections=draft.corrections,
        same_as_before=draft.same,
        late=late,
        confirmed_by=turn.staff.id,
        now=turn.now,
    )
    await dialogues.drop(turn.session, turn.chat)
    await audit.record(
        turn.session,
        turn.now,
        str(turn.staff.id),
        "risk_update_confirmed",
        str(update.id),
        before=update.zone.value if update.zone else "",
        after=draft.zone.value,
        corrections=[[one.item, one.was, one.now] for one in draft.corrections],
        late=late,
    )
    if late:
        await rounds.arm(turn.session, [update.round_id], "table_again", turn.now)
    sealed = await risk_updates.by_id(turn.session, update.id) or update
    receipt = _letter(turn, update, _receipt(turn, sealed, draft), message_id)
    return [receipt, *await _close_copies(turn, sealed, message_id)]


@on_update("risk_fix")
async def fix(turn: Turn, update: RiskUpdate, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """Which figure is not right?"""
    draft = await _draft(turn, update)
    buttons = [
        button(
            turn,
            "risk.item",
            f"risk_item:{update.id}:{item}",
            what=risk_draft.item_name(turn.language, item),
            now=draft.facts.present.get(item, 0),
        )
        for item in ITEMS
    ]
    back = button(turn, "risk.back", f"risk_back:{update.id}")
    return [_letter(turn, update, Screen("", turn.text("risk.which"), column(*buttons, back)), message_id)]


@on_update("risk_back")
async def back(turn: Turn, update: RiskUpdate, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """To the draft, with what was corrected so far."""
    return [await _shown(turn, update, message_id)]


@on_update("risk_item")
async def choose_item(turn: Turn, update: RiskUpdate, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """How many is it really?"""
    if args[0] not in ITEMS:
        return [await _shown(turn, update, message_id)]
    return [await _ask_number(turn, update, args[0], message_id)]


@on_update("risk_n")
async def take_number(turn: Turn, update: RiskUpdate, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    return [await _ask_reason(turn, update, args[0], int(args[1]), message_id)]


@on_update("risk_why")
async def take_reason(turn: Turn, update: RiskUpdate, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """The reason, tapped: the corrected draft, to be confirmed."""
    known = await dialogues.open_in(turn.session, turn.chat, turn.now)
    if known is None or known.topic != TOPIC or args[0] not in REASONS:
        return [await _shown(turn, update, message_id)]
    return [await _corrected(turn, update, known.data, turn.text(f"risk.reason_{args[0]}"), message_id)]


@router.dialogue(TOPIC, before_consent=True)
async def typed(turn: Turn, dialogue: Dialogue, said: str | File) -> Sequence[Letter] | None:
    """A number or a reason in words."""
    update = await risk_updates.by_id(turn.session, int(dialogue.data["update"]))
    rights = await posts.held_by(turn.session, turn.staff.id)
    if isinstance(said, File) or update is None or not may(rights, Action.UPDATE_RISK, update.unit_path):
        return None
    if dialogue.step == "number":
        item = str(dialogue.data["item"])
        if not said.strip().isdecimal() or int(said) > MOST_PEOPLE:
            return [await _ask_number(turn, update, item, hint=turn.text("risk.bad_number", most=MOST_PEOPLE))]
        return [await _ask_reason(turn, update, item, int(said))]
    if dialogue.step == "reason":
        if len(said) > LONGEST_REASON:
            return [say(turn, "risk.reason_long")]
        if said.strip() and said not in [turn.text(f"risk.reason_{key}") for key in REASONS]:
            return [await _corrected(turn, update, dialogue.data, said.strip())]
    return None


async def _ask_number(
    turn: Turn, update: RiskUpdate, item: str, message_id: str | None = None, hint: str = ""
) -> Letter:
    draft = await _draft(turn, update)
    was = draft.facts.present.get(item, 0)
    await _keep(turn, update, "number", draft.corrections, item=item, was=was)
    numbers = [Button(str(number), f"risk_n:{update.id}:{item}:{number}") for number in range(6)]
    rows: Keyboard = (tuple(numbers[:3]), tuple(numbers[3:]), (button(turn, "risk.back", f"risk_fix:{update.id}"),))
    text = turn.text("risk.ask_number", what=risk_draft.item_name(turn.language, item), was=was)
    return _letter(turn, update, Screen("", f"{hint}\n{text}" if hint else text, rows), message_id)


async def _ask_reason(turn: Turn, update: RiskUpdate, item: str, number: int, message_id: str | None = None) -> Letter:
    if item not in ITEMS or not 0 <= number <= MOST_PEOPLE:
        return await _shown(turn, update, message_id)
    draft = await _draft(turn, update)
    was = draft.facts.present.get(item, 0)
    await _keep(turn, update, "reason", draft.corrections, item=item, was=was, now=number)
    options = [button(turn, f"risk.reason_{key}", f"risk_why:{update.id}:{key}") for key in REASONS]
    text = turn.text("risk.ask_reason", what=risk_draft.item_name(turn.language, item), was=was, now=number)
    keyboard = column(*options, button(turn, "risk.back", f"risk_fix:{update.id}"))
    return _letter(turn, update, Screen("", text, keyboard), message_id)


async def _corrected(
    turn: Turn, update: RiskUpdate, data: Mapping[str, Any], reason: str, message_id: str | None = None
) -> Letter:
    """The draft with one more correction; a second one of the same figure takes the place of the first."""
    if data.get("update") != update.id or "now" not in data:
        return await _shown(turn, update, message_id)
    earlier = {one.item: one for one in _said(data)}
    item = str(data["item"])
    was = earlier[item].was if item in earlier else int(data["was"])
    kept = [one for one in earlier.values() if one.item != item]
    corrections = (*kept, Correction(item, was, int(data["now"]), reason))
    await _keep(turn, update, "draft", corrections)
    return await _shown(turn, update, message_id)


async def _keep(turn: Turn, update: RiskUpdate, step: str, corrections: Sequence[Correction], **more: object) -> None:
    data = {"update": update.id, "corrections": msgspec.to_builtins(list(corrections)), **more}
    await dialogues.keep(turn.session, turn.chat, turn.staff.id, TOPIC, step, data, turn.now)


def _said(data: Mapping[str, Any]) -> list[Correction]:
    return msgspec.convert(data["corrections"], list[Correction])


async def _draft(turn: Turn, update: RiskUpdate) -> Draft:
    """The update as it stands now, with the corrections this person is making, else those confirmed."""
    open_one = await dialogues.open_in(turn.session, turn.chat, turn.now)
    is_mine = open_one is not None and open_one.topic == TOPIC and open_one.data.get("update") == update.id
    making = tuple(_said(open_one.data)) if open_one and is_mine else update.corrections
    trying = {update.unit_id: making}
    return (await risk_draft.drafts(turn.session, turn.house, update.day, [update], turn.now, trying))[0]


async def _shown(turn: Turn, update: RiskUpdate, message_id: str | None = None) -> Letter:
    """The receipt if it is confirmed and nothing is being corrected, else the draft."""
    draft = await _draft(turn, update)
    if update.confirmed_at and draft.corrections == update.corrections:
        return _letter(turn, update, _receipt(turn, update, draft), message_id)
    return _letter(turn, update, risk_draft.screen(turn.house, turn.language, draft, turn.now), message_id)


def _receipt(turn: Turn, update: RiskUpdate, draft: Draft) -> Screen:
    at = turn.clock(update.confirmed_at or turn.now)
    lines = [zone_words.name(update.zone or draft.zone, turn.language)]
    if update.late:
        lines.append(turn.text("risk.confirmed_late", at=turn.clock(update.closes_at)))
    lines += risk_draft.figures(turn.house, turn.language, draft)
    if update.entered_at:
        lines.append(turn.text("risk.map_entered", who=update.entered_by, at=turn.clock(update.entered_at)))
        keyboard = column(button(turn, "risk.amend", f"risk_fix:{update.id}"))
    else:
        entered = button(turn, "risk.on_map", f"risk_entered:{update.id}")
        keyboard = column(entered, button(turn, "risk.amend", f"risk_fix:{update.id}"))
    return Screen(turn.text("risk.confirmed_title", at=at, unit=update.unit_name), "\n".join(lines), keyboard)


@on_update("risk_entered")
async def entered(turn: Turn, update: RiskUpdate, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """It is on the national map now: who noted it and when."""
    if await risk_updates.entered(turn.session, [update.id], turn.staff.id, turn.now):
        await audit.record(turn.session, turn.now, str(turn.staff.id), "map_entered", str(update.id))
    return [await _shown(turn, await risk_updates.by_id(turn.session, update.id) or update, message_id)]


async def _close_copies(turn: Turn, update: RiskUpdate, message_id: str) -> list[Letter]:
    """Every other message that still asks says instead who has confirmed."""
    text = turn.text(
        "risk.confirmed_by",
        who=update.confirmed_by,
        at=turn.clock(update.confirmed_at or turn.now),
        zone=zone_words.name(update.zone, turn.language) if update.zone else "",
    )
    letters = []
    for copy in await posted.about_update(turn.session, update.id):
        if (copy.to, copy.message_id) != (turn.chat, message_id) and copy.person_id:
            name = f"{copy.to.channel}:{copy.to.chat_id}:{copy.message_id}"
            letters.append(posted.closing(f"risk_closing:{update.id}:{turn.now:%H%M%S%f}:{name}", copy, text))
    return letters


def _letter(turn: Turn, update: RiskUpdate, screen: Screen, message_id: str | None = None) -> Letter:
    letter = reply(turn, screen.text, title=screen.title, keyboard=screen.keyboard, replaces=message_id)
    return replace(letter, risk_update_id=update.id)
