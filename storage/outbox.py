"""What is to be said: rows written with what they tell of, claimed by lease, settled with what became of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import msgspec
import sqlalchemy as sa

from domain.allowance import Allowance
from domain.chat import Address, Capabilities, Keyboard, Outgoing
from storage import allowance, attachments, budget, rounds, wakeups
from storage.budget import HORIZON
from storage.database import Instant, Session, for_update, insert
from storage.gate import refusal
from storage.tables import ask, outbox

Kind = Literal[
    "reply",
    "incident",
    "notice",
    "missing_list",
    "summary",
    "board",
    "risk",
    "risk_reminder",
    "prompt",
    "reminder",
    "closing",
    "leave",
]
LANES: dict[Kind, int] = {
    "reply": 0,
    "incident": 1,
    "notice": 2,
    "missing_list": 2,
    "summary": 2,
    "board": 2,
    "risk": 2,
    "risk_reminder": 2,
    "prompt": 3,
    "reminder": 4,
    "closing": 5,
    "leave": 5,
}
LEASE = timedelta(seconds=60)
"""Longer than any send may take, so that an expired lease means nobody is sending."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A message to be delivered. `key` names it for ever: a second letter with the same key is not filed.

    One of kind `leave` says nothing: the bot leaves the group it goes to, unless that is bound by then.
    `not_before` is for what is due later.
    """

    key: str
    kind: Kind
    message: Outgoing
    person_id: int | None = None
    ask_id: int | None = None
    binding_id: int | None = None
    unit_id: int | None = None
    risk_update_id: int | None = None
    incident_id: int | None = None
    attachment_id: int | None = None
    to_group: bool = False
    expires_at: datetime | None = None
    not_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class Leased:
    """A letter that is ours to send at `slot`; `lease` must still be the row's when the outcome is recorded."""

    id: int
    lease: int
    key: str
    kind: str
    ask_id: int | None
    binding_id: int | None
    unknowns: int
    message: Outgoing
    slot: datetime


async def enqueue(session: Session, letters: Sequence[Letter], now: datetime) -> int:
    """File letters to be claimed by delivery; one whose key is already there changes nothing. How many were new."""
    if not letters:
        return 0
    statement = insert(session, outbox).on_conflict_do_nothing(index_elements=["dedupe_key"])
    filed = await session.execute(statement.returning(outbox.c.id), [_row(letter, now) for letter in letters])
    if new := len(filed.all()):
        await wakeups.tell(session, [wakeups.LETTERS])
    return new


async def enqueue_leased(
    session: Session, letters: Sequence[Letter], now: datetime, limits: Mapping[str, Capabilities]
) -> list[Leased]:
    """File replies already claimed by the caller, who sends them once the transaction is committed.

    Those for which there is no place just now stay waiting for delivery, and so does whatever is no reply:
    it must pass the gate and keep to its lane. Of letters with the same key only the first is filed.
    """
    letters = list({one.key: one for one in reversed(letters)}.values())[::-1]
    slots = await _slots(session, letters, now, limits)
    ids = await _filed(session, letters, slots, now)
    if any(one.key not in slots for one in letters):
        await wakeups.tell(session, [wakeups.LETTERS])
    ours = [one for one in letters if one.key in ids and one.key in slots]
    leased = [
        Leased(ids[one.key], 1, one.key, one.kind, one.ask_id, one.binding_id, 0, one.message, slots[one.key])
        for one in ours
    ]
    return await _with_files(session, leased, [one.attachment_id for one in ours])


async def _filed(session: Session, letters: Sequence[Letter], slots: Collection[str], now: datetime) -> dict[str, int]:
    """File these in their order; the ids of those with a slot, by key. To learn ids costs more than to file."""
    statement = insert(session, outbox).on_conflict_do_nothing(index_elements=["dedupe_key"])
    known_to = max((place for place, one in enumerate(letters, 1) if one.key in slots), default=0)
    ids: dict[str, int] = {}
    if known_to:
        leased = {"state": "sending", "lease": 1, "leased_until": now + LEASE}
        waiting = {"state": "waiting", "lease": 0, "leased_until": None}
        rows = [_row(one, now) | (leased if one.key in slots else waiting) for one in letters[:known_to]]
        filed = await session.execute(statement.returning(outbox.c.id, outbox.c.dedupe_key), rows)
        ids = {row.dedupe_key: row.id for row in filed}
    if letters[known_to:]:
        await session.execute(statement, [_row(one, now) for one in letters[known_to:]])
    return ids


async def _slots(
    session: Session, letters: Sequence[Letter], now: datetime, limits: Mapping[str, Capabilities]
) -> dict[str, datetime]:
    """When each letter may leave by its key. One whose chat has an earlier reply waiting gets behind that."""
    slots: dict[str, datetime] = {}
    for channel, capabilities in limits.items():
        mine = [one for one in letters if one.message.to.channel == channel and one.kind == "reply"]
        if mine:
            queued = await _with_replies_waiting(session, channel, {one.message.to.chat_id for one in mine})
            mine = [letter for letter in mine if letter.message.to.chat_id not in queued]
        if mine:
            places = [budget.Place(letter.message.to.chat_id, letter.to_group) for letter in mine]
            reserved = await budget.reserve(session, channel, places, now, capabilities)
            slots |= {letter.key: slot.at for letter, slot in zip(mine, reserved, strict=True) if not slot.held_by}
    return slots


