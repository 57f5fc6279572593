"""Who is there: two units under one organisation, nine people with their posts and chats, and two groups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.app import App
from channels.telegram import TelegramAccount
from channels.webchat import WebChat
from domain.campaign_file import campaign_folder, load_campaign
from domain.chat import Address
from domain.policy import Role
from domain.seal import Seal
from handlers.turn import House
from storage import absences, bindings, posts, tables, units
from storage.database import Database, Session
from tests.world import KEY, MONDAY, ZONE

TELEGRAM, WEBCHAT = "telegram", "webchat"
BEGINS = MONDAY.replace(hour=6, minute=50).astimezone(UTC)
GROUP_OF_A, GROUP_OF_B = -100, -200
"""The first is a supervisor chat from the beginning; the second one becomes one in the morning."""


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody on the roster; `telegram` is their account, `web` their page."""

    name: str
    unit: str
    role: Role | None = None
    telegram: int | None = None
    web: str | None = None


CAST = (
    Member("chief", "", Role.COMMITTEE, 1001),
    Member("hoa", "A", Role.HEAD, 1002),
    Member("nam", "A", Role.FOCAL, 1003, "web-nam"),
    Member("tam", "B", Role.HEAD, 1004),
    Member("lan", "A", None, 1005),
    Member("minh", "A", None, 1006, "web-minh"),
    Member("khoa", "B", None, None, "web-khoa"),
    Member("moi", "B"),
    Member("vang", "A", None, 1012),
)
AWAY, NEVER_ENROLLED = "vang", "moi"


def house() -> House:
    return House(
        "Sở Nông nghiệp",
        ZONE,
        load_campaign(campaign_folder("covid19")),
        Seal(KEY),
        {TELEGRAM: TelegramAccount.capabilities, WEBCHAT: WebChat.capabilities},
    )


async def furnish(path: Path, of: House) -> None:
    """A store in which all of them have joined and agreed, on Monday before anything is due."""
    database = Database(f"sqlite:///{path}")
    early = BEGINS - timedelta(minutes=30)
    await App(database, of, {}, lambda: early, _no_sleep).prepare()
    async with database.transaction() as session:
        root = await units.root(session)
        for code, name in (("A", "Phòng An"), ("B", "Phòng Bình")):
            await units.add(session, code, name, root)
        for member in CAST:
            await _join(session, member, early)
        await _bind(session, early)
        await absences.add(session, _number(AWAY), "leave", MONDAY.date(), MONDAY.date(), _number(AWAY), early)
    await database.close()


def _number(name: str) -> int:
    return [one.name for one in CAST].index(name) + 1


async def _join(session: Session, member: Member, now: datetime) -> None:
    home = await units.by_code(session, member.unit) if member.unit else await units.root(session)
    assert home is not None
    chats = [Address(TELEGRAM, str(member.telegram))] if member.telegram else []
    chats += [Address(WEBCHAT, member.web)] if member.web else []
    values = {
        "staff_code": f"CB-{member.name}",
        "name": member.name.title(),
        "unit_id": home.id,
        "consent": "agreed" if chats else "",
        "joined_at": now,
    }
    made = await session.execute(tables.person.insert().values(values).returning(tables.person.c.id))
    await _reach(session, made.scalar_one(), chats, now)
    if member.role:
        await posts.appoint(session, _number(member.name), home.id, member.role, now, source="admin", confirmed=True)


async def _reach(session: Session, person_id: int, chats: Sequence[Address], now: datetime) -> None:
    for number, chat in enumerate(chats):
        seen = now - timedelta(minutes=number)  # the first one is where they are written to
        row = {"channel": chat.channel, "chat_id": chat.chat_id, "person_id": person_id}
        await session.execute(tables.address.insert().values(row | {"verified_at": seen, "used_at": seen}))


async def _bind(session: Session, now: datetime) -> None:
    unit = await units.by_code(session, "A")
    assert unit is not None
    chat = Address(TELEGRAM, str(GROUP_OF_A))
    number = await bindings.request(session, chat, unit.id, "vi", _number("hoa"), now)
    await bindings.confirm(session, number, _number("chief"), now)


async def _no_sleep(at: datetime) -> None:
    """Nothing is sent while a store is furnished."""


def person_ids() -> dict[str, int]:
    return {one.name: _number(one.name) for one in CAST}
