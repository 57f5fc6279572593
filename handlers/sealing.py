"""A declaration on its way into the store, how its ask stands with it, and what is shown of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.campaign import MORNING
from domain.questions import Answer
from domain.risk import Assessment
from handlers import behalf, screens
from handlers.screens import Screen
from handlers.turn import Turn, reply
from storage import asks, declarations, outbox, people
from storage.asks import Ask
from storage.database import Session
from storage.declarations import Declared, Draft, New
from storage.outbox import Letter


@dataclass(frozen=True, slots=True)
class Made:
    """`ask` is as it stands with the declaration; `works_at` is where the person works from now on, if that is new."""

    ask: Ask
    new: New
    works_at: str


def make(
    turn: Turn,
    ask: Ask,
    answers: dict[str, Answer],
    result: Assessment,
    place: str,
    *,
    version: int = 1,
    photo: int | None = None,
    why: str = "",
) -> Made:
    """What the speaker declares in this turn; `why` they answer for somebody else, "" for themselves."""
    level, is_own = result.level.value, behalf.is_own(turn, ask)
    late = ask.closed_at is not None or turn.now >= ask.closes_at
    reasons = [reason.rule for reason in result.reasons]
    declared = Declared(
        version, answers, place, level, reasons, turn.now, turn.staff.id, turn.staff.name, why, None, photo
    )
    new = New(ask.id, declared, result.rule_version, turn.chat.channel, late)
    is_new_place = is_own and place in turn.house.campaign.workplace.worked and place != ask.usual_place
    sealed = ask.answered(level, place, turn.now, late=late, proxy=not is_own)
    return Made(sealed, new, place if is_new_place else "")


async def store(session: Session, made: Sequence[Made], now: datetime) -> None:
    """Store these, each of another ask; nobody is asked or reminded any more."""
    if not made:
        return
    await declarations.seal(session, [one.new for one in made])
    await asks.answered(session, [one.ask for one in made], now)
    await people.work_at(session, {one.ask.person_id: one.works_at for one in made if one.works_at})
    await outbox.withdraw(session, [one.ask.id for one in made], ("prompt", "reminder"), now)


def said_place(turn: Turn, ask: Ask, draft: Draft, said: Sequence[str]) -> str:
    """The workplace of a declaration: as the button said that was tapped, else as everything else says."""
    if ask.kind != MORNING:
        return ""
    return screens.proposed(turn.house.campaign, said[0]) if said else place_of(turn, ask, draft)


def place_of(turn: Turn, ask: Ask, draft: Draft) -> str:
    """Where the person works on this day: as chosen just now, else as declared, else as remembered."""
    return screens.proposed(turn.house.campaign, draft.workplace or ask.workplace or ask.usual_place)


def receipt(turn: Turn, made: Made, message_id: str) -> Letter:
    """What was declared, in the place of the question."""
    return show(turn, made.ask, screens.receipt(turn, made.ask, made.new.declared), message_id)


def show(turn: Turn, ask: Ask, screen: Screen, replaces: str | None = None) -> Letter:
    """A screen of this ask to whoever speaks; if it is another's ask, with their name above it."""
    title = screen.title
    if not behalf.is_own(turn, ask):
        title = turn.text("heads.proxy_title", name=ask.person_name, title=screen.title)
    return reply(turn, screen.text, title=title, keyboard=screen.keyboard, replaces=replaces, ask_id=ask.id)
