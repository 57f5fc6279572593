"""Codes that are read off paper and typed."""

from __future__ import annotations

import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.codes import ALPHABET, LENGTH, looks_like_code, new_code, shown, tidy_code

bits = st.integers(0, 2**128 - 1)


@given(bits)
def test_every_code_is_read_back_however_it_is_written(number: int) -> None:
    code = new_code(lambda _: number)
    sloppy = shown(code).lower().replace("0", "o").replace("1", "i").replace("-", " – ")
    for written in (code, shown(code), f" {code.lower()}\n", sloppy, shown(code).replace("-", ".")):
        assert tidy_code(written) == code
        assert looks_like_code(code) or sum(letter.isdigit() for letter in code) < 2


@given(bits, bits)
def test_different_bits_make_different_codes(one: int, other: int) -> None:
    assert (new_code(lambda _: one) == new_code(lambda _: other)) is (one == other)


def test_a_code_uses_all_its_128_bits() -> None:
    assert new_code(lambda number: 2**number - 1) == "7" + "Z" * 25, "three bits and 25 times five"
    assert len(new_code(secrets.randbits)) == LENGTH
    assert not set("ILOU") & set(ALPHABET) and len(set(ALPHABET)) == 32


@pytest.mark.parametrize("typed", ["", "xin chào", "U" * LENGTH, "A" * (LENGTH - 1), "A" * (LENGTH + 1), "é" * LENGTH])
def test_what_cannot_be_a_code(typed: str) -> None:
    assert tidy_code(typed) is None


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("4F7QZ-8K2M1-AB3CD-9WXYZ-0PQRS", True),
        ("4F7QZ8K2M1AB3CD9WXYZ0PQRSTAB", True),
        ("toi muon hoi ve khai bao y te", False),
        ("tôi muốn hỏi 12 điều về khai", False),
        ("0912345678", False),
    ],
)
def test_what_was_meant_as_a_code(typed: str, meant: bool) -> None:
    assert looks_like_code(typed) is meant
