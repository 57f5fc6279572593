"""Rosters sent in a chat: read in their child process and compared with no transaction open, then shown or taken over.

A roster of 2,000 people takes the child about two seconds and a hostile file up to 45, and a turn holds the one
writer of the store, so that nobody's tap would be answered meanwhile. Hence the turn only keeps the file.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256

import structlog

import texts
from domain.chat import Language, Outgoing
from domain.policy import Action, may
from domain.refusal import Refusal
from domain.roster import RosterRefused
from domain.roster_plan import Plan
from handlers import roster_screens
from handlers.roster_file import read_roster_file
from handlers.roster_screens import Values
from handlers.screens import Screen
from handlers.turn import House
from storage import attachments, outbox, people, posts, roster, roster_files, units
from storage.database import Clock, Database, Session, take_turns
from storage.outbox import Letter
from storage.roster_files import RosterFile
from summaries import roster_words

log = structlog.get_logger(__name__)

IDLE = timedelta(seconds=2)
"""How often to look for a file that came or was accepted, if nobody says so."""


@dataclass(slots=True)
class Rosters:
    """Reads and takes over what waits, one file at a time."""

    database: Database
    house: House
    clock: Clock
    wake_delivery: Callable[[], None]
    _more: asyncio.Event = field(default_factory=asyncio.Event)

    def wake(self) -> None:
        """A file may have come, or a word about one."""
        self._more.set()

    async def run(self) -> None:
        """Work until cancelled. A failing store is waited out, never the end."""
        while True:
            self._more.clear()
            try:
                while await self.step():
                    self.wake_delivery()
            except Exception as problem:
                log.error("rosters_failed", problem=type(problem).__name__)
            with suppress(TimeoutError):
                async with asyncio.timeout(IDLE.total_seconds()):
                    await self._more.wait()

    async def step(self) -> bool:
        """Go on with the file that waits longest; whether there was one."""
        async with self.database.reading() as session:
            one = await roster_files.next_one(session)
        if one is None:
            return False
        try:
            parsed = await read_roster_file(one.content, self.house.today(self.clock()))
            async with self.database.reading() as session:
                plan = await roster.plan_import(session, parsed, force=one.force)
            if one.state == "sent" or roster_words.fingerprint(plan) != one.shown:
                await self._show(one, plan)
            else:
                await self._take_over(one, plan)
        except RosterRefused as refusal:
            await self._refuse(one, refusal.key, refusal.values)
        except Refusal as refusal:
            await self._again(one, refusal)
        except Exception as problem:
            log.error("roster_failed", problem=type(problem).__name__)
            await self._refuse(one, "help.not_saved", {})
        return True

    async def _show(self, one: RosterFile, plan: Plan) -> None:
        """Put before the administrator what would change, and wait for the word."""
        async with self.database.transaction() as session:
            language = await self._still_wanted(session, one)
            if language is None:
                return
            found = roster_words.parts(plan, language)
            shown = roster_words.fingerprint(plan)
            screen = roster_screens.preview(one, plan, found, shown, language)
            document = None
            if roster_words.is_cut(found):
                content = roster_words.in_full(found).encode("utf-8-sig")
                name = texts.text(language, "roster.report_file")
                document = await attachments.add(session, one.person_id, name, "text/plain", content, self.clock())
            if roster_screens.can_be_taken_over(one, plan):
                await roster_files.show(session, one.id, shown)
            else:
                await roster_files.end(session, one.id, "done" if plan.is_empty else "refused")
            await self._write(session, one, screen, document)

    async def _take_over(self, one: RosterFile, plan: Plan) -> None:
        """All of it or nothing. Raises Refusal if the store is no longer what it was compared with."""
        now = self.clock()
        async with self.database.transaction() as session:
            language = await self._still_wanted(session, one)
            if language is None:
                return
            digest, by = sha256(one.content).hexdigest(), str(one.person_id)
            number = await roster.apply(session, plan, filename=one.name, digest=digest, by=by, now=now)
            await roster_files.end(session, one.id, "done")
            until = (now + roster.UNDO_WITHIN).astimezone(self.house.zone)
            await self._write(session, one, roster_screens.applied(plan, number, until, language))
        log.info("roster_taken_over", changes=sum(plan.counts.values()))

    async def _again(self, one: RosterFile, refusal: Refusal) -> None:
        """Something changed under our hands: it is compared and shown anew."""
        log.info("roster_outdated", why=refusal.key)
        async with self.database.transaction() as session:
            if await self._still_wanted(session, one) is not None:
                await roster_files.send_again(session, one.id)

    async def _refuse(self, one: RosterFile, key: str, values: Values) -> None:
        async with self.database.transaction() as session:
            language = await self._still_wanted(session, one)
            if language is not None:
                await roster_files.end(session, one.id, "refused")
                await self._write(session, one, roster_screens.unreadable(one, key, values, language))

    async def _still_wanted(self, session: Session, one: RosterFile) -> Language | None:
        """The administrator's language, if nobody was faster and they still have the right to it."""
        await take_turns(session, "roster")
        now = await roster_files.by_id(session, one.id, one.person_id)
        if now is None or (now.state, now.shown, now.force) != (one.state, one.shown, one.force):
            return None
        top, rights = await units.root(session), await posts.held_by(session, one.person_id)
        if top is None or not may(rights, Action.IMPORT_ROSTER, top.path):
            await roster_files.end(session, one.id, "dropped")
            return None
        return (await people.languages(session, [one.person_id]))[one.person_id]

    async def _write(self, session: Session, one: RosterFile, screen: Screen, document: int | None = None) -> None:
        """Named after where the file stood and when: whether it may be said at all its state has decided."""
        message = Outgoing(one.chat, screen.text, screen.title, screen.keyboard)
        letter = Letter("", "reply", message, person_id=one.person_id, attachment_id=document)
        now = self.clock()
        key = f"roster:{one.id}:{one.state}:{one.shown}:{int(one.force)}:{now.isoformat()}"
        await outbox.enqueue(session, [self.house.sealed(letter, key)], now)
