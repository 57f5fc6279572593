"""Zones over days: held, overridden, rolled up over the tree, recorded, and told again for any past moment."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from domain.policy import Role
from domain.zone import COLOURS, Zone, worst
from storage import tables, unit_days
from summaries import zones
from summaries.zones import Zones
from tests.morning import REST, UNWELL, taps
from tests.phone import Phone
from tests.world import World

FEVER = (UNWELL, "Sốt", "Tiếp tục", "Không đo", *REST, "Gửi bản khai")


async def zones_now(world: World, as_known_at: datetime | None = None) -> Zones:
    now = as_known_at or world.now
    async with world.database.reading() as session:
        day = world.house.today(now)
        return await zones.on(session, world.house.campaign, day, world.now, as_known_at=as_known_at)


async def colour(world: World, code: str) -> Zone | None:
    found = await zones_now(world)
    return next(one.rolled for one in found.units if one.unit.code == code)


async def whole_day(world: World, focal: Phone, *phones: Phone, days: int = 0, ill: Phone | None = None) -> None:
    """Everybody answers morning and afternoon, and the update is confirmed."""
    await world.clock_strikes("07:00", days=days)
    for phone in phones:
        if phone is ill:
            await taps(phone, *FEVER)
        else:
            await phone.tap("Tôi khỏe")
    await world.clock_strikes("14:00")
    await focal.tap("✓")
    await world.clock_strikes("16:30")
    for phone in phones:
        await phone.tap("Tôi khỏe")
    await world.clock_strikes("18:30")


async def test_a_colour_comes_at_once_and_goes_step_by_step(world: World) -> None:
    await world.unit("KT", "Phòng Kỹ thuật")
    hoa = await world.enrolled("hoa", "KT", role=Role.FOCAL)
    lan = await world.enrolled("lan", "KT")
    shown = []
    for days in (0, 2, 1, 1, 3):  # Monday; the 24th is a holiday, then there is a weekend
        await whole_day(world, hoa, hoa, lan, days=days, ill=lan if days == 0 else None)
        shown.append(await colour(world, "KT"))
    assert shown == [Zone.ORANGE] * 4 + [Zone.YELLOW]
    await hoa.type("/zone")
    hoa.sees("🟡 Vùng vàng", "Đang giữ 🟡 Vùng vàng", "Mỗi mức cần 3 ngày liền")
    days_recorded = await world.rows(sa.select(tables.unit_day.c.raw, tables.unit_day.c.zone).order_by("day"))
    assert [row[1] for row in days_recorded] == ["orange"] * 4 + ["yellow"]
    assert [row[0] for row in days_recorded] == ["orange"] + ["green"] * 4


async def test_an_override_is_shown_with_its_reason_and_ends_by_itself_when_it_gets_worse(world: World) -> None:
    await world.unit("KT", "Phòng Kỹ thuật")
    hoa = await world.enrolled("hoa", "KT", role=Role.FOCAL)
    chief = await world.enrolled("chief", "KT", role=Role.HEAD)
    await world.clock_strikes("07:00")
    await taps(hoa, UNWELL, "Ho", "Tiếp tục", "Không đo", *REST, "Gửi bản khai")
    await chief.type("/zone")
    await chief.tap("Đặt mức khác")
    await chief.tap("🟢 Vùng xanh")
    chief.sees("Chưa thể đặt vùng xanh: còn người chưa khai báo.")
    await chief.tap("Tôi khỏe")
    await chief.type("/zone")
    await chief.tap("Đặt mức khác")
    await chief.tap("🟢 Vùng xanh")
    await chief.type("Đã xét nghiệm âm tính")
    await chief.tap("Thứ Hai, 23/11/2026")
    await hoa.type("/zone")
    hoa.sees("Đơn vị đang ở 🟢 Vùng xanh (do người phụ trách đặt)", "Chief đặt mức này đến hết 23/11", "âm tính")
    assert "Đặt mức khác" not in hoa.last, "a focal person does not override"
    await hoa.tap("Sửa bản khai")
    await taps(hoa, UNWELL, "Sửa: Triệu chứng", "Sốt", "Tiếp tục", "Gửi bản khai")
    await hoa.type("/zone")
    assert "🟠 Vùng cam" in hoa.last and "do người phụ trách đặt" not in hoa.last


async def test_a_head_takes_an_override_back(world: World) -> None:
    await world.unit("KT", "Phòng Kỹ thuật")
    chief = await world.enrolled("chief", "KT", role=Role.HEAD)
    await world.clock_strikes("07:00")
    await chief.tap("Tôi khỏe")
    await chief.type("/zone")
    await taps(chief, "Đặt mức khác", "🔴 Vùng đỏ")
    await chief.type("x" * 201)
    chief.sees("Lý do dài quá 200 ký tự")
    await chief.type("Tầng 3 đang phun khử khuẩn")
    await chief.tap("Thứ Tư, 25/11")
    assert await colour(world, "KT") is Zone.RED
    await chief.type("/zone")
    await chief.tap("Trở về theo quy tắc")
    assert await colour(world, "KT") is Zone.PENDING
    actions = [row[0] for row in await world.rows(sa.select(tables.audit.c.action).order_by(tables.audit.c.id))]
    assert actions[-2:] == ["zone_overridden", "zone_override_ended"]


@pytest.mark.parametrize("seed", range(3))
async def test_the_roll_up_and_every_past_moment_come_out_the_same_when_told_again(
    each_world: World, seed: int
) -> None:
    world, chance = each_world, random.Random(seed)
    phones, codes = [], ["A", "B", "A1", "A2", "B1"]
    for code in codes:
        await world.unit(code, parent=code[:-1])
        for number in range(2):
            role = Role.FOCAL if number == 0 else None
            phones.append(await world.enrolled(f"{code.lower()}{number}", code, role=role))
    told: list[tuple[datetime, list[tuple[str, object]]]] = []
    for at in ("07:00", "07:40", "08:50", "09:30", "14:10", "15:05", "16:40", "18:40"):
        await world.clock_strikes(at)
        for phone in chance.sample(phones, 5):
            await something(phone, chance)
        found = await zones_now(world)
        told.append((world.now, [(one.unit.code, said(one)) for one in found.units]))
        for one in found.units:
            below = [each.own for each in found.units if each.own and each.unit.path.startswith(one.unit.path)]
            assert one.computed == worst(below)
            assert sum(one.colours.values()) == len(below)
    for moment, was in told:
        again = await zones_now(world, as_known_at=moment)
        assert [(one.unit.code, said(one)) for one in again.units] == was
    world.now += timedelta(minutes=1)
    await world.settle()
    async with world.database.reading() as session:
        recorded = await unit_days.between(session, world.house.today(world.now), world.house.today(world.now))
    final = {one.unit.id: one for one in (await zones_now(world)).units}
    assert all((one.zone, one.facts) == (final[one.unit_id].own, final[one.unit_id].facts) for one in recorded)
    assert {one.own for one in final.values() if one.own} <= {*COLOURS, Zone.PENDING}


def said(one: zones.UnitZone) -> object:
    return one.facts, one.rolled, one.reasons


async def something(phone: Phone, chance: random.Random) -> None:
    """Answers well or ill, corrects, goes on leave, or confirms, whatever the screen offers."""
    labels = [
        label for label in ("✓ Xác nhận", "Sửa bản khai", "Tôi khỏe") if any(label in b.label for _, b in phone.buttons)
    ]
    choice = chance.choice([*labels, "leave"] if labels else ["leave"])
    if choice == "Sửa bản khai":
        await phone.tap(choice)
        await phone.tap(UNWELL)
        await taps(phone, *(FEVER[1:] if "Sốt" in str(phone.buttons) else ("Gửi bản khai",)))
    elif choice == "leave":
        await phone.type("/leave")
        await taps(phone, "Nghỉ phép", "ôm nay", phone.buttons[-5][1].label)
    else:
        await phone.tap(choice)
