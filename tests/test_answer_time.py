"""Time to answer: percentiles as statistics has them, in the summary and by command, and a better hour to ask."""

from __future__ import annotations

import csv
import io
from datetime import time
from statistics import quantiles

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.answer_time import FEWEST, Spread, better_prompt, percentile, spread
from domain.policy import Role
from storage import tables
from storage.database import Database
from tests.office import Office, empty_office, office, started_store
from tests.past import morning, working_days
from tests.phone import Phone
from tests.storm import all_well, staff, statements
from tests.world import World, build

__all__ = ["empty_office", "office", "started_store"]

EARLY = [70.0, 80, 90, 95, 100]
"""Everybody comes to it more than an hour after the prompt, and within half an hour of each other."""


@pytest.mark.parametrize(
    ("minutes", "found"),
    [
        ([], None),
        ([1, 2, 3, 4], None),
        ([3, 3, 3, 3, 3], Spread(3, 3, 3, 3)),
        ([5, 1, 4, 2, 3], Spread(2, 3, 4, 4.8)),
        ([0, 10, 20, 30, 40, 50], Spread(12.5, 25, 37.5, 47.5)),
    ],
)
def test_percentiles(minutes: list[float], found: Spread | None) -> None:
    assert spread(minutes) == found


@given(st.lists(st.floats(0, 1e4), min_size=2, max_size=60), st.integers(1, 99))
def test_percentiles_are_those_of_the_standard_library(minutes: list[float], percent: int) -> None:
    expected = quantiles(minutes, n=100, method="inclusive")[percent - 1]
    assert percentile(sorted(minutes), percent) == pytest.approx(expected)


@given(st.lists(st.floats(0, 1e4), min_size=FEWEST, max_size=60))
def test_percentiles_rise_and_stay_among_the_answers(minutes: list[float]) -> None:
    found = spread(minutes)
    assert found
    low, high = min(minutes), max(minutes)
    assert low * 0.999999 <= found.p25 <= found.p50 * 1.000001 <= found.p75 * 1.000002 <= found.p95 * 1.000003
    assert found.p95 <= high * 1.000001


@pytest.mark.parametrize(
    ("prompt", "minutes", "days", "better"),
    [
        (time(7), EARLY, 10, time(8, 20)),
        (time(7), EARLY, 9, None),
        (time(7), EARLY[:4], 10, None),
        (time(7), [1, 2, 61, 62, 63], 10, time(7)),
        (time(7), [60, 60, 60, 60, 60], 10, None),
        (time(7), [61, 61, 61, 61, 61], 10, time(8)),
        (time(7), [10, 20, 61, 119, 120], 10, None),
        (time(3), EARLY, 10, time(6)),
        (time(23), EARLY, 10, None),
    ],
    ids=[
        "an hour later", "nine days", "four answers", "nothing later", "within the hour", "just beyond",
        "two good hours", "never before six", "past midnight",
    ],
)  # fmt: skip
def test_a_better_hour(prompt: time, minutes: list[float], days: int, better: time | None) -> None:
    expected = None if better == prompt else better
    assert better_prompt(prompt, minutes, days) == expected


async def test_the_summary_says_how_soon_people_answered(world: World) -> None:
    await world.unit("P1", "Phòng An")
    head = await world.enrolled("hoa", "P1", role=Role.HEAD)
    people = await staff(world, "P1", 6)
    await world.person("khách", "P1")
    for at, group in (("07:02", people[:3]), ("07:20", people[3:5]), ("08:30", people[5:])):
        await world.clock_strikes(at)
        await all_well(world, group)
    await world.clock_strikes("09:00")
    assert (
        "Trả lời sau (phút): 25% ≤ 2, 50% ≤ 11, 75% ≤ 20, 95% ≤ 73. Câu hỏi đến được 87,5% số người."
        in head.screen.partition("Tổng hợp")[2]
    )


async def test_few_answers_tell_the_reach_alone(world: World) -> None:
    head = await world.enrolled("hoa", role=Role.HEAD)
    await world.clock_strikes("07:05")
    await head.tap("Tôi khỏe")
    await world.clock_strikes("09:00")
    head.sees("Câu hỏi đến được 100% số người.")
    head.sees_not("Trả lời sau")


async def weeks(world: World, days: int = 10) -> tuple[Phone, Phone]:
    """A head and an administrator after so many mornings; P1 always answers late in the morning, P2 at once."""
    await world.unit("P1", "Phòng An")
    await world.unit("P2", "Phòng Bình")
    late, quick = await staff(world, "P1", 6), await staff(world, "P2", 5)
    for day in working_days(world, days):
        await morning(world, day, late[:5], EARLY)
        await morning(world, day, late[5:], [150], late=True)
        await morning(world, day, quick[:4], [1, 2, 3, 4])
        await morning(world, day, quick[4:], [5], proxy=True)
    return await world.enrolled("hoa", "P1", role=Role.HEAD), await world.enrolled("tú", role=Role.ADMIN)


