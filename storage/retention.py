"""What is forgotten when its time is over: named answers go, counts of who answered stay."""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa

from storage import attachments, incidents
from storage.database import Session
from storage.tables import absence, ask, attachment, declaration, draft, look, nudge, outbox, round_


async def forget_answers(session: Session, before: date, written_before: datetime) -> None:
    """Delete what people declared for days before this one, and every message written before that instant.

    That somebody was asked and answered stays, without level, workplace or reason.
    """
    asks = sa.select(ask.c.id).join(round_, round_.c.id == ask.c.round_id).where(round_.c.day < before)
    for kept in (declaration, draft):
        photos = sa.select(kept.c.attachment_id).where(kept.c.ask_id.in_(asks), kept.c.attachment_id.is_not(None))
        await session.execute(attachment.delete().where(attachment.c.id.in_(photos)))
    await session.execute(declaration.delete().where(declaration.c.ask_id.in_(asks)))
    await session.execute(draft.delete().where(draft.c.ask_id.in_(asks)))
    told = sa.or_(ask.c.level != "", ask.c.workplace != "", ask.c.reason != "")
    await session.execute(ask.update().where(ask.c.id.in_(asks), told).values(level="", workplace="", reason=""))
    await session.execute(absence.delete().where(absence.c.last_day < before))
    await session.execute(outbox.delete().where(outbox.c.created_at < written_before))
    await session.execute(look.delete().where(look.c.looked_at < written_before))
    await session.execute(nudge.delete().where(nudge.c.given_at < written_before))
    await incidents.forget(session, written_before)
    await attachments.forget_left_behind(session, written_before)
