"""What is wrong with this installation, if anything: each check is one finding in one line."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import ValidationError

from bot.backups import late_after
from bot.commands.desk import settings_at_fault
from bot.run import chosen_campaign
from bot.settings import Settings, secret_key
from channels.telegram import introduce
from domain.campaign_file import CampaignError
from domain.seal import Seal
from storage import audit, backup_folder, enrolled, outbox, schema, trouble, units, updates
from storage.database import FIXED_IN, SERVER_SETTINGS, Clock, Database, Session, journal_mode

LEAST_FREE = 500 * 1024 * 1024
STUCK_AFTER = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Finding:
    name: str
    ok: bool
    detail: str


async def examine(clock: Clock) -> AsyncIterator[Finding]:
    """Every check in order. What rests on something broken is left out. Changes nothing."""
    try:
        settings = Settings.model_validate({})
    except ValidationError as error:
        for line in settings_at_fault(error):
            yield Finding("settings", False, line)
        return
    now = clock()
    yield Finding("settings", True, f"valid; {settings.organisation}")
    yield _time_zone(settings, now)
    yield _secret_key(settings)
    yield _campaign(settings)
    yield _backups(settings, now)
    yield await _telegram(settings, clock)
    async for finding in _store(settings, now):
        yield finding


def _time_zone(settings: Settings, now: datetime) -> Finding:
    local = now.astimezone(settings.time_zone)
    return Finding("time zone", True, f"{settings.zone}; the clock there shows {local:%H:%M on %d/%m/%Y}")


def _secret_key(settings: Settings) -> Finding:
    file = settings.secret_key_file
    if not file.exists():
        return Finding("secret key", True, f"{file.absolute()} is made at the first start")
    try:
        Seal(secret_key(file))
    except (OSError, ValueError) as error:
        return Finding("secret key", False, _plain(error))
    return Finding("secret key", True, f"{file.absolute()}, readable by its owner only")


def _campaign(settings: Settings) -> Finding:
    try:
        campaign = chosen_campaign(settings)
    except CampaignError as error:
        more = f" (and {len(error.problems) - 1} more)" if len(error.problems) > 1 else ""
        return Finding("campaign", False, f"{error.problems[0]}{more}")
    return Finding("campaign", True, f"{campaign.key}, version {campaign.version}")


def _backups(settings: Settings, now: datetime) -> Finding:
    folder, key = settings.backup_folder, settings.backup_key_file
    newest = backup_folder.newest(folder)
    taken_at = backup_folder.taken_at(newest) if newest else None
    if taken_at is None:
        return Finding("backups", True, f"none yet in {folder.absolute()}; the running bot makes them")
    if key.exists():
        return Finding("backups", False, f"{key.absolute()} is still here: keep it elsewhere, and delete it here")
    age = now - taken_at
    shown = f"the newest is of {taken_at.astimezone(settings.time_zone):%H:%M on %d/%m/%Y}"
    is_late = settings.backup_minutes > 0 and age > late_after(settings)
    return Finding("backups", not is_late, shown + ("; is the bot running?" if is_late else ""))


async def _telegram(settings: Settings, clock: Clock) -> Finding:
    token = settings.telegram_token.get_secret_value()
    if not token:
        return Finding("telegram", True, "no token, so no Telegram; web chat works")
    if settings.telegram_mode == "webhook":
        if not settings.public_url.startswith("https://"):
            return Finding("telegram", False, "webhook mode needs VUNGXANH_PUBLIC_URL to begin with https://")
        if not settings.telegram_webhook_secret.get_secret_value():
            return Finding("telegram", False, "webhook mode needs VUNGXANH_TELEGRAM_WEBHOOK_SECRET")
    found = await introduce(token, settings.telegram_api_base, clock)
    if found.problem:
        return Finding("telegram", False, f"no answer to the token ({found.problem})")
    return Finding("telegram", True, f"the bot is @{found.username}, by {settings.telegram_mode}")


async def _store(settings: Settings, now: datetime) -> AsyncIterator[Finding]:
    database = Database(settings.database_url)
    try:
        file = database.file
        if file is not None:
            yield _disk(str(next(folder for folder in file.parents if folder.exists())))
            if not file.exists():
                yield Finding("database", False, f"there is no file {file}; 'vungxanh roster import' or 'run' makes it")
                return
            if not os.access(file, os.W_OK):
                yield Finding("database", False, f"{file} cannot be written by this user")
                return
        async for finding in _inside(database, now):
            yield finding
    except Exception as error:  # noqa: BLE001 - a store that fails in any way is what this tells
        yield Finding("database", False, _plain(error))
    finally:
        await database.close()


def _disk(folder: str) -> Finding:
    usage = shutil.disk_usage(folder)
    free = f"{usage.free / 1024**3:.1f} GB free in {folder}"
    return Finding("disk", usage.free >= LEAST_FREE, free)


async def _inside(database: Database, now: datetime) -> AsyncIterator[Finding]:
    described = await database.describe()
    yield Finding("database", True, f"{described['engine']} {described['version']} answers")
    yield _durability(described, await database.weaknesses())
    problems = await database.check()
    yield Finding("integrity", not problems, problems[0] if problems else "sound")
    found, wanted = await schema.versions(database)
    yield Finding("schema", found == wanted, f"version {found or 'none'}, this program works with {wanted}")
    if found != wanted:
        return
    async with database.reading() as session:
        for finding in await _contents(session, now):
            yield finding


def _durability(described: dict[str, str], weaknesses: list[str]) -> Finding:
    if described["engine"] == "PostgreSQL":
        settings = ", ".join(f"{name} is {described[name]}" for name in SERVER_SETTINGS)
        return Finding("durability", not weaknesses, settings)
    mode, sync = described["journal"], described["synchronous"]
    fixed = ", ".join(".".join(map(str, version)) for version in FIXED_IN)
    wanted = journal_mode(sqlite3.sqlite_version_info)
    reason = "free of" if wanted == "WAL" else "not free of"
    detail = f"journal {mode}, synchronous {sync}: this SQLite is {reason} the WAL fault mended in {fixed}"
    return Finding("durability", not weaknesses, detail)


async def _contents(session: Session, now: datetime) -> list[Finding]:
    broken = await audit.first_broken(session)
    backlog = await outbox.backlog(session, now)
    aside = await updates.waiting(session)
    root = await units.root(session)
    reached, everybody = await enrolled.reached(session, root.path if root else "/")
    return [
        Finding("audit", broken is None, "the chain is whole" if broken is None else f"line {broken} was altered"),
        _outbox(backlog, now),
        Finding(
            "updates", not aside, f"{aside} set aside because they could not be handled" if aside else "none set aside"
        ),
        Finding("enrolment", True, f"{everybody - reached} of {everybody} people have no working chat"),
    ]


def _outbox(backlog: list[tuple[str, int, datetime]], now: datetime) -> Finding:
    if not backlog:
        return Finding("outbox", True, "nothing waits")
    waits = [
        f"{channel}: {count} waiting, the oldest for {max(int((now - since).total_seconds() // 60), 0)} min"
        for channel, count, since in backlog
    ]
    is_stuck = any(now - since > STUCK_AFTER for _, _, since in backlog)
    return Finding("outbox", not is_stuck, "; ".join(waits) + ("; is the bot running?" if is_stuck else ""))


def _plain(error: Exception) -> str:
    """One line without a password, a row or a name."""
    reason = trouble.why(error)
    if reason is None and isinstance(error, OSError) and not error.strerror:
        reason = str(error)
    if reason is None:
        reason = error.strerror if isinstance(error, OSError) else str(error) if isinstance(error, ValueError) else None
    return f"{reason or type(error).__name__}".splitlines()[0]
