"""The units a roster names, made one tree: by code, by what each belongs to, or by the shape of the codes."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from domain.names import folded, same_name_key
from domain.roster_sheet import Problem, Severity

LONGEST_CODE = 60
SHOWN_IN_CIRCLE = 6
AMBIGUOUS = -1
_NOT_CODE = re.compile(r"[^a-z0-9]+")
_CODE_STEP = re.compile(r"[.\-_/ ]")


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of the file. `parent` is the code of the unit it belongs to; `made`: the code was made from the name."""

    code: str
    name: str
    parent: str | None = None
    made: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """Where a unit was written, for pointing at it: 1-based row, header or letter, sheet."""

    row: int
    column: str
    sheet: str = ""


@dataclass(frozen=True, slots=True)
class Mention:
    """One row's words for a unit: its code or name, and the names or codes of what it belongs to, broadest first."""

    code: str
    name: str
    above: tuple[str, ...] = ()


@dataclass(slots=True)
class _Node:
    code: str
    name: str
    place: Place
    parent: int | None = None
    made: str = ""


@dataclass(slots=True)
class Units:
    """Collects mentions row by row, then settles them into a tree. `node` numbers stand for units until then."""

    nodes: list[_Node] = field(default_factory=list)
    by_code: dict[str, int] = field(default_factory=dict)
    by_name: dict[str, list[int]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    _seen: dict[Mention, int | None] = field(default_factory=dict)

    def mention(self, said: Mention, place: Place) -> int | None:
        """The node of the unit a row names, made if new; None if the words fit several units."""
        if said not in self._seen:
            self._seen[said] = self._place(said, place)
        return self._seen[said]

    def _place(self, said: Mention, place: Place) -> int | None:
        above: int | None = None
        for step, label in enumerate(said.above):
            above = self._named("", label, above if step else None, place)
        return self._named(said.code, said.name, above, place)

    def _named(self, code: str, name: str, parent: int | None, place: Place) -> int | None:
        key = same_name_key(name)
        found = self.by_code.get(code.casefold()) if code else self.by_code.get(name.casefold())
        if found is None and not code:
            found = self._by_name(key, parent)
            if found == AMBIGUOUS:
                return None
        if found is None and code:
            found = self._adopt({same_name_key(code), key}, parent)
        if found is None:
            return self._add(code, name or code, parent, place)
        self._refine(found, code, name, parent, place)
        return found

    def _by_name(self, key: str, parent: int | None) -> int | None:
        known = self.by_name.get(key, [])
        if parent is None:
            return AMBIGUOUS if len(known) > 1 else next(iter(known), None)
        if parent in known:  # a unit of the same name within itself is that unit
            return parent
        free = [number for number in known if self.nodes[number].parent is None]
        same = [number for number in known if self.nodes[number].parent == parent]
        return next(iter(same or free), None)

    def _adopt(self, keys: Iterable[str], parent: int | None) -> int | None:
        """A unit first met without a code, for example as somebody's superior, now met with it."""
        known = [number for key in sorted(keys) for number in self.by_name.get(key, [])]
        bare = [n for n in known if not self.nodes[n].code and self.nodes[n].parent in (None, parent)]
        return bare[0] if len(bare) == 1 else None

    def _add(self, code: str, name: str, parent: int | None, place: Place) -> int:
        number = len(self.nodes)
        self.nodes.append(_Node(code, name, place, parent))
        self.by_name.setdefault(same_name_key(name), []).append(number)
        if code:
            self.by_code[code.casefold()] = number
        return number

    def _refine(self, number: int, code: str, name: str, parent: int | None, place: Place) -> None:
        node = self.nodes[number]
        if code and not node.code:
            node.code = code
            self.by_code[code.casefold()] = number
        if name and node.name.isupper() and not name.isupper() and same_name_key(name) == same_name_key(node.name):
            node.name = name
        elif name and code and same_name_key(name) != same_name_key(node.name):
            if node.name.casefold() == code.casefold():  # known by its code alone until now
                node.name = name
                self.by_name.setdefault(same_name_key(name), []).append(number)
            else:
                values = {"code": code, "unit": node.name, "other": name}
                self._problem(place, "roster.unit_two_names", values, severity="warning")
        if parent is None or parent == number:
            return
        if node.parent is None:
            node.parent = parent
        elif node.parent != parent:
            values = {"unit": node.name, "above": self.nodes[node.parent].name, "other": self.nodes[parent].name}
            self._problem(place, "roster.unit_two_parents", values)

    def _problem(self, place: Place, key: str, values: Mapping[str, str | int], severity: Severity = "error") -> None:
        self.problems.append(Problem(place.row, place.column, severity, key, values, place.sheet))

    def settle(self) -> Sequence[Unit]:
        """Every unit with a code of its own, parents by code prefix where none was said, circles reported and cut."""
        self._parents_by_code()
        self._cut_circles()
        for number, made in enumerate(_made_codes(self.nodes)):
            self.nodes[number].made = made
        return [self.unit(number) for number in range(len(self.nodes))]

    def unit(self, number: int) -> Unit:
        """A unit of the settled tree."""
        node = self.nodes[number]
        above = None if node.parent is None else self.nodes[node.parent]
        parent = None if above is None else above.code or above.made
        return Unit(node.code or node.made, node.name, parent, made=not node.code)

    def _parents_by_code(self) -> None:
        for number, node in enumerate(self.nodes):
            if node.parent is None and node.code:
                above = next((self.by_code[p] for p in _prefixes(node.code.casefold()) if p in self.by_code), None)
                node.parent = above if above != number else None

    def _cut_circles(self) -> None:
        sound: set[int] = set()
        for start in range(len(self.nodes)):
            path: dict[int, None] = {}
            here: int | None = start
            while here is not None and here not in sound and here not in path:
                path[here] = None
                here = self.nodes[here].parent
            if here is not None and here in path:
                self._cut(list(path)[list(path).index(here) :])
            sound.update(path)

    def _cut(self, ring: Sequence[int]) -> None:
        names = " → ".join(self.nodes[number].name for number in [*ring[:SHOWN_IN_CIRCLE], ring[0]])
        self._problem(self.nodes[ring[0]].place, "roster.unit_circle", {"units": names})
        for number in ring:
            self.nodes[number].parent = None


def _prefixes(code: str) -> Iterable[str]:
    """`p01.02.03` → `p01.02`, `p01`: the nearest first."""
    cuts = [match.start() for match in _CODE_STEP.finditer(code) if match.start()]
    return (code[:cut] for cut in reversed(cuts))


def _slug(name: str) -> str:
    slug = _NOT_CODE.sub("-", folded(name)).strip("-") or "unit"
    if len(slug) <= LONGEST_CODE and slug != "unit":
        return slug
    return f"{slug[: LONGEST_CODE - 7].rstrip('-')}-{_mark(name)}"


def _mark(name: str) -> str:
    return hashlib.sha256(same_name_key(name).encode()).hexdigest()[:6]


def _made_codes(nodes: Sequence[_Node]) -> list[str]:
    """A code from each name, the same at every import; units that would share one are told apart by their parent's."""
    slugs = [_slug(node.name) for node in nodes]
    taken = {node.code.casefold() for node in nodes if node.code}
    counts: dict[str, int] = {}
    for slug in slugs:
        counts[slug] = counts.get(slug, 0) + 1
    codes: list[str] = []
    for node, slug in zip(nodes, slugs, strict=True):
        code = slug
        if counts[slug] > 1 or code in taken:
            above = slugs[node.parent] if node.parent is not None else _mark(node.name)
            code = f"{above[: LONGEST_CODE - 8]}.{slug}"[:LONGEST_CODE]
        while code in taken:
            code = f"{code[: LONGEST_CODE - 7]}-{_mark(code + node.name)}"
        if not node.code:
            taken.add(code)
        codes.append(code)
    return codes
