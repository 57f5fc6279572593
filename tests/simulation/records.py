"""What the outside world saw: messages as they appeared, attempts to send them, and what people did."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from domain.chat import Address
from tests.simulation.loop import Process


@dataclass(frozen=True, slots=True)
class Key:
    """A button on a screen."""

    label: str
    data: str

    @property
    def verb(self) -> str:
        return self.data.partition(".")[2].partition(":")[0].partition(".")[0]

    @property
    def args(self) -> list[str]:
        body = self.data.rpartition(".")[0].partition(".")[2]
        return body.split(":")[1:]


@dataclass(slots=True)
class Shown:
    """One message, or new words in its place, as somebody could read it from `at` on."""

    at: float
    chat: Address
    message_id: str
    letter: str
    text: str
    keys: list[Key]
    is_edit: bool
    began: float

    @property
    def kind(self) -> str:
        return self.letter.partition(":")[0]

    def key(self, *verbs: str) -> Key | None:
        return next((one for one in self.keys if one.verb in verbs), None)


@dataclass(slots=True)
class Attempt:
    """One call that sends or edits. `told` is what the sender heard, "" if nothing ever; `shown` if it appeared."""

    letter: str
    chat: Address
    began: float
    by: Process
    is_edit: bool
    shown: Shown | None = None
    told: str = ""
    ended: float | None = None
    wait: float = 0.0

    @property
    def is_unknown(self) -> bool:
        """The sender cannot know whether it appeared."""
        return self.told in ("", "unknown")


@dataclass(frozen=True, slots=True)
class Act:
    """Something a person did: a tap with its data, or words."""

    at: float
    person: str
    chat: Address
    what: str
    said: str
    update_key: str = ""


@dataclass(slots=True)
class Records:
    shown: list[Shown] = field(default_factory=list)
    attempts: list[Attempt] = field(default_factory=list)
    acts: list[Act] = field(default_factory=list)

    def of_letter(self, letter: str) -> Iterator[Attempt]:
        return (one for one in self.attempts if one.letter == letter)