async def _with_replies_waiting(session: Session, channel: str, chats: Collection[str]) -> set[str]:
    """Those of these chats. Asked for by chat alone: of all that waits, most may be replies."""
    query = sa.select(outbox.c.chat_id, outbox.c.lane).where(
        outbox.c.channel == channel, outbox.c.state == "waiting", outbox.c.chat_id.in_(chats)
    )
    return {row.chat_id for row in await session.execute(query) if row.lane == LANES["reply"]}


@dataclass(frozen=True, slots=True)
class Claim:
    """Letters that are ours now, and when there may be more to claim, if that is known."""

    letters: list[Leased]
    more_at: datetime | None


# Made once: a delivery that sends at 30 a second looks many times a second.
_DUE = (
    sa.select(outbox, refusal(sa.bindparam("now", type_=Instant)).label("refusal"))
    .where(
        outbox.c.channel == sa.bindparam("channel"),
        outbox.c.state == "waiting",
        outbox.c.due_at <= sa.bindparam("horizon", type_=Instant),
    )
    .order_by(outbox.c.lane, outbox.c.due_at, outbox.c.id)
    .limit(sa.bindparam("most", type_=sa.Integer))
)


async def claim(
    session: Session,
    channel: str,
    now: datetime,
    limits: Capabilities,
    most: int,
    allowed: Allowance | None = None,
) -> Claim:
    """Take up to `most` letters that are due, by lane, at most one per chat.

    The gate is here, at the last moment before the wire: what this chat may no longer see is withdrawn, and what its
    person is not to be sent now waits.
    """
    values = {"channel": channel, "horizon": now + HORIZON, "now": now, "most": most}
    found = (await session.execute(for_update(session, _DUE), values)).all()
    await _end_refused(session, [row for row in found if row.refusal], now)
    first: dict[str, Any] = {}
    for row in found:
        if not row.refusal:
            first.setdefault(row.chat_id, row)
    rows = list(first.values())
    if allowed:
        rows = await allowance.within(session, channel, rows, now, allowed, edits=limits.edit)
    places = [budget.Place(row.chat_id, row.to_group) for row in rows]
    slots = await budget.reserve(session, channel, places, now, limits)
    held = {row.chat_id: slot.at for row, slot in zip(rows, slots, strict=True) if slot.held_by == "chat"}
    await _wait_for_chats(session, channel, held)
    ours = [(row, slot.at) for row, slot in zip(rows, slots, strict=True) if not slot.held_by]
    leased = [replace(in_hand(row), lease=row.lease + 1, slot=at) for row, at in ours]
    leased = await _with_files(session, leased, [row.attachment_id for row, _ in ours])
    await _lease(session, [letter.id for letter in leased], now)
    by_account = [slot.at for slot in slots if slot.held_by == "account"]
    if by_account:
        return Claim(leased, min(by_account))
    is_more = len(found) == most or len(rows) < len(first)
    return Claim(leased, now if is_more else await _next_due(session, channel, now))


async def _with_files(session: Session, letters: list[Leased], ids: Sequence[int | None]) -> list[Leased]:
    """The letters with the file each of them refers to; most refer to none, and then nothing is read."""
    files = await attachments.contents(session, {one for one in ids if one})
    return [
        replace(one, message=replace(one.message, attached=files[id_])) if id_ in files else one
        for one, id_ in zip(letters, ids, strict=True)
    ]


async def _wait_for_chats(session: Session, channel: str, held: Mapping[str, datetime]) -> None:
    """Everything for a chat that must wait makes room for others instead of being looked at again and again."""
    if held:
        the_chat = (outbox.c.channel == channel, outbox.c.chat_id == sa.bindparam("the_chat"))
        await session.execute(
            outbox.update()
            .where(*the_chat, outbox.c.state == "waiting", outbox.c.due_at < sa.bindparam("until", type_=Instant))
            .values(due_at=sa.bindparam("until", type_=Instant)),
            [{"the_chat": chat, "until": at} for chat, at in held.items()],
        )


async def _next_due(session: Session, channel: str, now: datetime) -> datetime | None:
    """When the earliest letter that is not due yet will be."""
    values = {"channel": channel, "after": now + HORIZON}
    found: datetime | None = (await session.execute(_NEXT_DUE, values)).scalar()
    return found


async def next_moment(session: Session, channel: str, now: datetime) -> datetime | None:
    """When the earliest letter may be claimed, or since when a lease of any channel is over; None: nothing to do."""
    found: datetime | None = (await session.execute(_NEXT_MOMENT, {"channel": channel, "now": now})).scalar()
    return found


