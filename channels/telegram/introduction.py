"""Who the bot behind a token is, asked without touching how its updates come in."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from random import Random

from telegram.error import TelegramError

from channels.telegram.line import Clock, Line, trouble
from channels.telegram.request import Wire

_BRIEF = Wire(connections=1, connect_timeout=5.0, read_timeout=5.0)


@dataclass(frozen=True, slots=True)
class Introduction:
    """`username` is empty when Telegram did not say; `problem` is then a short code that shows no token."""

    username: str
    problem: str = ""


async def introduce(token: str, api_base: str, clock: Clock, wire: Wire = _BRIEF) -> Introduction:
    """Ask once, for some seconds at most. Never raises for what the service or the network does."""
    try:
        line = Line("telegram", token, api_base, wire, clock, asyncio.sleep, Random())
    except TelegramError as error:
        return Introduction("", trouble(error))
    try:
        user = await line.bot.get_me()
    except TelegramError as error:
        return Introduction("", trouble(error))
    except (TypeError, ValueError, KeyError, AttributeError):
        return Introduction("", "unreadable_answer")
    finally:
        await line.close()
    return Introduction(user.username or "")
