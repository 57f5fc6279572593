"""Many seeds on every core: what ran, what broke, and whether everything that can happen happened often enough."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from tests.simulation.weather import KINDS

ROOT = Path(__file__).resolve().parents[2]
AT_ONCE = 20
"""Seeds in one process: nothing of a dead program is ever cleaned up, so memory grows with each."""
OUGHT = 0.05
"""How often each kind must occur for each seed on average: a hundred times in two thousand."""
CHANGES = (
    *(f"ask {state}" for state in ("due", "answered", "missed", "excused")),
    *(f"reach {reach}" for reach in ("delivered", "unknown", "blocked", "failed")),
    *(f"state {state}" for state in ("sending", "sent", "waiting", "withdrawn", "expired", "unreachable", "unknown")),
    *(f"state {state}" for state in ("rejected",)),
    *(f"letter {kind}" for kind in ("prompt", "reminder", "missing_list", "summary", "board", "risk", "risk_reminder")),
    *(f"letter {kind}" for kind in ("reply", "incident", "notice", "closing", "leave")),
    *("declared", "corrected", "answered late", "risk confirmed", "bound", "unbound", "post ended"),
    *("blocked", "forwarded", "new phone"),
)
"""Changes of state that a run must have seen, as the witness names them."""


@dataclass(slots=True)
class Tally:
    """What a run came to so far."""

    seeds: int = 0
    problems: dict[int, list[str]] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0

    def add(self, result: dict[str, Any]) -> None:
        self.seeds += 1
        self.seconds += result["seconds"]
        self.counts.update(result["counts"])
        if result["problems"]:
            self.problems[result["seed"]] = result["problems"]

    def too_seldom(self) -> list[str]:
        """What did not occur often enough for this number of seeds to mean anything."""
        least = int(self.seeds * OUGHT)
        return [kind for kind in (*KINDS, *CHANGES) if self.counts[kind] < least]


def run(seeds: Sequence[int], jobs: int, mutant: str = "", told: Callable[[dict[str, Any]], None] = print) -> Tally:
    """Live through these days, several at a time, each few in a process of its own."""
    tally = Tally()
    parts = [seeds[start : start + AT_ONCE] for start in range(0, len(seeds), AT_ONCE)]
    with ThreadPoolExecutor(jobs) as pool:
        for done in as_completed([pool.submit(_in_a_process, part, mutant, told) for part in parts]):
            for result in done.result():
                tally.add(result)
    return tally


def _in_a_process(seeds: Sequence[int], mutant: str, told: Callable[[dict[str, Any]], None]) -> list[dict[str, Any]]:
    """Results of these seeds, told as they come. Hashes are fixed, so that sets are walked in the same order."""
    command = [sys.executable, "-m", "tests.simulation.worker", mutant, *map(str, seeds)]
    environment = os.environ | {"PYTHONHASHSEED": "0"}
    results = []
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            results.append(json.loads(line))
            told(results[-1])
    if process.returncode:
        raise RuntimeError(f"the process for seeds {seeds[0]} to {seeds[-1]} ended with status {process.returncode}")
    return results


class Ledger:
    """A file of every seed that ever ran, by which an interrupted run goes on where it stopped."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file = folder / "seeds.jsonl"
        self._code = fingerprint()

    def results(self, seeds: Iterable[int]) -> list[dict[str, Any]]:
        """What is known of these seeds on just this code."""
        wanted = set(seeds)
        found = {line["seed"]: line for line in self._lines() if line["code"] == self._code and line["seed"] in wanted}
        return list(found.values())

    def keep(self, result: dict[str, Any]) -> None:
        with self._file.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(result | {"code": self._code}) + "\n")

    @property
    def ever(self) -> int:
        return sum(1 for _ in self._lines())

    def _lines(self) -> Iterator[dict[str, Any]]:
        if self._file.exists():
            for line in self._file.read_text(encoding="utf-8").splitlines():
                yield json.loads(line)


def fingerprint() -> str:
    """Of everything that a day depends on."""
    packages = ("bot", "campaigns", "channels", "domain", "handlers", "scheduler", "storage", "summaries", "texts")
    files = [path for name in (*packages, "tests/simulation") for path in (ROOT / name).rglob("*")]
    parts = [path.read_bytes() for path in sorted(files) if path.suffix in (".py", ".toml", ".po")]
    return sha256(b"\x00".join(parts)).hexdigest()[:12]


def hunt(mutant: str, most: int = 300) -> tuple[int, str] | None:
    """The first seed that catches this mutant and by what, or None if none of so many does."""
    for first in range(1, most + 1, AT_ONCE):
        for result in _in_a_process(range(first, first + AT_ONCE), mutant, lambda result: None):
            if result["problems"]:
                return result["seed"], result["problems"][0]
    return None
