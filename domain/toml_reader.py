"""Reads TOML tables strictly: every mistake is noted with file, key, line and what was expected."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import TypeVar

from domain.chat import LANGUAGES
from domain.questions import Words
from domain.toml_lines import key_lines

KEY_LENGTH = 12
"""Keys of questions and options ride in button data, of which a whole button has 64 bytes."""

_KEY = re.compile(rf"[a-z][a-z0-9_]{{0,{KEY_LENGTH - 1}}}")
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}")
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
_LAST_STEP = re.compile(r"(?:\.[^.\[]*|\[\d+\]|^[^.\[]*)$")
_AT_LINE = re.compile(r"\s*\(at line (\d+), column \d+\)")
_LONGEST_FILE = 1_000_000

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in a campaign file, for the operator to mend."""

    file: str
    key: str
    message: str
    line: int | None = None

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{place}: {self.key}: {self.message}" if self.key else f"{place}: {self.message}"


@dataclass(frozen=True, slots=True)
class TomlFile:
    """A file being read, and the list to which its problems go."""

    name: str
    lines: Mapping[str, int]
    problems: list[Problem]

    def fault(self, key: str, message: str) -> None:
        place = key
        while place and place not in self.lines:
            place = _LAST_STEP.sub("", place, count=1)
        self.problems.append(Problem(self.name, key, message, self.lines.get(place)))


def read_file(path: Path, name: str, problems: list[Problem]) -> Section | None:
    """The whole file as one section; None, with the problem noted, if it is missing or no TOML."""
    nowhere = TomlFile(name, {}, problems)
    try:
        if path.stat().st_size > _LONGEST_FILE:
            nowhere.fault("", "expected a campaign file, found more than 1 MB")
            return None
        text = path.read_bytes().decode("utf-8-sig")
        table = tomllib.loads(text)
    except OSError as error:
        nowhere.fault("", f"expected a readable file, found: {error.strerror}")
    except UnicodeDecodeError as error:
        nowhere.fault("", f"expected UTF-8 text, found another encoding at byte {error.start}")
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        found = _AT_LINE.search(str(error))
        reason = _AT_LINE.sub("", str(error))
        problems.append(Problem(name, "", f"expected TOML, found: {reason}", int(found[1]) if found else None))
    else:
        return Section(table, "", TomlFile(name, key_lines(text), problems))
    return None


