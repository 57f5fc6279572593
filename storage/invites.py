"""One-use codes that turn a chat into a person's chat, and the brake on guessing them."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from hashlib import sha256

import sqlalchemy as sa

from domain.chat import Address
from storage.database import Session, insert
from storage.tables import failed_code, invite, person

WRONG_PER_CHAT = 5
WRONG_OVERALL = 1000
WINDOW = timedelta(hours=1)


def _hash(code: str) -> str:
    # The code has 128 random bits, so a plain hash cannot be searched.
    return sha256(code.encode()).hexdigest()


async def issue(
    session: Session, person_ids: Collection[int], now: datetime, lasts: timedelta, new_code: Callable[[], str]
) -> dict[int, str]:
    """A fresh code for each person; their earlier unused ones stop working. Only hashes are kept."""
    await session.execute(
        invite.update()
        .where(invite.c.person_id.in_(person_ids), invite.c.used_at.is_(None), invite.c.revoked_at.is_(None))
        .values(revoked_at=now)
    )
    codes = {person_id: new_code() for person_id in person_ids}
    if codes:
        await session.execute(
            insert(session, invite),
            [
                {"person_id": who, "code_hash": _hash(code), "created_at": now, "expires_at": now + lasts}
                for who, code in codes.items()
            ],
        )
    return codes


async def redeem(session: Session, code: str, now: datetime) -> int | None:
    """The person this code was made for, once; None for a wrong, used, expired or revoked one alike."""
    active = sa.select(person.c.id).where(person.c.left_at.is_(None))
    result = await session.execute(
        invite.update()
        .where(
            invite.c.code_hash == _hash(code),
            invite.c.used_at.is_(None),
            invite.c.revoked_at.is_(None),
            invite.c.expires_at > now,
            invite.c.person_id.in_(active),
        )
        .values(used_at=now)
        .returning(invite.c.person_id)
    )
    redeemed: int | None = result.scalar()
    return redeemed


async def is_throttled(session: Session, chat: Address, now: datetime) -> bool:
    """Whether this chat, or everybody together on its channel, has guessed too often in the last hour."""
    since = sa.and_(failed_code.c.failed_at > now - WINDOW, failed_code.c.channel == chat.channel)
    here = sa.and_(since, failed_code.c.chat_id == chat.chat_id)
    query = sa.select(
        sa.select(sa.func.count()).select_from(failed_code).where(here).scalar_subquery(),
        sa.select(sa.func.count()).select_from(failed_code).where(since).scalar_subquery(),
    )
    from_here, overall = (await session.execute(query)).one()
    return bool(from_here >= WRONG_PER_CHAT or overall >= WRONG_OVERALL)


async def failed(session: Session, chat: Address, now: datetime) -> None:
    await session.execute(failed_code.insert().values(channel=chat.channel, chat_id=chat.chat_id, failed_at=now))
