"""What a command works with: settings, the clock, a store made ready, and the days and hours an operator types."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import typer
from pydantic import ValidationError

from bot.app import seed_schedules
from bot.run import TELEGRAM, WEBCHAT, house_of, telegram_account
from bot.settings import Settings
from channels.webchat import WebChat
from domain.chat import Channel
from domain.timetable import local_day, parse_time
from handlers.turn import House
from storage import schema, units
from storage.database import Clock, Database

ACTOR = "cli"
"""Who the audit names for what is done here."""


class Mistake(Exception):
    """A command ends with this one line: status 2 for wrong input, 1 for what cannot be done."""

    def __init__(self, line: str, status: int = 2) -> None:
        super().__init__(line)
        self.status = status


@dataclass(frozen=True, slots=True)
class Desk:
    """One run of one command, at one moment."""

    settings: Settings
    clock: Clock
    now: datetime

    @property
    def zone(self) -> ZoneInfo:
        return self.settings.time_zone

    @property
    def today(self) -> date:
        return local_day(self.now, self.zone)


def desk_of(context: typer.Context) -> Desk:
    """Raises Mistake for settings that cannot be used."""
    clock: Clock = context.obj
    return Desk(settings_in_force(), clock, clock())


def settings_in_force() -> Settings:
    """Raises Mistake that names every setting at fault, without its value."""
    try:
        return Settings.model_validate({})
    except ValidationError as error:
        raise Mistake("; ".join(settings_at_fault(error))) from None


def settings_at_fault(error: ValidationError) -> list[str]:
    """One line for each wrong setting: its name and what was expected."""
    return [
        f"VUNGXANH_{'_'.join(str(part) for part in one['loc']).upper()}: {one['msg'].removeprefix('Value error, ')}"
        for one in error.errors(include_input=False, include_url=False, include_context=False)
    ]


def house(desk: Desk) -> House:
    """The house as the running bot has it, so that what is written here is sealed with the same key."""
    telegram = telegram_account(desk.settings, desk.clock)
    channels: dict[str, Channel] = {WEBCHAT: WebChat(WEBCHAT)} | ({TELEGRAM: telegram} if telegram else {})
    return house_of(desk.settings, channels)


@asynccontextmanager
async def store(desk: Desk, *, make: bool = False) -> AsyncIterator[Database]:
    """The store, at this program's schema. With `make` a store that is not there yet is made and furnished.

    Raises Mistake where there is none, or one of another version: only `run` changes a store that has data.
    """
    database = Database(desk.settings.database_url)
    try:
        await _make_ready(database, desk, make=make)
        yield database
    finally:
        await database.close()


async def _make_ready(database: Database, desk: Desk, *, make: bool) -> None:
    file = database.file
    is_there = file is None or file.exists()
    if file and make:
        file.parent.mkdir(parents=True, exist_ok=True)
    found, wanted = await schema.versions(database) if is_there or make else (None, None)
    if found is not None and found != wanted:
        line = (
            f"the store has schema {found}, this program works with {wanted}; start 'vungxanh run' of the same version"
        )
        raise Mistake(line, 1)
    if found is not None and await _is_furnished(database):
        return
    if not make:
        where = file or "the database of VUNGXANH_DATABASE_URL"
        raise Mistake(f"there is no store in {where} yet; 'vungxanh roster import' or 'vungxanh run' makes one", 1)
    await _furnish(database, desk)


async def _is_furnished(database: Database) -> bool:
    async with database.reading() as session:
        return await units.root(session) is not None


async def _furnish(database: Database, desk: Desk) -> None:
    here = house(desk)
    await schema.migrate(database)
    async with database.transaction() as session:
        await units.ensure_root(session, here.name)
        await seed_schedules(session, here, desk.now)


def day_of(words: str, option: str) -> date:
    """A day as `2026-11-23`. Raises Mistake."""
    try:
        return date.fromisoformat(words)
    except ValueError:
        raise Mistake(f"{option}: '{words}' is not a day; write it as 2026-11-23") from None


def hour_of(words: str, option: str) -> time:
    """A time as `07:00` or `7h30`. Raises Mistake."""
    found = parse_time(words)
    if found is None:
        raise Mistake(f"{option}: '{words}' is not a time of day; write it as 07:30")
    return found


def days_of(first: str, last: str) -> tuple[date, date]:
    """The days of `--from` and `--to`, in order. Raises Mistake."""
    days = day_of(first, "--from"), day_of(last, "--to")
    if days[1] < days[0]:
        raise Mistake("--to: the last day is before the first")
    return days
