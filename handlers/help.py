"""What the bot can do for whoever asks, and an answer to everything nobody else understood."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from domain.chat import LANGUAGES, Button, Language
from domain.policy import Action, scope
from handlers import declaration, privacy, screens
from handlers.router import Router
from handlers.turn import Turn, column, reply
from storage import asks, people, posts
from storage.outbox import Letter

router = Router()

FOR_STAFF = ("today", "incident", "history", "leave", "why", "language", "privacy", "help")
FOR_HEADS = ("status", "missing", "zone", "risk", "map", "times")
FOR_COMMITTEE = ("quality",)
FOR_ADMINS = ("times", "admin")
FOR_GROUPS = ("bind", "unbind", "status", "zone")


@router.command("help", before_consent=True)
async def help_(turn: Turn, args: str) -> Sequence[Letter]:
    """What can be said here, and whether something waits for an answer."""
    rights = await posts.held_by(turn.session, turn.staff.id)
    names = FOR_STAFF + (FOR_HEADS if scope(rights, Action.SEE_FIGURES) else ())
    names += FOR_COMMITTEE if scope(rights, Action.SEE_QUALITY) else ()
    names += ("bind",) if scope(rights, Action.BIND_CHAT) else ()
    names += FOR_ADMINS if scope(rights, Action.PLAN) else ()
    lines = [turn.text("help.intro", name=turn.staff.name), ""]
    lines += [f"/{name} – {turn.text(f'commands.{name}')}" for name in dict.fromkeys(names)]
    waiting = [ask for ask in await asks.current(turn.session, turn.staff.id, turn.today) if ask.state == "due"]
    if waiting and turn.staff.has_agreed:
        lines += ["", turn.text("help.waiting")]
    return [reply(turn, "\n".join(lines), keyboard=(screens.incident_row(turn.language),))]


@router.command("language", before_consent=True)
async def language(turn: Turn, args: str) -> Sequence[Letter]:
    options = [Button(turn.text(f"help.language_{one}"), f"language:{one}") for one in LANGUAGES]
    return [reply(turn, turn.text("help.choose_language"), keyboard=column(*options))]


@router.tap("language", before_consent=True)
async def speak(turn: Turn, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """From now on in this language, beginning with what waits for an answer."""
    chosen: Language = "en" if args[0] == "en" else "vi"
    await people.speak(turn.session, turn.staff.id, chosen)
    anew = replace(turn, language=chosen)
    if not turn.staff.consent:
        return await privacy.notice(anew, message_id)
    done = reply(anew, anew.text("help.language_set"), replaces=message_id)
    return [done, *(await declaration.open_prompt(anew) if turn.staff.has_agreed else ())]
