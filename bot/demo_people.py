"""A made-up department for the demonstration: twelve units, about 120 people, the same ones every time."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime

from domain.chat import Address, Language
from domain.policy import Role
from storage import bindings, people, posts, sample, units
from storage.database import Session
from storage.units import Unit

ORGANISATION = "Sở Nông nghiệp tỉnh An Khánh (dữ liệu mẫu)"
UNITS = (
    ("VP", "Văn phòng Sở", 14),
    ("TCCB", "Phòng Tổ chức cán bộ", 7),
    ("KHTC", "Phòng Kế hoạch - Tài chính", 9),
    ("TTS", "Thanh tra Sở", 6),
    ("KL", "Chi cục Kiểm lâm", 16),
    ("TL", "Chi cục Thuỷ lợi", 11),
    ("TS", "Chi cục Thuỷ sản", 10),
    ("TTBVTV", "Chi cục Trồng trọt và Bảo vệ thực vật", 12),
    ("CNTY", "Chi cục Chăn nuôi và Thú y", 11),
    ("KN", "Trung tâm Khuyến nông", 12),
    ("NSH", "Trung tâm Nước sạch nông thôn", 8),
    ("BQLDA", "Ban Quản lý dự án nông nghiệp", 6),
)
SHOWN_UNIT = "KHTC"
FAMILIES = ("Nguyễn", "Trần", "Lê", "Phạm", "Hoàng", "Vũ", "Đặng", "Bùi", "Đỗ", "Ngô", "Dương", "Lý")
MIDDLES = ("Văn", "Thị", "Đức", "Minh", "Thanh", "Hồng", "Quang", "Ngọc", "Hữu", "Thu", "Xuân", "Bích")
GIVEN = (
    "An",
    "Bình",
    "Chi",
    "Dũng",
    "Giang",
    "Hà",
    "Hương",
    "Khánh",
    "Loan",
    "Mai",
    "Nam",
    "Oanh",
    "Phúc",
    "Sơn",
    "Tú",
)


@dataclass(frozen=True, slots=True)
class Shown:
    """Somebody whose phone stands on the page."""

    name: str
    role_key: str
    role: Role | None


ON_THE_PAGE = (
    Shown("Nguyễn Thị Lan", "staff", None),
    Shown("Trần Đức Minh", "staff", None),
    Shown("Phạm Thu Hà", "focal", Role.FOCAL),
    Shown("Lê Quang Hải", "head", Role.HEAD),
)


ELSEWHERE = (Role.FOCAL, Role.HEAD)
"""The posts of the first people of each other unit; the steering committee is the next in the first unit."""


@dataclass(frozen=True, slots=True)
class Department:
    """What was made: the chat of each person on the page, in order, and the shown unit's group chat."""

    unit: Unit
    chats: tuple[Address, ...]
    group: Address


async def furnish(session: Session, channel: str, now: datetime, language: Language) -> Department:
    """Fill an empty store. Most people have joined and agreed; a few have not, as in life."""
    chance = random.Random(2021)
    root = await units.root(session)
    if root is None:
        raise LookupError("the organisation's own unit is missing")
    made = [await units.add(session, code, name, root) for code, name, _ in UNITS]
    shown_unit = next(unit for unit in made if unit.code == SHOWN_UNIT)
    chats = [await _add(session, channel, shown_unit, one.name, n, now, language) for n, one in enumerate(ON_THE_PAGE)]
    for one, (person_id, _) in zip(ON_THE_PAGE, chats, strict=True):
        if one.role:
            await posts.appoint(session, person_id, shown_unit.id, one.role, now, source="demo", confirmed=True)
    number = len(chats)
    for unit, (_, _, size) in zip(made, UNITS, strict=True):
        for place in range(size - (len(chats) if unit is shown_unit else 0)):
            name = " ".join(chance.choice(part) for part in (FAMILIES, MIDDLES, GIVEN))
            person_id, _ = await _add(session, channel, unit, name, number, now, language, chance.random())
            number += 1
            if unit is not shown_unit and place < len(ELSEWHERE):
                await posts.appoint(session, person_id, unit.id, ELSEWHERE[place], now, source="demo", confirmed=True)
            elif unit is made[0] and place == len(ELSEWHERE):
                await posts.appoint(session, person_id, root.id, Role.COMMITTEE, now, source="demo", confirmed=True)
    group = Address(channel, "group-demo")
    head, focal = chats[3][0], chats[2][0]
    bound = await bindings.request(session, group, shown_unit.id, language, head, now)
    await bindings.confirm(session, bound, focal, now)
    return Department(shown_unit, tuple(chat for _, chat in chats), group)


async def _add(
    session: Session,
    channel: str,
    unit: Unit,
    name: str,
    number: int,
    now: datetime,
    language: Language,
    luck: float = 0.5,
) -> tuple[int, Address]:
    """One member of staff; of a hundred, three have not joined, two said no."""
    person_id = await sample.hire(session, f"CB{number + 1:03}", name, unit.id, language, now)
    chat = Address(channel, f"demo-{number + 1:03}")
    if luck > 0.97:
        return person_id, chat
    await people.link(session, person_id, chat, now)
    person = await people.by_id(session, person_id)
    if person is None:
        raise LookupError("a person who was just made is missing")
    await people.choose(session, person, "declined" if luck < 0.02 else "agreed", "demo", channel, now)
    return person_id, chat
