"""What a handler is given, and how it says something back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import texts
from domain.allowance import USUAL_QUIET, Allowance, Quiet
from domain.campaign import Campaign
from domain.chat import Address, Button, Capabilities, Keyboard, Language, Outgoing
from domain.seal import Seal
from domain.timetable import local_day
from handlers.inviting import Ways
from storage.database import Session
from storage.outbox import Letter
from storage.people import Person

KEEPS_DAYS = 90
"""How long what somebody declared is kept."""


@dataclass(frozen=True, slots=True)
class House:
    """What is the same for every turn of one deployment."""

    name: str
    zone: ZoneInfo
    campaign: Campaign
    seal: Seal
    channels: Mapping[str, Capabilities]
    keeps_days: int = KEEPS_DAYS
    messages_per_day: int = 8
    quiet: Quiet = USUAL_QUIET
    ways: Ways = field(default_factory=Ways)

    @property
    def allowance(self) -> Allowance:
        return Allowance(self.zone, self.messages_per_day, self.quiet)

    def today(self, now: datetime) -> date:
        return local_day(now, self.zone)

    def sealed(self, letter: Letter, key: str) -> Letter:
        """The letter under its lasting name, its buttons bound to the chat it goes to."""
        message = letter.message
        keyboard = tuple(
            tuple(replace(one, data=self.seal.button(one.data, message.to)) if one.data else one for one in row)
            for row in message.keyboard
        )
        return replace(letter, key=key, message=replace(message, keyboard=keyboard))


@dataclass(frozen=True, slots=True)
class Turn:
    """Somebody said something. `person` is None for a stranger; `chat` is where the answer belongs."""

    person: Person | None
    chat: Address
    sender: Address
    language: Language
    now: datetime
    session: Session
    house: House

    @property
    def is_private(self) -> bool:
        return self.chat == self.sender

    @property
    def staff(self) -> Person:
        """The person; only for handlers that strangers never reach."""
        if self.person is None:
            raise LookupError("a stranger reached a handler for staff")
        return self.person

    @property
    def today(self) -> date:
        return self.house.today(self.now)

    def text(self, key: str, /, **values: object) -> str:
        return texts.text(self.language, key, **values)

    def clock(self, at: datetime) -> str:
        return texts.clock(at, self.house.zone)

    def day(self, day: date) -> str:
        return texts.day(self.language, day)


Handler = Callable[..., Awaitable[Sequence[Letter] | None]]
RECENT = timedelta(days=7)
"""How far back a person's open questions are looked for."""


def say(turn: Turn, key: str, /, **values: object) -> Letter:
    """One sentence from the catalogues to whoever spoke."""
    return reply(turn, turn.text(key, **values))


def reply(
    turn: Turn,
    text: str,
    *,
    title: str = "",
    keyboard: Keyboard = (),
    replaces: str | None = None,
    ask_id: int | None = None,
) -> Letter:
    """A message to the chat in which somebody spoke. The dispatcher names it and seals its buttons."""
    message = Outgoing(turn.chat, text, title, keyboard, replaces or None)
    person_id = turn.person.id if turn.person and turn.is_private else None
    return Letter("", "reply", message, person_id=person_id, ask_id=ask_id, to_group=not turn.is_private)


def button(turn: Turn, key: str, data: str, **values: object) -> Button:
    """A button labelled from the catalogues."""
    return Button(turn.text(key, **values), data)


def column(*buttons: Button) -> Keyboard:
    """One button a row: the widest target for a thumb."""
    return tuple((one,) for one in buttons)