class Section:
    """One table. What is wrong is noted and a stand-in returned, so that all mistakes are found in one go.

    Call `finish` when everything known has been read: what is left over is an unknown key.
    """

    def __init__(self, table: Mapping[str, object], path: str, file: TomlFile) -> None:
        self._table = table
        self._path = path
        self._file = file
        self._known: list[str] = []

    def __contains__(self, name: str) -> bool:
        return name in self._table

    def has(self, name: str) -> bool:
        """Whether an optional key is there; from then on it counts as known."""
        self._known.append(name)
        return name in self._table

    def place(self, name: str) -> str:
        return f"{self._path}.{name}" if self._path and name else self._path or name

    def fault(self, name: str, message: str) -> None:
        """Note a problem with one key of this table, or with the table itself for an empty name."""
        self._file.fault(self.place(name), message)

    def finish(self) -> None:
        for name in self._table.keys() - set(self._known):
            self.fault(name, f"unknown key, expected one of {', '.join(dict.fromkeys(self._known))}")

    def text(self, name: str, longest: int) -> str:
        value = self._take(name, "a text")
        if isinstance(value, str):
            return self._checked_text(name, value, longest)
        if value is not None:
            self.fault(name, f"expected a text, found {_shown(value)}")
        return ""

    def words(self, name: str, longest: int) -> Words:
        """One text in every language, each of at most `longest` characters."""
        section = self.section(name, f"a text in each language: {', '.join(LANGUAGES)}")
        if section is None:
            return Words("", "")
        found = Words(*(section.text(language, longest) for language in LANGUAGES))
        section.finish()
        return found

    def texts(self, name: str, longest: int) -> tuple[str, ...]:
        """A list of texts, empty if the key is absent."""
        return tuple(
            self._checked_text(f"{name}[{index}]", text, longest)
            for index, text in enumerate(self._list(name, str, "a list of texts"))
        )

    def key(self, name: str) -> str:
        """A key that fits into a button."""
        expected = f"a key of at most {KEY_LENGTH} letters a-z, digits and _, a letter first"
        return self._matching(name, _KEY, expected)

    def name(self, name: str) -> str:
        """A name that is never put into a button, so that it may be longer."""
        return self._matching(name, _NAME, "a name of at most 40 letters a-z, digits, - and _, a letter first")

    def clock(self, name: str) -> time:
        return self._clock(name, self._take(name, 'a time such as "07:30"'))

    def clocks(self, name: str) -> tuple[time, ...]:
        found = self._list(name, str, 'a list of times such as ["07:30", "08:15"]')
        return tuple(self._clock(f"{name}[{index}]", value) for index, value in enumerate(found))

    def day(self, name: str) -> date:
        value = self._take(name, "a date such as 2021-10-11")
        if isinstance(value, date) and not isinstance(value, datetime):
            return value
        if value is not None:
            self.fault(name, f"expected a date such as 2021-10-11, found {_shown(value)}")
        return date.min

    def whole(self, name: str, low: int, high: int) -> int:
        value = self._take(name, f"a whole number from {low} to {high}")
        if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
            return value
        if value is not None:
            self.fault(name, f"expected a whole number from {low} to {high}, found {_shown(value)}")
        return low

    def number(self, name: str) -> float:
        value = self._take(name, "a number")
        return 0.0 if value is None else self._number(name, value)

    def numbers(self, name: str) -> tuple[float, ...]:
        found = self._list(name, object, "a list of numbers")
        return tuple(self._number(f"{name}[{index}]", value) for index, value in enumerate(found))

    def flag(self, name: str, default: bool | None = None) -> bool:
        """True or false; a missing key is a mistake unless there is a default."""
        if default is not None and name not in self._table:
            self._known.append(name)
            return default
        value = self._take(name, "true or false")
        if value is not None and not isinstance(value, bool):
            self.fault(name, f"expected true or false, found {_shown(value)}")
        return value is True

    def one_of(self, name: str, allowed: Sequence[str]) -> str:
        expected = f"one of {', '.join(allowed)}"
        value = self._take(name, expected)
        if isinstance(value, str) and value in allowed:
            return value
        if value is not None:
            self.fault(name, f"expected {expected}, found {_shown(value)}")
        return allowed[0]

    def some_of(self, name: str, allowed: Sequence[str]) -> tuple[str, ...]:
        """One or more of these, each once."""
        expected = f"one or more of {', '.join(allowed)}"
        if name not in self._table:
            self._take(name, expected)
            return ()
        found = self._list(name, str, f"a list of {expected}")
        for index, value in enumerate(found):
            if value not in allowed:
                self.fault(f"{name}[{index}]", f"expected one of {', '.join(allowed)}, found {_shown(value)}")
            elif value in found[:index]:
                self.fault(f"{name}[{index}]", f"expected each once, found {_shown(value)} again")
        if not found and self._table[name] == []:
            self.fault(name, f"expected {expected}, found none")
        return tuple(found)

    def section(self, name: str, expected: str = "a table") -> Section | None:
        value = self._take(name, expected)
        if isinstance(value, dict):
            return Section(value, self.place(name), self._file)
        if value is not None:
            self.fault(name, f"expected {expected}, found {_shown(value)}")
        return None

    def sections(self, name: str, least: int = 0, most: int = 1000) -> list[Section]:
        """The tables of an array; an absent key counts as none."""
        found = self._list(name, dict, "a list of tables")
        if not least <= len(found) <= most:
            self.fault(name, f"expected {least} to {most}, found {len(found)}")
        return [Section(table, f"{self.place(name)}[{index}]", self._file) for index, table in enumerate(found)]

    def figures(self, name: str) -> dict[str, float]:
        """A table of named numbers, empty if the key is absent."""
        if name not in self._table:
            self._known.append(name)
            return {}
        section = self.section(name, "a table of numbers")
        return {} if section is None else {each: section.number(each) for each in section._table}

    def value(self, name: str) -> object:
        """The value as it stands, or None; for keys that take more than one kind."""
        self._known.append(name)
        return self._table.get(name)

    def _take(self, name: str, expected: str) -> object:
        self._known.append(name)
        if name not in self._table:
            self.fault(name, f"missing, expected {expected}")
        return self._table.get(name)

    def _list(self, name: str, kind: type[T], expected: str) -> list[T]:
        value = self.value(name)
        if isinstance(value, list):
            for index, each in enumerate(value):
                if not isinstance(each, kind):
                    self.fault(f"{name}[{index}]", f"expected {expected}, found {_shown(each)}")
            return [each for each in value if isinstance(each, kind)]
        if value is not None:
            self.fault(name, f"expected {expected}, found {_shown(value)}")
        return []

    def _matching(self, name: str, pattern: re.Pattern[str], expected: str) -> str:
        value = self._take(name, expected)
        if isinstance(value, str) and pattern.fullmatch(value):
            return value
        if value is not None:
            self.fault(name, f"expected {expected}, found {_shown(value)}")
        return ""

    def _clock(self, name: str, value: object) -> time:
        found = _CLOCK.fullmatch(value) if isinstance(value, str) else None
        if found:
            return time(int(found[1]), int(found[2]))
        if value is not None:
            self.fault(name, f'expected a time such as "07:30", found {_shown(value)}')
        return time.min

    def _number(self, name: str, value: object) -> float:
        if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e9:
            return float(value)
        self.fault(name, f"expected a number, found {_shown(value)}")
        return 0.0

    def _checked_text(self, name: str, value: str, longest: int) -> str:
        text = unicodedata.normalize("NFC", value)
        if not text.strip():
            self.fault(name, "expected a text, found an empty one")
        elif text != text.strip() or any(unicodedata.category(each) == "Cc" and each != "\n" for each in text):
            self.fault(name, "expected a text without control characters, or spaces around it")
        elif len(text) > longest:
            self.fault(name, f"expected at most {longest} characters, found {len(text)}")
        return text


def _shown(value: object) -> str:
    """A value as the file would write it, cut short."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return "a list"
    shown = f'"{value}"' if isinstance(value, str) else str(value)
    return shown if len(shown) <= 40 else f"{shown[:36]}..."
