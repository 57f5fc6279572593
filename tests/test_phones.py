"""Phone numbers as spreadsheets hold them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.phones import Cell, Phone, e164, read_phone, read_phones


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("0381590830", "+84381590830"),
        (898700221.0, "+84898700221"),
        (898700221, "+84898700221"),
        ("898700221.0", "+84898700221"),
        ("8.98700221E+08", "+84898700221"),
        ("0301.938.676", "+84301938676"),
        ("0301-938-676", "+84301938676"),
        ("84900265466", "+84900265466"),
        (84900265466.0, "+84900265466"),
        ("+84 865 980397", "+84865980397"),
        ("(+84) 865 980 397", "+84865980397"),
        ("+84(0)865980397", "+84865980397"),
        ("0084865980397", "+84865980397"),
        ("0381590830 ", "+84381590830"),
        ("\u202a0381\u00a0590\u00a0830\u202c", "+84381590830"),
        ("'0381590830", "+84381590830"),
        (849002654, "+84849002654"),
        ("0168 123 4567", "+84381234567"),
        ("024 3733 5599", "+842437335599"),
        ("+61 412 345 678", "+61412345678"),
        ("", None),
        (None, None),
        ("không có", None),
        ("12345", None),
        ("113", None),
        ("00000000000000000000", None),
        (0.0, None),
        (12.5, None),
        (float("nan"), None),
        (float("inf"), None),
        (True, None),
        ("٠٣٨١٥٩٠٨٣٠", None),
    ],
)
def test_a_cell_is_read(cell: Cell, expected: str | None) -> None:
    assert e164(cell) == expected


def test_a_number_no_operator_has_is_kept_and_flagged() -> None:
    assert read_phone("0728237831") == Phone("+84728237831", is_usual=False)
    assert read_phone("0981237831") == Phone("+84981237831")
    assert read_phone("024 3733 5599") == Phone("+842437335599", is_usual=False)


@pytest.mark.parametrize(
    "cell",
    [
        "0912345678/0987654321",
        "0912 345 678 - 0987 654 321",
        "0912.345.678; +84987654321",
        "0912345678\n0987654321",
        "09123456780987654321",
        "0912345678 hoặc 0987654321 hoặc 0912345678",
    ],
)
def test_two_numbers_in_a_cell(cell: str) -> None:
    assert [phone.e164 for phone in read_phones(cell)] == ["+84912345678", "+84987654321"]


@given(st.one_of(st.text(max_size=40), st.floats(), st.integers(), st.text("0123456789+. -/()", max_size=40)))
def test_whatever_is_read_is_e164_and_reads_as_itself(cell: Cell) -> None:
    for phone in read_phones(cell):
        assert re.fullmatch(r"\+[1-9]\d{7,14}", phone.e164)
        assert e164(phone.e164) == phone.e164
