"""What is forgotten when its time is over: named answers go, counts of who answered stay."""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa

from storage.database import Session
from storage.tables import absence, ask, declaration, draft, outbox, round_


async def forget_answers(session: Session, before: date, written_before: datetime) -> None:
    """Delete what people declared for days before this one, and every message written before that instant.

    That somebody was asked and answered stays, without level, workplace or reason.
    """
    asks = sa.select(ask.c.id).join(round_, round_.c.id == ask.c.round_id).where(round_.c.day < before)
    await session.execute(declaration.delete().where(declaration.c.ask_id.in_(asks)))
    await session.execute(draft.delete().where(draft.c.ask_id.in_(asks)))
    told = sa.or_(ask.c.level != "", ask.c.workplace != "", ask.c.reason != "")
    await session.execute(ask.update().where(ask.c.id.in_(asks), told).values(level="", workplace="", reason=""))
    await session.execute(absence.delete().where(absence.c.last_day < before))
    await session.execute(outbox.delete().where(outbox.c.created_at < written_before))
