"""The server: settings become a running bot with its channels and pages, until it is told to stop."""

from __future__ import annotations

import asyncio
import random
import secrets
import signal
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog

import texts
from bot import backups
from bot.app import ALL_ROLES, TICK_EVERY, App, ProcessRole
from bot.process import is_gone, own_name, seconds
from bot.settings import Settings, secret_key
from channels.telegram import CommandMenu, TelegramAccount, Webhook
from channels.webchat import WebChat
from domain.campaign import Campaign
from domain.campaign_file import campaign_folder, load_campaign
from domain.chat import LANGUAGES, Channel
from domain.seal import Seal
from handlers import help
from handlers.inviting import Ways
from handlers.turn import House
from scheduler.backups import Backups
from scheduler.duties import Duties, Duty
from storage.database import Clock, Database
from storage.occupied import Occupied, occupied
from storage.settlement import Settled
from web.app import build, build_health
from web.app import serve as serve_pages
from web.health import Health, Pulse
from web.metrics import Metrics

log = structlog.get_logger(__name__)

TELEGRAM, WEBCHAT = "telegram", "webchat"
PREDECESSOR_STOPS_WITHIN = 10.0
"""Seconds that whoever is started waits for one that is being stopped, where only one can run."""


class NotConfigured(Exception):
    """A setting is missing or wrong; the message is one line for the operator."""


def wall_clock() -> datetime:
    """The present instant. The only clock of the running bot."""
    return datetime.now(UTC)


async def sleep_until(at: datetime) -> None:
    await asyncio.sleep(max((at - wall_clock()).total_seconds(), 0.0))


def chosen_campaign(settings: Settings) -> Campaign:
    """The campaign of the settings, checked. Raises CampaignError with every mistake in it."""
    folder = Path(settings.campaign)
    return load_campaign(folder if folder.is_dir() else campaign_folder(settings.campaign))


def house_of(settings: Settings, channels: Mapping[str, Channel]) -> House:
    """What stays the same for every turn, from the settings."""
    return House(
        settings.organisation,
        settings.time_zone,
        chosen_campaign(settings),
        Seal(secret_key(settings.secret_key_file)),
        {name: channel.capabilities for name, channel in channels.items()},
        messages_per_day=settings.messages_per_day,
        quiet=settings.quiet,
        ways=ways_of(settings, channels.get(TELEGRAM)),
    )


def ways_of(settings: Settings, telegram: Channel | None) -> Ways:
    """Invitations as administrators issue them in the chat; the account says its name once it has begun."""
    account = telegram if isinstance(telegram, TelegramAccount) else None
    return Ways(settings.invite_lasts, settings.web_address, lambda: account.username if account else "")


def telegram_account(settings: Settings, clock: Clock) -> TelegramAccount | None:
    """The account of the settings, not started; None without a token."""
    token = settings.telegram_token.get_secret_value()
    if not token:
        return None
    return TelegramAccount(
        TELEGRAM,
        token,
        clock=clock,
        random=random.Random(),
        api_base=settings.telegram_api_base,
        webhook=_webhook(settings) if settings.telegram_mode == "webhook" else None,
    )


def _webhook(settings: Settings) -> Webhook:
    secret = settings.telegram_webhook_secret.get_secret_value()
    if not settings.public_url or not secret:
        raise NotConfigured(
            "webhook mode needs VUNGXANH_PUBLIC_URL and VUNGXANH_TELEGRAM_WEBHOOK_SECRET; polling needs neither"
        )
    return Webhook(f"{settings.public_url}/telegram/{TELEGRAM}", secret)


def command_menus() -> list[CommandMenu]:
    """What Telegram offers behind its menu button, in private chats and in groups, in each language."""
    menus = []
    for language in (None, *LANGUAGES):
        for scope, names in (("private", help.FOR_STAFF + help.FOR_HEADS), ("groups", help.FOR_GROUPS)):
            described = tuple((name, texts.text(language or "vi", f"commands.{name}")) for name in names)
            menus.append(CommandMenu("private" if scope == "private" else "groups", language, described))
    return menus


