"""Pictures and documents that people sent or are sent, kept apart from the rows that speak of them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa

from domain.chat import Attached
from storage.database import Session
from storage.tables import attachment, declaration, draft, incident, outbox


async def add(session: Session, person_id: int, name: str, media_type: str, content: bytes, now: datetime) -> int:
    """Keep a file of this person's, or made for them; its id for the row that refers to it."""
    values = {"person_id": person_id, "name": name, "media_type": media_type, "content": content, "created_at": now}
    made: int = (await session.execute(attachment.insert().values(values).returning(attachment.c.id))).scalar_one()
    return made


async def contents(session: Session, ids: Collection[int]) -> dict[int, Attached]:
    """These files by id; one that has been forgotten is not among them."""
    if not ids:
        return {}
    query = sa.select(attachment).where(attachment.c.id.in_(ids))
    return {row.id: Attached(row.name, row.media_type, row.content) for row in await session.execute(query)}


async def forget_unused(session: Session, ids: sa.Select[tuple[int]] | Collection[int]) -> None:
    """Delete those of these files that nothing refers to any more."""
    await session.execute(attachment.delete().where(attachment.c.id.in_(ids), *_unused()))


async def forget_left_behind(session: Session, before: datetime) -> None:
    """Delete the older files that nothing refers to, whatever has become of what did."""
    await session.execute(attachment.delete().where(attachment.c.created_at < before, *_unused()))


def _unused() -> list[sa.ColumnElement[bool]]:
    return [
        attachment.c.id.not_in(sa.select(one.c.attachment_id).where(one.c.attachment_id.is_not(None)))
        for one in (declaration, draft, incident, outbox)
    ]
