"""The figures of a kind of round on a day, for every unit, from one query in one consistent read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from fractions import Fraction

from domain.campaign import DRILL
from domain.completion import completion
from storage import figures, rounds, units
from storage.database import Session
from storage.rounds import Round
from storage.units import Unit


@dataclass(slots=True)
class Standing:
    """Counts of one unit and everything below it. Every one of those due is answered, excused or missing, once."""

    unit: Unit
    due: int = 0
    answered: int = 0
    late: int = 0
    proxy: int = 0
    excused: Counter[str] = field(default_factory=Counter)
    missing: Counter[str] = field(default_factory=Counter)
    levels: Counter[str] = field(default_factory=Counter)

    def add(self, group: figures.Group) -> None:
        self.due += group.count
        if group.state == "answered":
            self.answered += group.count
            self.late += group.count if group.late else 0
            self.proxy += group.count if group.proxy else 0
            self.levels[group.level] += group.count
        elif group.state == "excused":
            self.excused[group.reason] += group.count
        else:
            self.missing[group.reach] += group.count

    @property
    def completion(self) -> Fraction | None:
        return completion(self.due, self.answered, self.excused.total())


@dataclass(frozen=True, slots=True)
class Status:
    """How every unit stood at `at` in the rounds of one kind on one day, each after its parent."""

    kind: str
    day: date
    at: datetime
    rounds: tuple[Round, ...]
    units: tuple[Standing, ...]

    def main(self, path: str) -> Round | None:
        """The round whose hours are this unit's."""
        return main_round(self.rounds, self.kind, path)

    def of(self, path: str) -> Standing | None:
        return next((one for one in self.units if one.unit.path == path), None)

    def below(self, path: str) -> list[Standing]:
        """The units directly below this one that have anybody due."""
        depth = path.count("/") + 1
        inside = [one for one in self.units if one.due and one.unit.path.startswith(path)]
        return [one for one in inside if one.unit.path.count("/") == depth]


def main_round(of_day: Sequence[Round], kind: str, unit_path: str) -> Round | None:
    """The round whose hours are this unit's: the nearest above it, else the last to close of those below it.

    Of two equally near, the one that asked counts, not the one that an outage swallowed.
    """
    mine = [one for one in of_day if one.kind == kind]
    above = [one for one in mine if unit_path.startswith(one.unit_path)]
    below = [one for one in mine if one.unit_path.startswith(unit_path)]
    if above:
        return max(above, key=lambda one: (len(one.unit_path), not one.not_asked))
    return max(below, key=lambda one: one.closes_at, default=None)


async def of_kind(session: Session, day: date, kind: str, now: datetime) -> Status | None:
    """The status of all units, or None if no round of this kind has opened that day."""
    mine = [one for one in await rounds.on(session, day, drills=kind == DRILL) if one.kind == kind]
    if not mine:
        return None
    groups = await figures.of_rounds(session, [one.id for one in mine])
    return Status(kind, day, now, tuple(mine), tuple(_rolled_up(await units.everything(session), groups)))


async def of_day(session: Session, day: date, now: datetime) -> list[Status]:
    """The status of each kind of round that has opened that day, in order."""
    kinds = dict.fromkeys(one.kind for one in await rounds.on(session, day))
    found = [await of_kind(session, day, kind, now) for kind in kinds]
    return [status for status in found if status]


def inside(status: Status, scope: Collection[str]) -> list[Standing]:
    """The standings that somebody with this scope may see."""
    return [one for one in status.units if any(one.unit.path.startswith(path) for path in scope)]


def _rolled_up(tree: Sequence[Unit], groups: Sequence[figures.Group]) -> list[Standing]:
    standings = {unit.id: Standing(unit) for unit in tree}
    for group in groups:
        for part in standings[group.unit_id].unit.path.strip("/").split("/"):
            standings[int(part)].add(group)
    return [one for one in standings.values() if one.due or one.unit.is_open]
