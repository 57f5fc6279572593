"""Which board is shown in which supervisor chat, and what it last said."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from storage.database import Session, insert
from storage.tables import board, outbox

APART = timedelta(seconds=3)
"""Between two edits of one board: a group takes 20 messages a minute."""


@dataclass(frozen=True, slots=True)
class Board:
    id: int
    round_id: int
    binding_id: int
    edits: int
    shown: str
    shown_at: datetime


async def of_rounds(session: Session, round_ids: Collection[int]) -> dict[tuple[int, int], Board]:
    """Boards of these rounds, by round and binding."""
    query = sa.select(
        board.c.id, board.c.round_id, board.c.binding_id, board.c.edits, board.c.shown, board.c.shown_at
    ).where(board.c.round_id.in_(round_ids))
    return {(row.round_id, row.binding_id): Board(*row) for row in await session.execute(query)}


def key(round_id: int, binding_id: int, edits: int) -> str:
    """The name of a board's letter, the first of which has number 1."""
    return f"board:{round_id}:{binding_id}:{edits}"


@dataclass(frozen=True, slots=True)
class Showing:
    """What a board says from now on, and how many letters it has needed."""

    round_id: int
    binding_id: int
    edits: int
    shown: str


async def show(session: Session, boards: Sequence[Showing], now: datetime) -> None:
    if not boards:
        return
    statement = insert(session, board)
    told = {name: statement.excluded[name] for name in ("edits", "shown", "shown_at")}
    statement = statement.on_conflict_do_update(index_elements=["round_id", "binding_id"], set_=told)
    await session.execute(statement, [asdict(one) | {"shown_at": now} for one in boards])


@dataclass(frozen=True, slots=True)
class Last:
    """The last letter written for a board, and what became of it."""

    id: int
    state: str
    chat_id: str
    message_id: str | None
    replaces: str | None

    def stands_in(self, chat_id: str) -> str | None:
        """The message that shows the board in this chat, to be edited; None if it must be written anew."""
        if self.chat_id != chat_id or self.state in ("rejected", "unreachable"):
            return None
        return self.message_id or self.replaces


async def last_letters(session: Session, shown: Collection[Board]) -> dict[int, Last]:
    """The last letter of each of these boards, by the board's id."""
    keys = {key(one.round_id, one.binding_id, one.edits): one.id for one in shown}
    query = sa.select(
        outbox.c.dedupe_key, outbox.c.id, outbox.c.state, outbox.c.chat_id, outbox.c.message_id, outbox.c.replaces
    ).where(outbox.c.dedupe_key.in_(keys))
    return {keys[row.dedupe_key]: Last(*row[1:]) for row in await session.execute(query)}


async def rewrite(session: Session, letter_id: int, title: str, text: str) -> bool:
    """Put newer words into a board letter that has not been taken yet."""
    result = await session.execute(
        outbox.update().where(outbox.c.id == letter_id, outbox.c.state == "waiting").values(title=title, text=text)
    )
    return bool(result.rowcount)
