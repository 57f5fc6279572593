"""How the units one answers for stand right now."""

from __future__ import annotations

from collections.abc import Sequence

from domain.policy import Action, scope
from handlers.router import Router
from handlers.turn import Turn, reply, say
from storage import bindings, posts
from storage.outbox import Letter
from summaries import message, status

router = Router()


@router.command("status", groups=True, before_consent=True)
async def show(turn: Turn, args: str) -> Sequence[Letter]:
    """Today's figures: in private for those whose post allows it, in a supervisor chat for its unit."""
    paths = await _paths(turn)
    if not paths:
        return [say(turn, "summary.status_no_right")]
    letters = []
    for one in await status.of_day(turn.session, turn.today, turn.now):
        for path in paths:
            standing = one.of(path)
            if standing:
                words = message.board(one, standing, turn.language, turn.house.zone)
                letters.append(reply(turn, words.text, title=words.title))
    return letters or [say(turn, "summary.status_nothing", day=turn.day(turn.today))]


async def _paths(turn: Turn) -> list[str]:
    if turn.is_private:
        return scope(await posts.held_by(turn.session, turn.staff.id), Action.SEE_FIGURES)
    bound = await bindings.of_chat(turn.session, turn.chat)
    return [bound.unit_path] if bound and bound.is_confirmed else []
