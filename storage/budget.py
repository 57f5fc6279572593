"""How fast each channel account and each chat may be written to, shared by every process (GCRA rows)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import sqlalchemy as sa

from domain.chat import Capabilities
from storage.database import Session, insert, take_turns
from storage.tables import budget

GUARD = 1.02
"""Distance kept from the service's limit: 2 % gave 29.4 messages a second and no refusal in a minute."""
BURST = 3
"""Messages a private chat tolerates at once before Telegram's one a second applies (Telegram bots FAQ)."""
HORIZON = timedelta(milliseconds=100)
"""How far ahead places are given out: short, so that a reply never waits behind many prompts."""
SKEW = timedelta(seconds=5)
"""By how much the clocks of two machines may differ."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a message wants to go."""

    chat_id: str
    to_group: bool


@dataclass(frozen=True, slots=True)
class Slot:
    """When a message may leave. It is ours unless `held_by` says whose pace stands against it."""

    at: datetime
    held_by: Literal["", "account", "chat"] = ""


async def reserve(
    session: Session, channel: str, places: Sequence[Place], now: datetime, limits: Capabilities
) -> list[Slot]:
    """A slot for each message, in the order given; those later than `HORIZON` from now are not reserved."""
    if not places:
        return []
    keys = [_chat_key(channel, place.chat_id) for place in places]
    await take_turns(session, f"budget {channel}")
    rows = await _rows(session, [channel, *keys])
    if limits.per_second is None and not limits.chat_interval and not limits.group_per_minute and not rows:
        return [Slot(now)] * len(places)
    account_next, account_blocked = rows.get(channel, (now, None))
    if account_blocked and account_blocked > now + HORIZON:
        return [Slot(account_blocked, "account")] * len(places)
    account_step = timedelta(seconds=GUARD / limits.per_second) if limits.per_second else timedelta()
    account_next = max(_believable(account_next, now, account_step), account_blocked or now)
    changed: dict[str, datetime] = {}
    slots: list[Slot] = []
    for place, key in zip(places, keys, strict=True):
        chat_next, chat_blocked = rows.get(key, (now, None))
        step, slack = _chat_step(place, limits)
        chat_next = changed.get(key, _believable(chat_next, now, step + slack))
        chat_from = max(chat_next - slack, chat_blocked or now)
        at = max(now, account_next, chat_from)
        if chat_from > now + HORIZON:
            slots.append(Slot(chat_from, "chat"))
        elif at > now + HORIZON:
            slots.append(Slot(at, "account"))
        else:
            slots.append(Slot(at))
            account_next = at + account_step
            if step:
                changed[key] = max(chat_next, at) + step
    if account_step and any(not slot.held_by for slot in slots):
        changed[channel] = account_next
    await _save(session, changed)
    return slots


def _believable(next_at: datetime, now: datetime, most: timedelta) -> datetime:
    """A time further ahead than these rules ever give was written before the clock was set back."""
    return next_at if next_at <= now + HORIZON + most + SKEW else now


async def block(session: Session, channel: str, chat_id: str | None, until: datetime, now: datetime) -> None:
    """Remember an order to wait, for the whole account or (with `chat_id`) for one chat, over restarts.

    Of two orders the longer one stands.
    """
    key = channel if chat_id is None else _chat_key(channel, chat_id)
    await take_turns(session, f"budget {channel}")
    statement = insert(session, budget).values(key=key, next_at=now, blocked_until=until)
    stays = budget.c.blocked_until > until
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=["key"], set_={"blocked_until": sa.case((stays, budget.c.blocked_until), else_=until)}
        )
    )


async def forget_idle(session: Session, before: datetime) -> int:
    """Drop chat rows that no longer hold anything back."""
    idle = (budget.c.next_at < before) & sa.or_(budget.c.blocked_until.is_(None), budget.c.blocked_until < before)
    return (await session.execute(budget.delete().where(idle))).rowcount


def _chat_key(channel: str, chat_id: str) -> str:
    return f"{channel} {chat_id}"


def _chat_step(place: Place, limits: Capabilities) -> tuple[timedelta, timedelta]:
    """Time between messages to this chat, and how much of it may be borrowed."""
    if place.to_group:
        per_minute = limits.group_per_minute
        return (timedelta(seconds=60 * GUARD / per_minute) if per_minute else timedelta()), timedelta()
    step = timedelta(seconds=limits.chat_interval)
    return step, step * (BURST - 1)


async def _rows(session: Session, keys: Sequence[str]) -> dict[str, tuple[datetime, datetime | None]]:
    query = sa.select(budget).where(budget.c.key.in_(set(keys)))
    return {row.key: (row.next_at, row.blocked_until) for row in await session.execute(query)}


async def _save(session: Session, changed: dict[str, datetime]) -> None:
    if not changed:
        return
    statement = insert(session, budget)
    statement = statement.on_conflict_do_update(index_elements=["key"], set_={"next_at": statement.excluded.next_at})
    await session.execute(statement, [{"key": key, "next_at": at} for key, at in sorted(changed.items())])
