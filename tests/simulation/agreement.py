"""C4: the figures, the export, the chat and a recount say the same of the same moment."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from domain.chat import Address
from storage import declarations
from storage.database import Database
from summaries import status
from tests.simulation import figures
from tests.simulation.department import CAST, TELEGRAM

if TYPE_CHECKING:
    from collections import Counter

    from tests.simulation.day import Day

CHIEF = next(one for one in CAST if one.name == "chief")
ANSWERED_WITHIN = 60.0


async def c4_four_ways_agree(day: Day) -> None:
    """Nothing changes any more, so that each way tells of the same moment."""
    recounted = {kind: figures.counted(_asks(day, kind)) for kind in ("morning", "afternoon")}
    asked = {kind: counts for kind, counts in recounted.items() if counts}
    if await _by_the_program(day) != asked:
        day.wrong("C4", f"the program's figures differ from {asked}")
    exported = await _exported(day)
    if any(exported.get(kind, 0) != counts["answered"] for kind, counts in asked.items()):
        day.wrong("C4", f"the export has {exported}, the store {asked}")
    if not day.rights_ended("chief") and await _in_the_chat(day) != list(asked.values()):
        day.wrong("C4", f"/status says something else than {asked}")


def _asks(day: Day, kind: str) -> list[object]:
    today = f"{day.now().astimezone(day.house.zone):%Y-%m-%d}"
    return [ask for ask in day.witness.asks.values() if ask["kind"] == kind and ask["day"] == today]


async def _by_the_program(day: Day) -> dict[str, Counter[str]]:
    database = Database(f"sqlite:///{day.path}")
    async with database.reading() as session:
        found = await status.of_day(session, day.house.today(day.now()), day.now())
    await database.close()
    return {one.kind: figures.of(one.units[0]) for one in found}


async def _exported(day: Day) -> dict[str, int]:
    """How many people have a declaration in what is exported, by kind of round."""
    today = day.house.today(day.now())
    database = Database(f"sqlite:///{day.path}")
    async with database.reading() as session:
        rows = await declarations.between(session, today, today)
    await database.close()
    people = {(row.kind, row.staff_code) for row in rows}
    return {kind: sum(one == kind for one, _ in people) for kind in ("morning", "afternoon")}


async def _in_the_chat(day: Day) -> list[Counter[str]]:
    """What the committee's /status shows."""
    assert CHIEF.telegram
    here, before = Address(TELEGRAM, str(CHIEF.telegram)), len(day.records.shown)
    await day.service.says(CHIEF.telegram, "/status")
    await asyncio.sleep(ANSWERED_WITHIN)
    texts = [one.text for one in day.records.shown[before:] if one.chat == here]
    return [figures.said(text) for text in texts if figures.said(text)]
