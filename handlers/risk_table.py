"""The table of all units at the deadline of the risk update, brought up to date when a late confirmation comes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.chat import Address, Language, Outgoing
from domain.policy import Action, Role
from handlers.turn import House
from storage import bindings, outbox, people, posted, posts, risk_updates
from storage.database import Session
from storage.outbox import Letter
from storage.risk_updates import RiskUpdate
from storage.rounds import Round
from summaries import zone_words, zones
from summaries.zones import UnitZone, Zones


@dataclass(frozen=True, slots=True)
class Reader:
    """A person or a supervisor chat that sees the table of a unit and all below; `key` names its letter."""

    key: str
    chat: Address
    language: Language
    unit_zone: UnitZone
    person_id: int | None = None
    binding_id: int | None = None


async def send(session: Session, house: House, of: Round, now: datetime) -> int:
    """Write the table to everybody entitled, or put a newer one in its place; how many letters."""
    updates = await risk_updates.of_round(session, of.id)
    if not updates:
        return 0
    found = await zones.on(session, house.campaign, of.day, now)
    readers = await _readers(session, found, updates, of)
    vacancies = {one.unit_id: _why(one) for one in updates if one.confirmed_at is None}
    edition = sum(one.late for one in updates)
    shown = await posted.message_ids(session, [one.key for one in readers])
    letters = []
    for one in readers:
        words = zone_words.table(house.campaign, found, one.unit_zone, vacancies, one.language, house.zone)
        replaces = shown.get(one.key)
        key = f"{one.key}:{edition}" if edition and replaces else one.key
        out = Outgoing(one.chat, words.text, words.title, replaces=replaces)
        unit_id = one.unit_zone.unit.id if one.person_id else None
        is_group = one.binding_id is not None
        letters.append(
            Letter(key, "summary", out, one.person_id, binding_id=one.binding_id, unit_id=unit_id, to_group=is_group)
        )
    return await outbox.enqueue(session, letters, now)


async def _readers(session: Session, found: Zones, updates: Sequence[RiskUpdate], of: Round) -> list[Reader]:
    """The committee, and those above several of the units; nobody gets a table of one line."""
    paths = [one.unit_path for one in updates]

    def of_table(path: str, role: Role | None) -> UnitZone | None:
        below = sum(one.startswith(path) for one in paths)
        return found.of(path) if below > 1 or (below and role is Role.COMMITTEE) else None

    holders = [
        one
        for one in await posts.holders(session, Action.SEE_FIGURES)
        if one.role in (Role.HEAD, Role.COMMITTEE) and of_table(one.unit_path, one.role)
    ]
    chats = await people.chats_of(session, [one.person_id for one in holders])
    languages = await people.languages(session, list(chats))
    readers = {}
    for one in holders:
        unit_zone = of_table(one.unit_path, one.role)
        if unit_zone and one.person_id in chats:
            key = f"risk_table:{of.id}:person {one.person_id}:{one.unit_id}"
            language = languages[one.person_id]
            readers[key] = Reader(key, chats[one.person_id], language, unit_zone, person_id=one.person_id)
    for bound in await bindings.confirmed(session):
        if unit_zone := of_table(bound.unit_path, None):
            key = f"risk_table:{of.id}:group {bound.id}"
            readers[key] = Reader(key, bound.chat, bound.language, unit_zone, binding_id=bound.id)
    return list(readers.values())


def _why(update: RiskUpdate) -> str:
    """Why nobody has confirmed: the rung that was asked tells whether there is a focal person."""
    return {"focal": "", "nobody": "nobody"}.get(update.asked, "no_focal")
