"""Which board is shown in which supervisor chat, and what it last said."""

from __future__ import annotations

from dataclasses import dataclass
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


async def of_round(session: Session, round_id: int) -> dict[int, Board]:
    """Boards of a round by binding."""
    query = sa.select(
        board.c.id, board.c.round_id, board.c.binding_id, board.c.edits, board.c.shown, board.c.shown_at
    ).where(board.c.round_id == round_id)
    return {row.binding_id: Board(*row) for row in await session.execute(query)}


async def show(session: Session, round_id: int, binding_id: int, digest: str, now: datetime) -> int:
    """Note what the board now says; how often it has been written, this time included."""
    fields = {"shown": digest, "shown_at": now}
    statement = insert(session, board).values(round_id=round_id, binding_id=binding_id, edits=1, **fields)
    statement = statement.on_conflict_do_update(
        index_elements=["round_id", "binding_id"], set_={**fields, "edits": board.c.edits + 1}
    ).returning(board.c.edits)
    edits: int = (await session.execute(statement)).scalar_one()
    return edits


async def touch(session: Session, board_id: int, now: datetime) -> None:
    """The board was looked at and says what is known."""
    await session.execute(board.update().where(board.c.id == board_id).values(shown_at=now))


@dataclass(frozen=True, slots=True)
class Shown:
    """Where a board stands: the message on screen, and the letter not yet sent, if there is one."""

    message_id: str | None
    waiting_id: int | None
    is_sending: bool


async def standing(session: Session, round_id: int, binding_id: int) -> Shown:
    query = (
        sa.select(outbox.c.id, outbox.c.state, outbox.c.message_id)
        .where(outbox.c.binding_id == binding_id, outbox.c.dedupe_key.startswith(f"board:{round_id}:{binding_id}:"))
        .order_by(outbox.c.id.desc())
    )
    rows = (await session.execute(query)).all()
    return Shown(
        next((row.message_id for row in rows if row.message_id), None),
        next((row.id for row in rows if row.state == "waiting"), None),
        any(row.state == "sending" for row in rows),
    )


async def rewrite(session: Session, letter_id: int, title: str, text: str) -> bool:
    """Put newer words into a board letter that has not been taken yet."""
    result = await session.execute(
        outbox.update().where(outbox.c.id == letter_id, outbox.c.state == "waiting").values(title=title, text=text)
    )
    return bool(result.rowcount)
