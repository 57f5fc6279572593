"""What a round says when it opens and when it reminds."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from domain.chat import Address, Outgoing
from handlers import screens
from handlers.turn import House
from storage import asks, outbox, people
from storage.asks import ToPrompt
from storage.database import Session
from storage.outbox import Letter
from storage.rounds import Round

IN_ONE_GO = 500


async def prompt_all(session: Session, house: House, of: Round, now: datetime) -> int:
    """Write the prompt of everybody due who can be reached; how many."""
    due = await asks.to_prompt(session, of.id, ("waiting",))
    return await _write(session, house, of, due, now, "prompt", 0)


async def remind_silent(session: Session, house: House, of: Round, number: int, now: datetime) -> int:
    """Write a reminder to everybody who could have answered and has not; how many."""
    silent = await asks.to_prompt(session, of.id, ("waiting", "delivered", "unknown", "failed", "blocked"))
    return await _write(session, house, of, silent, now, "reminder", number)


async def _write(
    session: Session,
    house: House,
    of: Round,
    due: Sequence[ToPrompt],
    now: datetime,
    kind: outbox.Kind,
    number: int,
) -> int:
    written = 0
    for start in range(0, len(due), IN_ONE_GO):
        part = due[start : start + IN_ONE_GO]
        chats = await people.chats_of(session, [one.person_id for one in part])
        letters = [
            _letter(house, of, one, chats[one.person_id], kind, number) for one in part if one.person_id in chats
        ]
        await outbox.enqueue(session, letters, now)
        written += len(letters)
    return written


def _letter(house: House, of: Round, one: ToPrompt, chat: Address, kind: outbox.Kind, number: int) -> Letter:
    heading = "declaration.prompt" if kind == "prompt" else "declaration.reminder"
    screen = screens.prompt(house, one.language, one.ask_id, of.kind, of.day, one.workplace, heading=heading)
    message = Outgoing(chat, screen.text, screen.title, screen.keyboard)
    suffix = f":{number}" if number else ""
    letter = Letter(
        "", kind, message, person_id=one.person_id, ask_id=one.ask_id, expires_at=of.closes_at if number else None
    )
    return house.sealed(letter, f"{kind}:{of.id}:{one.person_id}{suffix}")
