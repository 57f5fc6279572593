"""Sealed files: readable with the key alone, by any program of the format, and only whole."""

from __future__ import annotations

import base64
import io
import random

import pytest

from storage import age
from storage.age import CHUNK, NotReadable

KEY = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX"
PUBLIC = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"
BY_ANOTHER_PROGRAM = base64.b64decode(
    "YWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+IFgyNTUxOSBUUldyTGN0VmQvT29UUHYxZXM5blpVQjNSRXBXTDB0cDNCVjJBQitKU2dBCjZWR3NF"
    "Z1F3SWdrdEVOUmlGVjhaSzcrNEpUV0VxMy9SKzBqMko0Uit4UjgKLT4gQ34mLWdyZWFzZSBnYC5DYFBMaSA4dCxYaVVaIHkzCmhxYXVkd1Nx"
    "ZHJYUVRMLzJtb05keExXc016eFl0dUZBQkZaMWZ2Y0NSQTUxK1h1NjluMWkrMHRmWHRMR1NiS08KcWJlclR0S0xGY2dFTi9sV1NVVEV2a01B"
    "cVpTeDFzL2NVMXROdmh3aGxpR2MrUQotLS0gVi9HVkpCVFRiZDE5UDA4TnNpK1lNTXI2b1pRT0tPM2psbWRhWkZnTFlXZwpnO8ipCekxVPmR"
    "2Z8MUrLEODrFe+sF7qLff2aQ7jtHYOn4rzR1DSeYbVI="
)
"""Written by rage 0.11 for KEY; it holds a stanza of a kind that nobody knows, as the format asks for."""


def sealed(content: bytes) -> bytes:
    file = io.BytesIO()
    sealing = age.Sealing(file, PUBLIC)
    for first in range(0, len(content), 1000):
        sealing.write(content[first : first + 1000])
    sealing.finish()
    return file.getvalue()


def opened(file: bytes, key: str | bytes = KEY) -> bytes:
    return io.BufferedReader(age.Opened(io.BytesIO(file), key)).read()


def test_the_public_half_is_the_one_of_the_format() -> None:
    assert age.public_half(KEY) == PUBLIC


def test_a_file_of_another_program_is_read() -> None:
    assert opened(BY_ANOTHER_PROGRAM).decode() == "Vùng Xanh"


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK + 7])
def test_what_was_sealed_comes_back(size: int) -> None:
    content = random.Random(size).randbytes(size)
    assert opened(sealed(content)) == content


@pytest.mark.parametrize("left", [0, 10, 100, 183, 190, 200, CHUNK, 184 + 16 + CHUNK + 16, -17, -1])
def test_a_file_that_was_cut_off_is_refused(left: int) -> None:
    file = sealed(bytes(2 * CHUNK))
    with pytest.raises(NotReadable):
        opened(file[:left])


def test_a_byte_more_is_refused() -> None:
    with pytest.raises(NotReadable):
        opened(sealed(bytes(CHUNK)) + b"\x00")


def test_a_changed_bit_anywhere_is_refused() -> None:
    file, chance = sealed(bytes(CHUNK + 500)), random.Random(4)
    for at in [*range(200), *(chance.randrange(len(file)) for _ in range(100))]:
        changed = bytearray(file)
        changed[at] ^= 1 << chance.randrange(8)
        with pytest.raises(NotReadable):
            opened(bytes(changed))


def test_another_key_opens_nothing() -> None:
    with pytest.raises(NotReadable, match="another key"):
        opened(sealed(b"secret"), age.new_key())
    with pytest.raises(NotReadable):
        opened(sealed(b"secret"), bytes(16))


@pytest.mark.parametrize("typed", ["", "nonsense", PUBLIC, KEY[:-1], KEY.replace("GFP", "GPF", 1), KEY + "Q"])
def test_a_mistyped_key_is_noticed(typed: str) -> None:
    with pytest.raises(ValueError, match=r"key|mistyped"):
        age.public_half(typed)
