"""One row of a roster made one person: name, code, phone, unit, wishes for roles, and what is wrong with each."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise

from domain.names import folded, tidy_name
from domain.phones import read_phones
from domain.roster_header import Header, column_title
from domain.roster_rows import PersonRow
from domain.roster_sheet import Cell, Problem, Severity, Sheet, date_of, words, year_of
from domain.roster_units import Mention, Place, Units

YOUNGEST, OLDEST = 15, 100
LONGEST = 120
LONGEST_CODE = 40

_BETWEEN_ROLES = re.compile(r"[,;/+&\n]| - | va | and ")
_HEAD = re.compile(
    r"thu truong(?: don vi| co quan)?|truong(?: phong| don vi| ban| bo phan| khoa| to| doi| tram| hat)?"
    r"|head(?: of unit)?|chi huy|manager|nguoi dung dau(?: don vi| co quan)?|chi cuc truong"
)
_FOCAL = re.compile(
    r"(?:can bo |nguoi |lam )?dau moi(?: don vi| khai bao| lien he| thong tin)?|focal(?: point| person)?"
)
_NO_ROLE = re.compile(r"-*|khong(?: co)?|none|no|nhan vien|can bo|staff|chuyen vien|nguoi lao dong|member|thanh vien|x")
_NOT_BY_IMPORT = re.compile(
    r"quan tri(?: vien| he thong)?|admin(?:istrator)?|ban chi dao|bcd|thanh vien (?:ban chi dao|bcd)"
    r"|steering(?: committee)?|bao ve|guard"
)
_NO_PHONE = re.compile(r"[-x0. ]*|(?:khong|chua) (?:co|ro|cung cap)|none|n/a")
_ODD_IN_NAME = re.compile(r"[^\w\s'’.\-()]|_|\d{3,}")
_CODE = re.compile(r"[\w.\-/]+")


@dataclass(frozen=True, slots=True)
class Entry:
    """One person of the file. `unit` is the code of one of its units; `roles` are wishes an administrator confirms."""

    staff_code: str
    name: str
    unit: str
    row: int
    phone: str | None = None
    title: str = ""
    roles: frozenset[str] = frozenset()
    birth_date: date | None = None
    sheet: str = ""


@dataclass(frozen=True, slots=True)
class _UnitWords:
    """What a row says about its unit: names from the broadest to the finest, its code, what it belongs to."""

    names: tuple[str, ...]
    code: str = ""
    parent: str = ""

    @property
    def blank(self) -> bool:
        return not (any(self.names) or self.code)


@dataclass(slots=True)
class PeopleReader:
    """Reads the people of one sheet. `drafts` pair each entry with the number of its unit, or None if it has none."""

    sheet: Sheet
    header: Header
    units: Units
    today: date
    sheet_is_unit: bool
    drafts: list[tuple[Entry, int | None]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def read(self, rows: Sequence[PersonRow]) -> None:
        for person, unit in zip(rows, self._units_of(rows), strict=True):
            self._read(person, unit)

    def _read(self, person: PersonRow, unit: _UnitWords) -> None:
        row = person.row
        entry = Entry(
            self._code(row),
            self._name(row),
            "",
            row + 1,
            self._phone(row),
            words(self._cell(row, "title"))[:LONGEST],
            self._roles(row),
            self._birth_date(row),
            self.sheet.name,
        )
        self.drafts.append((entry, self._unit(row, unit)))

    def _cell(self, row: int, name: str) -> Cell:
        return self.sheet.at(row, self.header.columns.get(name, -1))

    def _problem(
        self, row: int, name: str, key: str, severity: Severity = "error", values: Mapping[str, str | int] | None = None
    ) -> None:
        column = self.header.columns.get(name)
        if name == "unit":
            column = self.header.units[-1] if self.header.units else self.header.columns.get("unit_code")
        title = "" if column is None else column_title(self.header, column)
        self.problems.append(Problem(row + 1, title, severity, f"roster.{key}", values or {}, self.sheet.name))

    def _code(self, row: int) -> str:
        code = words(self._cell(row, "code")).replace(" ", "")
        if not code:
            self._problem(row, "code", "code_missing")
        elif len(code) > LONGEST_CODE or not _CODE.fullmatch(code):
            self._problem(row, "code", "code_odd", values={"value": code[:LONGEST_CODE]})
        return code

    def _name(self, row: int) -> str:
        field_name = "name" if "name" in self.header.columns else "given"
        parts = ("name",) if field_name == "name" else ("family", "given")
        cells = [self._cell(row, part) for part in parts]
        name = tidy_name(" ".join(cell if isinstance(cell, str) else words(cell) for cell in cells))
        if not name:
            self._problem(row, field_name, "name_missing")
        elif len(name) > LONGEST or not any(sign.isalpha() for sign in name):
            self._problem(row, field_name, "name_unreadable", values={"value": name[:LONGEST]})
        elif _ODD_IN_NAME.search(name):
            self._problem(row, field_name, "name_odd", "warning", {"value": name})
        return name

    def _phone(self, row: int) -> str | None:
        cell = self._cell(row, "phone")
        phones = read_phones(cell) if isinstance(cell, str | int | float) else ()
        if not phones:
            said = words(cell)
            if not _NO_PHONE.fullmatch(folded(said)):
                self._problem(row, "phone", "phone_unreadable", "warning", {"value": said[:LONGEST_CODE]})
            return None
        if len(phones) > 1:
            self._problem(row, "phone", "phone_several", "warning", {"value": phones[0].e164})
        if not phones[0].is_usual:
            self._problem(row, "phone", "phone_unusual", "warning", {"value": words(cell)[:LONGEST_CODE]})
        return phones[0].e164

    def _birth_date(self, row: int) -> date | None:
        cell = self._cell(row, "birth")
        born = date_of(cell)
        if born is None:
            self._odd_birth(row, words(cell))
            return None
        age = self.today.year - born.year - ((self.today.month, self.today.day) < (born.month, born.day))
        if YOUNGEST <= age <= OLDEST:
            return born
        key = "birth_future" if born > self.today else "birth_age"
        self._problem(row, "birth", key, "warning", {"value": f"{born:%d/%m/%Y}", "age": age})
        return None

    def _odd_birth(self, row: int, said: str) -> None:
        if year_of(said) is not None:
            self._problem(row, "birth", "birth_year_only", "warning", {"value": said})
        elif said.strip("-. "):
            self._problem(row, "birth", "birth_unreadable", "warning", {"value": said[:LONGEST_CODE]})

    def _roles(self, row: int) -> frozenset[str]:
        cell = self._cell(row, "role")
        if not cell:
            return frozenset()
        roles: set[str] = set()
        for word in (word.strip(" .") for word in _BETWEEN_ROLES.split(folded(words(cell)))):
            if _HEAD.fullmatch(word):
                roles.add("head")
            elif _FOCAL.fullmatch(word):
                roles.add("focal")
            elif not _NO_ROLE.fullmatch(word):
                key = "role_not_by_import" if _NOT_BY_IMPORT.fullmatch(word) else "role_unknown"
                self._problem(row, "role", key, "warning", {"value": words(cell)[:LONGEST]})
        return frozenset(roles)

    def _unit(self, row: int, said: _UnitWords) -> int | None:
        names = [name for name in said.names if name]
        if not names and not said.code:
            self._problem(row, "unit", "unit_missing")
            return None
        name = names.pop() if names else said.code
        if max(map(len, (name, said.code, *names, said.parent))) > 2 * LONGEST:
            self._problem(row, "unit", "unit_unreadable", values={"value": name[:LONGEST]})
            return None
        above = tuple(filter(None, (said.parent, *names)))
        place = Place(row + 1, self.header.unit_label() or self.header.label("unit_code"), self.sheet.name)
        number = self.units.mention(Mention(said.code, name, above), place)
        if number is None:
            self._problem(row, "unit", "unit_ambiguous", values={"unit": name})
        return number

    def _units_of(self, rows: Sequence[PersonRow]) -> list[_UnitWords]:
        """Each row's unit, blanks filled from the merged area, or from the row above where a value is written once."""
        columns = [*self.header.units]
        columns += [self.header.columns[name] for name in ("unit_code", "parent") if name in self.header.columns]
        merged = {column: _merged_values(self.sheet, column, self.header.first) for column in columns}
        said = [self._written(person.row, merged) for person in rows]
        once = not any(merged.values()) and not _written_each_time(said)
        filled: list[_UnitWords] = []
        last, section = _UnitWords(()), ""
        for person, unit in zip(rows, said, strict=True):
            if person.section != section:
                last, section = _UnitWords(()), person.section
            last = _inherited(unit, last) if once else unit
            filled.append(_UnitWords((section or self._sheet_unit(),)) if last.blank else last)
        return filled

    def _sheet_unit(self) -> str:
        return self.sheet.name if self.sheet_is_unit and not self.header.units else ""

    def _written(self, row: int, merged: Mapping[int, Mapping[int, str]]) -> _UnitWords:
        def at(column: int | None) -> str:
            if column is None:
                return ""
            return words(self.sheet.at(row, column)) or merged[column].get(row, "")

        columns = self.header.columns
        return _UnitWords(tuple(map(at, self.header.units)), at(columns.get("unit_code")), at(columns.get("parent")))


def _inherited(unit: _UnitWords, last: _UnitWords) -> _UnitWords:
    """A wholly blank unit is the one above; a blank broader name beside a finer one is the broader name above."""
    if unit.blank:
        return last
    finer = next((place for place, name in enumerate(unit.names) if name), len(unit.names))
    return _UnitWords(last.names[:finer] + unit.names[finer:], unit.code, unit.parent)


def _written_each_time(said: Sequence[_UnitWords]) -> bool:
    """Whether the same unit stands in two rows running: then a blank is an omission, not a repetition."""
    return any(not unit.blank and unit == after for unit, after in pairwise(said))


def _merged_values(sheet: Sheet, column: int, first: int) -> dict[int, str]:
    """Row -> the text of the merged area that covers it in this column."""
    values: dict[int, str] = {}
    for (top, left), (bottom, right) in sheet.merged:
        if left <= column <= right and first <= top < bottom and (text := words(sheet.at(top, left))):
            values.update(dict.fromkeys(range(top, min(bottom + 1, len(sheet.rows))), text))
    return values
