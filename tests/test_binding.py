"""A group becomes a unit's supervisor chat by two authorised people in it, and stops being one at once."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from domain.chat import Joined, Left, Moved, RetryLater, Unknown
from domain.policy import Role
from storage import posts, tables
from tests.phone import Phone
from tests.world import World

GROUP = "-100"


async def bound(world: World) -> list[tuple[str, bool]]:
    """The bindings in force or waiting: which chat, and whether confirmed."""
    stored = tables.binding.c
    found = await world.rows(
        sa.select(stored.chat_id, stored.confirmed_at.is_not(None)).where(stored.ended_at.is_(None))
    )
    return [(row[0], row[1]) for row in found]


async def two_units(world: World) -> tuple[Phone, Phone, Phone]:
    """Two heads of A, and the head of B."""
    await world.unit("A", "Phòng An")
    await world.unit("B", "Phòng Bình")
    return (
        await world.enrolled("hoa", "A", role=Role.HEAD),
        await world.enrolled("nam", "A", role=Role.HEAD),
        await world.enrolled("tam", "B", role=Role.HEAD),
    )


async def test_asked_for_by_one_and_confirmed_by_another(each_world: World) -> None:
    world = each_world
    hoa, nam, tam = await two_units(world)
    lan = await world.enrolled("lan", "A")
    group = hoa.in_group(GROUP)
    await group.says(Joined("Phòng An"))
    await group.type("/bind")
    group.sees("Nhóm này sẽ nhận tình hình khai báo của Phòng An sau khi một người phụ trách khác")
    await group.tap("Tôi xác nhận")
    group.sees("Cần một người phụ trách khác xác nhận")
    for outsider in (lan, tam, world.phone("ai do")):
        await outsider.in_group(GROUP).tap("Tôi xác nhận")
    assert await bound(world) == [(GROUP, False)]
    await world.clock_strikes("07:00")
    group.sees_not("Theo dõi khai báo")
    await nam.in_group(GROUP).tap("Tôi xác nhận")
    group.sees("✅ Nhóm này đã gắn với Phòng An", "Theo dõi khai báo buổi sáng – Phòng An")
    group.sees_not("[Tôi xác nhận]")
    assert await bound(world) == [(GROUP, True)]
    await group.type("/status")
    assert "Phòng An" in group.last and "Hoa" not in group.screen
    await group.type("/bind")
    assert "Nhóm này đã gắn với Phòng An" in group.last


@pytest.mark.parametrize(
    ("who", "said", "answer"),
    [
        ("lan", "/bind", "Lệnh này dành cho người phụ trách"),
        ("lan", "/bind A", "Lệnh này dành cho người phụ trách"),
        ("hoa", "/bind NOPE", "Chưa xác định được đơn vị"),
        ("hoa", "/bind B", "Chưa xác định được đơn vị"),
        ("hoa", "/bind ORG", "Chưa xác định được đơn vị"),
        ("both", "/bind", "Chưa xác định được đơn vị"),
        ("hoa", "/unbind", "chưa gắn với đơn vị nào"),
        ("hoa", "/status", "Không có số liệu để xem ở đây"),
    ],
)
async def test_what_is_not_allowed_in_a_group(world: World, who: str, said: str, answer: str) -> None:
    hoa, _, _ = await two_units(world)
    phones = {"hoa": hoa, "lan": await world.enrolled("lan", "A")}
    if who == "both":
        phones["both"] = await world.enrolled("both", "A", role=Role.HEAD)
        async with world.transaction() as session:
            found = await session.execute(sa.select(tables.person.c.id).where(tables.person.c.name == "Both"))
            unit = await session.execute(sa.select(tables.unit.c.id).where(tables.unit.c.code == "B"))
            ids = found.scalar_one(), unit.scalar_one()
            await posts.appoint(session, *ids, Role.HEAD, world.now, source="admin", confirmed=True)
    group = phones[who].in_group(GROUP)
    await group.type(said)
    group.sees(answer)
    assert await bound(world) == []


async def test_not_in_a_private_chat(world: World) -> None:
    hoa, _, _ = await two_units(world)
    await hoa.type("/bind A")
    assert "chỉ dùng trong nhóm chat" in hoa.last and await bound(world) == []


async def test_the_confirmation_of_one_group_does_nothing_in_another(world: World) -> None:
    hoa, nam, _ = await two_units(world)
    group = hoa.in_group(GROUP)
    await group.type("/bind")
    at, yes = group.button("Tôi xác nhận")
    await nam.in_group("-200").press(yes.data, at)
    await nam.press(yes.data, at)
    assert await bound(world) == [(GROUP, False)]


async def test_an_old_request_is_replaced_by_a_new_one(world: World) -> None:
    hoa, nam, tam = await two_units(world)
    group = hoa.in_group(GROUP)
    await group.type("/bind")
    at, first = group.button("Tôi xác nhận")
    await tam.in_group(GROUP).type("/bind b")
    await nam.in_group(GROUP).press(first.data, at)
    assert await bound(world) == [(GROUP, False)]


async def test_committee_and_administrator_can_be_the_second_person(world: World) -> None:
    hoa, _, _ = await two_units(world)
    for number, role in enumerate((Role.COMMITTEE, Role.ADMIN)):
        other = await world.enrolled(f"second {role}", role=role)
        await world.bound_group(f"-{number}", hoa, other)
    assert await bound(world) == [("-0", True), ("-1", True)]


async def test_a_right_lost_before_the_tap_confirms_nothing(world: World) -> None:
    hoa, nam, _ = await two_units(world)
    await hoa.in_group(GROUP).type("/bind")
    async with world.transaction() as session:
        await session.execute(tables.post.update().values(until_at=world.now))
    await nam.in_group(GROUP).tap("Tôi xác nhận")
    assert await bound(world) == [(GROUP, False)]


async def test_one_authorised_person_unbinds(world: World) -> None:
    hoa, nam, tam = await two_units(world)
    group = await world.bound_group(GROUP, hoa, nam)
    await tam.in_group(GROUP).type("/unbind")
    assert await bound(world) == [(GROUP, True)]
    await nam.in_group(GROUP).type("/unbind")
    group.sees("không còn gắn với Phòng An")
    await world.clock_strikes("10:00")
    group.sees_not("Theo dõi", "Tổng hợp")
    hoa.sees("Tổng hợp khai báo buổi sáng – Phòng An")


async def test_a_moved_group_keeps_its_binding_and_a_removed_bot_ends_it(each_world: World) -> None:
    world = each_world
    hoa, nam, tam = await two_units(world)
    group = await world.bound_group(GROUP, hoa, nam)
    await group.says(Moved("-100500"))
    assert await bound(world) == [("-100500", True)]
    moved = hoa.in_group("-100500")
    await world.clock_strikes("07:00")
    moved.sees("Theo dõi khai báo buổi sáng – Phòng An")
    await moved.says(Left("kicked"))
    assert await bound(world) == []
    for head in (hoa, nam):
        head.sees("⚠️ Bot không còn trong nhóm đã gắn với Phòng An")
    tam.sees_not("Bot không còn")
    said = len(moved.messages)
    await world.clock_strikes("10:00")
    assert len(moved.messages) == said
    hoa.sees("Tổng hợp khai báo buổi sáng – Phòng An")


async def test_who_answers_for_the_unit_hears_once_of_a_group_that_only_a_failed_send_shows_to_be_lost(
    each_world: World,
) -> None:
    world = each_world
    hoa, nam, tam = await two_units(world)
    await world.bound_group(GROUP, hoa, nam)
    world.telegram.blocked.add(GROUP)
    await world.clock_strikes("07:00")
    await world.clock_strikes("16:30")
    for head in (hoa, nam):
        assert head.screen.count("⚠️ Bot không còn trong nhóm đã gắn với Phòng An") == 1
    tam.sees_not("Bot không còn")


async def test_nobody_hears_of_a_group_that_was_unbound_before_it_was_lost(world: World) -> None:
    hoa, nam, _ = await two_units(world)
    group = await world.bound_group(GROUP, hoa, nam)
    await group.type("/unbind")
    await group.says(Left("kicked"))
    hoa.sees_not("Bot không còn")


async def hours_pass(world: World, hours: float) -> None:
    world.now += timedelta(hours=hours)
    await world.settle()


async def test_a_strangers_group_is_left_at_once_and_without_a_word(each_world: World) -> None:
    world = each_world
    group = world.phone("ai do").in_group(GROUP)
    await group.says(Joined("Nhóm lạ"))
    assert world.telegram.left == [GROUP] and group.screen == "(nothing)"


async def test_a_group_of_staff_is_left_after_a_day_unless_it_is_bound_by_then(each_world: World) -> None:
    world = each_world
    hoa, nam, _ = await two_units(world)
    await hoa.in_group("-1").says(Joined("Nhóm một"))
    hoa.in_group("-1").sees("Nếu sau 24 giờ nhóm chưa gắn")
    await hoa.in_group("-2").says(Joined("Nhóm hai"))
    await hoa.in_group("-2").type("/bind")
    await hoa.in_group("-3").says(Joined("Nhóm ba"))
    await world.bound_group("-3", hoa, nam)
    await hours_pass(world, 23.9)
    assert world.telegram.left == []
    await world.restart()
    await hours_pass(world, 0.2)
    assert sorted(world.telegram.left) == ["-1", "-2"], "asked for is not yet bound"


async def test_the_day_begins_anew_when_the_bot_is_brought_back(world: World) -> None:
    hoa, _, _ = await two_units(world)
    group = hoa.in_group(GROUP)
    await group.says(Joined())
    await hours_pass(world, 20)
    await group.says(Left("kicked"))
    await group.says(Joined())
    await hours_pass(world, 23)
    assert world.telegram.left == []
    await hours_pass(world, 1)
    assert world.telegram.left == [GROUP]


async def test_leaving_is_tried_again_until_the_service_takes_it(world: World) -> None:
    world.telegram.faults = [RetryLater(30), Unknown("no answer")]
    await world.phone("ai do").in_group(GROUP).says(Joined())
    for _ in range(3):
        await hours_pass(world, 0.1)
    assert world.telegram.left == [GROUP] * 3
