"""Signs about the quality of units' data, for the steering committee: no names, and no consequence for any figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from fractions import Fraction

from domain.completion import percent_text
from domain.policy import Action, scope
from domain.quality import FEWEST_PEOPLE, LOOK_BACK_DAYS, UnitData, signs, together
from handlers.router import Router
from handlers.turn import Turn, reply, say
from storage import posts, quality, units
from storage.outbox import Letter

router = Router()
MOST_LINES = 40


@router.command("quality", before_consent=True)
async def show(turn: Turn, args: str) -> Sequence[Letter]:
    """What the last three weeks show; small units only together."""
    paths = scope(await posts.held_by(turn.session, turn.staff.id), Action.SEE_QUALITY)
    if not paths:
        return [say(turn, "quality.no_right")]
    first = turn.today - timedelta(days=LOOK_BACK_DAYS)
    data = await quality.of_units(turn.session, first, turn.today, _measure(turn))
    tree = [one for one in await units.everything(turn.session) if one.id in data and one.path.startswith(tuple(paths))]
    large = {one.name: data[one.id] for one in tree if data[one.id].people >= FEWEST_PEOPLE}
    small = together([data[one.id] for one in tree if data[one.id].people < FEWEST_PEOPLE])
    lines = _lines(turn, large | ({turn.text("quality.small", n=FEWEST_PEOPLE): small} if small else {}))
    title = turn.text("quality.title", first=f"{first:%d/%m}", last=f"{turn.today:%d/%m}")
    shown = lines[:MOST_LINES] or [turn.text("quality.nothing")]
    if len(lines) > MOST_LINES:
        shown.append(turn.text("quality.more", n=len(lines) - MOST_LINES))
    return [reply(turn, "\n".join([turn.text("quality.intro"), "", *shown]), title=title)]


def _measure(turn: Turn) -> str:
    return next((one.key for one in turn.house.campaign.questions if one.kind == "number"), "")


def _lines(turn: Turn, data: Mapping[str, UnitData]) -> list[str]:
    found = [(name, _what(turn, sign, of)) for name, of in data.items() for sign in signs(of)]
    return [turn.text("quality.line", unit=name, what=what) for name, what in found]


def _what(turn: Turn, sign: str, of: UnitData) -> str:
    match sign:
        case "instant":
            share = percent_text(Fraction(of.instant, of.timed), turn.language)
            return turn.text("quality.instant", share=share, days=len(of.instant_days))
        case "temperature":
            return turn.text("quality.temperature", n=of.measurements)
        case "unvaried":
            return turn.text("quality.unvaried", days=len(of.days))
        case _:
            return turn.text("quality.control_wrong", right=of.right, n=of.right + of.wrong)
