"""Looking back: the day that somebody asks for, and the way to the days before and after it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

from domain.chat import Button
from domain.dates import day_in, without_day
from handlers.turn import Turn
from storage import rounds


def named(turn: Turn, words: str) -> tuple[date | None, str]:
    """The day in a command's words and the rest of them: today without one, None for one that is out of reach."""
    rest = without_day(words)
    if rest == " ".join(words.split()):
        return turn.today, rest
    return day_in(words, _earliest(turn), turn.today), rest


async def around(turn: Turn, day: date, data: Callable[[date], str]) -> tuple[Button, ...]:
    """Buttons to the nearest days with a round before and after, as far back as answers are kept."""
    before, after = await rounds.days_around(turn.session, day, _earliest(turn))
    buttons = []
    if before:
        buttons.append(Button(f"‹ {before:%d/%m}", data(before)))
    if after:
        buttons.append(Button(f"{after:%d/%m} ›", data(after)))
    return tuple(buttons)


def _earliest(turn: Turn) -> date:
    return turn.today - timedelta(days=turn.house.keeps_days)
