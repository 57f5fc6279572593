"""What happened, in order, as one fingerprint: two runs of a seed must have the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256


@dataclass(slots=True)
class Trace:
    """`show` is given each line as well, for whoever looks into a seed."""

    time: Callable[[], float]
    show: Callable[[str], None] | None = None
    length: int = 0
    _lines: list[str] = field(default_factory=list)

    def note(self, *words: object) -> None:
        line = f"{self.time():.6f} {' '.join(map(str, words))}"
        self._lines.append(line)
        self.length += 1
        if self.show:
            self.show(line)

    @property
    def digest(self) -> str:
        return sha256("\n".join(self._lines).encode()).hexdigest()
