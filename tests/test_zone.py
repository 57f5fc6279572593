"""The rules of a unit's zone, as a table and as laws that hold for any facts."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import get_args

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from domain.campaign_file import campaign_folder, load_campaign
from domain.rules import KNOWN_LEVELS, Level
from domain.zone import (
    COLOURS,
    Correction,
    Facts,
    Held,
    Override,
    Update,
    Zone,
    assess_zone,
    corrected,
    hold,
    overridden,
    worst,
)

RULES = load_campaign(campaign_folder("covid19")).zones
GREEN, PENDING, YELLOW, ORANGE, RED = Zone.GREEN, Zone.PENDING, Zone.YELLOW, Zone.ORANGE, Zone.RED
TODAY = date(2026, 11, 23)


def staff(low: int = 20, *, home: bool = False, missing: int = 0, unknown: int = 0, **raised: int) -> Facts:
    """So many people declared a low risk and these a raised one, at work or all at home."""
    levels = {"low": low, **raised}
    present = {"low": low} if home else levels
    answered = sum(levels.values())
    return Facts(answered + missing + unknown, answered, 0, missing, unknown, levels, present)


@pytest.mark.parametrize(
    ("facts", "update", "zone", "because"),
    [
        (staff(), "confirmed", GREEN, []),
        (staff(), "awaited", PENDING, ["update"]),
        (staff(), "none", PENDING, ["update"]),
        (staff(), "overdue", YELLOW, ["unconfirmed"]),
        (staff(unknown=1), "confirmed", PENDING, ["unknown"]),
        (staff(missing=1, unknown=1), "confirmed", YELLOW, ["missing"]),
        (staff(8, missing=2), "confirmed", YELLOW, ["completion", "missing"]),
        (staff(medium=1), "confirmed", YELLOW, ["medium"]),
        (staff(high=1), "confirmed", ORANGE, ["high_at_work", "medium"]),
        (staff(high=1, home=True), "confirmed", YELLOW, ["medium"]),
        (staff(very_high=1), "confirmed", RED, ["f0_at_work", "high_at_work", "medium"]),
        (staff(30, very_high=1, home=True), "confirmed", YELLOW, ["medium"]),
        (staff(19, very_high=1, home=True), "confirmed", RED, ["very_high_share", "medium"]),
    ],
)
def test_the_worst_condition_that_applies(facts: Facts, update: Update, zone: Zone, because: list[str]) -> None:
    assessed = assess_zone(RULES, facts, update)
    assert (assessed.zone, [one.key for one in assessed.reasons]) == (zone, because)


@pytest.mark.parametrize(("ago", "zone"), [(1, RED), (13, RED), (14, GREEN)])
def test_an_f0_at_work_counts_for_fourteen_days(ago: int, zone: Zone) -> None:
    assert assess_zone(RULES, staff(), "confirmed", [(ago, {"very_high": 1})]).zone is zone


def test_a_reason_has_its_figure() -> None:
    reasons = assess_zone(RULES, staff(7, missing=2, high=1), "overdue").reasons
    assert {one.key: one.figure for one in reasons} == {
        "high_at_work": "1",
        "medium": "1",
        "completion": "8/10",
        "unconfirmed": "",
        "missing": "2",
    }


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ([GREEN, ORANGE, GREEN, GREEN, GREEN, GREEN], [GREEN, ORANGE, ORANGE, ORANGE, ORANGE, YELLOW]),
        ([ORANGE] + [GREEN] * 8, [ORANGE] * 4 + [YELLOW] * 3 + [GREEN] * 2),
        ([RED, YELLOW, GREEN, GREEN, GREEN, GREEN, GREEN], [RED] * 4 + [ORANGE] * 3),
        ([ORANGE, GREEN, GREEN, ORANGE, GREEN, GREEN, GREEN, GREEN], [ORANGE] * 7 + [YELLOW]),
        ([YELLOW, GREEN, GREEN, GREEN, PENDING], [YELLOW] * 4 + [PENDING]),
        ([ORANGE, PENDING, YELLOW], [ORANGE] * 3),
        ([PENDING, GREEN], [PENDING, GREEN]),
    ],
)
def test_up_at_once_and_down_one_colour_after_three_whole_days(raw: list[Zone], shown: list[Zone]) -> None:
    held: Held | None = None
    for today, expected in zip(raw, shown, strict=False):
        held = hold(held, today, 3)
        assert held.zone is expected


def test_a_correction_counts_and_later_declarations_come_on_top() -> None:
    fix = Correction("high", was=1, now=0, reason="khai nhầm")
    facts = corrected(staff(high=1), [fix])
    assert assess_zone(RULES, facts, "confirmed").zone is GREEN
    one_more = corrected(staff(high=2), [fix])
    assert one_more.present["high"] == 1 and assess_zone(RULES, one_more, "confirmed").zone is ORANGE
    known_by_phone = corrected(staff(), [Correction("very_high", was=0, now=1, reason="báo qua điện thoại")])
    assert assess_zone(RULES, known_by_phone, "confirmed").zone is RED


def test_an_override_ends_with_its_day_and_with_worse_facts() -> None:
    given_override = Override(GREEN, YELLOW, "đã kiểm tra", TODAY)
    assert overridden(YELLOW, given_override, TODAY) is GREEN
    assert overridden(ORANGE, given_override, TODAY) is ORANGE
    assert overridden(YELLOW, given_override, date(2026, 11, 24)) is YELLOW
    assert overridden(YELLOW, None, TODAY) is YELLOW


NUMBERS = st.integers(0, 30)
LEVEL_COUNTS = st.fixed_dictionaries({level.value: NUMBERS for level in KNOWN_LEVELS})


@st.composite
def facts_of_any_kind(draw: st.DrawFn) -> Facts:
    levels = draw(LEVEL_COUNTS)
    present = {level: draw(st.integers(0, number)) for level, number in levels.items()}
    missing, unknown = draw(st.integers(0, 5)), draw(st.integers(0, 5))
    answered = sum(levels.values())
    return Facts(answered + missing + unknown, answered, 0, missing, unknown, levels, present)


UPDATES = st.sampled_from(get_args(Update))
ZONES = st.sampled_from(COLOURS)


@given(facts_of_any_kind(), UPDATES, st.none() | st.builds(Held, ZONES, st.integers(0, 5)))
def test_never_green_with_anybody_unknown(facts: Facts, update: Update, before: Held | None) -> None:
    shown = hold(before, assess_zone(RULES, facts, update).zone, 3).zone
    if facts.unknown or facts.missing or update != "confirmed":
        assert shown is not GREEN
    if shown is GREEN:
        assert set(facts.levels) == set(facts.levels) & {level.value for level in KNOWN_LEVELS}
        assert facts.declared == facts.levels["low"]


@given(facts_of_any_kind(), UPDATES, st.sampled_from(["medium", "high", "very_high", "missing", "unknown", "overdue"]))
def test_worse_facts_never_give_a_better_colour(facts: Facts, update: Update, worse: str) -> None:
    before = assess_zone(RULES, facts, update).zone
    later: Update = update
    if worse == "missing":
        facts = replace(facts, missing=facts.missing + 1)
    elif worse == "unknown":
        facts = replace(facts, unknown=facts.unknown + 1)
    elif worse == "overdue":
        assume(update != "overdue")
        later = "overdue"
    else:
        assume(facts.present["low"])
        facts = replace(facts, levels=_moved(facts.levels, worse), present=_moved(facts.present, worse))
    assert assess_zone(RULES, facts, later).zone.rank >= before.rank


def _moved(counts: object, level: str) -> dict[str, int]:
    """One person who was low is now of this level."""
    assert isinstance(counts, dict)
    return {**counts, "low": counts["low"] - 1, level: counts[level] + 1}


@given(st.lists(st.sampled_from(tuple(Zone)), min_size=1, max_size=30), st.integers(0, 5))
def test_a_hold_only_ever_shows_as_bad_or_worse_and_steps_down_by_one(raw: list[Zone], days: int) -> None:
    held: Held | None = None
    for today in raw:
        earlier, held = held, hold(held, today, days)
        assert held.zone.rank >= today.rank
        if earlier and earlier.zone in COLOURS and held.zone in COLOURS and held.zone.rank < earlier.zone.rank:
            assert COLOURS.index(earlier.zone) - COLOURS.index(held.zone) == 1
            assert earlier.clear_days >= days


@given(st.lists(st.sampled_from(tuple(Zone))))
def test_the_whole_is_as_its_worst_part(parts: list[Zone]) -> None:
    whole = worst(parts)
    assert (whole is None) == (not parts)
    assert all(whole and whole.rank >= part.rank for part in parts)
    assert (whole is GREEN) == (bool(parts) and set(parts) == {GREEN})


def test_levels_rise_as_zones_do() -> None:
    assert [level.rank for level in Level] == [0, 1, 2, 3, 4]
    assert [zone.rank for zone in (GREEN, PENDING, YELLOW, ORANGE, RED)] == [0, 1, 2, 3, 4]
