"""Names as offices type them."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.names import folded, same_name_key, tidy, tidy_name


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("Trịnh\u00a0Công\u00a0Nam", "Trịnh Công Nam"),
        ("  Lê   Thị\tLinh \n", "Lê Thị Linh"),
        ("HOÀNG BÁ TUẤN", "Hoàng Bá Tuấn"),
        ("ĐỖ THỊ ƯỚC", "Đỗ Thị Ước"),
        (unicodedata.normalize("NFD", "NGUYỄN THỊ HƯỜNG"), "Nguyễn Thị Hường"),
        ("nguyễn văn an", "Nguyễn Văn An"),
        ("H'HEN NIÊ", "H'Hen Niê"),
        ("Y-BHÔ ÊBAN", "Y-Bhô Êban"),
        ("Lê \u202eThị\u202c Hoà\u200b", "Lê Thị Hoà"),
        ("Lê Thị Hòa", "Lê Thị Hòa"),
        ("Lê Thị TP", "Lê Thị TP"),
        ("\ufeffAn\x00h", "Anh"),
        ("", ""),
    ],
)
def test_a_name_is_tidied(written: str, expected: str) -> None:
    assert tidy_name(written) == expected


@given(st.text(max_size=40))
def test_tidying_twice_changes_nothing_more(written: str) -> None:
    once = tidy(written)
    assert tidy(once) == once
    assert unicodedata.is_normalized("NFC", once)
    tricks = {"RLO", "LRO", "RLE", "LRE", "PDF", "RLI", "LRI"}
    assert not any(unicodedata.bidirectional(sign) in tricks for sign in once)
    assert tidy_name(tidy_name(written)) == tidy_name(written)


def test_words_compare_without_marks_and_case() -> None:
    assert folded("Số  ĐIỆN\u00a0thoại") == "so dien thoai"
    assert folded(unicodedata.normalize("NFD", "Đơn vị")) == "don vi"


def test_tone_placement_does_not_make_another_name_but_another_tone_does() -> None:
    assert same_name_key("Phòng Hoà giải") == same_name_key("PHÒNG HÒA  GIẢI")
    assert same_name_key("Thuỷ lợi") == same_name_key("Thủy lợi")
    assert same_name_key("Xã Tân Lập") != same_name_key("Xã Tân Lấp")
    assert same_name_key("Xã Tân Lập") != same_name_key("Xã Tan Lap")