def _earliest(*moments: sa.Select[Any]) -> sa.Select[Any]:
    """Of these moments and those at which letters are due. Lane by lane, which reads one row of each by the index."""
    lanes = [
        sa.select(sa.func.min(outbox.c.due_at).label("at")).where(
            outbox.c.channel == sa.bindparam("channel"),
            outbox.c.state == "waiting",
            outbox.c.lane == lane,
            outbox.c.due_at > sa.bindparam("after", datetime.min.replace(tzinfo=UTC), Instant),
        )
        for lane in sorted(set(LANES.values()))
    ]
    each = sa.union_all(*lanes, *moments).subquery()
    return sa.select(sa.func.min(each.c.at))


_NEXT_DUE = _earliest()
_NEXT_MOMENT = _earliest(
    sa.select(sa.func.min(outbox.c.leased_until).label("at")).where(
        outbox.c.state == "sending",
        outbox.c.leased_until <= sa.bindparam("now", type_=Instant),
    )
)


async def unsent(session: Session, round_ids: Collection[int]) -> set[int]:
    """The asks of these rounds with a prompt or reminder that has not left, or may be leaving."""
    query = (
        sa.select(outbox.c.ask_id)
        .join(ask, ask.c.id == outbox.c.ask_id)
        .where(
            ask.c.round_id.in_(round_ids),
            outbox.c.kind.in_(("prompt", "reminder")),
            outbox.c.state.in_(("waiting", "sending")),
        )
    )
    return set((await session.execute(query)).scalars())


async def withdraw(session: Session, ask_ids: Collection[int], kinds: Collection[Kind], now: datetime) -> None:
    """Take back what has not been claimed yet."""
    await session.execute(
        outbox.update()
        .where(outbox.c.ask_id.in_(ask_ids), outbox.c.kind.in_(kinds), outbox.c.state == "waiting")
        .values(state="withdrawn", outcome="answered", settled_at=now)
    )


async def backlog(session: Session, now: datetime) -> list[tuple[str, int, datetime]]:
    """Per channel: letters due and not yet taken, and since when the oldest has been due."""
    query = (
        sa.select(outbox.c.channel, sa.func.count(), sa.func.min(outbox.c.due_at))
        .where(outbox.c.state == "waiting", outbox.c.due_at <= now)
        .group_by(outbox.c.channel)
    )
    return [(row[0], row[1], row[2]) for row in await session.execute(query)]


def keyboard_of(stored: Any) -> Keyboard:
    return msgspec.convert(stored, Keyboard)


def _row(letter: Letter, now: datetime) -> dict[str, Any]:
    message = letter.message
    return {
        "dedupe_key": letter.key,
        "kind": letter.kind,
        "lane": LANES[letter.kind],
        "channel": message.to.channel,
        "chat_id": message.to.chat_id,
        "to_group": letter.to_group,
        "person_id": letter.person_id,
        "ask_id": letter.ask_id,
        "binding_id": letter.binding_id,
        "unit_id": letter.unit_id,
        "risk_update_id": letter.risk_update_id,
        "incident_id": letter.incident_id,
        "attachment_id": letter.attachment_id,
        "title": message.title,
        "text": message.text,
        "keyboard": msgspec.to_builtins(message.keyboard),
        "replaces": message.replaces,
        "silent": message.silent,
        "protect": message.protect,
        "created_at": now,
        "due_at": letter.not_before or now,
        "expires_at": letter.expires_at,
    }


def in_hand(row: Any) -> Leased:
    """The letter of a row that is being sent."""
    message = Outgoing(
        Address(row.channel, row.chat_id),
        row.text,
        row.title,
        keyboard_of(row.keyboard),
        row.replaces,
        row.silent,
        row.protect,
    )
    return Leased(
        row.id, row.lease, row.dedupe_key, row.kind, row.ask_id, row.binding_id, row.unknowns, message, row.due_at
    )


async def _lease(session: Session, ids: Collection[int], now: datetime) -> None:
    if ids:
        await session.execute(
            outbox.update()
            .where(outbox.c.id.in_(ids))
            .values(state="sending", lease=outbox.c.lease + 1, leased_until=now + LEASE)
        )


def summary_key(round_id: int) -> str:
    """How the names of a round's summaries begin."""
    return f"summary:{round_id}"


async def owe_summaries(session: Session, undelivered: Collection[str], now: datetime) -> None:
    """These letters will not arrive: what was a summary for a group is due to people instead."""
    round_ids = {int(key.split(":")[1]) for key in undelivered if key.startswith("summary:")}
    await rounds.arm(session, round_ids, "summary_again", now)


async def _end_refused(session: Session, rows: Sequence[Any], now: datetime) -> None:
    if rows:
        await owe_summaries(session, [row.dedupe_key for row in rows if row.to_group], now)
        await session.execute(
            outbox.update().where(outbox.c.id == sa.bindparam("the_id")),
            [
                {
                    "the_id": row.id,
                    "state": "expired" if row.refusal == "expired" else "withdrawn",
                    "outcome": row.refusal,
                    "settled_at": now,
                }
                for row in rows
            ],
        )
