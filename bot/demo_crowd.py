"""The demonstration's other people: they answer by themselves, a few with something to report, some never."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import texts
from domain.chat import Incoming, Receive, Said, Tap, Text
from domain.questions import SKIP, choices
from handlers.turn import House
from storage import sample
from storage.database import Database
from storage.sample import Prompted

NEVER = 0.05
UNWELL = 0.04


@dataclass(order=True, frozen=True, slots=True)
class Answer:
    """What one person will do when. `number` tells apart those who do it at the same moment."""

    at: datetime
    number: int
    prompt: Prompted = field(compare=False)
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
        async with self.database.reading() as session:
            prompts = await sample.prompts_after(session, self._known)
        for prompt in prompts:
            self._known = prompt.id
            if prompt.chat.chat_id in self.leave_out or self.chance.random() < NEVER:
                continue
            minutes = min(self.chance.lognormvariate(2.4, 1.0), 200.0)
            is_well = self.chance.random() > UNWELL or prompt.kind == "risk"
            self._coming.append(Answer(now + timedelta(minutes=minutes), prompt.id, prompt, is_well))
        self._coming.sort()

    def next_at(self) -> datetime | None:
        return self._coming[0].at if self._coming else None

    async def answer_until(self, now: datetime) -> None:
        """Everybody whose moment has come taps, through the same door as a real phone."""
        due = [one for one in self._coming if one.at <= now]
        self._coming = self._coming[len(due) :]
        well = [self._tap(one.prompt, 0) for one in due if one.is_well]
        if well:
            await self.receive(well)
        for one in due:
            if not one.is_well:
                for update in self._report(one.prompt):
                    await self.receive([update])

    def _report(self, prompt: Prompted) -> Sequence[Incoming]:
        """One symptom and nothing else, each answer typed as people type."""
        said = []
        for number, question in enumerate(self.house.campaign.questions):
            offered = choices(question, prompt.language)
            well = question.well_answer
            healthy = {well} if isinstance(well, str) else set(well) if isinstance(well, list) else {SKIP}
            chosen = offered[1] if number == 0 else next(each for each in offered if each.key in healthy)
            said.append(chosen.label)
        said.append(texts.text(prompt.language, "declaration.send"))
        return [self._tap(prompt, 1), *(self._update(prompt, Text(words)) for words in said)]

    def _tap(self, prompt: Prompted, row: int) -> Incoming:
        return self._update(prompt, Tap(prompt.keyboard[row][0].data, prompt.message_id))

    def _update(self, prompt: Prompted, said: Said) -> Incoming:
        self._said += 1
        return Incoming(f"crowd-{self._said}", prompt.chat, prompt.chat, said)