async def serve(settings: Settings, roles: frozenset[ProcessRole] = ALL_ROLES) -> None:
    """Run until SIGTERM or SIGINT. Raises NotConfigured, CampaignError or the store's own error before it begins."""
    database = Database(settings.database_url)
    if database.is_sqlite and roles != ALL_ROLES:
        raise NotConfigured("SQLite serves one process, which plays every role; --roles needs PostgreSQL")
    try:
        async with occupied(database, alone=database.is_sqlite, wait=PREDECESSOR_STOPS_WITHIN):
            await _serve(settings, database, roles)
    except Occupied:
        raise NotConfigured(
            "another 'vungxanh run', or a restore, works on this database; only PostgreSQL serves several at once"
        ) from None


async def _serve(settings: Settings, database: Database, roles: frozenset[ProcessRole]) -> None:
    webchat = WebChat(WEBCHAT)
    telegram = telegram_account(settings, wall_clock)
    channels: dict[str, Channel] = {WEBCHAT: webchat} | ({TELEGRAM: telegram} if telegram else {})
    house = house_of(settings, channels)
    metrics = Metrics()

    def settled(results: Sequence[Settled]) -> None:
        metrics.settled(results)
        webchat.changed([one.letter.message.to.chat_id for one in results if one.letter.message.to.channel == WEBCHAT])

    duties = None if database.is_sqlite else Duties(database, own_name(), seconds, is_gone)
    accounts = {TELEGRAM: telegram} if telegram else {}
    app = App(database, house, channels, wall_clock, sleep_until, settled, roles, duties, webchat.changed, accounts)
    await backups.refuse_unsafe(database, settings)
    await app.prepare()
    receive = metrics.counted(app.receive)
    making = _backups(settings, app) if "tick" in roles else None
    pulses = {"ticks": Pulse(lambda: app.ticked_at, TICK_EVERY + timedelta(minutes=1))} if "tick" in roles else {}
    if making:
        pulses["backups"] = Pulse(making.last_good, making.late_after)
    health = Health(database, wall_clock, tuple(channels), accounts, pulses, app.standing_by)
    if "web" in roles:
        pages = build(
            database=database,
            seal=house.seal,
            receive=receive,
            hub=webchat,
            zone=house.zone,
            organisation=house.name,
            new_id=lambda: secrets.token_urlsafe(16),
            health=health,
            metrics=metrics,
            telegram=accounts,
            trusted=settings.proxies,
        )
    else:
        pages = build_health(health, metrics)
    runner = await serve_pages(pages, settings.web_host, settings.web_port)
    await app.start(receive)
    meeting = asyncio.create_task(_meet(telegram, roles)) if telegram else None
    log.info("started", port=settings.web_port, channels=sorted(channels), roles=sorted(roles))
    try:
        await _until_over(making)
    finally:
        log.info("stopping")
        if meeting:
            meeting.cancel()
        await asyncio.gather(app.rest(), runner.cleanup())
        await app.stop()
    if making and making.found_damage.is_set():
        raise backups.note_damage(database, settings)


async def _meet(telegram: TelegramAccount, roles: frozenset[ProcessRole]) -> None:
    """Learn the account's name, and let people find the commands."""
    await telegram.meet()
    if "listen" in roles:
        await telegram.publish_commands(command_menus())


def _backups(settings: Settings, app: App) -> Backups:
    """Not begun; its key is made with the first one."""
    if settings.backup_key_file.exists():
        log.warning("backup_key_is_on_this_machine", file=str(settings.backup_key_file))
    return Backups(
        backups.program(settings),
        backups.every(settings),
        backups.late_after(settings),
        backups.newest_at(settings),
        app.database,
        app.house,
        app.clock,
        app.sleep_until,
        app.wake,
        app.duties.seek("backups") if app.duties else Duty(),
    )


async def _until_over(making: Backups | None) -> None:
    """Until it is told to stop, or nothing more may be written because the store is damaged."""
    told: asyncio.Task[object] = asyncio.create_task(told_to_stop())
    if making is None:
        await told
        return
    backing_up = asyncio.create_task(making.run(), name="backups")
    damaged: asyncio.Task[object] = asyncio.create_task(making.found_damage.wait())
    try:
        await asyncio.wait((told, damaged), return_when=asyncio.FIRST_COMPLETED)
    finally:
        for one in (told, damaged, backing_up):
            one.cancel()
        await asyncio.gather(told, damaged, backing_up, return_exceptions=True)


async def told_to_stop() -> None:
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for one in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(one, told.set)
    await told.wait()
