"""The way in: updates waiting together become one transaction, a savepoint each, committed before anyone is told."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import structlog

import texts
from domain.chat import (
    Address,
    Ignored,
    Incoming,
    Language,
    Left,
    Moved,
    NotStored,
    Outgoing,
    Receipt,
    Unreadable,
)
from handlers.dispatch import Dispatcher
from handlers.router import Tapped, Together
from handlers.turn import Turn
from storage import outbox, people, updates
from storage.database import Clock, Database, Session
from storage.outbox import Leased, Letter
from storage.people import Person

log = structlog.get_logger(__name__)

MOST_AT_ONCE = 200
"""Updates in one transaction: enough to share a sync to disk among many, few enough to answer soon."""

FINISH_WITHIN = 0.5
"""Seconds at the end, of the five that stopping may take in all."""


@dataclass(slots=True)
class _Waiting:
    incoming: Incoming
    receipt: asyncio.Future[Receipt]

    def tell(self, what: Receipt | NotStored) -> None:
        """Unless nobody listens any more."""
        if self.receipt.done():
            return
        if isinstance(what, NotStored):
            self.receipt.set_exception(what)
        else:
            self.receipt.set_result(what)


@dataclass(slots=True)
class Intake:
    """Takes updates from every channel. `hand_over` gets the replies of a committed batch, already leased.

    Only those to channels that this process `sends` for; the others wait in the outbox for whoever does.
    """

    database: Database
    dispatcher: Dispatcher
    clock: Clock
    hand_over: Callable[[Sequence[Leased]], None]
    sends: Callable[[str], bool] = lambda channel: True
    _waiting: list[_Waiting] = field(default_factory=list)
    _worker: asyncio.Task[None] | None = None

    async def receive(self, batch: Sequence[Incoming]) -> Sequence[Receipt]:
        """Receipts in order, once everything is durably stored. Raises NotStored if the store refuses."""
        loop = asyncio.get_running_loop()
        mine = [_Waiting(incoming, loop.create_future()) for incoming in batch]
        self._waiting += mine
        if self._worker is None or self._worker.done():
            self._worker = loop.create_task(self._work())
        return await asyncio.gather(*(one.receipt for one in mine))

    async def finish(self) -> None:
        """Give what was received a moment to be stored, so that its replies can still be sent."""
        if self._worker:
            await asyncio.wait([self._worker], timeout=FINISH_WITHIN)

    async def _work(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:MOST_AT_ONCE], self._waiting[MOST_AT_ONCE:]
            try:
                await self._keep(batch)
            except Exception as problem:
                log.error("batch_not_stored", updates=len(batch), problem=type(problem).__name__)
                await self._keep_singly(batch)

    async def _keep(self, batch: Sequence[_Waiting]) -> None:
        receipts, leased = await self._store([one.incoming for one in batch])
        self.hand_over(leased)
        for one, receipt in zip(batch, receipts, strict=True):
            one.tell(receipt)

    async def _keep_singly(self, batch: Sequence[_Waiting]) -> None:
        """Nothing of the batch was kept. One update may be at fault: it is set aside so that the others go on.

        When the store does not even take that, the channels must not confirm what is left.
        """
        refused: NotStored | None = None
        for one in batch:
            if refused is None:
                try:
                    await self._keep([one])
                except Exception as problem:
                    refused = await self._set_aside_alone(one, problem)
            if refused:
                one.tell(refused)

    async def _set_aside_alone(self, one: _Waiting, problem: Exception) -> NotStored | None:
        language = one.incoming.language or "vi"
        try:
            async with self.database.transaction() as session:
                receipt, letters = await self._set_aside(session, one.incoming, language, problem)
                await outbox.enqueue(session, letters, self.clock())
        except Exception as worse:
            return NotStored(type(worse).__name__)
        one.tell(receipt)
        return None

    async def _store(self, batch: Sequence[Incoming]) -> tuple[list[Receipt], list[Leased]]:
        async with self.database.transaction() as session:
            now = self.clock()
            staff = await people.at(session, {incoming.sender for incoming in batch})
            new = await updates.are_new(session, batch, now)
            fresh = {place: incoming for place, incoming in enumerate(batch) if new[place]}
            answered = await self._crowds(session, fresh, staff, now)
            seen: set[Address] = set()
            spoke: set[Address] = set()
            receipts: list[Receipt] = []
            letters: list[Letter] = []
            for place, incoming in enumerate(batch):
                _note_speaker(spoke, incoming)
                receipt, said = Receipt(saved=True), answered.get(place, [])
                if place in fresh and place not in answered:
                    if incoming.sender in seen:  # an earlier turn of this batch may have changed who that is
                        staff.pop(incoming.sender, None)
                        staff |= await people.at(session, {incoming.sender})
                    seen.add(incoming.sender)
                    receipt, said = await self._one(session, incoming, staff.get(incoming.sender))
                receipts.append(receipt)
                letters += said
            await people.heard(session, spoke, now)
            limits = {name: can for name, can in self.dispatcher.house.channels.items() if self.sends(name)}
            return receipts, await outbox.enqueue_leased(session, letters, self.clock(), limits)

    async def _crowds(
        self, session: Session, batch: Mapping[int, Incoming], staff: Mapping[Address, Person], now: datetime
    ) -> dict[int, list[Letter]]:
        """The letters of those, by their place in the batch, who could be answered together.

        Only of people who said one thing: what somebody says twice must be heard in its order.
        """
        times = Counter(incoming.sender for incoming in batch.values())
        crowds: dict[Together, dict[int, Tapped]] = {}
        for place, incoming in batch.items():
            if times[incoming.sender] == 1:
                turn = self._turn(session, incoming, staff.get(incoming.sender), now)
                if found := self.dispatcher.crowd_for(turn, incoming.said):
                    crowds.setdefault(found[0], {})[place] = found[1]
        answered: dict[int, list[Letter]] = {}
        for together, crowd in crowds.items():
            letters = await self._crowd(session, together, list(crowd.values()))
            both = zip(crowd, letters, strict=True)
            answered |= {place: self.dispatcher.named(batch[place], said) for place, said in both if said is not None}
        return answered

    async def _crowd(
        self, session: Session, together: Together, crowd: Sequence[Tapped]
    ) -> Sequence[Sequence[Letter] | None]:
        """One savepoint for all. If anything fails, each gets a turn of its own, and only the one at fault is hurt."""
        savepoint = await session.begin_nested()
        try:
            letters = await together(crowd)
            await savepoint.commit()
        except Exception as problem:
            await savepoint.rollback()
            log.error("crowd_failed", taps=len(crowd), problem=_where(problem))
            return [None] * len(crowd)
        return letters

    def _turn(self, session: Session, incoming: Incoming, person: Person | None, now: datetime) -> Turn:
        language: Language = person.language if person else incoming.language or "vi"
        return Turn(person, incoming.chat, incoming.sender, language, now, session, self.dispatcher.house)

    async def _one(self, session: Session, incoming: Incoming, person: Person | None) -> tuple[Receipt, list[Letter]]:
        """One turn in a savepoint. What fails is set aside with its reason, and the person is told."""
        if isinstance(incoming.said, Ignored):
            return Receipt(saved=True), []
        turn = self._turn(session, incoming, person, self.clock())
        savepoint = await session.begin_nested()
        try:
            if isinstance(incoming.said, Unreadable):
                await updates.set_aside(session, incoming, incoming.said.reason, turn.now)
                await savepoint.commit()
                log.warning("update_unreadable", channel=incoming.sender.channel)
                return Receipt(saved=True), []
            letters = await self.dispatcher.answer(turn, incoming)
            await savepoint.commit()
            return Receipt(saved=True), letters
        except Exception as problem:
            await savepoint.rollback()
            return await self._set_aside(session, incoming, turn.language, problem)

    async def _set_aside(
        self, session: Session, incoming: Incoming, language: Language, problem: Exception
    ) -> tuple[Receipt, list[Letter]]:
        now = self.clock()
        reason = _where(problem)
        log.error("turn_failed", channel=incoming.sender.channel, problem=reason)
        await updates.first_time(session, incoming, now)
        await updates.set_aside(session, incoming, reason, now)
        notice = texts.text(language, "help.not_saved")
        if not incoming.is_private:
            return Receipt(saved=False, notice=notice), []
        key = f"sorry:{incoming.sender.channel}:{incoming.update_key}"
        return Receipt(saved=False, notice=notice), [Letter(key, "reply", Outgoing(incoming.chat, notice))]


def _note_speaker(spoke: set[Address], incoming: Incoming) -> None:
    """Whoever speaks in private can be written to there; what is said in a group, or in leaving, tells nothing."""
    if isinstance(incoming.said, Left):
        spoke.discard(incoming.chat)
    elif incoming.is_private and not isinstance(incoming.said, Ignored | Unreadable | Moved):
        spoke.add(incoming.sender)


def _where(problem: Exception) -> str:
    """What went wrong and at which line of ours: no message, for it may quote what somebody wrote."""
    trace = problem.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    place = f"{trace.tb_frame.f_code.co_name}:{trace.tb_lineno}" if trace else "?"
    return f"{type(problem).__name__} at {place}"
