"""The notice everybody sees before the first question, and the choice to agree, decline, or withdraw."""

from __future__ import annotations

from collections.abc import Sequence

import texts
from domain.chat import LANGUAGES
from handlers import declaration, screens
from handlers.router import Router
from handlers.turn import Turn, button, column, reply
from storage import asks, people
from storage.outbox import Letter

router = Router()

NOTICE_VERSION = "2026-11-22"
"""Changes with the text of the notice; stored with every choice."""


async def notice(turn: Turn, replaces: str | None = None) -> Sequence[Letter]:
    """What is recorded, why, who sees it, how long, and their rights; two buttons of equal weight."""
    other = next(one for one in LANGUAGES if one != turn.language)
    choices = (button(turn, "privacy.agree", "agree"), button(turn, "privacy.decline", "decline"))
    return [
        reply(
            turn,
            turn.text("privacy.notice", organisation=turn.house.name, days=turn.house.keeps_days),
            title=turn.text("privacy.title"),
            keyboard=column(*choices, button(turn, f"help.language_{other}", f"language:{other}")),
            replaces=replaces,
        )
    ]


@router.tap("agree", before_consent=True)
async def agree(turn: Turn, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """Record the yes; if a round is open, its prompt follows at once."""
    if turn.staff.has_agreed:
        return [await _standing(turn, message_id)]
    await people.choose(turn.session, turn.staff, "agreed", NOTICE_VERSION, turn.chat.channel, turn.now)
    await asks.reached(turn.session, turn.staff.id, turn.today, "waiting", turn.now)
    done = reply(turn, turn.text("privacy.agreed"), replaces=message_id)
    return [done, *await declaration.open_prompt(turn)]


@router.tap("decline", before_consent=True)
async def decline(turn: Turn, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """Record the no, as easily as the yes; from now on nothing is asked."""
    if turn.staff.consent != "declined":
        await people.choose(turn.session, turn.staff, "declined", NOTICE_VERSION, turn.chat.channel, turn.now)
        await asks.reached(turn.session, turn.staff.id, turn.today, "declined", turn.now)
    keyboard = (*column(button(turn, "privacy.reconsider", "notice")), screens.incident_row(turn.language))
    return [reply(turn, turn.text("privacy.declined"), keyboard=keyboard, replaces=message_id)]


@router.tap("notice", before_consent=True)
async def show_again(turn: Turn, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    return await notice(turn, replaces=message_id)


@router.command("privacy", before_consent=True)
async def privacy(turn: Turn, args: str) -> Sequence[Letter]:
    """What was chosen, the notice again, and the way to withdraw."""
    if not turn.staff.consent:
        return await notice(turn)
    return [await _standing(turn, None)]


async def _standing(turn: Turn, message_id: str | None) -> Letter:
    agreed = turn.staff.has_agreed
    choice = button(turn, "privacy.withdraw", "decline") if agreed else button(turn, "privacy.agree", "agree")
    text = turn.text("privacy.notice", organisation=turn.house.name, days=turn.house.keeps_days)
    title = texts.text(turn.language, "privacy.you_agreed" if agreed else "privacy.you_declined")
    return reply(turn, text, title=title, keyboard=column(choice), replaces=message_id)
