"""The live status message in each supervisor chat: written when a round opens, edited in place as answers come."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from domain.chat import Outgoing
from handlers import people_list
from handlers.turn import House
from storage import bindings, boards, outbox, rounds
from storage.bindings import Binding
from storage.boards import APART, Board, Last, Showing
from storage.database import Database, Session, take_turns
from storage.outbox import Letter
from storage.rounds import Round
from summaries import message, status, zone_words, zones
from summaries.message import Words
from summaries.status import Status, main_round
from summaries.zones import Zones

COMMITTED_WITHIN = timedelta(seconds=30)
"""A turn notes when it began and is seen when it commits; boards are looked at again for this long."""


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
            if not await self._stale(session, now):
                return 0
        async with self.database.transaction() as session:
            await take_turns(session, "boards")
            stale = await self._stale(session, now)
            words = await self._words(session, stale, now)
            last = await boards.last_letters(session, [one.shown for one in stale if one.shown])
            letters: list[Letter] = []
            showing: list[Showing] = []
            rewritten = 0
            for one, says in zip(stale, words, strict=True):
                before = last.get(one.shown.id) if one.shown else None
                if says is None or (before and before.state == "sending"):
                    continue
                digest, edits = _digest(says), one.shown.edits if one.shown else 0
                is_new = one.shown is None or one.shown.shown != digest
                if is_new and before and before.state == "waiting":
                    if not await boards.rewrite(session, before.id, says.title, says.text):
                        continue
                    rewritten += 1
                elif is_new:
                    edits += 1
                    letters.append(self._letter(one, says, before, edits))
                showing.append(Showing(one.main.id, one.binding.id, edits, digest))
            await outbox.enqueue(session, letters, now)
            await boards.show(session, showing, now)
        return rewritten + len(letters)

    async def _stale(self, session: Session, now: datetime) -> list[Stale]:
        """Boards of today's and yesterday's rounds with a change since they were last written."""
        today = self.house.today(now)
        bound = await bindings.confirmed(session)
        changed = await rounds.changed(session, today - timedelta(days=1)) if bound else {}
        shown = await boards.of_rounds(session, changed)
        found = []
        for day in (today - timedelta(days=1), today):
            of_day = await rounds.on(session, day, drills=True) if changed else []
            for kind in dict.fromkeys(one.kind for one in of_day):
                latest = max(changed[one.id] for one in of_day if one.kind == kind)
                for binding in bound:
                    main = main_round(of_day, kind, binding.unit_path)
                    board = shown.get((main.id, binding.id)) if main else None
                    if main and _may_be_stale(main, board, latest, now):
                        found.append(Stale(binding, main, board))
        return found

    async def _words(self, session: Session, stale: list[Stale], now: datetime) -> list[Words | None]:
        """What each board should say: one query of figures for each kind and day."""
        found = {
            (day, kind): await status.of_kind(session, day, kind, now)
            for day, kind in dict.fromkeys((one.main.day, one.main.kind) for one in stale)
        }
        coloured = {one.main.day for one in stale if one.main.closed_at is None and not one.main.is_drill}
        colours = {day: await zones.on(session, self.house.campaign, day, now) for day in coloured}
        return [self._board(one, found[one.main.day, one.main.kind], colours.get(one.main.day)) for one in stale]

    def _board(self, one: Stale, of_kind: Status | None, colours: Zones | None) -> Words | None:
        path, language = one.binding.unit_path, one.binding.language
        standing = of_kind.of(path) if of_kind else None
        if of_kind is None or standing is None:
            return None
        unit_zone = colours.of(path) if colours and not one.main.is_drill else None
        colour = zone_words.line(unit_zone, language) if unit_zone else ""
        return message.board(of_kind, standing, language, self.house.zone, colour)

    def _letter(self, one: Stale, words: Words, last: Last | None, edits: int) -> Letter:
        chat = one.binding.chat
        replaces = last.stands_in(chat.chat_id) if last else None
        keyboard = people_list.board_button(one.binding.language, one.binding.unit_id, one.main)
        out = Outgoing(chat, words.text, words.title, keyboard, replaces, silent=edits > 1)
        key = boards.key(one.main.id, one.binding.id, edits)
        return self.house.sealed(Letter(key, "board", out, binding_id=one.binding.id, to_group=True), key)


def _digest(words: Words) -> str:
    return sha256(f"{words.title}\n{words.text}".encode()).hexdigest()


def _may_be_stale(main: Round, board: Board | None, latest: datetime, now: datetime) -> bool:
    if board is None:
        return main.closed_at is None
    return now >= board.shown_at + APART and latest + COMMITTED_WITHIN >= board.shown_at
