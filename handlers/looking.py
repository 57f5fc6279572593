"""Seeing a named answer: only those whose post allows it, every look recorded, and shown to the person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from domain.chat import Button
from domain.policy import Action, scope
from handlers import screens
from handlers.router import Router
from handlers.turn import Turn, button, column, reply, say
from storage import asks, audit, declarations, looks, posts
from storage.asks import Ask
from storage.declarations import Declared
from storage.looks import Look
from storage.outbox import Letter

router = Router()
MOST_LOOKS = 15
"""Lines of who looked that fit below two weeks of one's own answers."""


@router.tap("look", before_consent=True)
async def look(turn: Turn, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """What somebody declared in a round: the latest version, or the one asked for. It is recorded first."""
    rights = scope(await posts.held_by(turn.session, turn.staff.id), Action.SEE_ANSWER)
    ask = await asks.within(turn.session, int(args[0]), rights)
    if ask is None:
        return [say(turn, "heads.nothing_here")]
    given = await declarations.versions(turn.session, ask.id)
    wanted = int(args[1]) if len(args) > 1 else 0
    shown = next((one for one in given if one.version == wanted), given[0] if given else None)
    if shown and ask.person_id != turn.staff.id:
        await looks.record(turn.session, ask.person_id, turn.staff.id, ask.id, turn.now)
        detail = {"person": ask.person_id, "version": shown.version}
        await audit.record(turn.session, turn.now, str(turn.staff.id), "looked", str(ask.id), **detail)
    return [await _answer(turn, ask, shown, given, message_id), *_photo(turn, ask, shown)]


async def _answer(turn: Turn, ask: Ask, shown: Declared | None, given: Sequence[Declared], message_id: str) -> Letter:
    title = f"{ask.person_name} – {ask.unit_name}"
    if shown:
        text = f"{screens.receipt(turn, ask, shown).text}\n\n{turn.text('heads.look_is_recorded')}"
        title = turn.text("heads.look_title", name=ask.person_name, at=turn.clock(shown.answered_at))
    else:
        kind, day = screens.kind_name(turn.language, ask.kind), turn.day(ask.day)
        text = turn.text("heads.stands", kind=kind, day=day, what=turn.text("heads.nothing_declared"))
    versions = [
        button(turn, "heads.version", f"look:{ask.id}:{one.version}", n=one.version, at=turn.clock(one.answered_at))
        for one in given
        if one != shown
    ]
    rounds = [
        Button(screens.kind_name(turn.language, one.kind).capitalize(), f"look:{one.id}")
        for one in await asks.of_day(turn.session, ask.person_id, ask.day)
        if one.id != ask.id
    ]
    back = button(turn, "heads.to_card", f"missing_card:{ask.id}")
    return reply(turn, text, title=title, keyboard=column(*versions, *rounds, back), replaces=message_id)


def _photo(turn: Turn, ask: Ask, shown: Declared | None) -> list[Letter]:
    """The photo that goes with it, in a message of its own: below a picture other words may come to stand."""
    if shown is None or shown.attachment_id is None:
        return []
    told = turn.text("declaration.photo_of", name=ask.person_name, at=turn.clock(shown.answered_at))
    return [replace(reply(turn, told), attachment_id=shown.attachment_id)]


async def who_looked(turn: Turn, days: int) -> list[str]:
    """Who has seen the speaker's answers in these days, by post, name, day and time; the latest first."""
    seen = await looks.of_person(turn.session, turn.staff.id, turn.now - timedelta(days=days))
    if not seen:
        return []
    lines = [_look(turn, one) for one in seen[:MOST_LOOKS]]
    if len(seen) > MOST_LOOKS:
        lines.append(turn.text("heads.looks_more", n=len(seen) - MOST_LOOKS))
    return ["", turn.text("heads.who_looked"), *lines]


def _look(turn: Turn, one: Look) -> str:
    at = f"{one.looked_at.astimezone(turn.house.zone):%d/%m %H:%M}"
    post = turn.text(f"heads.post_{one.role}", unit=one.unit_name) if one.role else turn.text("heads.post_unknown")
    kind = screens.kind_name(turn.language, one.kind)
    return turn.text("heads.look_line", at=at, name=one.name, post=post, kind=kind, day=f"{one.day:%d/%m}")
