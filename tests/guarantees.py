"""What the bot promises, which test would show it to be false, and what was run last: writes docs/guarantees.md.

`python -m tests.guarantees` writes the page; a test holds that it is up to date and that every test named exists.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.measured import all_amounts

ROOT = Path(__file__).resolve().parent.parent
LIST = ROOT / "tests" / "guarantees.toml"
PAGE = ROOT / "docs" / "guarantees.md"


@dataclass(frozen=True, slots=True)
class Guarantee:
    """One promise. `tests` are `file::function` below tests/, `amounts` names in docs/measured.json.

    `open` says plainly what of the promise is not shown yet.
    """

    code: str
    promise: str
    tests: Sequence[str]
    amounts: Sequence[str] = ()
    open: str = ""


def listed() -> list[Guarantee]:
    """Every promise of tests/guarantees.toml, in the order written there."""
    return [Guarantee(code, **fields) for code, fields in tomllib.loads(LIST.read_text(encoding="utf-8")).items()]


def missing_tests(guarantees: Sequence[Guarantee]) -> list[str]:
    """Tests that are named and do not exist."""
    named = {test for one in guarantees for test in one.tests}
    return sorted(test for test in named if not _exists(test))


def _exists(test: str) -> bool:
    file, _, function = test.partition("::")
    path = ROOT / "tests" / file
    return path.exists() and bool(re.search(rf"def {re.escape(function)}\b", path.read_text(encoding="utf-8")))


def page(guarantees: Sequence[Guarantee]) -> str:
    """docs/guarantees.md."""
    lines = [
        "# What the bot promises, and how each promise is tested",
        "",
        "Every test named here runs with `make test`, on SQLite and, where SQL matters, on PostgreSQL. Amounts too",
        "large for that are run by the command beside them; the figure is that of the last run. Written by",
        "`python -m tests.guarantees`.",
    ]
    for one in guarantees:
        lines += ["", f"## {one.code} – {one.promise}", "", *(f"- `{test}`" for test in one.tests), *_amounts(one)]
        if one.open:
            lines += ["", f"Not shown yet: {one.open}"]
    return "\n".join(lines) + "\n"


def _amounts(one: Guarantee) -> list[str]:
    measured = all_amounts()
    return [
        f"- {measured[name]['day']}, `{measured[name]['command']}`: {measured[name]['figure']}"
        for name in one.amounts
        if name in measured
    ]


if __name__ == "__main__":
    PAGE.write_text(page(listed()), encoding="utf-8")
