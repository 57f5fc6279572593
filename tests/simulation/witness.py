"""Somebody who looks into the store after every commit, with plain SQL, and remembers what became of everything."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.simulation.loop import Process

ENDED = ("sent", "expired", "withdrawn", "unreachable", "rejected", "unknown")
"""Letters in these states are never taken up again."""
_ASKS = """
    SELECT ask.id, ask.round_id, ask.person_id, ask.unit_id, ask.state, ask.reason, ask.reach, ask.level, ask.late,
           ask.proxy, ask.answered_at, round.kind, round.day, round.closed_at, round.closes_at, round.not_asked
    FROM ask JOIN round ON round.id = ask.round_id
"""
_LETTERS = """
    SELECT id, dedupe_key, kind, channel, chat_id, to_group, person_id, ask_id, binding_id, unit_id, risk_update_id,
           state, unknowns, outcome, lease, text, replaces, due_at, created_at
    FROM outbox
"""
_NEXT_DUE = """
    SELECT min(due) AS due FROM (
        SELECT min(due_at) AS due FROM round_step WHERE done_at IS NULL AND due_at > ?1
        UNION ALL SELECT min(climbs_at) FROM incident WHERE climbs_at > ?1
        UNION ALL SELECT min(leased_until) FROM outbox WHERE state = 'sending' AND leased_until > ?1
        UNION ALL SELECT min(due_at) FROM outbox WHERE state = 'waiting' AND due_at > ?1
    )
