"""A schedule said in words is understood, or the part that is not is named; what is read back means the same again."""

from __future__ import annotations

from datetime import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.campaign import AFTERNOON, MORNING, RISK, ROUND_KINDS
from domain.chat import LANGUAGES, Language
from domain.schedule_words import Hours, Unclear, Wanted, changed, parse_schedule
from domain.workdays import OFFICE_WEEK, WEEKDAYS
from handlers.schedule_sentence import sentence

AS_SHIPPED = Hours(time(7), (time(7, 30), time(8, 15)), time(8, 30), time(9), OFFICE_WEEK, on_holidays=False)
TO_SATURDAY = frozenset(WEEKDAYS[:6])
PIECES = ("7h", "16:30", "+30", "nhắc", "đóng", "sáng", "thứ 2", "đến", "T6", ",", ";", "trừ", "ngày lễ")
BOTH = {MORNING: time(7), AFTERNOON: time(16, 30)}


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (
            "07:00 và 16:30, thứ 2 đến thứ 6, trừ ngày lễ; nhắc +30, +75",
            Wanted(BOTH, (30, 75), weekdays=OFFICE_WEEK, on_holidays=False),
        ),
        (
            "07:00 and 16:30, Monday to Friday, not on holidays; remind +30, +75",
            Wanted(BOTH, (30, 75), weekdays=OFFICE_WEEK, on_holidays=False),
        ),
        ("Thứ 2 đến thứ 6 lúc 7h và 16h30", Wanted(BOTH, weekdays=OFFICE_WEEK)),
        ("every day at 7:00", Wanted({MORNING: time(7)}, weekdays=frozenset(WEEKDAYS))),
        ("buổi chiều 17 giờ", Wanted({AFTERNOON: time(17)})),
        ("17h", Wanted({AFTERNOON: time(17)})),
        ("nguy cơ 13:30, nhắc 13:45", Wanted({RISK: time(13, 30)}, (time(13, 45),))),
        ("sáng 6h45, chiều 17h, T2-T7", Wanted({MORNING: time(6, 45), AFTERNOON: time(17)}, weekdays=TO_SATURDAY)),
        ("không nhắc", Wanted({MORNING: None, AFTERNOON: None}, ())),
        ("kể cả ngày lễ", Wanted({MORNING: None, AFTERNOON: None}, on_holidays=True)),
        ("đóng +120 phút; danh sách chưa khai +90", Wanted({MORNING: None, AFTERNOON: None}, None, (90,), 120)),
        ("morning closes 09:30, no list", Wanted({MORNING: None}, None, (), time(9, 30))),
    ],
)  # fmt: skip
def test_what_a_clerk_says(words: str, wanted: Wanted) -> None:
    assert parse_schedule(words) == wanted


@pytest.mark.parametrize(
    ("words", "unclear"),
    [
        ("", Unclear("nothing")),
        ("vâng ạ", Unclear("unclear", "vang a")),
        ("25:00", Unclear("unclear", "25:00")),
        ("7h, tuần sau", Unclear("unclear", "tuan sau")),
        ("7h nhắc", Unclear("unclear", "remind")),
        ("7h, 16h, 20h", Unclear("too_many_hours")),
        ("16:30 và 07:00", Unclear("too_many_hours")),
        ("sáng 7h nhắc +30, chiều 17h nhắc +45", Unclear("twice", "+45")),
        ("7h và 17h, nhắc 7h30", Unclear("hours_need_one_kind")),
        ("trừ ngày lễ, kể cả ngày lễ", Unclear("twice", "ngay le")),
    ],
)
def test_in_doubt_nothing_is_changed_and_the_part_is_named(words: str, unclear: Unclear) -> None:
    assert parse_schedule(words) == unclear


def test_what_is_not_said_moves_along_with_the_opening() -> None:
    wanted = parse_schedule("sáng 8h")
    assert isinstance(wanted, Wanted)
    assert changed(AS_SHIPPED, wanted, MORNING) == Hours(
        time(8), (time(8, 30), time(9, 15)), time(9, 30), time(10), OFFICE_WEEK, on_holidays=False
    )


def test_nothing_moves_over_midnight() -> None:
    wanted = parse_schedule("chiều 23:30")
    assert isinstance(wanted, Wanted)
    assert changed(AS_SHIPPED, wanted, AFTERNOON) == Unclear("past_midnight")


times = st.builds(time, st.integers(0, 23), st.integers(0, 59))
hours = st.builds(
    Hours,
    opens=times,
    reminders=st.lists(times, max_size=4).map(tuple),
    missing_list=st.none() | times,
    closes=times,
    weekdays=st.frozensets(st.sampled_from(WEEKDAYS), min_size=1),
    on_holidays=st.booleans(),
)


@given(st.sampled_from(LANGUAGES), st.sampled_from(ROUND_KINDS), hours)
def test_what_is_read_back_means_the_same_schedule(language: Language, kind: str, said: Hours) -> None:
    wanted = parse_schedule(sentence(language, kind, said))
    assert isinstance(wanted, Wanted)
    assert changed(AS_SHIPPED, wanted, kind) == said


@given(st.text(max_size=60) | st.lists(st.sampled_from(PIECES)).map(" ".join))
def test_no_words_are_too_odd(words: str) -> None:
    assert isinstance(parse_schedule(words), Wanted | Unclear)
