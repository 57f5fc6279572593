"""What a roster would change: the difference between the people, units and posts stored and those of a file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime

from domain.policy import FROM_ROSTER, Role
from domain.refusal import Refusal
from domain.roster import Entry, ParsedRoster
from domain.roster_match import Matched, StoredUnit, match
from domain.roster_sheet import Problem, Severity

MOST_LEAVING = 0.30
"""A file without more than this share of the current staff is taken for a partial list, unless it is insisted on."""
FIELDS = ("name", "phone", "title")


@dataclass(frozen=True, slots=True)
class StoredPerson:
    id: int
    staff_code: str
    name: str
    phone: str
    title: str
    unit_id: int
    left_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class StoredPost:
    """A post that has not ended, waiting or in force. `source` is "roster" if a file asked for it."""

    id: int
    person_id: int
    unit_id: int
    role: str
    source: str


@dataclass(frozen=True, slots=True)
class Stored:
    """Everybody and every unit there ever was, and the posts that have not ended. One unit has no parent: the root."""

    people: Sequence[StoredPerson] = ()
    units: Sequence[StoredUnit] = ()
    posts: Sequence[StoredPost] = ()


@dataclass(frozen=True, slots=True)
class Join:
    """Somebody new. `unit` is the code that the unit has after the import, here and in all other changes."""

    staff_code: str
    name: str
    phone: str
    title: str
    unit: str


@dataclass(frozen=True, slots=True)
class Return:
    """Somebody who had left and is in the file again, with all that it says of them."""

    person_id: int
    staff_code: str
    name: str
    phone: str
    title: str
    unit: str


@dataclass(frozen=True, slots=True)
class Leave:
    person_id: int
    staff_code: str
    name: str
    unit: str


@dataclass(frozen=True, slots=True)
class Move:
    person_id: int
    staff_code: str
    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Change:
    """`field` is one of `FIELDS`; an empty text stands for nothing."""

    person_id: int
    staff_code: str
    name: str
    field: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class PostAsked:
    """A role the file asks for; it waits for an administrator."""

    staff_code: str
    name: str
    unit: str
    role: Role


@dataclass(frozen=True, slots=True)
class PostEnded:
    post_id: int
    staff_code: str
    name: str
    unit: str
    role: Role


@dataclass(frozen=True, slots=True)
class NewUnit:
    code: str
    name: str
    parent: str


@dataclass(frozen=True, slots=True)
class MovedUnit:
    """`before` and `after` are the codes of the units it belonged and will belong to."""

    unit_id: int
    code: str
    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class RenamedUnit:
    """Another name, or another code for the unit of the same name in the same place."""

    unit_id: int
    code_before: str
    code: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class UnitGone:
    unit_id: int
    code: str
    name: str


@dataclass(frozen=True, slots=True)
class UnitBack:
    """A unit that had been closed and is in the file again."""

    unit_id: int
    code: str
    name: str


@dataclass(frozen=True, slots=True)
class Plan:
    """Every change an import would make, and every problem. `stored` is what it was compared with."""

    stored: Stored = field(default_factory=Stored, repr=False)
    joins: Sequence[Join] = ()
    returns: Sequence[Return] = ()
    leaves: Sequence[Leave] = ()
    moves: Sequence[Move] = ()
    changes: Sequence[Change] = ()
    posts_asked: Sequence[PostAsked] = ()
    posts_no_longer_asked: Sequence[PostEnded] = ()
    new_units: Sequence[NewUnit] = ()
    moved_units: Sequence[MovedUnit] = ()
    renamed_units: Sequence[RenamedUnit] = ()
    closed_units: Sequence[UnitGone] = ()
    reopened_units: Sequence[UnitBack] = ()
    problems: Sequence[Problem] = ()

    @property
    def errors(self) -> Sequence[Problem]:
        return [problem for problem in self.problems if problem.severity == "error"]

    @property
    def is_applicable(self) -> bool:
        """A file with any error is applied not even in part."""
        return not self.errors

    @property
    def needs_force(self) -> bool:
        """Nothing is wrong but that so many would leave; comparing again with `force` makes it applicable."""
        return [problem.key for problem in self.errors] == ["roster_plan.too_many_leave"]

    @property
    def counts(self) -> Mapping[str, int]:
        """How many changes there are of each kind, by the names of the fields above."""
        kinds = [one.name for one in fields(self) if one.name not in ("stored", "problems")]
        return {kind: len(getattr(self, kind)) for kind in kinds}

    @property
    def is_empty(self) -> bool:
        """The file says what is stored already."""
        return not any(self.counts.values())


class ImportRefused(Refusal):
    """The plan has errors, or what is stored has changed since it was made."""


def require_applicable(plan: Plan, stored: Stored) -> None:
    """Raises ImportRefused unless the plan is without errors and made of what is stored now."""
    if not plan.is_applicable:
        raise ImportRefused("roster_plan.has_errors", {"n": len(plan.errors)})
    if plan.stored != stored:
        raise ImportRefused("roster_plan.outdated")


@dataclass(frozen=True, slots=True)
class _Said:
    """What the file speaks of at all: without any phone, title or role in it, it has no such column."""

    phones: bool
    titles: bool
    roles: bool


def compare(stored: Stored, parsed: ParsedRoster, *, force: bool = False) -> Plan:
    """What it takes to make the store say what the file says. With `force`, even if most people would leave.

    People are known by staff code, units by code, or by name and place where the file has no unit codes.
    A file in which nobody has a phone, a title or a role says nothing of those, and they stay.
    """
    said = _Said(
        any(entry.phone for entry in parsed.entries),
        any(entry.title for entry in parsed.entries),
        any(entry.roles for entry in parsed.entries),
    )
    units = match(stored.units, parsed.units)
    known = {person.staff_code.casefold(): person for person in stored.people}
    met = [(entry, known.get(entry.staff_code.casefold())) for entry in parsed.entries]
    present = {person.id for _, person in met if person}
    staff = [person for person in stored.people if person.left_at is None]
    leaves = [
        Leave(person.id, person.staff_code, person.name, units.codes[person.unit_id])
        for person in staff
        if person.id not in present
    ]
    asked, ended = _posts(stored, met, units, said)
    stayed = [(entry, person) for entry, person in met if person and person.left_at is None]
    return Plan(
        stored,
        joins=[_join(entry, units) for entry, person in met if person is None],
        returns=[_return(entry, person, units, said) for entry, person in met if person and person.left_at],
        leaves=leaves,
        moves=list(_moves(stayed, units)),
        changes=list(_changes(stayed, said)),
        posts_asked=asked,
        posts_no_longer_asked=ended,
        new_units=[NewUnit(one.code, one.name, one.parent) for one in units.new],
        moved_units=[MovedUnit(*one) for one in units.moved],
        renamed_units=[RenamedUnit(*one) for one in units.renamed],
        closed_units=[UnitGone(one.id, one.code, one.name) for one in units.closed],
        reopened_units=[UnitBack(one.id, units.codes[one.id], one.name) for one in units.reopened],
        problems=[*_whole_file(stored, leaves, len(staff), force), *parsed.problems],
    )


def _join(entry: Entry, units: Matched) -> Join:
    return Join(entry.staff_code, entry.name, entry.phone or "", entry.title, units.of_file[entry.unit])


def _return(entry: Entry, person: StoredPerson, units: Matched, said: _Said) -> Return:
    phone = (entry.phone or "") if said.phones else person.phone
    title = entry.title if said.titles else person.title
    return Return(person.id, person.staff_code, entry.name, phone, title, units.of_file[entry.unit])


def _moves(stayed: Sequence[tuple[Entry, StoredPerson]], units: Matched) -> Iterator[Move]:
    for entry, person in stayed:
        before, after = units.codes[person.unit_id], units.of_file[entry.unit]
        if before != after:
            yield Move(person.id, person.staff_code, entry.name, before, after)


def _changes(stayed: Sequence[tuple[Entry, StoredPerson]], said: _Said) -> Iterator[Change]:
    for entry, person in stayed:
        if entry.name != person.name:
            yield _change(entry, person, "name", person.name, entry.name)
        if said.phones and (entry.phone or "") != person.phone:
            yield _change(entry, person, "phone", person.phone, entry.phone or "")
        if said.titles and entry.title != person.title:
            yield _change(entry, person, "title", person.title, entry.title)


def _change(entry: Entry, person: StoredPerson, what: str, before: str, after: str) -> Change:
    return Change(person.id, person.staff_code, entry.name, what, before, after)


def _posts(
    stored: Stored, met: Sequence[tuple[Entry, StoredPerson | None]], units: Matched, said: _Said
) -> tuple[list[PostAsked], list[PostEnded]]:
    """Roles newly asked for, and posts of those who stay that this file, unlike an earlier one, does not ask for."""
    staying = {person.id: (entry, units.of_file[entry.unit]) for entry, person in met if person and not person.left_at}
    held: set[tuple[int, str, str]] = set()
    ended: list[PostEnded] = []
    for post in stored.posts:
        code = units.codes[post.unit_id]
        held.add((post.person_id, code, post.role))
        if post.source != "roster" or post.person_id not in staying:
            continue
        entry, unit = staying[post.person_id]
        if unit != code or (said.roles and post.role not in entry.roles):
            ended.append(PostEnded(post.id, entry.staff_code, entry.name, code, Role(post.role)))
    asked = [
        PostAsked(entry.staff_code, entry.name, units.of_file[entry.unit], Role(role))
        for entry, person in met
        for role in sorted(entry.roles & FROM_ROSTER)
        if person is None or (person.id, units.of_file[entry.unit], role) not in held
    ]
    return asked, ended


def _whole_file(stored: Stored, leaves: Sequence[Leave], staff: int, force: bool) -> Iterator[Problem]:
    if len(leaves) > MOST_LEAVING * staff:
        severity: Severity = "warning" if force else "error"
        yield Problem(0, "", severity, "roster_plan.too_many_leave", {"n": len(leaves), "all": staff})
    appointed = {post.person_id for post in stored.posts if post.source != "roster"}
    for leave in leaves:
        if leave.person_id in appointed:
            yield Problem(0, "", "warning", "roster_plan.leaver_has_post", {"code": leave.staff_code})
