"""What one's own leave and a head's excuse have in common: the days asked for, recorded, and ended."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

from domain.chat import Button, Keyboard
from domain.dates import day_in
from handlers.turn import Turn, button, column
from storage import absences, asks
from storage.absences import Absence

LONGEST = 180
"""Days that one absence may last: longer than maternity leave is somebody's mistake with the year."""


def first_days(turn: Turn, back: str, data: Callable[[date], str]) -> Keyboard:
    """Today or tomorrow; what each button carries is up to the conversation."""
    days = (("leave.today", turn.today), ("leave.tomorrow", turn.today + timedelta(days=1)))
    options = [button(turn, key, data(day), day=f"{day:%d/%m}") for key, day in days]
    return column(*options, button(turn, "leave.back", back))


def last_days(turn: Turn, first: date, back: str, data: Callable[[date], str]) -> Keyboard:
    """The lengths that most absences have."""
    days = [first + timedelta(days=length) for length in (0, 1, 2, 4)]
    options = [Button(f"{day:%d/%m}", data(day)) for day in days]
    return (tuple(options[:2]), tuple(options[2:]), (button(turn, "leave.back", back),))


def typed_day(text: str, earliest: date) -> date | None:
    """The day in the text, if an absence that begins on `earliest` or later can begin or end on it."""
    return day_in(text, earliest, earliest + timedelta(days=LONGEST))


async def record(turn: Turn, person_id: int, kind: str, first: date, last: date) -> int | None:
    """Keep it and excuse the person from those days; None if it is known already, else its number."""
    known = [(one.kind, one.first_day, one.last_day) for one in await absences.current(turn.session, person_id, first)]
    if (kind, first, last) in known:
        return None
    made = await absences.add(turn.session, person_id, kind, first, last, turn.staff.id, turn.now)
    await asks.excuse(turn.session, person_id, first, last, kind, turn.now)
    return made


async def end(turn: Turn, person_id: int, absence_id: int) -> Absence | None:
    """End it: a round that is still open waits for the person again, unless another absence covers it."""
    ended = await absences.cancel(turn.session, person_id, absence_id, turn.now)
    if ended:
        await asks.expect_again(turn.session, person_id, ended.first_day, ended.last_day, ended.kind, turn.now)
        for other in await absences.current(turn.session, person_id, ended.first_day):
            await asks.excuse(turn.session, person_id, other.first_day, other.last_day, other.kind, turn.now)
    return ended
