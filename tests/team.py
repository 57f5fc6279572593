"""A small organisation with everybody who is told of an incident: what the stories about incidents begin with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from domain.policy import Role
from storage import tables
from tests.phone import Phone
from tests.world import World

F0 = "Phát hiện ca F0"
TOLD_AT_ONCE = ("mai", "nam", "hoa", "giang")


@dataclass(frozen=True, slots=True)
class Team:
    """Lan works in Tổ Một of Phòng An. Mai is its focal person, Nam its head, Hoa heads An, Giang everything.

    Sen is the focal person of An, Chu sits on the committee; Tam heads Phòng Bình and is told nothing.
    """

    lan: Phone
    mai: Phone
    nam: Phone
    hoa: Phone
    giang: Phone
    sen: Phone
    chu: Phone
    tam: Phone

    def of(self, name: str) -> Phone:
        found: Phone = getattr(self, name)
        return found


async def team(world: World) -> Team:
    await world.unit("A", "Phòng An")
    await world.unit("A1", "Tổ Một", parent="A")
    await world.unit("B", "Phòng Bình")
    return Team(
        lan=await world.enrolled("lan", "A1"),
        mai=await world.enrolled("mai", "A1", role=Role.FOCAL),
        nam=await world.enrolled("nam", "A1", role=Role.HEAD),
        hoa=await world.enrolled("hoa", "A", role=Role.HEAD),
        giang=await world.enrolled("giang", role=Role.HEAD),
        sen=await world.enrolled("sen", "A", role=Role.FOCAL),
        chu=await world.enrolled("chu", role=Role.COMMITTEE),
        tam=await world.enrolled("tam", "B", role=Role.HEAD),
    )


async def report(phone: Phone, kind: str = F0, text: str = "Ở phòng 302, từ sáng nay") -> None:
    """The shortest way through the steps, without naming anybody."""
    await phone.type("/incident")
    if "bước 1/4" not in phone.last:
        await phone.tap("Báo việc mới")
    await phone.tap(kind)
    await phone.type(text)
    await phone.tap("Bỏ qua")
    await phone.tap("Gửi ngay")


async def stored(world: World, *columns: str) -> list[Any]:
    """These columns of every incident, in order."""
    return await world.rows(sa.select(*(tables.incident.c[name] for name in columns)).order_by(tables.incident.c.id))
