"""Being away: which kind, from when, until when; asked with taps, the last day also in words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, timedelta

from domain.chat import Button, Keyboard
from handlers.router import Router
from handlers.turn import Turn, button, column, reply, say
from storage import absences, asks, outbox
from storage.outbox import Letter

router = Router()
LONGEST = 180
_DAY = re.compile(r"(\d{1,2})[/.\-](\d{1,2})(?:[/.\-](\d{4}))?")


@router.command("leave")
async def leave(turn: Turn, args: str) -> Sequence[Letter]:
    """Which kind; and what is already known, to be cancelled."""
    kinds = [Button(turn.text(f"leave.{kind}"), f"away:{kind}") for kind in absences.KINDS]
    known = await absences.current(turn.session, turn.staff.id, turn.today)
    cancels = [
        button(turn, "leave.cancel", f"back_at_work:{number}", kind=turn.text(f"leave.{kind}"), span=_span(first, last))
        for number, kind, first, last in known
    ]
    return [reply(turn, turn.text("leave.which"), keyboard=column(*kinds, *cancels))]


@router.tap("away")
async def from_when(turn: Turn, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    days = [turn.today, turn.today + timedelta(days=1)]
    options = [
        button(turn, key, f"away_from:{args[0]}:{day:%Y%m%d}", day=f"{day:%d/%m}")
        for key, day in zip(("leave.today", "leave.tomorrow"), days, strict=True)
    ]
    text = turn.text("leave.from", kind=turn.text(f"leave.{args[0]}"))
    return [reply(turn, text, keyboard=column(*options), replaces=message_id)]


@router.tap("away_from")
async def until_when(turn: Turn, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    first = _date(args[1])
    text = turn.text("leave.until", kind=turn.text(f"leave.{args[0]}"), first=f"{first:%d/%m}")
    return [reply(turn, text, keyboard=_last_days(turn, args[0], first), replaces=message_id)]


@router.tap("away_until")
async def record(turn: Turn, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """Record it: no prompts on those days, and shown as excused with the reason."""
    return await _record(turn, args[0], _date(args[1]), _date(args[2]), message_id)


@router.text()
async def typed_last_day(turn: Turn, text: str) -> Sequence[Letter] | None:
    """A date typed while the last day is being asked for."""
    found = _DAY.search(text)
    shown = await outbox.open_keyboard(turn.session, turn.chat) if found else None
    choice = turn.house.seal.opened(shown[0][0][0].data, turn.chat) if shown else None
    if not found or not shown or not choice or choice.verb != "away_until":
        return None
    kind, first = choice.args[0], _date(choice.args[1])
    last = _typed_date(found, first)
    if last is None or not first <= last <= first + timedelta(days=LONGEST):
        text = turn.text("leave.bad_day", first=f"{first:%d/%m/%Y}", longest=LONGEST)
        return [reply(turn, text, keyboard=_last_days(turn, kind, first))]
    return await _record(turn, kind, first, last, None)


@router.tap("back_at_work")
async def cancel(turn: Turn, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """Cancel an absence; a round that is still open waits for the person again."""
    if await absences.cancel(turn.session, turn.staff.id, int(args[0]), turn.now):
        await asks.expect_again(turn.session, turn.staff.id, turn.today, turn.now)
    return [reply(turn, turn.text("leave.cancelled"), replaces=message_id)]


async def _record(turn: Turn, kind: str, first: date, last: date, message_id: str | None) -> Sequence[Letter]:
    if kind not in absences.KINDS or last < first or last > first + timedelta(days=LONGEST):
        return [say(turn, "help.stale_button")]
    known = await absences.current(turn.session, turn.staff.id, first)
    if (kind, first, last) not in [one[1:] for one in known]:
        await absences.add(turn.session, turn.staff.id, kind, first, last, turn.staff.id, turn.now)
        await asks.excuse(turn.session, turn.staff.id, first, last, kind, turn.now)
    text = turn.text("leave.recorded", kind=turn.text(f"leave.{kind}"), span=_span(first, last))
    return [reply(turn, text, replaces=message_id)]


def _last_days(turn: Turn, kind: str, first: date) -> Keyboard:
    lengths = (0, 1, 2, 4)
    days = [first + timedelta(days=length) for length in lengths]
    options = [Button(f"{day:%d/%m}", f"away_until:{kind}:{first:%Y%m%d}:{day:%Y%m%d}") for day in days]
    return (tuple(options[:2]), tuple(options[2:]))


def _typed_date(found: re.Match[str], first: date) -> date | None:
    """Day and month, of the first such day not before `first` unless a year is given."""
    year = int(found[3]) if found[3] else first.year
    try:
        day = date(year, int(found[2]), int(found[1]))
        return day if found[3] or day >= first else day.replace(year=year + 1)
    except ValueError:
        return None


def _date(compact: str) -> date:
    return date(int(compact[:4]), int(compact[4:6]), int(compact[6:8]))


def _span(first: date, last: date) -> str:
    return f"{first:%d/%m}" if first == last else f"{first:%d/%m} – {last:%d/%m}"
