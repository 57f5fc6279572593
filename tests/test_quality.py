"""Data quality: signs of units, never of persons, shown to the committee alone and without any consequence."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import pytest

from domain.policy import Role
from domain.quality import UnitData, signs, together
from domain.questions import Answer
from storage import tables
from summaries import status
from tests.past import morning, working_days
from tests.phone import Phone
from tests.storm import staff, statements
from tests.world import World

AT_ONCE = 0.01
"""Minutes: less than a second."""
DAYS = [date(2026, 11, 2) + timedelta(days=n) for n in range(12)]


def data(**values: object) -> UnitData:
    return UnitData(people=5, **values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("unit", "found"),
    [
        (data(timed=100, instant=10, instant_days=set(DAYS[:5])), ["instant"]),
        (data(timed=100, instant=100, instant_days=set(DAYS[:4])), []),
        (data(timed=101, instant=10, instant_days=set(DAYS[:5])), []),
        (data(measurements=10, measured={"36.5"}), ["temperature"]),
        (data(measurements=9, measured={"36.5"}), []),
        (data(measurements=10, measured={"36.5", "36.6"}), []),
        (data(days=set(DAYS[:10]), declared={"office {}"}), ["unvaried"]),
        (data(days=set(DAYS[:9]), declared={"office {}"}), []),
        (data(days=set(DAYS[:10]), declared={"office {}", "home {}"}), []),
        (data(days=set(DAYS[:10]), declared={"office {}"}, absent=1), []),
        (data(right=2, wrong=3), ["control"]),
        (data(right=3, wrong=3), []),
        (data(right=0, wrong=4), []),
        (data(), []),
    ],
)
def test_what_is_a_sign(unit: UnitData, found: list[str]) -> None:
    assert signs(unit) == found


def test_small_units_are_shown_together_or_not_at_all() -> None:
    small = [UnitData(people=2, measurements=6, measured={"36.5"}), UnitData(people=2, measurements=6, measured={"37"})]
    assert together(small) is None
    joined = together([*small, UnitData(people=1, measurements=1, measured={"37"})])
    assert joined and joined.people == 5 and joined.measured == {"36.5", "37"} and signs(joined) == []


async def weeks(world: World, people: Sequence[int], after: float, days: int = 15, **said: Answer) -> None:
    """The same morning day after day."""
    answers = world.house.campaign.healthy_answers() | said
    for day in working_days(world, days):
        await morning(world, day, people, [after] * len(people), answers=answers)


async def committee(world: World) -> Phone:
    """Somebody of the committee, who has just asked."""
    chi = await world.enrolled("chi", role=Role.COMMITTEE)
    await chi.type("/quality")
    return chi


async def four_units(world: World) -> None:
    """A answers at once, B measures one temperature for ever, C is as units are; D and E are small and like A."""
    for code in "ABCDE":
        await world.unit(code, f"Phòng {code}")
    await weeks(world, await staff(world, "A", 5), AT_ONCE)
    await weeks(world, await staff(world, "B", 5), 5, temperature=36.5)
    usual = await staff(world, "C", 6)
    for number, day in enumerate(working_days(world, 15)):
        warm = world.house.campaign.healthy_answers() | {"temperature": 36.4 + number % 3 / 10}
        await morning(world, day, usual[:3], [3, 9, None])
        await morning(world, day, usual[3:], [1, 12, 40], answers=warm)
    for code in "DE":
        await weeks(world, await staff(world, code, 3), AT_ONCE)


async def test_the_committee_sees_signs_by_unit(each_world: World) -> None:
    await four_units(each_world)
    chi = await committee(each_world)
    lines = [line for line in chi.last.splitlines() if line.startswith("•")]
    assert lines == [
        "• Phòng A: 100% câu trả lời đến trong vòng 1 giây sau câu hỏi, ở 15 ngày",
        "• Phòng A: 15 ngày liền mọi bản khai giống hệt nhau, không ai vắng",
        "• Phòng B: 75 lần đo nhiệt độ đều ra cùng một số",
        "• Phòng B: 15 ngày liền mọi bản khai giống hệt nhau, không ai vắng",
        "• Các đơn vị nhỏ (dưới 5 người, gộp chung): 100% câu trả lời đến trong vòng 1 giây sau câu hỏi, ở 15 ngày",
        "• Các đơn vị nhỏ (dưới 5 người, gộp chung): 15 ngày liền mọi bản khai giống hệt nhau, không ai vắng",
    ]
    assert "Không nêu tên ai; không làm thay đổi số liệu, màu hay thi đua" in chi.last
    chi.sees_not("Người")


async def test_an_absence_is_a_variation_and_proxies_say_nothing_of_the_unit(world: World) -> None:
    await world.unit("A", "Phòng A")
    people = await staff(world, "A", 6)
    await weeks(world, people[:5], 5)
    first, second = working_days(world, 2)
    await morning(world, first, people[5:], [None], state="excused", reason="leave")
    await morning(world, second, people[5:], [AT_ONCE], proxy=True)
    assert "không có dấu hiệu nào" in (await committee(world)).last


async def test_one_small_unit_alone_is_not_shown(world: World) -> None:
    await world.unit("D", "Phòng D")
    await weeks(world, await staff(world, "D", 4), AT_ONCE)
    assert "không có dấu hiệu nào" in (await committee(world)).last


@pytest.mark.parametrize("role", [None, Role.HEAD, Role.FOCAL, Role.ADMIN, Role.GUARD])
async def test_for_nobody_else(world: World, role: Role | None) -> None:
    lan = await world.enrolled("lan", role=role)
    await lan.type("/quality")
    assert "dành cho ban chỉ đạo" in lan.last


async def test_nothing_is_changed_by_looking_and_figures_do_not_know_of_signs(world: World) -> None:
    await four_units(world)
    await world.settle()
    day = working_days(world, 1)[0]
    before = await world.facts(), await figures(world, day)
    chi = await world.enrolled("chi", role=Role.COMMITTEE)
    enrolled = await world.facts()
    await chi.type("/quality")
    assert await world.facts() == enrolled
    assert (before[0]["ask"], before[0]["unit_day"], before[1]) == (
        enrolled["ask"], enrolled["unit_day"], await figures(world, day),
    )  # fmt: skip
    at_once, usual = (next(one for one in before[1] if one[0] == name) for name in ("Phòng A", "Phòng B"))
    assert at_once[1:] == usual[1:], "answered at once or not: the same figures"


async def figures(world: World, day: date) -> list[tuple[object, ...]]:
    async with world.database.reading() as session:
        (found,) = await status.of_day(session, day, world.now)
    return [(one.unit.name, one.due, one.answered, one.late, one.completion, dict(one.levels)) for one in found.units]


async def test_all_units_cost_no_more_statements_than_one(world: World) -> None:
    counted = []
    for number in (1, 6):
        await world.unit(f"U{number}")
        await weeks(world, await staff(world, f"U{number}", 5), 1, days=1)
        chi = await world.enrolled(f"chi {number}", role=Role.COMMITTEE)
        with statements(world.database) as seen:
            await chi.type("/quality")
        counted.append(len(seen))
    assert counted[0] == counted[1] and await world.count(tables.unit) == 3