"""


@dataclass(slots=True)
class Was:
    """Since when something has been so, and until when."""

    since: float
    until: float | None = None


@dataclass(slots=True)
class Letter:
    """A row of the outbox, and since when it has been in its state. `sent_by` is the process that said it was sent."""

    row: Any
    since: float
    began: float
    sent_by: Process | None = None


@dataclass(slots=True)
class Witness:
    """`wrong` is told at once what must never be; `counts` are the changes of state that happened."""

    path: str
    time: Callable[[], float]
    wrong: Callable[[str, str], None]
    counts: Counter[str] = field(default_factory=Counter)
    asks: dict[int, Any] = field(default_factory=dict)
    answered: dict[int, float] = field(default_factory=dict)
    declared: dict[tuple[int, int], Any] = field(default_factory=dict)
    declared_at: dict[tuple[int, int], float] = field(default_factory=dict)
    letters: dict[int, Letter] = field(default_factory=dict)
    by_key: dict[str, Letter] = field(default_factory=dict)
    confirmed: dict[int, float] = field(default_factory=dict)
    bound: dict[tuple[int, str], Was] = field(default_factory=dict)
    posts: dict[int, tuple[Any, Was]] = field(default_factory=dict)
    on_letters: list[Callable[[Letter], None]] = field(default_factory=list)
    _look: sqlite3.Connection = field(init=False)

    def __post_init__(self) -> None:
        self._look = sqlite3.connect(self.path, timeout=0)
        self._look.row_factory = sqlite3.Row

    def rows(self, query: str, *values: Any) -> list[Any]:
        return self._look.execute(query, values).fetchall()

    def look(self, by: Process | None) -> None:
        """What this commit has changed. Figures first: they must be those of the same moment as the words."""
        self._see_asks()
        self._see_declarations()
        self._see_rights()
        self._see_letters(by)

    def _see_asks(self) -> None:
        for row in self.rows(_ASKS):
            before = self.asks.get(row["id"])
            if before is None or before["state"] != row["state"] or before["reach"] != row["reach"]:
                self._count_ask(before, row)
            self.asks[row["id"]] = row

    def _count_ask(self, before: Any, row: Any) -> None:
        was = before["state"] if before else "new"
        if was != row["state"]:
            self.counts[f"ask {row['state']}"] += 1
        if before and before["reach"] != row["reach"]:
            self.counts[f"reach {row['reach']}"] += 1
        if row["state"] == "answered":
            self.answered.setdefault(row["id"], self.time())
            self.counts["answered late"] += bool(row["late"])
        else:
            self.answered.pop(row["id"], None)

    def _see_declarations(self) -> None:
        found = {(row["ask_id"], row["version"]): row for row in self.rows("SELECT * FROM declaration")}
        for key, row in self.declared.items():
            if key not in found or tuple(found[key]) != tuple(row):
                self.wrong("A1", f"version {key[1]} of the declaration for ask {key[0]} is gone or altered")
        for key in found.keys() - self.declared.keys():
            self.declared_at[key] = self.time()
            self.counts["corrected" if key[1] > 1 else "declared"] += 1
        self.declared = found

    def _see_rights(self) -> None:
        for row in self.rows("SELECT id FROM risk_update WHERE confirmed_at IS NOT NULL"):
            if row["id"] not in self.confirmed:
                self.confirmed[row["id"]] = self.time()
                self.counts["risk confirmed"] += 1
        in_force = "confirmed_at IS NOT NULL AND ended_at IS NULL"
        here = {(row["id"], row["chat_id"]) for row in self.rows(f"SELECT id, chat_id FROM binding WHERE {in_force}")}
        for key in here - self.bound.keys():
            self.bound[key] = Was(self.time())
            self.counts["bound"] += 1
        for key, was in self.bound.items():
            if was.until is None and key not in here:
                was.until = self.time()
                self.counts["unbound"] += 1
        for row in self.rows("SELECT id, person_id, unit_id, role, until_at FROM post WHERE confirmed_at IS NOT NULL"):
            known = self.posts.setdefault(row["id"], (row, Was(self.time())))
            if row["until_at"] and known[1].until is None:
                known[1].until = self.time()
                self.counts["post ended"] += 1

    def _see_letters(self, by: Process | None) -> None:
        for row in self.rows(_LETTERS):
            known = self.letters.get(row["id"])
            if known is None:
                known = self.letters[row["id"]] = Letter(row, self.time(), self.time())
                self.by_key[row["dedupe_key"]] = known
                self.counts[f"letter {row['kind']}"] += 1
                for tell in self.on_letters:
                    tell(known)
            elif known.row["state"] != row["state"] or known.row["lease"] != row["lease"]:
                self._changed(known, row, by)
            known.row = row

    def _changed(self, known: Letter, row: Any, by: Process | None) -> None:
        was, now = known.row["state"], row["state"]
        if was in ENDED and was != now:
            self.wrong("H3", f"letter {row['dedupe_key']} was {was} and became {now}")
        if was != now:
            known.since = self.time()
            self.counts[f"state {now}"] += 1
        if now == "sent":
            known.sent_by = by

    def waits(self, channel: str, now: datetime) -> bool:
        """Whether a letter of this channel waits, or a lease is over."""
        query = """
            SELECT 1 FROM outbox WHERE channel = ?2
            AND (state = 'waiting' AND due_at <= ?1 OR state = 'sending' AND leased_until <= ?1)
        """
        try:
            return bool(self.rows(query, _stored(now), channel))
        except sqlite3.OperationalError:  # a commit waits for its readers
            return True

    def next_due(self, now: datetime) -> datetime | None:
        """When the clock alone will give somebody something to do."""
        try:
            found = self.rows(_NEXT_DUE, _stored(now))[0]["due"]
        except sqlite3.OperationalError:
            return now + timedelta(seconds=1)
        return datetime.fromisoformat(found).replace(tzinfo=UTC) if found else None


def _stored(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}"


LASTING = ("declaration", "ask", "risk_update", "risk_confirmation", "incident", "incident_note", "post", "binding")
"""What people's words amount to, apart from what was said back to them."""


def facts(witness: Witness) -> dict[str, list[tuple[Any, ...]]]:
    """Everything that stands in these tables."""
    return {table: [tuple(row) for row in witness.rows(f"SELECT * FROM {table} ORDER BY id")] for table in LASTING}
