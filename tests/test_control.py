"""The control question: now and then, skippable, counted for the unit; whose answer it was is kept nowhere."""

from __future__ import annotations

import shutil
from collections import Counter
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
import sqlalchemy as sa

from domain.campaign_file import CampaignError, available_campaigns, campaign_folder, load_campaign
from domain.chat import Tap
from domain.control import Control, control_on
from domain.policy import Role
from storage import tables
from tests.phone import Phone
from tests.world import MONDAY, World

CONTROLS = load_campaign(campaign_folder("covid19")).controls
SINCE = date(2026, 1, 1)


def days_of(unit_id: int, number: int = 400) -> list[date]:
    days = [SINCE + timedelta(days=n) for n in range(number)]
    return [day for day in days if control_on(CONTROLS, unit_id, day)]


@pytest.mark.parametrize("unit_id", [1, 2, 55, 2284])
def test_a_unit_is_asked_on_one_of_every_ten_days_and_each_question_in_turn(unit_id: int) -> None:
    days = days_of(unit_id)
    per_block = Counter(day.toordinal() // 10 for day in days)
    assert set(per_block.values()) == {1} and len(days) >= 39
    asked = [control.key for day in days if (control := control_on(CONTROLS, unit_id, day))]
    assert all(one != following for one, following in pairwise(asked))
    assert set(asked) == {control.key for control in CONTROLS}


def test_units_are_asked_on_days_of_their_own_that_nobody_can_foresee() -> None:
    assert len({tuple(days_of(unit_id)) for unit_id in range(1, 56)}) == 55
    places = Counter(day.toordinal() % 10 for unit_id in range(1, 56) for day in days_of(unit_id))
    assert min(places.values()) > 0.7 * max(places.values())


def test_no_questions_no_question() -> None:
    assert not any(control_on((), 1, SINCE + timedelta(days=n)) for n in range(10))


@pytest.mark.parametrize("name", available_campaigns())
def test_shipped_campaigns_have_some(name: str) -> None:
    controls = load_campaign(campaign_folder(name)).controls
    assert len(controls) >= 2
    assert all(control.answer.vi and len({one.key for one in control.options}) >= 2 for control in controls)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('right = "yellow"', 'right = "pink"', 'controls[0].right: expected one of green, yellow, red, found "pink"'),
        ('key = "fever"', 'key = "medium_zone"', "controls[1].key: expected a key of its own"),
        ('key = "green", label', 'key = "red", label', "controls[0].options[2].key: expected a key of its own"),
        ('right = "counts"\n', 'right = "counts"\npoints = 5\n', "controls[2].points: unknown key"),
    ],
)
def test_a_mistake_in_a_control_question_is_named(tmp_path: Path, old: str, new: str, problem: str) -> None:
    folder = Path(shutil.copytree(campaign_folder("covid19"), tmp_path / "covid19"))
    file = folder / "campaign.toml"
    text = file.read_text("utf-8")
    assert text.count(old) == 1
    file.write_text(text.replace(old, new), "utf-8")
    with pytest.raises(CampaignError) as raised:
        load_campaign(folder)
    assert problem in str(raised.value)


async def asked(world: World, *names: str) -> tuple[Control, list[Phone]]:
    """People of the first unit that is asked this morning, each with the question on the screen."""
    unit, number = await world.unit("U0"), 0
    while (control := control_on(CONTROLS, unit.id, MONDAY.date())) is None:
        number += 1
        unit = await world.unit(f"U{number}")
    phones = [await world.enrolled(name, unit.code) for name in names]
    await world.clock_strikes("07:00")
    for phone in phones:
        await phone.tap("Tôi khỏe")
    return control, phones


def labels(control: Control) -> tuple[str, str]:
    """The right option, and a wrong one."""
    wrong = next(option.label.vi for option in control.options if option.key != control.right)
    return control.answer.vi, wrong


async def counts(world: World) -> list[tuple[int, int]]:
    rows = await world.rows(sa.select(tables.control.c.right, tables.control.c.wrong))
    return [(row.right, row.wrong) for row in rows]


async def test_after_the_receipt_one_tap_counts_for_the_unit_and_all_get_the_same_words(each_world: World) -> None:
    world = each_world
    control, (lan, minh, hoa) = await asked(world, "lan", "minh", "hoa")
    right, wrong = labels(control)
    assert "Đã nhận khai báo" in lan.screen and control.text.vi in lan.last and "[Bỏ qua]" in lan.last
    await lan.tap(right)
    await minh.tap(wrong)
    await hoa.tap("Bỏ qua")
    assert await counts(world) == [(1, 1)]
    assert lan.last == minh.last == hoa.last == f"{control.text.vi} Đáp án: {right}. Cảm ơn anh/chị."


async def test_a_repeated_changed_or_foreign_tap_counts_nothing_more(world: World) -> None:
    control, (lan, minh) = await asked(world, "lan", "minh")
    right, wrong = labels(control)
    at, first = lan.button(right)
    _, second = lan.button(wrong)
    taps = [lan.update(Tap(data, at), f"t{n}") for n, data in enumerate((first.data, first.data, second.data))]
    await world.receive(taps)
    await world.settle()
    await minh.press(first.data, at)
    assert await counts(world) == [(1, 0)]


async def test_whose_answer_it_was_is_kept_nowhere(world: World) -> None:
    control, (lan, minh) = await asked(world, "lan", "minh")
    right, wrong = labels(control)
    await lan.tap(right)
    await minh.tap(wrong)
    told = {}
    for phone in (lan, minh):
        rows = await world.rows(tables.outbox.select().where(tables.outbox.c.chat_id == phone.chat_id))
        told[phone.name] = [(row.kind, row.title, row.text) for row in rows if control.text.vi in row.text]
    assert told["lan"] == told["minh"]
    facts = await world.facts()
    named = {table: rows for table, rows in facts.items() if table not in ("control", "person", "unit")}
    assert not [row for rows in named.values() for row in rows if control.key in map(str, row)]


async def test_neither_answer_changes_a_figure(world: World) -> None:
    control, (lan, minh) = await asked(world, "lan", "minh")
    before = await world.facts()
    for phone, label in zip((lan, minh), labels(control), strict=True):
        await phone.tap(label)
    after = await world.facts()
    assert before.pop("control") == [] and len(after.pop("control")) == 1
    assert before == after


async def test_it_is_not_asked_of_a_correction_of_symptoms_or_in_the_afternoon(world: World) -> None:
    control, (lan,) = await asked(world, "lan")
    for label in ("Sửa", "Tôi khỏe"):
        await lan.tap(label)
    await world.clock_strikes("16:30")
    await lan.tap("Tôi khỏe")
    assert lan.screen.count(control.text.vi) == 1


async def test_the_committee_sees_how_the_unit_did_once_there_are_five(world: World) -> None:
    control, phones = await asked(world, *(f"người {n}" for n in range(5)))
    right, wrong = labels(control)
    chi = await world.enrolled("chi", role=Role.COMMITTEE)
    for number, phone in enumerate(phones):
        await chi.type("/quality")
        chi.sees_not("câu hỏi kiểm tra: đúng")
        await phone.tap(right if number == 0 else wrong)
    await chi.type("/quality")
    assert "câu hỏi kiểm tra: đúng 1/5" in chi.last
