"""What has ended for good and must not come back with an old backup: kept beside the backups, without identity."""

from __future__ import annotations

import hmac
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path

import msgspec
import sqlalchemy as sa

from storage import backup_folder, roster
from storage.database import Session
from storage.tables import binding, consent, person, post, unit

FILE = "gone.json"
NOTICE = "restored"
"""In the place of a notice's version: the choice was made before, its record was lost."""


@dataclass(frozen=True, slots=True)
class Gone:
    """Keyed hashes of what has ended; `key_id` tells which secret key made them."""

    written_at: datetime
    key_id: str
    ended: frozenset[str]

    def made_with(self, key: bytes) -> bool:
        return hmac.compare_digest(self.key_id, _hash(key, "key"))


@dataclass(frozen=True, slots=True)
class Replayed:
    """How many people, posts and group chats were ended once more."""

    left: int
    withdrew: int
    posts: int
    groups: int


async def listed(session: Session, key: bytes, now: datetime) -> Gone:
    """Who has left or withdrawn, which posts and which groups have ended, as of now."""
    people = [("left", code) for code in await _texts(session, person.c.left_at.is_not(None))]
    people += [("withdrew", code) for code in await _texts(session, person.c.consent == "declined")]
    posts = await _held(session)
    groups = await _bound(session)
    ended = [*people, *(what for what, in_force in (posts | groups).items() if not in_force)]
    return Gone(now, _hash(key, "key"), frozenset(_hash(key, *what) for what in ended))


def write(folder: Path, gone: Gone) -> None:
    """In the place of the list that was there."""
    part = folder / f".{FILE}.part"
    with backup_folder.private(part) as file:
        file.write(msgspec.json.encode(gone))
        file.flush()
        os.fsync(file.fileno())
    part.replace(folder / FILE)


def read(folder: Path) -> Gone | None:
    """The list beside the backups of this folder. Raises ValueError for one that cannot be read."""
    file = folder / FILE
    return msgspec.json.decode(file.read_bytes(), type=Gone) if file.exists() else None


async def replay(session: Session, lists: Sequence[tuple[Gone, bytes]], now: datetime) -> Replayed:
    """End once more whatever these lists, each with the key that made it, say has ended."""

    def has_ended(*what: str) -> bool:
        return any(_hash(key, *what) in one.ended for one, key in lists)

    everybody = sa.select(person.c.id, person.c.staff_code, person.c.left_at, person.c.consent)
    people = (await session.execute(everybody)).all()
    left = [row.id for row in people if row.left_at is None and has_ended("left", row.staff_code)]
    withdrew = [row.id for row in people if row.consent != "declined" and has_ended("withdrew", row.staff_code)]
    await roster.leave(session, left, now)
    await _withdraw(session, withdrew, now)
    posts = [one for what, in_force in (await _held(session)).items() if has_ended(*what) for one in in_force]
    groups = [one for what, in_force in (await _bound(session)).items() if has_ended(*what) for one in in_force]
    await session.execute(post.update().where(post.c.id.in_(posts)).values(until_at=now))
    await session.execute(binding.update().where(binding.c.id.in_(groups)).values(ended_at=now, ended_why="restored"))
    return Replayed(len(left), len(withdrew), len(posts), len(groups))


async def _texts(session: Session, where: sa.ColumnElement[bool]) -> list[str]:
    return list((await session.execute(sa.select(person.c.staff_code).where(where))).scalars())


async def _held(session: Session) -> dict[tuple[str, ...], list[int]]:
    """Every post there ever was, and the ids of those in force: none if it has ended."""
    query = sa.select(post.c.id, person.c.staff_code, unit.c.code, post.c.role, post.c.until_at).select_from(
        post.join(person, person.c.id == post.c.person_id).join(unit, unit.c.id == post.c.unit_id)
    )
    found: dict[tuple[str, ...], list[int]] = {}
    for row in await session.execute(query):
        found.setdefault(("post", row[1], row[2], row[3]), []).extend([row.id] if row.until_at is None else [])
    return found


async def _bound(session: Session) -> dict[tuple[str, ...], list[int]]:
    """Every group chat that was ever bound, and the ids of the bindings in force."""
    query = sa.select(binding.c.id, binding.c.channel, binding.c.chat_id, unit.c.code, binding.c.ended_at).join_from(
        binding, unit
    )
    found: dict[tuple[str, ...], list[int]] = {}
    for row in await session.execute(query):
        found.setdefault(("group", row[1], row[2], row[3]), []).extend([row.id] if row.ended_at is None else [])
    return found


async def _withdraw(session: Session, people: list[int], now: datetime) -> None:
    if people:
        rows = [
            {"person_id": one, "notice_version": NOTICE, "choice": "declined", "channel": "", "chosen_at": now}
            for one in people
        ]
        await session.execute(consent.insert(), rows)
        await session.execute(person.update().where(person.c.id.in_(people)).values(consent="declined"))


def _hash(key: bytes, *what: str) -> str:
    return hmac.digest(key, "\x00".join(("gone", *what)).encode(), sha256).hex()
