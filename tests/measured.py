"""Amounts that take too long for the tests: what was run last, by which command, kept in `docs/measured.json`."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import TypedDict

FILE = Path(__file__).resolve().parent.parent / "docs" / "measured.json"


class Amount(TypedDict):
    """`day` in ISO form; `figure` is one line, as people read it."""

    command: str
    figure: str
    day: str


def record(name: str, command: str, figure: str, day: date) -> None:
    """Note what a run has shown; `python -m tests.guarantees` puts it into docs/guarantees.md."""
    amounts = all_amounts()
    amounts[name] = Amount(command=command, figure=figure, day=day.isoformat())
    FILE.write_text(json.dumps(dict(sorted(amounts.items())), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def all_amounts() -> dict[str, Amount]:
    """What was measured, by name."""
    if not FILE.exists():
        return {}
    found: dict[str, Amount] = json.loads(FILE.read_text(encoding="utf-8"))
    return found
