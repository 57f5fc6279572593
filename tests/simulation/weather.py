"""What goes wrong on a day, how often, and how often it really did: all of it drawn from the seed."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256

SENDING = {
    "flood": 0.02,
    "error_before": 0.01,
    "error_after": 0.01,
    "reset_before": 0.01,
    "reset_after": 0.01,
    "silent_before": 0.006,
    "silent_after": 0.006,
    "garbled": 0.006,
    "rejected": 0.012,
    "no_connection": 0.01,
    "slow": 0.03,
}
"""Of a hundred sends, about how many end so on a day on which it happens at all. "after": Telegram did accept it."""
POLLING = {"poll_lost": 0.03, "poll_error": 0.02, "poll_garbled": 0.01, "duplicated": 0.2, "shuffled": 0.3}
SPEAKING = {"lost_tap": 0.05, "late_tap": 0.1, "malformed": 0.05, "expired_tap": 0.1}
STORING = {"busy": 0.0008, "failing": 0.0006, "slow_disk": 0.002}
DYING = {
    "crash_before_send": 0.004,
    "crash_in_send": 0.004,
    "crash_after_send": 0.004,
    "crash_before_commit": 0.002,
    "crash_after_commit": 0.002,
}
HAPPENING = {
    "outage": 0.5,
    "store_full": 0.3,
    "no_network": 0.35,
    "clock_step": 0.2,
    "moved": 0.4,
    "removed": 0.15,
    "post_ends": 0.3,
    "overlap": 0.2,
    "upgrade": 0.4,
    "group_flood": 0.3,
}
"""How likely each of these comes at all, once, at some hour."""
KINDS = (*SENDING, *POLLING, *SPEAKING, *STORING, *DYING, *HAPPENING)
CALM_IN = 12
"""One seed in so many is a day without faults."""


@dataclass(slots=True)
class Weather:
    """The faults of one seed. Nothing strikes once it has `cleared`."""

    seed: int
    rates: Mapping[str, float]
    cleared: bool = False
    counts: Counter[str] = field(default_factory=Counter)
    _chances: dict[str, random.Random] = field(default_factory=dict)

    @property
    def is_calm(self) -> bool:
        return not self.rates

    def chance(self, what: str) -> random.Random:
        """Chance of its own for each purpose, so that one more draw here moves nothing there."""
        if what not in self._chances:
            name = sha256(f"{self.seed} {what}".encode()).digest()
            self._chances[what] = random.Random(int.from_bytes(name[:8]))
        return self._chances[what]

    def strikes(self, kind: str) -> bool:
        rate = self.rates.get(kind, 0.0)
        if not rate or self.cleared or self.chance(kind).random() >= rate:
            return False
        self.counts[kind] += 1
        return True

    def one_of(self, kinds: Mapping[str, float]) -> str:
        """The first of these that strikes now, or ""."""
        return next((kind for kind in kinds if self.strikes(kind)), "")


def weather_of(seed: int) -> Weather:
    """Each kind of fault is there on about every third day, from mild to rough; some days are calm."""
    chance = random.Random(seed)
    rates: dict[str, float] = {}
    for kind, rate in (SENDING | POLLING | SPEAKING | STORING | DYING).items():
        is_here, strength = chance.random() < 0.35, chance.choice((0.5, 1.0, 2.0, 4.0))
        if is_here:
            rates[kind] = min(rate * strength, 0.5)
    for kind, rate in HAPPENING.items():
        if chance.random() < rate:
            rates[kind] = 1.0
    return Weather(seed, {} if seed % CALM_IN == 0 else rates)
