"""Why the bot wrote: each message of today that nobody asked for, with its reason in one sentence."""

from __future__ import annotations

from collections.abc import Sequence

from handlers import screens
from handlers.router import Router
from handlers.turn import Turn, reply
from storage import allowance
from storage.allowance import WITHHELD, Told
from storage.outbox import Letter

router = Router()
MOST = 12


@router.command("why", before_consent=True)
async def why(turn: Turn, args: str) -> Sequence[Letter]:
    """Today's automatic messages, those held back too, and what holds for all of them."""
    since = turn.house.allowance.day_began(turn.now)
    told = await allowance.told(turn.session, turn.staff.id, since)
    lines = [_line(turn, one) for one in told[-MOST:]] or [turn.text("why.nothing")]
    quiet = turn.house.quiet
    key = "why.rule_all_day" if quiet.since == quiet.until else "why.rule"
    rule = turn.text(key, most=turn.house.messages_per_day, since=f"{quiet.since:%H:%M}", until=f"{quiet.until:%H:%M}")
    return [reply(turn, "\n".join([*lines, "", rule]), title=turn.text("why.title"))]


def _line(turn: Turn, one: Told) -> str:
    round_ = screens.kind_name(turn.language, one.round_kind) if one.round_kind else ""
    unit = f" ({one.unit_name})" if one.unit_name else ""
    reason = turn.text(f"why.{one.kind}", round=round_, unit=unit)
    return turn.text(f"why.{_standing(one)}", at=turn.clock(one.at), reason=reason)


def _standing(one: Told) -> str:
    if one.state == "withdrawn":
        return "withheld"
    if one.state == "waiting":
        return "waiting_tomorrow" if one.outcome == WITHHELD else "waiting"
    return "sent"
