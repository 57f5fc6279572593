"""Summaries: sealed once, added up from below, tying out, equal to an independent count, without a name in a group."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import texts
from domain.campaign import MORNING
from domain.campaign_file import campaign_folder, load_campaign
from domain.chat import LANGUAGES, Language
from domain.completion import percent_text
from domain.policy import Role
from storage import absences, tables
from storage.asks import Listed
from storage.database import Database
from storage.rounds import Round
from storage.units import Unit
from summaries import message, status
from summaries.status import Standing, Status
from tests.storm import all_well, away, exception, recount, staff
from tests.world import ZONE, World, build

DAY = date(2026, 11, 23)
STATES = ("due", "answered", "excused", "missed")


async def agrees(world: World, kind: str = MORNING) -> Status:
    """Every unit's figures tie out and equal what is counted ask by ask."""
    async with world.database.reading() as session:
        found = await status.of_kind(session, DAY, kind, world.now)
    assert found is not None
    counted = await recount(world, DAY, kind)
    assert {one.unit.path for one in found.units if one.due} == counted.keys()
    for one in found.units:
        expected = counted.get(one.unit.path)
        if expected:
            mine = (one.due, one.answered, one.excused.total(), one.missing.total(), one.late)
            assert mine == tuple(expected[key] for key in ("due", "answered", "excused", "missing", "late"))
        assert one.due == one.answered + one.excused.total() + one.missing.total()
        assert one.levels.total() == one.answered
        below = [each for each in found.units if each.unit.parent_id == one.unit.id]
        own = sum(one.due for one in below)
        assert one.due >= own
    return found


async def test_a_morning_with_everything_in_it(each_world: World) -> None:
    world = each_world
    for unit in ("P1", "P2"):
        await world.unit(unit)
    one, two = await staff(world, "P1", 5), await staff(world, "P2", 3)
    await staff(world, "P2", 2, agreed=False)
    await world.person("khách", "P1")
    await away(world, one[0], DAY, DAY)
    world.telegram.blocked.add(f"p{two[0]}")
    committee = await world.enrolled("chi", role=Role.COMMITTEE)
    await world.clock_strikes("07:00")
    await all_well(world, one[1:3])
    await agrees(world)
    await world.clock_strikes("09:00")
    await all_well(world, one[3:4])
    found = await agrees(world)
    whole = found.of("/1/")
    assert whole is not None
    assert dict(whole.excused) == {"leave": 1}
    assert dict(whole.missing) == {"not_enrolled": 1, "undecided": 2, "blocked": 1, "delivered": 4}
    committee.sees("Số liệu lúc 09:00", "Đã khai: 2/11", "Phòng P1: 2/5", "Phòng P2: 0/5")
    committee.sees("Không phải khai: 1 (nghỉ phép 1)")


async def test_the_sealed_summary_comes_once_per_chat_in_its_language_and_names_nobody(world: World) -> None:
    await world.unit("P1")
    people = await staff(world, "P1", 2)
    head = await world.enrolled("hoa", "P1", role=Role.HEAD, language="en")
    other = await world.enrolled("chi", role=Role.COMMITTEE)
    group = head.in_group("-7")
    await group.type("/bind P1")
    await other.in_group("-7").tap("I confirm")
    await world.clock_strikes("07:00")
    await all_well(world, people[:1])
    await world.clock_strikes("12:00")
    await world.restart()
    assert group.screen.count("Summary of declarations") == 1
    group.sees("Declared: 1/3 (33.3%)")
    group.sees_not("Người", "Hoa", "NV")
    head.sees_not("Summary of declarations")
    assert other.screen.count("Tổng hợp") == 1


async def test_a_unit_with_hours_of_its_own_is_closed_and_summed_up_by_them(world: World) -> None:
    for unit in ("P1", "P2"):
        await world.unit(unit)
    people = await staff(world, "P1", 1)
    await staff(world, "P2", 1)
    head = await world.enrolled("hoa", "P1", role=Role.HEAD)
    committee = await world.enrolled("chi", role=Role.COMMITTEE)
    await exception(world, "P1", closes=time(10), reminders=(), missing_list=None)
    await world.clock_strikes("09:00")
    committee.sees("Tổng hợp", "Phòng P1: 0/2", "Phòng P2: 0/1")
    head.sees_not("Tổng hợp")
    await all_well(world, people)
    await world.clock_strikes("10:00")
    head.sees("Đã khai: 1/2", "Số liệu lúc 10:00")
    await agrees(world)


async def test_a_day_is_its_rounds_and_a_scope_sees_its_units_only(world: World) -> None:
    for unit in ("P1", "P2"):
        await world.unit(unit)
        await staff(world, unit, 1)
    async with world.database.reading() as session:
        assert await status.of_day(session, DAY, world.now) == []
        assert await status.of_kind(session, DAY, MORNING, world.now) is None
    await world.clock_strikes("16:30")
    async with world.database.reading() as session:
        found = await status.of_day(session, DAY, world.now)
    assert [one.kind for one in found] == ["morning", "afternoon"]
    assert [one.unit.code for one in status.inside(found[0], ["/1/2/"])] == ["P1"]
    assert status.inside(found[0], []) == [] and found[0].main("/7/") is None


