"""Finds the line on which each key of a TOML text stands, so that a mistake can be shown in its place."""

from __future__ import annotations

import re
from collections.abc import Callable

_KEY = re.compile(r"""[A-Za-z0-9_-]+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'""")
_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_STRING = re.compile(
    r'"""(?:[^\\]|\\.)*?"""(?:"{0,2})'
    r"|'''.*?'''(?:'{0,2})"
    r'|"(?:[^"\\\n]|\\.)*"'
    r"|'[^'\n]*'",
    re.DOTALL,
)
_SCALAR = re.compile(r"[^,\]}#\n]+")


def key_lines(text: str) -> dict[str, int]:
    """Line numbers from 1 by path, such as `questions[2].options[0].label.en`. The text must be valid TOML."""
    scanner = _Scanner(text)
    scanner.document()
    return scanner.lines


class _Scanner:
    """Walks TOML that `tomllib` has already accepted, so that it need not notice errors itself."""

    def __init__(self, text: str) -> None:
        self.text = text.replace("\r\n", "\n")
        self.at = 0
        self.lines: dict[str, int] = {}
        self.tables: dict[str, int] = {}

    def document(self) -> None:
        table = ""
        self.skip_blank()
        while self.at < len(self.text):
            if self.text[self.at] == "[":
                table = self.header()
            else:
                self.pair(table)
            self.skip_blank()

    def header(self) -> str:
        array = self.text.startswith("[[", self.at)
        self.at += 2 if array else 1
        parts = self.dotted()
        path = ""
        for part in parts[:-1]:
            path = self.within_newest(_joined(path, part))
        path = _joined(path, parts[-1])
        if array:
            self.note(path)
            self.tables[path] = self.tables.get(path, -1) + 1
        path = self.within_newest(path)
        self.note(path)
        self.skip_blank()
        self.at += 2 if array else 1
        return path

    def within_newest(self, path: str) -> str:
        return f"{path}[{self.tables[path]}]" if path in self.tables else path

    def pair(self, path: str) -> None:
        for part in self.dotted():
            path = _joined(path, part)
            self.note(path)
        self.skip_blank()
        self.at += len("=")
        self.skip_blank()
        self.value(path)

    def value(self, path: str) -> None:
        if self.text[self.at] == "[":
            self.enclosed("]", lambda index: self.item(f"{path}[{index}]"))
        elif self.text[self.at] == "{":
            self.enclosed("}", lambda _: self.pair(path))
        else:
            self.take(_STRING if self.text[self.at] in "\"'" else _SCALAR)

    def item(self, path: str) -> None:
        self.note(path)
        self.value(path)

    def enclosed(self, end: str, member: Callable[[int], None]) -> None:
        self.at += 1
        index = 0
        self.skip_blank()
        while self.text[self.at] != end:
            member(index)
            index += 1
            self.skip_blank()
            if self.text[self.at] == ",":
                self.at += 1
                self.skip_blank()
        self.at += 1

    def dotted(self) -> list[str]:
        parts: list[str] = []
        while True:
            self.skip_blank()
            parts.append(self.take(_KEY).strip("\"'"))
            self.skip_blank()
            if self.text[self.at] != ".":
                return parts
            self.at += 1

    def take(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self.text, self.at)
        if found is None:
            raise ValueError(f"not TOML at character {self.at}")
        self.at = found.end()
        return found[0]

    def skip_blank(self) -> None:
        self.take(_BLANK)

    def note(self, path: str) -> None:
        self.lines.setdefault(path, self.text.count("\n", 0, self.at) + 1)


def _joined(path: str, part: str) -> str:
    return f"{path}.{part}" if path else part
