"""Being away: which kind, from when, until when; asked with taps, the days also in words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from domain.chat import Button, Keyboard
from domain.dates import compact, from_compact, span
from handlers import absence, declaration
from handlers.absence import LONGEST
from handlers.on_screen import asked_for
from handlers.router import Router
from handlers.turn import Turn, button, column, reply
from storage import absences
from storage.outbox import Letter

router = Router()


@router.command("leave")
async def leave(turn: Turn, args: str) -> Sequence[Letter]:
    """Which kind; and what is already known, to be cancelled."""
    return [await _which(turn)]


@router.tap("away")
async def from_when(turn: Turn, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    return [_from(turn, args[0], message_id)]


@router.tap("away_which")
async def back_to_kinds(turn: Turn, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    return [await _which(turn, message_id)]


@router.tap("away_from")
async def until_when(turn: Turn, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    return [_until(turn, args[0], from_compact(args[1]), message_id)]


@router.tap("away_until")
async def record(turn: Turn, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """Record it: no prompts on those days, and shown as excused with the reason."""
    return [await _record(turn, args[0], from_compact(args[1]), from_compact(args[2]), message_id)]


@router.tap("back_at_work")
async def cancel(turn: Turn, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """Cancel an absence; a round that is still open waits for the person again."""
    ended = await absence.end(turn, turn.staff.id, int(args[0]))
    done = reply(turn, turn.text("leave.cancelled"), replaces=message_id)
    return [done, *await declaration.open_prompt(turn)] if ended else [done]


@router.text()
async def typed(turn: Turn, text: str) -> Sequence[Letter] | None:
    """A date typed while the first or the last day is being asked for."""
    choice = await asked_for(turn, text)
    if choice is None or choice.verb not in ("away_from", "away_until"):
        return None
    kind = choice.args[0]
    earliest = turn.today if choice.verb == "away_from" else from_compact(choice.args[1])
    day = absence.typed_day(text, earliest)
    if choice.verb == "away_from":
        return [_until(turn, kind, day) if day else _hinted_from(turn, kind)]
    return [await _record(turn, kind, earliest, day, None) if day else _until(turn, kind, earliest, is_bad=True)]


async def _which(turn: Turn, message_id: str | None = None) -> Letter:
    kinds = [Button(turn.text(f"leave.{kind}"), f"away:{kind}") for kind in absences.KINDS]
    known = await absences.current(turn.session, turn.staff.id, turn.today)
    cancels = [
        button(
            turn,
            "leave.cancel",
            f"back_at_work:{one.id}",
            kind=turn.text(f"leave.{one.kind}"),
            span=span(one.first_day, one.last_day),
        )
        for one in known
    ]
    return reply(turn, turn.text("leave.which"), keyboard=column(*kinds, *cancels), replaces=message_id)


def _from(turn: Turn, kind: str, message_id: str | None = None) -> Letter:
    text = turn.text("leave.from", kind=turn.text(f"leave.{kind}"))
    return reply(turn, text, keyboard=_first_days(turn, kind), replaces=message_id)


def _hinted_from(turn: Turn, kind: str) -> Letter:
    text = turn.text("leave.bad_day", first=f"{turn.today:%d/%m/%Y}", longest=LONGEST)
    return reply(turn, text, keyboard=_first_days(turn, kind))


def _until(turn: Turn, kind: str, first: date, message_id: str | None = None, *, is_bad: bool = False) -> Letter:
    if first < turn.today:  # a button of an earlier day: what is past has been reported as it was
        return _from(turn, kind, message_id)
    text = turn.text("leave.until", kind=turn.text(f"leave.{kind}"), first=f"{first:%d/%m}")
    if is_bad:
        text = turn.text("leave.bad_day", first=f"{first:%d/%m/%Y}", longest=LONGEST)
    return reply(turn, text, keyboard=_last_days(turn, kind, first), replaces=message_id)


async def _record(turn: Turn, kind: str, first: date, last: date, message_id: str | None) -> Letter:
    if first < turn.today:
        return _from(turn, kind, message_id)
    await absence.record(turn, turn.staff.id, kind, first, last)
    text = turn.text("leave.recorded", kind=turn.text(f"leave.{kind}"), span=span(first, last))
    return reply(turn, text, replaces=message_id)


def _first_days(turn: Turn, kind: str) -> Keyboard:
    return absence.first_days(turn, "away_which", lambda day: f"away_from:{kind}:{compact(day)}")


def _last_days(turn: Turn, kind: str, first: date) -> Keyboard:
    return absence.last_days(
        turn, first, f"away:{kind}", lambda day: f"away_until:{kind}:{compact(first)}:{compact(day)}"
    )