async def test_a_head_sees_times_and_a_better_hour_and_nothing_is_changed(each_world: World) -> None:
    world = each_world
    hoa, _ = await weeks(world)
    schedules = await world.rows(tables.schedule.select())
    await hoa.type("/times")
    assert "⏱ Thời gian trả lời – Phòng An" in hoa.last
    assert "10 ngày làm việc gần nhất, 09/11 – 20/11:" in hoa.last
    for nearly_all in (99, 100):  # of the last morning, and of all ten
        assert f"25% ≤ 80, 50% ≤ 90, 75% ≤ 95, 95% ≤ {nearly_all}. Câu hỏi đến được 100%" in hoa.last
    assert "khai muộn 10, khai hộ 0" in hoa.last
    assert "hỏi lúc 07:00" in hoa.last and "Hỏi lúc 08:20 có thể hợp hơn" in hoa.last
    assert "Bình" not in hoa.last
    assert await world.rows(tables.schedule.select()) == schedules


async def test_the_committee_sees_the_units_one_by_one_and_small_numbers_as_reach_alone(world: World) -> None:
    await weeks(world)
    committee = await world.enrolled("chi", role=Role.COMMITTEE)
    await committee.type("/times")
    assert "• Phòng An: một nửa ≤ 90 phút, 95% ≤ 100; đến được 100%" in committee.last
    assert "• Phòng Bình: đến được 100%" in committee.last, "four people, however many mornings"
    assert "khai hộ 10" in committee.last


async def test_an_administrator_gets_the_advice_and_no_figures(world: World) -> None:
    _, admin = await weeks(world)
    await admin.type("/times")
    assert "💡 Phòng An, khai báo buổi sáng" in admin.last and "đến được" not in admin.last


async def test_no_advice_from_nine_days(world: World) -> None:
    hoa, admin = await weeks(world, 9)
    for one in (hoa, admin):
        await one.type("/times")
        assert "💡" not in one.last
    assert "chưa cho thấy giờ nào hợp hơn" in admin.last


async def test_not_for_everybody_and_only_of_what_was_asked(world: World) -> None:
    await world.unit("P1")
    lan = await world.enrolled("lan", "P1")
    hoa = await world.enrolled("hoa", "P1", role=Role.HEAD)
    for one, said in ((lan, "Lệnh này dành cho"), (hoa, "Chưa có đợt khai báo nào")):
        await one.type("/times")
        assert said in one.last
    await world.down_until("12:00")
    await hoa.type("/times")
    assert "Chưa có đợt khai báo nào" in hoa.last, "a round that an outage swallowed asked nobody"


async def test_all_units_cost_no_more_statements_than_one(database: Database) -> None:
    world = await build(database)
    counted = []
    for number in (1, 8):
        await world.unit(f"U{number}", f"Phòng {number}")
        people = await staff(world, f"U{number}", 5 * number)
        for day in working_days(world, number):
            await morning(world, day, people, [3.0] * len(people))
        committee = await world.enrolled(f"chi {number}", role=Role.COMMITTEE)
        with statements(database) as seen:
            await committee.type("/times")
        counted.append(len(seen))
    assert counted[0] == counted[1]


async def _week(world: World) -> None:
    await weeks(world, 2)


def test_times_are_exported_for_scripts_and_spreadsheets(office: Office) -> None:
    office.lives(_week)
    days = ("--from", "2026-11-19", "--to", "2026-11-20")
    found = office.types("export", "times", *days, "--format", "json").json
    assert [(one["day"], one["unit_code"]) for one in found][:4] == [
        ("2026-11-19", "ORG"), ("2026-11-19", "P1"), ("2026-11-19", "P2"), ("2026-11-20", "ORG"),
    ]  # fmt: skip
    assert found[1] == {
        "day": "2026-11-19", "kind": "morning", "unit_code": "P1", "unit_name": "Phòng An", "due": 6, "reached": 6,
        "in_time": 5, "late": 1, "proxy": 0, "p25": 80.0, "p50": 90.0, "p75": 95.0, "p95": 99.0,
    }  # fmt: skip
    assert (found[2]["in_time"], found[2]["proxy"], found[2]["p50"]) == (4, 1, None), "too few for percentiles"
    table = list(csv.reader(io.StringIO(office.does("export", "times", *days, "--format", "csv"))))
    assert table[0] == list(found[0])
    assert table[2] == ["2026-11-19", *(str(value) for value in list(found[1].values())[1:])]
    assert table[3][-4:] == ["", "", "", ""]
