"""What a board or a summary says, read from its words, and what it should say, counted from rows one by one."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import Any

from summaries.status import Standing

_COMPLETION = re.compile(r"^Đã khai: (\d+)/(\d+)", re.MULTILINE)
_COUNTED = {
    "late": re.compile(r"^Trong đó khai muộn: (\d+)", re.MULTILINE),
    "proxy": re.compile(r"^Trong đó khai hộ: (\d+)", re.MULTILINE),
    "excused": re.compile(r"^Không phải khai: (\d+)", re.MULTILINE),
    "missing": re.compile(r"^Chưa khai: (\d+)", re.MULTILINE),
}
_LEVELS = re.compile(r"^Mức nguy cơ: (.*)", re.MULTILINE)


def said(text: str) -> Counter[str]:
    """The figures in the words of a message; `levels` is how many people its risk levels add up to."""
    found: Counter[str] = Counter()
    if completion := _COMPLETION.search(text):
        found["answered"], found["expected"] = int(completion[1]), int(completion[2])
    for name, words in _COUNTED.items():
        if counted := words.search(text):
            found[name] = int(counted[1])
    if levels := _LEVELS.search(text):
        found["levels"] = sum(int(number) for number in re.findall(r" (\d+)(?:;|$)", levels[1]))
    return +found


def counted(asks: Iterable[Any]) -> Counter[str]:
    """The same figures from the asks of a unit and everything below it."""
    found: Counter[str] = Counter()
    for ask in asks:
        state = ask["state"]
        found["expected"] += state != "excused"
        found["answered"] += state == "answered"
        found["late"] += state == "answered" and bool(ask["late"])
        found["proxy"] += state == "answered" and bool(ask["proxy"])
        found["levels"] += state == "answered"
        found["excused"] += state == "excused"
        found["missing"] += state in ("due", "missed")
    return +found


def of(standing: Standing) -> Counter[str]:
    """The same figures as the program has them for a unit."""
    excused = standing.excused.total()
    found = {
        "answered": standing.answered,
        "expected": standing.due - excused,
        "late": standing.late,
        "proxy": standing.proxy,
        "excused": excused,
        "missing": standing.missing.total(),
        "levels": standing.levels.total(),
    }
    return +Counter(found)
