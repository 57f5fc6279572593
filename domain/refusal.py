"""Why something an administrator asked for is not done, in words that are looked up where they are shown."""

from __future__ import annotations

from collections.abc import Mapping


class Refusal(Exception):
    """It cannot be done as things stand: `key` is the sentence to show with `values`."""

    def __init__(self, key: str, values: Mapping[str, str | int] | None = None) -> None:
        super().__init__(key)
        self.key = key
        self.values: Mapping[str, str | int] = values or {}


class WrongInput(Refusal):
    """What was given names something that does not exist, or contradicts itself."""
