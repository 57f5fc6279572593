"""The demonstration's other people: they answer by themselves, a few with something to report, some late, some never."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import sqlalchemy as sa

import texts
from domain.chat import Address, Incoming, Receive, Said, Tap, Text
from domain.questions import choices
from handlers.turn import House
from storage.database import Database
from storage.outbox import keyboard_of
from storage.tables import outbox, person

NEVER = 0.05
UNWELL = 0.04


@dataclass(order=True, slots=True)
class Answer:
    """What one person will do when."""

    at: datetime
    ask_id: int
    chat: Address = field(compare=False)
    message_id: str = field(compare=False)
    well: str = field(compare=False)
    unwell: str = field(compare=False)
    language: str = field(compare=False)
    is_well: bool = field(compare=False)


@dataclass(slots=True)
class Crowd:
    """Everybody whose phone is not on the page. `leave_out` are the chats of those whose phone is."""

    database: Database
    house: House
    receive: Receive
    leave_out: frozenset[str]
    chance: random.Random = field(default_factory=lambda: random.Random(1))
    _known: int = 0
    _coming: list[Answer] = field(default_factory=list)
    _said: int = 0

    async def notice_prompts(self, now: datetime) -> None:
        """Look at the prompts that arrived since the last time, and decide who will answer when."""
        query = (
            sa.select(outbox, person.c.language)
            .join_from(outbox, person, person.c.id == outbox.c.person_id)
            .where(outbox.c.kind == "prompt", outbox.c.state == "sent", outbox.c.id > self._known)
            .order_by(outbox.c.id)
        )
        async with self.database.reading() as session:
            rows = (await session.execute(query)).all()
        for row in rows:
            self._known = row.id
            if row.chat_id in self.leave_out or self.chance.random() < NEVER:
                continue
            buttons = keyboard_of(row.keyboard)
            minutes = min(self.chance.lognormvariate(2.4, 1.0), 200.0)
            self._coming.append(
                Answer(
                    now + timedelta(minutes=minutes),
                    row.ask_id,
                    Address(row.channel, row.chat_id),
                    row.message_id,
                    buttons[0][0].data,
                    buttons[1][0].data,
                    row.language,
                    self.chance.random() > UNWELL,
                )
            )
        self._coming.sort()

    def next_at(self) -> datetime | None:
        return self._coming[0].at if self._coming else None

    async def answer_until(self, now: datetime) -> None:
        """Everybody whose moment has come taps, through the same door as a real phone."""
        due = [one for one in self._coming if one.at <= now]
        self._coming = self._coming[len(due) :]
        well = [self._update(one, Tap(one.well, one.message_id)) for one in due if one.is_well]
        if well:
            await self.receive(well)
        for one in due:
            if not one.is_well:
                for said in self._report(one):
                    await self.receive([self._update(one, said)])

    def _report(self, one: Answer) -> list[Said]:
        """A cough and nothing else: one answer to each question, typed as people type."""
        said: list[Said] = [Tap(one.unwell, one.message_id)]
        for question in self.house.campaign.questions:
            offered = choices(question, "en" if one.language == "en" else "vi")
            well = question.well_answer
            healthy = {well} if isinstance(well, str) else set(well) if isinstance(well, list) else {"skip"}
            chosen = next((each for each in offered if each.key in healthy), offered[-1])
            said.append(Text(offered[1].label if question is self.house.campaign.questions[0] else chosen.label))
        return [*said, Text(texts.text(one.language, "declaration.send"))]

    def _update(self, one: Answer, said: Said) -> Incoming:
        self._said += 1
        return Incoming(f"crowd-{self._said}", one.chat, one.chat, said)
