"""Which of the day's confirmed updates are on the national map: noted with a tap, reminded of until done."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

import texts
from domain.chat import Button, Language, Outgoing
from domain.policy import Action, scope
from handlers import risk_round
from handlers.router import Router
from handlers.screens import Screen
from handlers.turn import House, Turn, reply, say
from storage import audit, outbox, posts, risk_updates
from storage.database import Session
from storage.outbox import Letter
from storage.risk_updates import RiskUpdate
from storage.rounds import Round

router = Router()
MOST_BUTTONS = 20


@router.command("map", before_consent=True)
async def show(turn: Turn, args: str) -> Sequence[Letter]:
    """Which of the units one answers for are on the map today, and a tap for those that are not."""
    mine = await _mine(turn, turn.today)
    if not mine:
        return [say(turn, "risk.none")]
    return [_reply(turn, turn.today, mine)]


@router.tap("map_in", before_consent=True)
async def entered(turn: Turn, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """One unit, or all (`all`), of this day is on the map now."""
    day = date.fromisoformat(args[0])
    mine = await _mine(turn, day)
    chosen = [one.id for one in mine if _waits(one) and args[1] in ("all", str(one.id))]
    if chosen:
        await risk_updates.entered(turn.session, chosen, turn.staff.id, turn.now)
        await audit.record(turn.session, turn.now, str(turn.staff.id), "map_entered", str(day), updates=chosen)
    return [_reply(turn, day, await _mine(turn, day), message_id)] if mine else [say(turn, "risk.gone")]


async def remind(session: Session, house: House, of: Round, number: int, now: datetime) -> int:
    """Remind those who answer for units that are confirmed and not on the map yet; how many."""
    latest = {one.unit_id: one for one in await risk_updates.on(session, of.day)}
    waiting = [one for one in latest.values() if one.round_id == of.id and _waits(one)]
    if not waiting:
        return 0
    to = await risk_round.rungs(session, {one.unit_id: one.unit_path for one in waiting}, house.today(now))
    by_person: dict[int, list[RiskUpdate]] = {}
    for one in waiting:
        for person_id in to.of_unit[one.unit_id].person_ids:
            by_person.setdefault(person_id, []).append(one)
    letters = []
    for person_id, mine in by_person.items():
        screen = _screen(to.languages[person_id], of.day, mine, "risk.map_reminder_title")
        out = Outgoing(to.chats[person_id], screen.text, screen.title, screen.keyboard)
        letter = Letter("", "notice", out, person_id, unit_id=mine[0].unit_id)
        letters.append(house.sealed(letter, f"risk_map:{of.id}:{number}:{person_id}"))
    return await outbox.enqueue(session, letters, now)


async def _mine(turn: Turn, day: date) -> list[RiskUpdate]:
    """The latest update of each unit one answers for."""
    paths = scope(await posts.held_by(turn.session, turn.staff.id), Action.UPDATE_RISK)
    found = await risk_updates.on(turn.session, day)
    latest = {one.unit_id: one for one in found if any(one.unit_path.startswith(path) for path in paths)}
    return list(latest.values())


def _waits(one: RiskUpdate) -> bool:
    return one.confirmed_at is not None and one.entered_at is None


def _reply(turn: Turn, day: date, mine: Sequence[RiskUpdate], message_id: str | None = None) -> Letter:
    screen = _screen(turn.language, day, mine, "risk.map_title")
    return reply(turn, screen.text, title=screen.title, keyboard=screen.keyboard, replaces=message_id)


def _screen(language: Language, day: date, mine: Sequence[RiskUpdate], heading: str) -> Screen:
    waiting = [one for one in mine if _waits(one)]
    done = sum(one.entered_at is not None for one in mine)
    unconfirmed = sum(one.confirmed_at is None for one in mine)
    counts = (("risk.map_waiting", len(waiting)), ("risk.map_done", done), ("risk.map_unconfirmed", unconfirmed))
    lines = [texts.text(language, key, n=number) for key, number in counts if number]
    if not waiting and not unconfirmed:
        lines.append(texts.text(language, "risk.map_all_done"))
    rows = [
        (Button(texts.text(language, "risk.map_one", unit=one.unit_name), f"map_in:{day}:{one.id}"),)
        for one in waiting[:MOST_BUTTONS]
    ]
    if len(waiting) > 1:
        rows.insert(0, (Button(texts.text(language, "risk.map_all", n=len(waiting)), f"map_in:{day}:all"),))
    return Screen(texts.text(language, heading, day=texts.day(language, day)), "\n".join(lines), tuple(rows))
