"""The control question after a healthy one-tap declaration: one tap, skippable, counted for the unit alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from domain.campaign import MORNING
from domain.chat import Button
from domain.control import control_on
from handlers.router import Router
from handlers.turn import Turn, button, column, reply, say
from storage import asks, posted, quality
from storage.asks import Ask
from storage.outbox import Letter

router = Router()


def question(turn: Turn, ask: Ask) -> list[Letter]:
    """What the person's unit is asked today, if anything."""
    control = control_on(turn.house.campaign.controls, turn.staff.unit_id, ask.day) if ask.kind == MORNING else None
    if control is None:
        return []
    options = [
        Button(option.label[turn.language], f"control:{ask.id}:{control.key}:{option.key}")
        for option in control.options
    ]
    skip = button(turn, "quality.skip", f"control:{ask.id}:{control.key}")
    text = turn.text("quality.control", question=control.text[turn.language])
    return [replace(reply(turn, text, keyboard=column(*options, skip)), key=_key(ask))]


@router.tap("control")
async def take(turn: Turn, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """Count the answer once; the same words come back whether it was right, wrong or none."""
    ask = await asks.of_person(turn.session, int(args[0]), turn.staff.id)
    control = next((one for one in turn.house.campaign.controls if one.key == args[1]), None)
    if ask is None or control is None:
        return [say(turn, "help.stale_button")]
    is_first = await posted.take_buttons(turn.session, _key(ask))
    if is_first and args[2:]:
        await quality.count_control(turn.session, ask.id, control.key, is_right=args[2] == control.right)
    asked, answer = control.text[turn.language], control.answer[turn.language]
    return [reply(turn, turn.text("quality.thanks", question=asked, answer=answer), replaces=message_id)]


def _key(ask: Ask) -> str:
    return f"control:{ask.id}"
