"""What a round says when it opens and when it reminds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

import texts
from domain.chat import Address, Outgoing
from handlers import screens
from handlers.turn import House
from storage import asks, outbox, people
from storage.asks import ToPrompt
from storage.database import Session
from storage.outbox import Letter
from storage.rounds import Round

IN_ONE_GO = 500
REMINDABLE = ("waiting", "delivered", "unknown", "failed", "blocked", "contested")
"""How far a question may have got with somebody who could have answered it, or must answer it again."""


async def prompt_all(session: Session, house: House, of: Round, now: datetime) -> int:
    """Write the prompt of everybody due who can be reached; how many."""
    due = await asks.to_prompt(session, [of.id], ("waiting",))
    return await _write(session, due, partial(_prompt, house, of), now)


async def prompt_elsewhere(session: Session, house: House, of: Round, now: datetime) -> int:
    """Prompt once more, in another chat of theirs, those whose chat was lost; how many."""
    lost = await asks.to_prompt(session, [of.id], ("blocked",))
    return await _write(session, lost, partial(_prompt, house, of, again=True), now)


async def remind_silent(session: Session, house: House, of: Round, number: int, now: datetime) -> int:
    """Write a reminder to everybody who could have answered and has not; how many.

    Nobody is reminded of a prompt that has not left yet.
    """
    silent = await asks.to_prompt(session, [of.id], REMINDABLE)
    on_their_way = await outbox.unsent(session, [of.id])
    silent = [one for one in silent if one.ask_id not in on_their_way]
    return await _write(session, silent, partial(_reminder, house, of, number), now)


async def remind_for(
    session: Session,
    house: House,
    of: Mapping[int, Round],
    to: Sequence[ToPrompt],
    numbers: Mapping[int, int],
    asker: str,
    now: datetime,
) -> set[int]:
    """Write to these people of the rounds `of` that somebody responsible asks them to answer; which asks were written.

    `numbers` says by person how many times they will then have been asked so.
    """
    written = set()
    for start in range(0, len(to), IN_ONE_GO):
        part = to[start : start + IN_ONE_GO]
        chats = await people.chats_of(session, [one.person_id for one in part])
        part = [one for one in part if one.person_id in chats]
        letters = [
            _asked_by(house, of[one.round_id], asker, numbers[one.person_id], one, chats[one.person_id]) for one in part
        ]
        await outbox.enqueue(session, letters, now)
        written |= {one.ask_id for one in part}
    return written


async def _write(
    session: Session, due: Sequence[ToPrompt], letter: Callable[[ToPrompt, Address], Letter], now: datetime
) -> int:
    written = 0
    for start in range(0, len(due), IN_ONE_GO):
        part = due[start : start + IN_ONE_GO]
        chats = await people.chats_of(session, [one.person_id for one in part])
        letters = [letter(one, chats[one.person_id]) for one in part if one.person_id in chats]
        written += await outbox.enqueue(session, letters, now)
    return written


def _prompt(house: House, of: Round, to: ToPrompt, chat: Address, *, again: bool = False) -> Letter:
    key = f"prompt:{of.id}:{to.person_id}{':elsewhere' if again else ''}"
    return house.sealed(Letter("", "prompt", _message(house, of, to, chat, "prompt"), to.person_id, to.ask_id), key)


def _reminder(house: House, of: Round, number: int, to: ToPrompt, chat: Address) -> Letter:
    message = _message(house, of, to, chat, "reminder")
    letter = Letter("", "reminder", message, to.person_id, to.ask_id, expires_at=of.closes_at)
    return house.sealed(letter, f"reminder:{of.id}:{to.person_id}:{number}")


def _asked_by(house: House, of: Round, asker: str, number: int, to: ToPrompt, chat: Address) -> Letter:
    message = _message(house, of, to, chat, "reminder")
    message = replace(message, text=f"{texts.text(to.language, 'heads.asks_you', asker=asker)}\n\n{message.text}")
    letter = Letter("", "reminder", message, to.person_id, to.ask_id, expires_at=of.closes_at)
    return house.sealed(letter, f"nudge:{to.ask_id}:{number}")


def _message(house: House, of: Round, to: ToPrompt, chat: Address, heading: str) -> Outgoing:
    screen = screens.prompt(
        house, to.language, to.ask_id, of.kind, of.day, to.workplace, heading=f"declaration.{heading}"
    )
    return Outgoing(chat, screen.text, screen.title, screen.keyboard)
