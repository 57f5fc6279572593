"""Reading a roster as offices send it: people, units, and everything that is wrong, by row and column."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from domain.roster_header import Header, find_header
from domain.roster_person import Entry, PeopleReader
from domain.roster_rows import PersonRow, person_rows
from domain.roster_sheet import Problem, Severity, Sheet, words
from domain.roster_units import Mention, Place, Unit, Units

__all__ = ["MAX_PEOPLE", "Entry", "ParsedRoster", "Problem", "RosterRefused", "Sheet", "Unit", "parse_roster"]

MAX_PEOPLE = 20_000
MAX_PROBLEMS = 5_000


class RosterRefused(Exception):
    """The whole file is refused: `key` is the sentence to show with `values`."""

    def __init__(self, key: str, values: Mapping[str, str | int] | None = None) -> None:
        super().__init__(key)
        self.key = key
        self.values: Mapping[str, str | int] = values or {}


@dataclass(frozen=True, slots=True)
class ParsedRoster:
    """What a file says. Rows with errors are not among the entries, so a file with errors is not the whole roster."""

    entries: Sequence[Entry] = ()
    units: Sequence[Unit] = ()
    problems: Sequence[Problem] = ()

    @property
    def errors(self) -> Sequence[Problem]:
        return [problem for problem in self.problems if problem.severity == "error"]

    @property
    def warnings(self) -> Sequence[Problem]:
        return [problem for problem in self.problems if problem.severity == "warning"]


def parse_roster(sheets: Sequence[Sheet], today: date) -> ParsedRoster:
    """Read every sheet that has a header; other sheets are passed over. Never raises for what a file holds."""
    if not any(words(cell) for sheet in sheets for row in sheet.rows for cell in row):
        return refused("empty_file")
    headed = [(sheet, header) for sheet in sheets if (header := find_header(sheet)) is not None]
    if not headed:
        return refused("no_header")
    peopled = [(sheet, header) for sheet, header in headed if header.lists_people]
    if not peopled:
        return refused("no_name_column")
    coded = [(sheet, header) for sheet, header in peopled if "code" in header.columns]
    if not coded:
        return refused("no_code_column")
    found = [(sheet, header, person_rows(sheet, header)) for sheet, header in coded]
    count = sum(len(rows) for _, _, rows in found)
    if count > MAX_PEOPLE:
        return refused("too_many_rows", {"rows": count, "most": MAX_PEOPLE})
    if not count:
        return refused("no_people")
    skipped = [_skipped(sheet) for sheet, header in peopled if "code" not in header.columns]
    return _read(found, [(sheet, header) for sheet, header in headed if header.lists_units], skipped, today)


def refused(key: str, values: Mapping[str, str | int] | None = None) -> ParsedRoster:
    """A roster of nobody, with the one problem of the whole file."""
    return ParsedRoster(problems=(Problem(0, "", "error", f"roster.{key}", values or {}),))


def _skipped(sheet: Sheet) -> Problem:
    return Problem(0, "", "warning", "roster.sheet_without_codes", {"sheet": sheet.name}, sheet.name)


def _read(
    found: Sequence[tuple[Sheet, Header, Sequence[PersonRow]]],
    unit_lists: Sequence[tuple[Sheet, Header]],
    problems: list[Problem],
    today: date,
) -> ParsedRoster:
    units = Units()
    for sheet, header in unit_lists:
        _read_units(units, sheet, header)
    drafts: list[tuple[Entry, int | None]] = []
    for sheet, header, rows in found:
        reader = PeopleReader(sheet, header, units, today, sheet_is_unit=len(found) > 1)
        reader.read(rows)
        problems += reader.problems
        drafts += reader.drafts
    headers = {sheet.name: header for sheet, header, _ in found}
    people = [entry for entry, _ in drafts]
    problems += _repeats(headers, "code", [(entry.staff_code, entry) for entry in people], "error")
    problems += _repeats(headers, "phone", [(entry.phone or "", entry) for entry in people], "warning")
    settled = units.settle()
    problems += units.problems
    wrong = {(problem.sheet, problem.row) for problem in problems if problem.severity == "error"}
    entries = [
        replace(entry, unit=settled[number].code)
        for entry, number in drafts
        if number is not None and (entry.sheet, entry.row) not in wrong
    ]
    order = {sheet.name: place for place, (sheet, _, _) in enumerate(found)}
    problems.sort(key=lambda problem: (order.get(problem.sheet, -1), problem.row))
    return ParsedRoster(entries, settled, _most_important(problems))


def _most_important(problems: list[Problem]) -> list[Problem]:
    """At most `MAX_PROBLEMS`, errors before warnings, and how many more there are."""
    if len(problems) <= MAX_PROBLEMS:
        return problems
    ranked = sorted(problems, key=lambda problem: problem.severity)
    more = len(problems) - MAX_PROBLEMS
    return [Problem(0, "", ranked[0].severity, "roster.more_problems", {"n": more}), *ranked[:MAX_PROBLEMS]]


def _read_units(units: Units, sheet: Sheet, header: Header) -> None:
    """A sheet that lists units only: code, name, what each belongs to."""
    for number in range(header.first, len(sheet.rows)):
        code = words(sheet.at(number, header.columns.get("unit_code", -1)))
        name = words(sheet.at(number, header.units[-1]))
        above = words(sheet.at(number, header.columns.get("parent", -1)))
        if name and (code or above):
            place = Place(number + 1, header.unit_label(), sheet.name)
            units.mention(Mention(code, name, (above,) if above else ()), place)


def _repeats(
    headers: Mapping[str, Header], field: str, said: Iterable[tuple[str, Entry]], severity: Severity
) -> list[Problem]:
    """A problem on every row whose value stands in another row too."""
    groups: dict[str, list[tuple[str, Entry]]] = {}
    for value, entry in said:
        if value:
            groups.setdefault(value.casefold(), []).append((value, entry))
    problems: list[Problem] = []
    for group in groups.values():
        for place, (value, entry) in enumerate(group if len(group) > 1 else ()):
            other = group[1 if place == 0 else 0][1]
            values: dict[str, str | int] = {"value": value, "row": other.row, "sheet": other.sheet}
            column = headers[entry.sheet].label(field)
            problems.append(Problem(entry.row, column, severity, f"roster.{field}_twice", values, entry.sheet))
    return problems
