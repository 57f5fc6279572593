"""Being away: which kind, from when, until when; asked with taps, the days also in words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, timedelta

from domain.chat import Button, Keyboard
from domain.typed import match_option
from handlers import declaration
from handlers.router import Router
from handlers.turn import Turn, button, column, reply
from storage import absences, asks, outbox
from storage.outbox import Letter

router = Router()
LONGEST = 180
"""Days that one absence may last: longer than maternity leave is somebody's mistake with the year."""
_DAY = re.compile(r"(?<![\d/.\-])(\d{1,2})[/.\-](\d{1,2})(?:[/.\-](\d{4}|\d{2}))?(?![/.\-]?\d)")


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
    return [_until(turn, args[0], _date(args[1]), message_id)]


@router.tap("away_until")
async def record(turn: Turn, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """Record it: no prompts on those days, and shown as excused with the reason."""
    return [await _record(turn, args[0], _date(args[1]), _date(args[2]), message_id)]


@router.tap("back_at_work")
async def cancel(turn: Turn, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """Cancel an absence; a round that is still open waits for the person again."""
    me = turn.staff.id
    ended = await absences.cancel(turn.session, me, int(args[0]), turn.now)
    if ended:
        await asks.expect_again(turn.session, me, ended.first_day, ended.last_day, ended.kind, turn.now)
        for other in await absences.current(turn.session, me, ended.first_day):
            await asks.excuse(turn.session, me, other.first_day, other.last_day, other.kind, turn.now)
    done = reply(turn, turn.text("leave.cancelled"), replaces=message_id)
    return [done, *await declaration.open_prompt(turn)] if ended else [done]


@router.text()
async def typed(turn: Turn, text: str) -> Sequence[Letter] | None:
    """A date typed while the first or the last day is being asked for."""
    shown = await outbox.open_keyboard(turn.session, turn.chat)
    choice = turn.house.seal.opened(shown[0][0][0].data, turn.chat) if shown else None
    if not shown or not choice or choice.verb not in ("away_from", "away_until"):
        return None
    if match_option([one.label for row in shown[0] for one in row], text) is not None:
        return None
    kind = choice.args[0]
    earliest = turn.today if choice.verb == "away_from" else _date(choice.args[1])
    day = _typed_date(text, earliest)
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
            span=_span(one.first_day, one.last_day),
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
    me = turn.staff.id
    known = [(one.kind, one.first_day, one.last_day) for one in await absences.current(turn.session, me, first)]
    if (kind, first, last) not in known:
        await absences.add(turn.session, me, kind, first, last, me, turn.now)
        await asks.excuse(turn.session, me, first, last, kind, turn.now)
    text = turn.text("leave.recorded", kind=turn.text(f"leave.{kind}"), span=_span(first, last))
    return reply(turn, text, replaces=message_id)


def _first_days(turn: Turn, kind: str) -> Keyboard:
    days = (("leave.today", turn.today), ("leave.tomorrow", turn.today + timedelta(days=1)))
    options = [button(turn, key, f"away_from:{kind}:{day:%Y%m%d}", day=f"{day:%d/%m}") for key, day in days]
    return column(*options, button(turn, "leave.back", "away_which"))


def _last_days(turn: Turn, kind: str, first: date) -> Keyboard:
    days = [first + timedelta(days=length) for length in (0, 1, 2, 4)]
    options = [Button(f"{day:%d/%m}", f"away_until:{kind}:{first:%Y%m%d}:{day:%Y%m%d}") for day in days]
    return (tuple(options[:2]), tuple(options[2:]), (button(turn, "leave.back", f"away:{kind}"),))


def _typed_date(text: str, earliest: date) -> date | None:
    """The date in the text, without a year the first such day from `earliest` on; None if none is in reach."""
    found = _DAY.search(text)
    if found is None:
        return None
    year = int(found[3]) + (2000 if len(found[3]) == 2 else 0) if found[3] else earliest.year
    try:
        day = date(year, int(found[2]), int(found[1]))
        day = day if found[3] or day >= earliest else day.replace(year=year + 1)
    except ValueError:
        return None
    return day if earliest <= day <= earliest + timedelta(days=LONGEST) else None


def _date(compact: str) -> date:
    return date(int(compact[:4]), int(compact[4:6]), int(compact[6:8]))


def _span(first: date, last: date) -> str:
    return f"{first:%d/%m}" if first == last else f"{first:%d/%m} – {last:%d/%m}"
