"""The live status message in each supervisor chat: written when a round opens, edited in place as answers come."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from domain.chat import Outgoing
from handlers.turn import House
from storage import bindings, boards, outbox, rounds
from storage.bindings import Binding
from storage.boards import APART, Board
from storage.database import Database, Session
from storage.outbox import Letter
from storage.rounds import Round
from summaries import message, status
from summaries.message import Words
from summaries.post import main_round


@dataclass(frozen=True, slots=True)
class Stale:
    """A board that may say less than is known."""

    binding: Binding
    main: Round
    shown: Board | None


@dataclass(slots=True)
class Boards:
    database: Database
    house: House

    async def refresh(self, now: datetime) -> int:
        """Write or rewrite every board whose figures have changed; how many. One pending edit per board at most."""
        async with self.database.reading() as session:
            stale = await self._stale(session, now)
            if not stale:
                return 0
            words = await self._words(session, stale, now)
        written = 0
        async with self.database.transaction() as session:
            for one in stale:
                if one.main.id in words.get(one.binding.id, {}):
                    written += await self._write(session, one, words[one.binding.id][one.main.id], now)
        return written

    async def _stale(self, session: Session, now: datetime) -> list[Stale]:
        """Boards of today's and yesterday's rounds with a change since they were last written."""
        today = self.house.today(now)
        bound = await bindings.confirmed(session)
        changed = await rounds.changed(session, today - timedelta(days=1)) if bound else {}
        found = []
        for day in (today - timedelta(days=1), today):
            of_day = await rounds.on(session, day) if changed else []
            for kind in dict.fromkeys(one.kind for one in of_day):
                latest = max((changed[one.id] for one in of_day if one.kind == kind and one.id in changed), default=None)
                for binding in bound:
                    main = main_round(of_day, kind, binding.unit_path)
                    if main is None or latest is None:
                        continue
                    shown = (await boards.of_round(session, main.id)).get(binding.id)
                    if shown is None and main.closed_at is not None:
                        continue
                    if shown is None or (latest >= shown.shown_at and now >= shown.shown_at + APART):
                        found.append(Stale(binding, main, shown))
        return found

    async def _words(self, session: Session, stale: list[Stale], now: datetime) -> dict[int, dict[int, Words]]:
        """What each board should say, by binding and round: one query of figures for each kind and day."""
        words: dict[int, dict[int, Words]] = {}
        for day, kind in dict.fromkeys((one.main.day, one.main.kind) for one in stale):
            found = await status.of_kind(session, day, kind, now)
            for one in stale:
                standing = found.of(one.binding.unit_path) if found else None
                if found and standing and (one.main.day, one.main.kind) == (day, kind):
                    board = message.board(found, standing, one.binding.language, self.house.zone)
                    words.setdefault(one.binding.id, {})[one.main.id] = board
        return words

    async def _write(self, session: Session, one: Stale, words: Words, now: datetime) -> int:
        digest = sha256(f"{words.title}\n{words.text}".encode()).hexdigest()
        standing = await boards.standing(session, one.main.id, one.binding.id)
        if standing.is_sending:
            return 0
        if one.shown and one.shown.shown == digest:
            await boards.touch(session, one.shown.id, now)
            return 0
        if standing.waiting_id and await boards.rewrite(session, standing.waiting_id, words.title, words.text):
            await boards.show(session, one.main.id, one.binding.id, digest, now)
            return 1
        edits = await boards.show(session, one.main.id, one.binding.id, digest, now)
        out = Outgoing(
            one.binding.chat, words.text, words.title, replaces=standing.message_id, silent=edits > 1
        )
        key = f"board:{one.main.id}:{one.binding.id}:{edits}"
        letter = Letter(key, "board", out, binding_id=one.binding.id, to_group=True)
        await outbox.enqueue(session, [letter], now)
        return 1
