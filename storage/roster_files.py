"""Rosters that administrators sent in a chat, from the file to the decision about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa

from domain.chat import Address
from storage import wakeups
from storage.database import Session
from storage.tables import roster_file

State = Literal["sent", "shown", "accepted", "done", "refused", "dropped"]
"""The program is waited for in `sent` (to read it) and `accepted` (to take it over), the administrator in `shown`."""
_TO_WORK_ON: tuple[State, ...] = ("sent", "accepted")
_OPEN: tuple[State, ...] = (*_TO_WORK_ON, "shown")


@dataclass(frozen=True, slots=True)
class RosterFile:
    """`shown` tells the plan that was put before the administrator from any other."""

    id: int
    person_id: int
    chat: Address
    name: str
    content: bytes
    state: State
    force: bool
    shown: str


def _of(row: Any) -> RosterFile:
    chat = Address(row.channel, row.chat_id)
    return RosterFile(row.id, row.person_id, chat, row.name, row.content, row.state, row.force, row.shown)


async def add(session: Session, person_id: int, chat: Address, name: str, content: bytes, now: datetime) -> int:
    """Keep it to be read; what this administrator sent before and did not take over is dropped."""
    mine = (roster_file.c.person_id == person_id, roster_file.c.state.in_(_OPEN))
    await session.execute(roster_file.update().where(*mine).values(state="dropped", content=b""))
    values = {
        "person_id": person_id,
        "channel": chat.channel,
        "chat_id": chat.chat_id,
        "name": name,
        "content": content,
        "created_at": now,
    }
    made: int = (await session.execute(roster_file.insert().values(values).returning(roster_file.c.id))).scalar_one()
    await wakeups.tell(session, [wakeups.ROSTERS])
    return made


async def next_one(session: Session) -> RosterFile | None:
    """The file that waits longest to be read or taken over."""
    query = sa.select(roster_file).where(roster_file.c.state.in_(_TO_WORK_ON)).order_by(roster_file.c.id).limit(1)
    row = (await session.execute(query)).first()
    return _of(row) if row else None


async def by_id(session: Session, file_id: int, person_id: int) -> RosterFile | None:
    """This file, if this administrator sent it."""
    query = sa.select(roster_file).where(roster_file.c.id == file_id, roster_file.c.person_id == person_id)
    row = (await session.execute(query)).first()
    return _of(row) if row else None


async def show(session: Session, file_id: int, shown: str) -> None:
    """What it would change has been put before the administrator."""
    await session.execute(_the(file_id).values(state="shown", shown=shown))


async def send_again(session: Session, file_id: int) -> None:
    """It is to be compared and shown once more."""
    await session.execute(_the(file_id).values(state="sent", shown=""))


async def decide(session: Session, file_id: int, shown: str, state: State, *, force: bool = False) -> bool:
    """The administrator's answer to what was shown; false if it is no longer that."""
    where = (roster_file.c.state == "shown", roster_file.c.shown == shown)
    values: dict[str, Any] = {"state": state, "force": sa.or_(roster_file.c.force, sa.literal(force))}
    if state == "dropped":
        values["content"] = b""
    decided = bool((await session.execute(_the(file_id).where(*where).values(values))).rowcount)
    if decided:
        await wakeups.tell(session, [wakeups.ROSTERS])
    return decided


async def end(session: Session, file_id: int, state: State) -> None:
    """Nothing more is done with it, so its content goes."""
    await session.execute(_the(file_id).values(state=state, content=b""))


async def forget(session: Session, before: datetime) -> None:
    """Drop what was sent before then and never decided."""
    await session.execute(roster_file.delete().where(roster_file.c.created_at < before))


def _the(file_id: int) -> sa.Update:
    return roster_file.update().where(roster_file.c.id == file_id)
