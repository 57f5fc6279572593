"""Who somebody is, and the chats in which they can be reached."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from domain.chat import Address, Language
from domain.names import folded
from storage.database import Session, insert
from storage.tables import address, consent, person, unit


@dataclass(frozen=True, slots=True)
class Person:
    """A member of staff as a turn needs to know them."""

    id: int
    staff_code: str
    name: str
    phone: str
    unit_id: int
    unit_name: str
    unit_path: str
    language: Language
    workplace: str
    consent: str
    phone_verified: bool = False

    @property
    def has_agreed(self) -> bool:
        return self.consent == "agreed"


_WHO: sa.Select[Any] = (
    sa.select(
        person.c.id,
        person.c.staff_code,
        person.c.name,
        person.c.phone,
        person.c.unit_id,
        unit.c.name.label("unit_name"),
        unit.c.path.label("unit_path"),
        person.c.language,
        person.c.workplace,
        person.c.consent,
    )
    .join_from(person, unit)
    .where(person.c.left_at.is_(None))
)


async def at(session: Session, addresses: Collection[Address]) -> dict[Address, Person]:
    """Who is behind each of these chats; strangers and those who left the organisation are not in the result."""
    query = (
        _WHO.join(address, address.c.person_id == person.c.id)
        .add_columns(
            address.c.channel, address.c.chat_id, address.c.phone_verified_at.is_not(None).label("phone_verified")
        )
        .where(_among(addresses))
    )
    found = {}
    for row in await session.execute(query):
        found[Address(row.channel, row.chat_id)] = Person(*(*row[:-3], row[-1]))
    return found


async def by_id(session: Session, person_id: int) -> Person | None:
    row = (await session.execute(_WHO.where(person.c.id == person_id))).first()
    return Person(*row) if row else None


async def by_ids(session: Session, person_ids: Collection[int]) -> dict[int, Person]:
    """Those of them who are still here."""
    rows = await session.execute(_WHO.where(person.c.id.in_(person_ids)))
    return {row.id: Person(*row) for row in rows}


async def search(session: Session, scope: Collection[str], words: str, most: int) -> tuple[list[Person], int]:
    """The people of these subtrees whom these words mean, at most so many, and how many there are.

    A staff code in full means one person; otherwise every word is part of the name or code, with or without marks.
    """
    inside = sa.or_(sa.false(), *(unit.c.path.startswith(path) for path in scope))
    rows = await session.execute(_WHO.where(inside).order_by(person.c.name, person.c.staff_code))
    wanted = folded(words)
    everybody = [(folded(f"{row.staff_code} {row.name}"), row) for row in rows]
    exact = [row for _, row in everybody if folded(row.staff_code) == wanted]
    found = exact or [row for known, row in everybody if wanted and all(part in known for part in wanted.split())]
    return [Person(*row) for row in found[:most]], len(found)


async def by_staff_code(session: Session, staff_code: str) -> Person | None:
    row = (await session.execute(_WHO.where(person.c.staff_code == staff_code))).first()
    return Person(*row) if row else None


async def link(session: Session, person_id: int, chat: Address, now: datetime) -> None:
    """This chat is that person's from now on, whoever had it before."""
    statement = insert(session, address).values(
        channel=chat.channel, chat_id=chat.chat_id, person_id=person_id, verified_at=now, used_at=now
    )
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=["channel", "chat_id"],
            set_={
                "person_id": person_id,
                "verified_at": now,
                "phone_verified_at": None,
                "used_at": now,
                "lost_at": None,
                "lost_why": "",
            },
        )
    )


async def phone_verified(session: Session, chat: Address, now: datetime) -> None:
    await session.execute(_the(chat).values(phone_verified_at=now))


async def lost(session: Session, chat: Address, why: str, now: datetime) -> None:
    """The chat blocked the bot or is gone; nothing is sent there until it speaks again."""
    await session.execute(_the(chat).where(address.c.lost_at.is_(None)).values(lost_at=now, lost_why=why))


async def heard(session: Session, chats: Collection[Address], now: datetime) -> None:
    """These chats have just spoken, so they can be written to, and are the ones their people use."""
    await session.execute(address.update().where(_among(chats)).values(used_at=now, lost_at=None, lost_why=""))


async def moved(session: Session, chat: Address, new_id: str) -> None:
    await session.execute(_the(chat).values(chat_id=new_id))


async def chats_of(session: Session, person_ids: Collection[int], *, not_on: str = "") -> dict[int, Address]:
    """The chat in which to write to each person: the last used that works; one on `not_on` if there is no other."""
    query = (
        sa.select(address.c.person_id, address.c.channel, address.c.chat_id)
        .where(address.c.person_id.in_(person_ids), address.c.lost_at.is_(None))
        .order_by(address.c.channel != not_on, address.c.used_at, address.c.id)
    )
    return {row.person_id: Address(row.channel, row.chat_id) for row in await session.execute(query)}


async def languages(session: Session, person_ids: Collection[int]) -> dict[int, Language]:
    query = sa.select(person.c.id, person.c.language).where(person.c.id.in_(person_ids))
    return {row.id: row.language for row in await session.execute(query)}


async def speak(session: Session, person_id: int, language: Language) -> None:
    await session.execute(person.update().where(person.c.id == person_id).values(language=language))


async def work_at(session: Session, workplaces: Mapping[int, str]) -> None:
    """Remember where these people work, as tomorrow's proposal."""
    if workplaces:
        rows = [{"the_id": one, "workplace": place} for one, place in sorted(workplaces.items())]
        await session.execute(_WORKS_AT, rows)


_WORKS_AT = person.update().where(person.c.id == sa.bindparam("the_id"))


async def choose(session: Session, who: Person, choice: str, notice_version: str, channel: str, now: datetime) -> None:
    """Record that they agreed or declined; the latest choice is the one in force."""
    await session.execute(
        consent.insert().values(
            person_id=who.id, notice_version=notice_version, choice=choice, channel=channel, chosen_at=now
        )
    )
    await session.execute(person.update().where(person.c.id == who.id).values(consent=choice))


def _among(chats: Collection[Address]) -> sa.ColumnElement[bool]:
    """Channel by channel, which finds each by the index; pairs would be compared one by one."""
    by_channel: dict[str, list[str]] = {}
    for one in chats:
        by_channel.setdefault(one.channel, []).append(one.chat_id)
    return sa.or_(
        sa.false(),
        *(
            (address.c.channel == channel) & address.c.chat_id.in_(chat_ids)
            for channel, chat_ids in sorted(by_channel.items())
        ),
    )


def _the(chat: Address) -> sa.Update:
    return address.update().where(address.c.channel == chat.channel, address.c.chat_id == chat.chat_id)
