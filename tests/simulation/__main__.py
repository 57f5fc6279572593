"""`python -m tests.simulation 1+2000`: two thousand days; the last line says how many, and how many broke a promise."""

from __future__ import annotations

import argparse
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.simulation.mutants import MUTANTS
from tests.simulation.runs import ROOT, Ledger, Tally, hunt, run


def seeds_of(words: str) -> list[int]:
    """`100+20` is twenty seeds from 100 on."""
    first, _, count = words.partition("+")
    return list(range(int(first), int(first) + int(count or 1)))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("seeds", nargs="?", default="1+100", type=seeds_of, metavar="FIRST+COUNT")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--keep", type=Path, default=ROOT / "var" / "simulation", help="where to note what ran")
    parser.add_argument(
        "--mutants", nargs="*", metavar="NAME", help="plant each defect (or these) and tell what catches it"
    )
    chosen = parser.parse_args()
    if chosen.mutants is not None:
        return _hunt(chosen.mutants or list(MUTANTS), chosen.jobs)
    ledger, tally = Ledger(chosen.keep), Tally()
    for result in ledger.results(chosen.seeds):
        tally.add(result)
        chosen.seeds.remove(result["seed"])
    if tally.seeds:
        print(f"{tally.seeds} of these seeds ran on this code before")

    def told(result: dict[str, Any]) -> None:
        ledger.keep(result)
        for problem in result["problems"]:
            print(f"seed {result['seed']}: {problem}", flush=True)

    fresh = run(chosen.seeds, chosen.jobs, told=told)
    tally = Tally(
        tally.seeds + fresh.seeds,
        tally.problems | fresh.problems,
        tally.counts + fresh.counts,
        tally.seconds + fresh.seconds,
    )
    return _report(tally, ledger)


def _hunt(names: list[str], jobs: int) -> int:
    escaped = []
    with ThreadPoolExecutor(jobs) as pool:
        for name, caught in zip(names, pool.map(hunt, names), strict=True):
            print(f"{name}: {f'caught at seed {caught[0]} by {caught[1]}' if caught else 'ESCAPED'}", flush=True)
            escaped += [] if caught else [name]
    print(f"mutants {len(names)}, escaped {len(escaped)}")
    return 1 if escaped else 0


def _report(tally: Tally, ledger: Ledger) -> int:
    seldom = tally.too_seldom()
    for kind in seldom:
        print(f"too seldom: {kind} occurred {tally.counts[kind]} times")
    violations = sum(map(len, tally.problems.values()))
    print(f"{tally.seconds / max(tally.seeds, 1):.2f} s of a core a day; {ledger.ever} seeds have ever run")
    print(f"seeds {tally.seeds}, violations {violations}")
    return 1 if seldom or violations else 0


if __name__ == "__main__":
    sys.exit(main())