async def test_the_committee_is_told_when_only_some_unit_had_a_round(world: World) -> None:
    await world.unit("P1")
    await staff(world, "P1", 1)
    committee = await world.enrolled("chi", role=Role.COMMITTEE)
    await exception(world, "", is_off=True)
    await exception(world, "P1", is_off=False)
    await world.clock_strikes("09:00")
    committee.sees("Tổng hợp khai báo buổi sáng", "Phòng P1: 0/1")


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    parents=st.lists(st.integers(0, 9), min_size=1, max_size=8),
    people=st.lists(
        st.tuples(st.integers(0, 9), st.sampled_from(STATES), st.booleans(), st.sampled_from(("low", "high"))),
        max_size=25,
    ),
)
async def test_any_tree_in_any_state_adds_up(
    database: Database, parents: list[int], people: list[tuple[int, str, bool, str]]
) -> None:
    await empty(database)
    world = await build(database)
    codes: list[str] = []
    for number, parent in enumerate(parents):
        above = codes[parent % len(codes)] if codes else ""
        codes.append((await world.unit(f"U{number}", parent=above)).code)
    for place, _, _, _ in people:
        await staff(world, codes[place % len(codes)], 1)
    if not people:
        return
    world.now += timedelta(hours=1)
    await world.app.ticks.tick(world.now)
    async with world.transaction() as session:
        ids = (await session.execute(sa.select(tables.ask.c.id).order_by(tables.ask.c.id))).scalars().all()
        for ask_id, (_, state, late, level) in zip(ids, people, strict=True):
            values: dict[str, object] = {"state": state, "reason": "leave" if state == "excused" else ""}
            if state == "answered":
                values |= {"late": late, "level": level}
            await session.execute(tables.ask.update().where(tables.ask.c.id == ask_id).values(**values))
    found = await agrees(world)
    for one in found.units:
        if one.due > one.answered + one.excused.total():
            assert one.completion is None or percent_text(one.completion, "vi") != "100%"


async def empty(database: Database) -> None:
    """An empty store again, for the next example."""
    async with database.transaction() as session:
        await session.execute(sa.text("PRAGMA defer_foreign_keys = ON"))
        for table in reversed(tables.metadata.sorted_tables):
            await session.execute(table.delete())


def standing(name: str = "Phòng A", number: int = 2, *, due: int = 0, answered: int = 0) -> Standing:
    return Standing(Unit(number, "A", name, 1, f"/1/{number}/" if number > 1 else "/1/"), due, answered)


def on_paper(*units: Standing, closed: bool = False, not_asked: bool = False) -> Status:
    at = datetime(2026, 11, 23, 7, 0, tzinfo=ZONE)
    closed_at = at + timedelta(hours=1) if closed else None
    of = Round(1, 1, DAY, MORNING, 1, "/1/", at, at + timedelta(hours=2), at, closed_at, not_asked)
    return Status(MORNING, DAY, at, (of,), units)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_reason_and_reach_has_words(language: Language) -> None:
    for campaign in ("covid19", "flu-dengue"):
        for option in load_campaign(campaign_folder(campaign)).workplace.question.options:
            assert texts.text(language, f"summary.reason_{option.key}")
    for kind in absences.KINDS:
        assert texts.text(language, f"summary.reason_{kind}")
    one = standing(due=5, answered=1)
    one.excused.update(leave=1, something_new=1)
    one.missing.update(blocked=1, something_new=1)
    one.levels.update(low=1)
    words = message.board(on_paper(one), one, language, ZONE).text
    assert texts.text(language, "summary.other") in words
    assert "something_new" not in words


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_board_of_many_units_stays_one_message(language: Language) -> None:
    whole = standing("Sở", 1, due=300, answered=300)
    many = [standing(f"Chi cục Trồng trọt và Bảo vệ thực vật số {n}", n, due=1, answered=1) for n in range(2, 302)]
    words = message.sealed(on_paper(whole, *many), whole, language, ZONE)
    assert len(words.title) + len(words.text) < 4000
    assert words.text.splitlines()[-1].startswith("…")


def test_a_round_closed_by_hand_and_one_nobody_was_asked_in_say_so() -> None:
    one = standing(due=1)
    one.missing["not_asked"] += 1
    words = message.board(on_paper(one, closed=True, not_asked=True), one, "vi", ZONE).text
    assert "Đã đóng lúc 08:00" in words and "gián đoạn" in words
    assert "Không ai phải khai." in message.board(on_paper(standing()), standing(), "vi", ZONE).text


def listed(name: str, unit_id: int = 2, unit: str = "Phòng A", **values: object) -> Listed:
    standing = {"state": "due", "reach": "delivered", "reason": "", "proxy": False}
    whole = {"answered_at": None, **standing, **values}
    return Listed(1, 1, name, unit_id, unit, "/1/2/", **whole)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("one", "line"),
    [
        (listed("Lan"), "• Lan: đã nhận, chưa trả lời (khai gần nhất 21/11)"),
        (listed("Xa", 5, "Tổ Một", reach="blocked"), "• Xa (Tổ Một): đã chặn bot (khai gần nhất 21/11)"),
        (listed("Bình", reach="contested"), "• Bình: khai hộ bị phản đối, chờ khai lại (khai gần nhất 21/11)"),
        (listed("Tú", state="excused", reason="sick"), "• Tú: nghỉ ốm"),
        (listed("Tú", state="excused"), "• Tú: lý do khác"),
        (
            listed("Hà", state="answered", proxy=True, answered_at=datetime(2026, 11, 23, 0, 5, tzinfo=UTC)),
            "• Hà: được khai hộ lúc 07:05",
        ),
    ],
)
def test_a_list_says_of_everybody_why_they_are_on_it(one: Listed, line: str) -> None:
    of = standing(due=200)
    last = {1: datetime(2026, 11, 20, 17, 30, tzinfo=UTC)}
    words = message.people_list(on_paper(of), of, "missing", [one], last, "vi", ZONE)
    assert words.text.splitlines()[-1] == line


@given(due=st.integers(1, 20000), short=st.integers(1, 20000))
def test_nobody_missing_is_shown_as_all(due: int, short: int) -> None:
    answered = max(due - short, 0)
    assert percent_text(Fraction(answered, due), "vi") != "100%"
