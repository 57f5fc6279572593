"""What the buttons last shown ask for, so that typed words are an answer only where there is a question."""

from __future__ import annotations

from domain.seal import Choice
from domain.typed import match_option
from handlers.turn import Turn
from storage import posted


async def asked_for(turn: Turn, said: str) -> Choice | None:
    """What the first of the buttons on screen would say; None if there are none, or one of them is what was typed."""
    shown = await posted.open_keyboard(turn.session, turn.chat)
    buttons = [one for row in shown[0] for one in row] if shown else []
    if not buttons or match_option([one.label for one in buttons], said) is not None:
        return None
    return turn.house.seal.opened(buttons[0].data, turn.chat)
