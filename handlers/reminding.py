"""A head asks those who have not answered once more: each at most so often a day, and only while a round is open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time

from domain.timetable import instant
from handlers import opening
from handlers.turn import Turn
from storage import asks, audit, nudges, outbox
from storage.rounds import Round

MOST_A_DAY = 2
"""By anybody responsible together: with the round's own reminders, more would be a reason to stop reading."""


@dataclass(frozen=True, slots=True)
class Reminded:
    """How many of those asked for were reminded, have been often enough today, or cannot be reached by the bot.

    `on_their_way` are those whose last prompt or reminder has not left yet.
    """

    reminded: int
    capped: int
    on_their_way: int
    unreachable: int


async def remind(turn: Turn, of: Mapping[int, Round], due: Mapping[int, int]) -> Reminded:
    """Remind whoever is `due` (person by ask) in these open rounds, but not the speaker; each is recorded."""
    wanted = {ask for ask, person in due.items() if person != turn.staff.id}
    ready = [one for one in await asks.to_prompt(turn.session, of.keys(), opening.REMINDABLE) if one.ask_id in wanted]
    waiting = await outbox.unsent(turn.session, of.keys())
    had = await nudges.counted(turn.session, [one.person_id for one in ready], midnight(turn))
    settled = [one for one in ready if one.ask_id not in waiting]
    to = [one for one in settled if had[one.person_id] < MOST_A_DAY]
    numbers = {one.person_id: had[one.person_id] + 1 for one in to}
    written = await opening.remind_for(turn.session, turn.house, of, to, numbers, turn.staff.name, turn.now)
    given = [(one.ask_id, one.person_id) for one in to if one.ask_id in written]
    await nudges.record(turn.session, given, turn.staff.id, turn.now)
    capped, on_their_way = len(settled) - len(to), len(ready) - len(settled)
    unreachable = len(wanted) - len(written) - capped - on_their_way
    await audit.record(turn.session, turn.now, str(turn.staff.id), "reminded", people=sorted(who for _, who in given))
    return Reminded(len(written), capped, on_their_way, unreachable)


def in_words(turn: Turn, result: Reminded) -> str:
    """What came of it, without what did not happen to anybody."""
    counts = {
        "heads.reminded": result.reminded,
        "heads.reminded_enough": result.capped,
        "heads.being_sent": result.on_their_way,
        "heads.unreachable": result.unreachable,
    }
    lines = [turn.text(key, n=n) for key, n in counts.items() if n or key == "heads.reminded"]
    return "\n".join(lines)


def midnight(turn: Turn) -> datetime:
    """When today began."""
    return instant(turn.today, time(), turn.house.zone)
