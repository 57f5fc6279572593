"""How the units one answers for stand right now, or stood on an earlier day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from domain.dates import compact, from_compact
from domain.policy import Action, scope
from handlers import days
from handlers.router import Router
from handlers.turn import Turn, reply, say
from storage import bindings, posts
from storage.outbox import Letter
from summaries import message, status, zone_words, zones

router = Router()


@router.command("status", groups=True, before_consent=True)
async def show(turn: Turn, args: str) -> Sequence[Letter]:
    """A day's figures: in private for those whose post allows it, in a supervisor chat for its unit."""
    day, _ = days.named(turn, args)
    if day is None:
        return [say(turn, "heads.bad_day", example="/status 20/11", days=turn.house.keeps_days)]
    return await _of_day(turn, day)


@router.tap("status_day", before_consent=True)
async def look_back(turn: Turn, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    return await _of_day(turn, from_compact(args[0]))


async def _of_day(turn: Turn, day: date) -> Sequence[Letter]:
    paths = await _paths(turn)
    if not paths:
        return [say(turn, "summary.status_no_right")]
    letters = []
    colours = await zones.on(turn.session, turn.house.campaign, day, turn.now)
    for one in await status.of_day(turn.session, day, turn.now):
        for path in paths:
            standing = one.of(path)
            if standing:
                unit_zone = colours.of(path)
                colour = zone_words.line(unit_zone, turn.language) if unit_zone else ""
                words = message.board(one, standing, turn.language, turn.house.zone, colour)
                letters.append(reply(turn, words.text, title=words.title))
    return await _with_way_back(turn, day, letters or [say(turn, "summary.status_nothing", day=turn.day(day))])


async def _with_way_back(turn: Turn, day: date, letters: list[Letter]) -> list[Letter]:
    """In private the last of them leads to the days before and after."""
    row = await days.around(turn, day, lambda other: f"status_day:{compact(other)}") if turn.is_private else ()
    last = letters[-1]
    return [*letters[:-1], replace(last, message=replace(last.message, keyboard=(row,)))] if row else letters


async def _paths(turn: Turn) -> list[str]:
    if turn.is_private:
        return scope(await posts.held_by(turn.session, turn.staff.id), Action.SEE_FIGURES)
    bound = await bindings.of_chat(turn.session, turn.chat)
    return [bound.unit_path] if bound and bound.is_confirmed else []
