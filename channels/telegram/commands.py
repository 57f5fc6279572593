"""The menu of commands that Telegram shows, per scope and language."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from telegram import (
    Bot,
    BotCommand,
    BotCommandScope,
    BotCommandScopeAllGroupChats,
    BotCommandScopeAllPrivateChats,
    BotCommandScopeChat,
    BotCommandScopeDefault,
)

from domain.chat import Language

Scope = Literal["default", "private", "groups", "chat"]


@dataclass(frozen=True, slots=True)
class CommandMenu:
    """`(name, description)` pairs for one scope; `language` None serves everyone whose language has no menu.

    `chat_id` names the chat of scope `chat`, such as one head's private chat with further commands.
    """

    scope: Scope
    language: Language | None
    commands: tuple[tuple[str, str], ...]
    chat_id: str = ""


async def publish(bot: Bot, menu: CommandMenu) -> bool:
    """Set the menu if Telegram shows another; true if it did. Raises `TelegramError`."""
    scope = _scope(menu)
    wanted = tuple(BotCommand(name, description) for name, description in menu.commands)
    if await bot.get_my_commands(scope, menu.language) == wanted:
        return False
    await bot.set_my_commands(wanted, scope, menu.language)
    return True


def _scope(menu: CommandMenu) -> BotCommandScope:
    if menu.scope == "chat":
        return BotCommandScopeChat(int(menu.chat_id))
    if menu.scope == "private":
        return BotCommandScopeAllPrivateChats()
    if menu.scope == "groups":
        return BotCommandScopeAllGroupChats()
    return BotCommandScopeDefault()
