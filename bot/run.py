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
from bot.app import TICK_EVERY, App
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
from storage.database import Clock, Database
from storage.settlement import Settled
from web.app import build
from web.app import serve as serve_pages
from web.health import Health, Pulse
from web.metrics import Metrics

log = structlog.get_logger(__name__)

TELEGRAM, WEBCHAT = "telegram", "webchat"


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


async def serve(settings: Settings) -> None:
    """Run until SIGTERM or SIGINT. Raises NotConfigured, CampaignError or the store's own error before it begins."""
    database = Database(settings.database_url)
    webchat = WebChat(WEBCHAT)
    telegram = telegram_account(settings, wall_clock)
    channels: dict[str, Channel] = {WEBCHAT: webchat} | ({TELEGRAM: telegram} if telegram else {})
    house = house_of(settings, channels)
    metrics = Metrics()

    def settled(results: Sequence[Settled]) -> None:
        metrics.settled(results)
        webchat.changed([one.letter.message.to.chat_id for one in results if one.letter.message.to.channel == WEBCHAT])

    app = App(database, house, channels, wall_clock, sleep_until, settled)
    await refuse_damaged(database)
    await app.prepare()
    receive = metrics.counted(app.receive)
    accounts = {TELEGRAM: telegram} if telegram else {}
    health = Health(
        database,
        wall_clock,
        tuple(channels),
        accounts,
        {"ticks": Pulse(lambda: app.ticked_at, TICK_EVERY + timedelta(minutes=1))},
    )
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
    runner = await serve_pages(pages, settings.web_host, settings.web_port)
    await app.start(receive)
    menus = asyncio.create_task(telegram.publish_commands(command_menus())) if telegram else None
    log.info("started", port=settings.web_port, channels=sorted(channels), database=database.url.get_backend_name())
    try:
        await told_to_stop()
    finally:
        log.info("stopping")
        if menus:
            menus.cancel()
        await runner.cleanup()
        await app.stop()


async def refuse_damaged(database: Database) -> None:
    """Raises NotConfigured if the store is damaged: nothing must be written into it."""
    problems = await database.check()
    if problems:
        raise NotConfigured(f"the database is damaged ({problems[0]}); restore a backup, see docs/operating.md")


async def told_to_stop() -> None:
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for one in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(one, told.set)
    await told.wait()
