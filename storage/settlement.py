"""What became of letters that were sent, and what follows from it for chats, asks and budgets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from domain.chat import Address, Moved, Outcome, Rejected, RetryLater, Sent, Unknown, Unreachable
from storage import bindings, budget, incidents, people, rounds
from storage import outbox as outbox_rows
from storage.database import Session
from storage.outbox import Leased, in_hand
from storage.tables import ask, outbox, round_

AGAIN_AFTER = timedelta(seconds=20)
"""Before a second attempt where the first may have arrived."""
MOST_UNKNOWN = 2
"""A message that may have arrived is tried once more, never a third time."""
MOST_UNKNOWN_EDITS = 6
"""Showing the same text in the same place again harms nobody."""
REACHABLE = ("waiting", "delivered", "unknown", "failed")
"""How far a question may have got before its chat is lost."""


@dataclass(frozen=True, slots=True)
class Held:
    """Not sent: there was an order to wait, or the lease was nearly over. Somebody will send it later."""


@dataclass(frozen=True, slots=True)
class Settled:
    letter: Leased
    outcome: Outcome | Held


async def settle(session: Session, results: Sequence[Settled], now: datetime) -> None:
    """Record outcomes. A letter whose lease has passed to somebody else is left to them."""
    sent = [one for one in results if isinstance(one.outcome, Sent)]
    await _sent(session, sent, now)
    for one in results:
        match one.outcome:
            case Held():
                await _update(session, one.letter, state="waiting")
            case RetryLater() as wait:
                await _retry(session, one.letter, wait, now)
            case Moved(chat_id):
                await chat_moved(session, one.letter.message.to, chat_id, now)
                await _update(session, one.letter, state="waiting", due_at=now, replaces=None)
            case Unreachable(why):
                await _unreachable(session, one.letter, why, now)
            case Rejected(why):
                if await _end(session, one.letter, "rejected", why, now):
                    await _reach(session, one.letter, "failed", now)
            case Unknown(why):
                await _unknown(session, one.letter, why, now)


async def reclaim(session: Session, now: datetime, *, all_leases: bool = False) -> int:
    """Settle as unknown what nobody can still be sending; how many there were.

    `all_leases` is for the only process of a store at its start: whoever held them is gone.
    """
    query = sa.select(outbox).where(outbox.c.state == "sending")
    if not all_leases:
        query = query.where(outbox.c.leased_until <= now)
    letters = [in_hand(row) for row in await session.execute(query.limit(1000))]
    for letter in letters:
        await _unknown(session, letter, "sender stopped", now)
    return len(letters)


async def chat_moved(session: Session, old: Address, new_id: str, now: datetime) -> None:
    """A group goes on under a new id: its binding and everything waiting follow, once."""
    if await bindings.of_chat(session, Address(old.channel, new_id)):
        await bindings.end(session, old, "moved", now)  # somebody was faster and bound the new one
    else:
        await bindings.moved(session, old, new_id)
    await people.moved(session, old, new_id)
    waiting = (
        outbox.c.channel == old.channel,
        outbox.c.chat_id == old.chat_id,
        outbox.c.state.in_(("waiting", "sending")),
    )
    # Message ids do not carry over, so nothing can be replaced there, and buttons are sealed for the chat they go to.
    await session.execute(outbox.update().where(*waiting).values(chat_id=new_id, replaces=None, keyboard=[]))


async def chat_lost(session: Session, chat: Address, why: str, now: datetime) -> None:
    """The chat cannot be written to: its binding ends, and whoever was asked there counts as not reached.

    They are asked in another chat of theirs, if there is one that works, as soon as the next tick comes.
    """
    await people.lost(session, chat, why, now)
    await bindings.lost(session, chat, why, now)
    await _stay_away(session, chat, now)
    here = sa.select(outbox.c.ask_id).where(
        outbox.c.channel == chat.channel, outbox.c.chat_id == chat.chat_id, outbox.c.ask_id.is_not(None)
    )
    still_open = sa.select(round_.c.id).where(round_.c.closed_at.is_(None))
    unreached = await session.execute(
        ask.update()
        .where(ask.c.id.in_(here), ask.c.state == "due", ask.c.round_id.in_(still_open), ask.c.reach.in_(REACHABLE))
        .values(reach="blocked", changed_at=now)
        .returning(ask.c.round_id)
    )
    await rounds.arm(session, set(unreached.scalars()), "elsewhere", now)


async def _stay_away(session: Session, chat: Address, now: datetime) -> None:
    """The bot is not in this group any more, so there is nothing left to leave."""
    there = (outbox.c.channel == chat.channel, outbox.c.chat_id == chat.chat_id)
    await session.execute(
        outbox.update()
        .where(*there, outbox.c.kind == "leave", outbox.c.state == "waiting")
        .values(state="withdrawn", outcome="gone already", settled_at=now)
    )


async def _sent(session: Session, results: Sequence[Settled], now: datetime) -> None:
    if not results:
        return
    await session.execute(
        outbox.update()
        .where(outbox.c.id == sa.bindparam("the_id"), outbox.c.lease == sa.bindparam("the_lease"))
        .values(state="sent", settled_at=now, leased_until=None),
        [
            {"the_id": one.letter.id, "the_lease": one.letter.lease, "message_id": one.outcome.message_id}
            for one in results
            if isinstance(one.outcome, Sent)
        ],
    )
    asks = {one.letter.ask_id for one in results if one.letter.ask_id and one.letter.kind in ("prompt", "reminder")}
    if asks:
        await session.execute(
            ask.update()
            .where(ask.c.id.in_(asks), ask.c.reach.in_(("waiting", "unknown", "failed", "blocked")))
            .values(reach="delivered", changed_at=now)
        )


async def _retry(session: Session, letter: Leased, wait: RetryLater, now: datetime) -> None:
    """Back to where it was in the queue; the budget holds the whole account or everything for this chat."""
    until = now + timedelta(seconds=wait.after)
    chat = letter.message.to
    await budget.block(session, chat.channel, None if wait.whole_account else chat.chat_id, until, now)
    await _update(session, letter, state="waiting")


async def _unknown(session: Session, letter: Leased, why: str, now: datetime) -> None:
    most = MOST_UNKNOWN_EDITS if letter.message.replaces else MOST_UNKNOWN
    fields: dict[str, Any] = {"unknowns": letter.unknowns + 1, "outcome": why}
    if letter.unknowns + 1 < most:
        fields |= {"state": "waiting", "due_at": now + AGAIN_AFTER}
    else:
        fields |= {"state": "unknown", "settled_at": now}
    if await _update(session, letter, **fields):
        await _reach(session, letter, "unknown", now)


async def _unreachable(session: Session, letter: Leased, why: str, now: datetime) -> None:
    if not await _end(session, letter, "unreachable", why, now):
        return
    await chat_lost(session, letter.message.to, why, now)
    if letter.binding_id:
        await outbox_rows.owe_summaries(session, [letter.key], now)
    elif letter.kind == "incident":
        await incidents.tell_others(session, int(letter.key.split(":")[1]), now)


async def _end(session: Session, letter: Leased, state: str, why: str, now: datetime) -> bool:
    return await _update(session, letter, state=state, outcome=why, settled_at=now)


async def _update(session: Session, letter: Leased, **values: Any) -> bool:
    """Change the row only if it is still leased as it was handed out."""
    result = await session.execute(
        outbox.update()
        .where(outbox.c.id == letter.id, outbox.c.lease == letter.lease, outbox.c.state == "sending")
        .values(leased_until=None, **values)
    )
    return bool(result.rowcount)


async def _reach(session: Session, letter: Leased, reach: str, now: datetime) -> None:
    """Note on the ask why the person may not have seen it, unless an earlier copy did arrive."""
    if letter.ask_id is None or letter.kind not in ("prompt", "reminder"):
        return
    await session.execute(
        ask.update()
        .where(ask.c.id == letter.ask_id, ask.c.reach.in_(("waiting", "failed")))
        .values(reach=reach, changed_at=now)
    )
