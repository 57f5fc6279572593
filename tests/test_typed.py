"""Typed answers mean what they say or nothing at all."""

from __future__ import annotations

import unicodedata
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.names import folded
from domain.typed import match_option, match_several, number_in

LABELS = ("Sốt", "Ho", "Đau họng", "Mệt mỏi, đau nhức", "Không có")

vietnamese = st.text(alphabet="aăâbcdđeêghiklmnoôơpqrstuưvxyáàảãạếềểễệốồổỗộớờởỡợứừửữựýỳỷỹỵ ", min_size=1, max_size=12)
label_lists = st.lists(vietnamese.filter(lambda text: bool(text.strip())), min_size=1, max_size=10)
ways_of_typing = st.sampled_from(
    [
        str,
        str.upper,
        str.title,
        lambda text: unicodedata.normalize("NFD", text),
        lambda text: f"  {text.replace(' ', chr(0xA0))} ",
        lambda text: f"{text}.",
        folded,
    ]
)


@given(label_lists, st.data(), ways_of_typing)
@settings(max_examples=150)
def test_a_label_typed_in_any_way_is_that_option_or_in_doubt(labels, data, way) -> None:  # type: ignore[no-untyped-def]
    index = data.draw(st.integers(0, len(labels) - 1))
    found = match_option(labels, way(labels[index]))
    alike = [i for i, label in enumerate(labels) if folded(label) == folded(labels[index])]
    assert found == index if len(alike) == 1 else found is None or found in alike


@given(label_lists, st.text(max_size=12))
@settings(max_examples=150)
def test_what_is_neither_label_nor_number_matches_nothing(labels: list[str], typed: str) -> None:
    letters = folded("".join(each if each.isalnum() else " " for each in typed))
    if not any(each.isdigit() for each in typed) and letters not in {"hai", "ba", "mot", "bon", "chin", "muoi"}:
        found = match_option([label + "z" for label in labels], typed.replace("z", "").replace("Z", ""))
        assert found is None or typed.strip().casefold() in {"năm", "sáu", "bảy", "tám", "one", "two", "six", "ten"}


@pytest.mark.parametrize(
    ("typed", "index"),
    [
        ("2", 1),
        ("2.", 1),
        (" 2) ", 1),
        ("(2)", 1),
        ("#2", 1),
        ("số 2", 1),
        ("2\ufe0f\u20e3", 1),
        ("hai", 1),
        ("Số Hai", 1),
        ("năm", 4),
        ("one", 0),
        ("sot", 0),
        ("SỐT!", 0),
        ("dau hong", 2),
        ("mệt mỏi đau nhức", 3),
        ("met moi , dau nhuc", 3),
        ("khong co", 4),
        ("0", None),
        ("6", None),
        ("-2", None),
        ("+2", None),
        ("2 3", None),
        ("22", None),
        ("nam", None),
        ("sau", None),
        ("mười", None),
        ("không sốt", None),
        ("không", None),
        ("mệt", None),
        ("", None),
        ("...", None),
        ("²", None),
        ("٢", None),
    ],
)
def test_one_option(typed: str, index: int | None) -> None:
    assert match_option(LABELS, typed) == index


def test_a_label_goes_before_a_number_word_but_a_doubtful_figure_is_asked_back() -> None:
    assert match_option(["Ông", "Bà", "Ba"], "ba") == 2
    assert match_option(["Một người", "Ba", "Hai"], "hai") == 2
    assert match_option(["0", "1", "2"], "1") is None
    assert match_option(["1", "2", "3"], "2") == 1
    assert match_option(["Hổ", "Hồ"], "hồ") == 1
    assert match_option(["Hổ", "Hồ"], "ho") is None


@pytest.mark.parametrize(
    ("typed", "indexes"),
    [
        ("1,3", [0, 2]),
        ("1 3", [0, 2]),
        ("3, 1.", [0, 2]),
        ("1,1", [0]),
        ("2", [1]),
        ("1 và 2", [0, 1]),
        ("sot, HO và đau họng", [0, 1, 2]),
        ("Mệt mỏi, đau nhức", [3]),
        ("ho; 3", [1, 2]),
        ("1,9", None),
        ("13", None),
        ("ho, không sốt", None),
        ("", None),
        (",", None),
    ],
)
def test_several_options(typed: str, indexes: list[int] | None) -> None:
    assert match_several([(label,) for label in LABELS], typed) == indexes


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ("37,8", "37.8"),
        ("37.8", "37.8"),
        (" 37,8 độ ", "37.8"),
        ("37,8 độ C", "37.8"),
        ("37.8°C", "37.8"),
        ("38", "38"),
        ("38 do", "38"),
        ("37 độ 8", "37.8"),
        ("37 rưỡi", "37.5"),
        ("38 độ rưỡi", "38.5"),
        ("37,80", "37.8"),
        ("37,8.", "37.8"),
        ("37-38", None),
        ("37,8,1", None),
        ("-37", None),
        ("khoảng 37", None),
        ("37 38", None),
        ("nan", None),
        ("", None),
    ],
)
def test_numbers(typed: str, value: str | None) -> None:
    assert number_in(typed, ["°C", "°", "độ", "độ C", "C"]) == (None if value is None else Decimal(value))


@given(st.decimals("34", "43", places=1), st.sampled_from([".", ","]), st.sampled_from(["", " độ", "°C", " do"]))
def test_every_temperature_reads_back(value: Decimal, point: str, unit: str) -> None:
    assert number_in(f"{value}".replace(".", point) + unit, ["độ", "°C"]) == value


@given(st.text(max_size=40))
@settings(max_examples=200)
def test_nothing_typed_breaks_the_reading(typed: str) -> None:
    match_option(LABELS, typed)
    match_several([(label,) for label in LABELS], typed)
    number_in(typed, ["độ"])
