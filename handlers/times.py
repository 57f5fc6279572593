"""How soon people answer, for those responsible; and a better hour to ask, for them and for administrators."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from domain.policy import Action, scope
from handlers.router import Router
from handlers.screens import kind_name
from handlers.turn import Turn, reply, say
from storage import posts
from storage.outbox import Letter
from summaries import answer_times
from summaries.answer_times import Recent, Times

router = Router()
MOST_UNITS = 20
"""Lines of units in one message; whoever answers for more of them looks at one level at a time."""


@router.command("times", before_consent=True)
async def show(turn: Turn, args: str) -> Sequence[Letter]:
    """One message for each unit answered for; administrators, who see no unit's figures, get the advice alone."""
    rights = await posts.held_by(turn.session, turn.staff.id)
    seen, planned = scope(rights, Action.SEE_FIGURES), scope(rights, Action.PLAN)
    if not seen and not planned:
        return [say(turn, "times.no_right")]
    kinds = await answer_times.recent(turn.session, turn.today, turn.house.zone, [*seen, *planned])
    letters = [letter for path in seen if (letter := _of_unit(turn, kinds, path))]
    only_advised = [path for path in planned if not any(path.startswith(above) for above in seen)]
    letters += [_advice_alone(turn, kinds, only_advised)] if only_advised else []
    return letters or [say(turn, "times.nothing")]


def _of_unit(turn: Turn, kinds: Sequence[Recent], path: str) -> Letter | None:
    """None for a unit in which nobody was asked."""
    mine = [(one, times) for one in kinds for times in one.all_days if times.unit.path == path]
    if not mine:
        return None
    lines = [line for recent, times in mine for line in (*_of_kind(turn, recent, times), "")]
    title = turn.text("times.title", unit=mine[0][1].unit.name)
    return reply(turn, "\n".join(lines + _advice(turn, kinds, [path])).rstrip(), title=title)


def _of_kind(turn: Turn, recent: Recent, times: Times) -> list[str]:
    """The last round, the days before it, and the units directly below."""
    last = next((one for one in recent.last_day if one.unit.id == times.unit.id), None)
    kind, lines = kind_name(turn.language, recent.kind), []
    if last:
        lines += [turn.text("times.last_day", kind=kind, day=turn.day(recent.days[-1]))]
        lines += [answer_times.line(last, turn.language)]
    if not last or len(recent.days) > 1:
        first, until = f"{recent.days[0]:%d/%m}", f"{recent.days[-1]:%d/%m}"
        lines += [turn.text("times.all_days", n=len(recent.days), first=first, last=until)]
        lines += [answer_times.line(times, turn.language)]
    if times.late or times.proxy:
        lines.append(turn.text("times.apart", late=times.late, proxy=times.proxy))
    below = [one for one in recent.all_days if one.unit.parent_id == times.unit.id]
    if below:
        lines.append(turn.text("times.units_heading"))
        lines += [answer_times.short_line(one, turn.language) for one in below[:MOST_UNITS]]
        if len(below) > MOST_UNITS:
            lines.append(turn.text("times.units_more", n=len(below) - MOST_UNITS))
    return lines


def _advice_alone(turn: Turn, kinds: Sequence[Recent], paths: Collection[str]) -> Letter:
    advice = _advice(turn, kinds, paths) or [turn.text("times.no_advice")]
    return reply(turn, "\n".join(advice), title=turn.text("times.advice_title"))


def _advice(turn: Turn, kinds: Sequence[Recent], paths: Collection[str]) -> list[str]:
    """A better hour for the units of these subtrees; what holds for a unit is not said again of those below it."""
    lines = []
    for recent in kinds:
        told: list[str] = []
        for times in recent.all_days:
            path, advised = times.unit.path, recent.advice.get(times.unit.id)
            if advised and any(path.startswith(one) for one in paths) and not path.startswith(tuple(told)):
                told.append(path)
                kind, (now, better) = kind_name(turn.language, recent.kind), advised
                hours = {"now": f"{now:%H:%M}", "better": f"{better:%H:%M}"}
                lines.append(turn.text("times.advice", unit=times.unit.name, kind=kind, **hours))
    return lines
