"""A word to several people about something they answer for, in private, each in their own chat and language."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import texts
from domain.chat import Button, Outgoing
from domain.policy import Action, Role
from storage import people, posts
from storage.database import Session
from storage.outbox import Letter

CLOSE_BY = (Role.HEAD, Role.FOCAL)


async def notices(
    session: Session,
    told: Collection[int],
    key: str,
    text: str,
    *,
    unit_id: int | None = None,
    buttons: Sequence[tuple[str, str]] = (),
    not_on: str = "",
    **values: object,
) -> list[Letter]:
    """One letter for each who can be written to; with `unit_id` only while they still answer for that unit.

    `buttons` are pairs of a label's key and what the button says. On the channel `not_on` only who has no other chat.
    """
    chats = await people.chats_of(session, told, not_on=not_on)
    languages = await people.languages(session, list(chats))
    letters = []
    for person_id, chat in sorted(chats.items()):
        language = languages[person_id]
        keyboard = tuple((Button(texts.text(language, label), data),) for label, data in buttons)
        message = Outgoing(chat, texts.text(language, text, **values), keyboard=keyboard)
        letters.append(Letter(f"{key}:{person_id}", "notice", message, person_id=person_id, unit_id=unit_id))
    return letters


async def close_by(session: Session, unit_path: str, *, but: int) -> set[int]:
    """The focal persons and the heads nearest to a unit, its own or else those above it; `but` is left out."""
    over = [
        one
        for one in await posts.holders(session, Action.SEE_MISSING)
        if one.role in CLOSE_BY and unit_path.startswith(one.unit_path) and one.person_id != but
    ]
    nearest = {role: max((len(one.unit_path) for one in over if one.role == role), default=0) for role in CLOSE_BY}
    return {one.person_id for one in over if len(one.unit_path) == nearest[one.role]}
