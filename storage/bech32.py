"""Keys as text that can be copied by hand: bech32 (BIP 173), whose checksum notices a mistyped letter."""

from __future__ import annotations

from collections.abc import Iterable

_LETTERS = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_CHECKSUM = 6


def encode(kind: str, data: bytes) -> str:
    values = list(_regrouped(data, 8, 5))
    checksum = _polymod([*_expanded(kind), *values, *[0] * _CHECKSUM]) ^ 1
    values += [checksum >> 5 * (_CHECKSUM - 1 - number) & 31 for number in range(_CHECKSUM)]
    return f"{kind}1{''.join(_LETTERS[value] for value in values)}"


def decode(kind: str, text: str) -> bytes:
    """The bytes of a key of this kind. Raises ValueError if it is none, or was mistyped."""
    found, _, letters = text.rpartition("1")
    if found != kind or len(letters) < _CHECKSUM or not set(letters) <= set(_LETTERS):
        raise ValueError("not a key of this kind")
    values = [_LETTERS.index(letter) for letter in letters]
    if _polymod([*_expanded(kind), *values]) != 1:
        raise ValueError("mistyped")
    data = bytes(_regrouped(values[:-_CHECKSUM], 5, 8, pad=False))
    if encode(kind, data) != text or len(data) != 32:
        raise ValueError("not a key")
    return data


def _regrouped(values: Iterable[int], width: int, into: int, *, pad: bool = True) -> Iterable[int]:
    """The same bits in groups of another width."""
    held = bits = 0
    for value in values:
        held, bits = held << width | value, bits + width
        while bits >= into:
            bits -= into
            yield held >> bits & (1 << into) - 1
        held &= (1 << bits) - 1
    if pad and bits:
        yield held << into - bits & (1 << into) - 1


def _expanded(kind: str) -> list[int]:
    return [ord(letter) >> 5 for letter in kind] + [0] + [ord(letter) & 31 for letter in kind]


def _polymod(values: Iterable[int]) -> int:
    check = 1
    for value in values:
        top, check = check >> 25, (check & 0x1FFFFFF) << 5 ^ value
        for number, generator in enumerate(_GENERATOR):
            check ^= generator if top >> number & 1 else 0
    return check
