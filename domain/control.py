"""The control question: now and then something harmless that everybody can know, to see whether people still read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256

from domain.questions import Option, Words

EVERY = 10
"""A unit is asked on one day in so many."""


@dataclass(frozen=True, slots=True)
class Control:
    """`right` is the key of the one right option."""

    key: str
    text: Words
    options: tuple[Option, ...]
    right: str

    @property
    def answer(self) -> Words:
        return next(option.label for option in self.options if option.key == self.right)


def control_on(controls: Sequence[Control], unit_id: int, day: date) -> Control | None:
    """What a unit is asked on this day: on one of every ten days, not the same one each time, another question each."""
    block, place = divmod(day.toordinal(), EVERY)
    chosen = int.from_bytes(sha256(f"control of {unit_id} in {block}".encode()).digest()[:8], "big") % EVERY
    return controls[(block + unit_id) % len(controls)] if controls and chosen == place else None
