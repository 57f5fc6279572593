"""What one administrator asked for and a second one must agree to, within a day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

import sqlalchemy as sa

from storage.database import Session, take_turns
from storage.tables import approval

LASTS = timedelta(hours=24)
Decision = Literal["yes", "no"]


@dataclass(frozen=True, slots=True)
class Approval:
    """`action` is what would be done, `detail` to whom and over what, by id."""

    id: int
    action: str
    detail: dict[str, Any]
    requested_by_id: int
    requested_at: datetime


_FIELDS: sa.Select[Any] = sa.select(
    approval.c.id, approval.c.action, approval.c.detail, approval.c.requested_by_id, approval.c.requested_at
)


async def request(session: Session, action: str, detail: dict[str, Any], by: int, now: datetime) -> int | None:
    """Ask for it; None if the very same is asked for already."""
    await take_turns(session, "approvals")
    if any((one.action, one.detail) == (action, detail) for one in await pending(session, now)):
        return None
    values = {"action": action, "detail": detail, "requested_by_id": by, "requested_at": now}
    made: int = (await session.execute(approval.insert().values(values).returning(approval.c.id))).scalar_one()
    return made


async def pending(session: Session, now: datetime) -> list[Approval]:
    """What waits for a second yes, the oldest first; what nobody decided within a day is no longer asked."""
    query = _FIELDS.where(approval.c.decided_at.is_(None), approval.c.requested_at > now - LASTS)
    return [Approval(*row) for row in await session.execute(query.order_by(approval.c.id))]


async def decide(session: Session, approval_id: int, decision: Decision, by: int, now: datetime) -> bool:
    """Settle it, once, by somebody other than the one who asked, and in time."""
    result = await session.execute(
        approval.update()
        .where(
            approval.c.id == approval_id,
            approval.c.decided_at.is_(None),
            approval.c.requested_at > now - LASTS,
            approval.c.requested_by_id != by,
        )
        .values(decision=decision, decided_by_id=by, decided_at=now)
    )
    return bool(result.rowcount)
