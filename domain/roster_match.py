"""Which units of a roster are which of those stored: by code, else by name and place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from domain.names import same_name_key
from domain.roster_units import Unit

LONGEST_CODE = 60


@dataclass(frozen=True, slots=True)
class StoredUnit:
    id: int
    code: str
    name: str
    parent_id: int | None = None
    closed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Placed:
    """A unit of the file as it will be stored, below the unit with the code `parent`."""

    code: str
    name: str
    parent: str


@dataclass(slots=True)
class Matched:
    """`codes`: stored id to the code after the import; `of_file`: code in the file to the code after the import.

    `moved` holds (id, code, name, parent before, parent after); `renamed` (id, code before, code, name before, name).
    """

    codes: dict[int, str] = field(default_factory=dict)
    of_file: dict[str, str] = field(default_factory=dict)
    new: list[Placed] = field(default_factory=list)
    moved: list[tuple[int, str, str, str, str]] = field(default_factory=list)
    renamed: list[tuple[int, str, str, str, str]] = field(default_factory=list)
    closed: list[StoredUnit] = field(default_factory=list)
    reopened: list[StoredUnit] = field(default_factory=list)


def match(stored: Sequence[StoredUnit], said: Sequence[Unit]) -> Matched:
    """Set the file's units beside the stored ones. Units without a parent belong to the organisation itself.

    The organisation (the stored unit without a parent) never closes, moves or changes; a unit at the top of the
    file that has its code or name is the organisation.
    """
    ordered = list(top_down(said))
    pairs = _Pairs(stored, ordered)
    same = {unit.code: pairs.find(unit) for unit in ordered}
    found = Matched(codes={one.id: one.code for one in stored})
    taken = {one.code.casefold() for one in stored} | {unit.code.casefold() for unit in ordered if not unit.made}
    for unit in ordered:
        one = same[unit.code]
        if one is None:
            parent = found.of_file[unit.parent] if unit.parent else pairs.root.code
            code = _free(unit.code, parent, taken) if unit.made else unit.code
            taken.add(code.casefold())
            found.new.append(Placed(code, unit.name, parent))
        else:
            keeps = unit.made or one == pairs.root or one.code.casefold() == unit.code.casefold()
            code = found.codes[one.id] = one.code if keeps else unit.code
        found.of_file[unit.code] = code
    for unit in ordered:
        if (one := same[unit.code]) is not None and one != pairs.root:
            _note(found, one, unit, found.of_file[unit.parent] if unit.parent else pairs.root.code)
    matched = {one.id for one in same.values() if one}
    found.closed = [
        one for one in stored if one.closed_at is None and one.id not in matched and one.id != pairs.root.id
    ]
    return found


def _note(found: Matched, one: StoredUnit, unit: Unit, parent: str) -> None:
    code = found.codes[one.id]
    before = found.codes[one.parent_id] if one.parent_id is not None else ""
    if before != parent:
        found.moved.append((one.id, code, unit.name, before, parent))
    if one.name != unit.name or one.code != code:
        found.renamed.append((one.id, one.code, code, one.name, unit.name))
    if one.closed_at is not None:
        found.reopened.append(one)


class _Pairs:
    """Finds for each unit of the file, parents first, the stored one it is. No stored unit is found twice."""

    def __init__(self, stored: Sequence[StoredUnit], ordered: Sequence[Unit]) -> None:
        self.root = next(one for one in stored if one.parent_id is None)
        others = [one for one in stored if one.id != self.root.id]
        self.by_code = {one.code.casefold(): one for one in others}
        self.in_place: dict[tuple[int, str], list[StoredUnit]] = {}
        for one in sorted(others, key=lambda one: (one.closed_at is not None, one.id)):
            assert one.parent_id is not None
            self.in_place.setdefault((one.parent_id, same_name_key(one.name)), []).append(one)
        self.found: dict[str, StoredUnit | None] = {}
        self.named = {unit.code.casefold() for unit in ordered if not unit.made}
        self.used = {self.by_code[code].id for code in self.named & self.by_code.keys()}

    def find(self, unit: Unit) -> StoredUnit | None:
        one = self._find(unit)
        if one is not None:
            self.used.add(one.id)
        self.found[unit.code] = one
        return one

    def _find(self, unit: Unit) -> StoredUnit | None:
        code = unit.code.casefold()
        if not unit.made and code in self.by_code:
            return self.by_code[code]
        if self._is_root(unit):
            return self.root
        above = self.found[unit.parent] if unit.parent else self.root
        here = self.in_place.get((above.id, same_name_key(unit.name)), []) if above else []
        # A code written for the first time renames the unit that stood here without it; a closed one stays closed.
        fits = [one for one in here if one.id not in self.used and (unit.made or one.closed_at is None)]
        if fits:
            return fits[0]
        one = self.by_code.get(code) if unit.made else None
        return one if one and one.id not in self.used and one.closed_at is None else None

    def _is_root(self, unit: Unit) -> bool:
        if self.root.id in self.used:
            return False
        if not unit.made and unit.code.casefold() == self.root.code.casefold():
            return True
        return unit.parent is None and same_name_key(unit.name) == same_name_key(self.root.name)


def top_down(units: Sequence[Unit]) -> Iterator[Unit]:
    """Each unit after the one it belongs to; one whose parent is not there, or that is above itself, has none."""
    known = {unit.code for unit in units}
    below: dict[str | None, list[Unit]] = {}
    for unit in units:
        below.setdefault(unit.parent if unit.parent in known else None, []).append(unit)
    yet = {unit.code for unit in units}
    for unit in _from(below, [Unit(one.code, one.name, None, one.made) for one in below.get(None, [])]):
        yet.discard(unit.code)
        yield unit
    for unit in units:
        if unit.code in yet:
            yet.discard(unit.code)
            yield Unit(unit.code, unit.name, None, unit.made)


def _from(below: Mapping[str | None, Sequence[Unit]], tops: Iterable[Unit]) -> Iterator[Unit]:
    level = list(tops)
    while level:
        yield from level
        level = [child for unit in level for child in below.get(unit.code, [])]


def _free(code: str, parent: str, taken: set[str]) -> str:
    """A made code that nothing else has, told apart by the parent's, then by a number."""
    if code.casefold() not in taken:
        return code
    longer = f"{parent[: LONGEST_CODE // 2].casefold()}.{code}"[: LONGEST_CODE - 5]
    number = 1
    candidate = longer
    while candidate.casefold() in taken:
        number += 1
        candidate = f"{longer}-{number}"
    return candidate
