"""Telegram as a channel: own long poll or webhook in, python-telegram-bot's typed client over aiohttp out."""

from __future__ import annotations

from channels.telegram.account import TelegramAccount
from channels.telegram.commands import CommandMenu
from channels.telegram.introduction import Introduction, introduce
from channels.telegram.line import Webhook
from channels.telegram.request import Wire

__all__ = ["CommandMenu", "Introduction", "TelegramAccount", "Webhook", "Wire", "introduce"]
