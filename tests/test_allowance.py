"""How much and when people are written to: a limit a day, quiet nights, what must be asked first, and why."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest
import sqlalchemy as sa

from domain.allowance import Allowance, Quiet, parse_quiet
from domain.chat import Address, Outgoing
from domain.policy import Role
from handlers.why import router
from storage import allowance, outbox, tables
from storage.outbox import LANES, Kind, Letter
from tests.morning import WELL, asked
from tests.phone import EVERYTHING, Phone
from tests.storm import staff, statements
from tests.world import MONDAY, ZONE, World
from texts import text

USUAL = Allowance(ZONE, 8, Quiet(time(20), time(6)))
NIGHT_WORK = Allowance(ZONE, 8, Quiet(time(9), time(17)))
NEVER = Allowance(ZONE, 8, Quiet(time(0), time(0)))


def at(clock: str, day: int = 23) -> datetime:
    return datetime.combine(MONDAY.date().replace(day=day), time.fromisoformat(clock), ZONE).astimezone(UTC)


@pytest.mark.parametrize(
    ("limits", "now", "until"),
    [
        (USUAL, at("19:59"), None),
        (USUAL, at("20:00"), at("06:00", 24)),
        (USUAL, at("23:59"), at("06:00", 24)),
        (USUAL, at("00:00"), at("06:00")),
        (USUAL, at("05:59"), at("06:00")),
        (USUAL, at("06:00"), None),
        (NIGHT_WORK, at("08:59"), None),
        (NIGHT_WORK, at("09:00"), at("17:00")),
        (NIGHT_WORK, at("17:00"), None),
        (NEVER, at("00:00"), None),
        (NEVER, at("23:00"), None),
    ],
)
def test_the_night_ends_in_the_morning(limits: Allowance, now: datetime, until: datetime | None) -> None:
    assert limits.quiet_until(now) == until


def test_a_new_day_begins_when_its_night_is_over() -> None:
    assert USUAL.next_day(at("10:00")) == at("06:00", 24)
    assert NEVER.next_day(at("10:00")) == at("00:00", 24)
    assert USUAL.day_began(at("10:00")) == at("00:00")


@pytest.mark.parametrize(
    ("kind", "had", "may"),
    [
        ("notice", [], True),
        ("notice", ["notice"] * 3, True),
        ("notice", ["notice"] * 4, False),
        ("prompt", ["notice"] * 5, True),
        ("notice", ["notice"] * 5 + ["prompt"], False),
        ("reminder", ["prompt", "risk", "prompt"] + ["notice"] * 3, True),
        ("reminder", ["prompt", "risk", "prompt"] + ["notice"] * 4, False),
        ("prompt", ["prompt"] * 5, True),
        ("prompt", ["prompt"] * 6, False),
        ("risk", ["prompt"] * 6, True),
        ("risk", ["risk"] * 6, False),
        ("prompt", ["risk"] * 6, True),
        ("risk", ["notice"] * 4 + ["prompt"] * 2, True),
    ],
)
def test_questions_find_room_that_everything_else_leaves(kind: str, had: list[str], may: bool) -> None:
    assert USUAL.permits(kind, had) is may


@pytest.mark.parametrize(
    ("words", "quiet"),
    [
        ("20:00-06:00", Quiet(time(20), time(6))),
        (" 21h30 - 5h ", Quiet(time(21, 30), time(5))),
        ("00:00-00:00", Quiet(time(0), time(0))),
        ("20:00", None),
        ("evening-morning", None),
        ("", None),
    ],
)
def test_quiet_hours_as_an_operator_writes_them(words: str, quiet: Quiet | None) -> None:
    assert parse_quiet(words) == quiet


async def writes(
    world: World, to: Phone, number: int, kind: Kind = "notice", *, expires_at: datetime | None = None
) -> None:
    """So many letters to one person, all due now."""
    person_id, name = await person_of(world, to), f"{to.name}-{kind}-{world.now}"
    letters = [
        Letter(f"{name}-{n}", kind, Outgoing(to.address, f"{kind} {n}"), person_id, expires_at=expires_at)
        for n in range(number)
    ]
    async with world.transaction() as session:
        await outbox.enqueue(session, letters, world.now)
    await world.settle()


async def person_of(world: World, phone: Phone) -> int:
    the_chat = tables.address.c.chat_id == phone.chat_id
    found: int = (await world.rows(sa.select(tables.address.c.person_id).where(the_chat)))[0][0]
    return found


def seen(phone: Phone, words: str) -> int:
    return sum(words in message.text for _, message in phone.messages)


async def test_announcements_stop_in_time_for_the_questions_and_go_on_tomorrow(each_world: World) -> None:
    world = each_world
    await world.unit("P1")
    lan = await world.enrolled("lan", "P1")
    await writes(world, lan, 8)
    assert seen(lan, "notice") == 4
    await world.clock_strikes("07:00")
    await lan.tap(WELL)
    await world.clock_strikes("16:30")
    assert lan.screen.count("Khai báo y tế buổi chiều") == 1
    await world.clock_strikes("19:00")
    assert seen(lan, "notice") == 4
    await world.clock_strikes("06:00")
    assert seen(lan, "notice") == 8


async def test_reminders_are_not_kept_for_tomorrow(world: World) -> None:
    await world.unit("P1")
    lan = await world.enrolled("lan", "P1")
    await writes(world, lan, 6, "risk_reminder")
    assert seen(lan, "risk_reminder") == 4
    await world.clock_strikes("06:00", days=1)
    assert seen(lan, "risk_reminder") == 4


async def test_one_persons_limit_is_nobody_elses(world: World) -> None:
    await world.unit("P1")
    lan, minh = await world.enrolled("lan", "P1"), await world.enrolled("minh", "P1")
    await writes(world, lan, 9)
    await writes(world, minh, 2)
    assert (seen(lan, "notice"), seen(minh, "notice")) == (4, 2)


async def test_who_has_had_every_message_of_the_day_is_listed_as_not_asked_and_why(world: World) -> None:
    await world.unit("P1", "Phòng Kế hoạch")
    head = await world.enrolled("chief", "P1", role=Role.HEAD, on="webchat")
    lan = await world.enrolled("lan", "P1")
    telegram = world.app.deliveries["telegram"]
    telegram.allowance = replace(world.house.allowance, per_day=0)
    await world.clock_strikes("07:00")
    lan.sees_not("Khai báo y tế")
    await world.clock_strikes("08:30")
    head.sees("đã đủ số tin trong ngày")
    await lan.type("/today")
    await lan.tap(WELL)
    lan.sees("Đã nhận khai báo")


async def test_at_night_only_replies_and_incidents_arrive(world: World) -> None:
    await world.unit("P1")
    lan = await world.enrolled("lan", "P1")
    await world.clock_strikes("21:00")
    await writes(world, lan, 1)
    await writes(world, lan, 1, "risk_reminder", expires_at=world.now + timedelta(hours=2))
    await writes(world, lan, 1, "incident")
    assert (seen(lan, "notice"), seen(lan, "risk_reminder"), seen(lan, "incident")) == (0, 0, 1)
    await lan.type("/help")
    lan.sees("Các lệnh")
    await world.clock_strikes("05:59")
    assert seen(lan, "notice") == 0
    await world.clock_strikes("06:00")
    assert (seen(lan, "notice"), seen(lan, "risk_reminder")) == (1, 0)


async def test_a_night_full_of_letters_is_put_off_in_one_go(world: World) -> None:
    await world.unit("P1")
    phones = [await world.enrolled(f"lan{n}", "P1") for n in range(3)]
    await world.clock_strikes("22:00")
    for phone in phones:
        await writes(world, phone, 120)
    waiting = await world.rows(sa.select(tables.outbox.c.due_at).where(tables.outbox.c.state == "waiting").distinct())
    assert waiting == [(at("06:00", 24),)]


async def test_one_query_counts_for_everybody(world: World) -> None:
    await world.unit("P1")
    everybody = await staff(world, "P1", 40)
    letters = [Letter(f"n{n}", "notice", Outgoing(Address("telegram", f"p{n}"), "x"), n) for n in everybody]
    async with world.transaction() as session:
        await outbox.enqueue(session, letters, world.now)
    with statements(world.database) as seen:
        async with world.transaction() as session:
            claimed = await outbox.claim(session, "telegram", world.now, EVERYTHING, 100, world.house.allowance)
    assert len(claimed.letters) == len(everybody)
    assert sum("outbox.person_id IN" in one for one in seen) == 1
    assert len(seen) <= 8


async def test_a_supervisor_chat_has_no_such_limit(world: World) -> None:
    await world.unit("P1")
    chief = await world.enrolled("chief", "P1", role=Role.HEAD)
    deputy = await world.enrolled("deputy", "P1", role=Role.HEAD)
    group = await world.bound_group("-500", chief, deputy)
    binding = (await world.rows(sa.select(tables.binding.c.id)))[0][0]
    await world.clock_strikes("21:00")
    there = Address("telegram", "-500")
    letters = [
        Letter(f"g{n}", "summary", Outgoing(there, f"tổng hợp {n}"), binding_id=binding, to_group=True)
        for n in range(10)
    ]
    async with world.transaction() as session:
        await outbox.enqueue(session, letters, world.now)
    await world.settle()
    assert seen(group, "tổng hợp") == 10


async def test_the_bot_says_why_it_wrote(world: World) -> None:
    lan = await asked(world)
    await world.clock_strikes("07:30")
    await writes(world, lan, 6)
    await lan.type("/why")
    lan.sees(
        "07:00 Câu hỏi khai báo buổi sáng: anh/chị có tên trong đợt này.",
        "07:30 Nhắc khai báo buổi sáng: lúc đó chưa có bản khai của anh/chị.",
        "07:30 Thông báo về việc có liên quan đến anh/chị",
        "Để sang hôm sau vì đã đủ số tin trong ngày",
        "tối đa 8 tin; từ 20:00 đến 06:00 không gửi",
    )


async def test_a_day_without_messages_says_so_and_yesterdays_are_past(world: World) -> None:
    lan = await asked(world)
    await world.clock_strikes("06:30", days=1)
    await lan.type("/why")
    assert "Hôm nay bot chưa tự gửi tin nào" in lan.last


@pytest.mark.parametrize("language", ["vi", "en"])
def test_every_kind_of_message_has_a_reason(language: str) -> None:
    assert "why" in router.commands
    for kind in LANES:
        if kind not in allowance.FREE or kind == "incident":
            assert text(language, f"why.{kind}", round="x", unit="")
