"""A bot on python-telegram-bot: its Application with HTTP client, rate limiter and webhook server, many taps at once.

`python -m bench.peers.ptb_bot webhook|polling DATABASE_URL API_URL PORT`, `… sends API_URL AT_ONCE SECONDS` or
`… round API_URL PROMPTS`
"""

from __future__ import annotations

import asyncio
import sys
from functools import partial
from typing import Any

from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup, Update
from telegram.ext import AIORateLimiter, Application, CallbackQueryHandler, ContextTypes
from telegram.request import HTTPXRequest

from bench.peers.lone import listen
from bench.peers.store import Taps
from bench.sending import LABEL, TEXT, sent_in
from bench.telegram import LIMIT, SECRET, TOKEN

AT_ONCE = 256
"""Updates handled, and connections open, at a time: what the library's wiki advises for busy bots."""


async def take(taps: Taps, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
    query = update.callback_query
    assert query is not None
    await taps.keep(query.from_user.id, query.data or "")
    await query.answer()


def application(taps: Taps, api_url: str, port: int, mode: str) -> Application[Any, Any, Any, Any, Any, Any]:
    async def prepare(_: object) -> None:
        await taps.prepare()
        if mode == "polling":
            await listen(port)

    made = (
        Application.builder()
        .token(TOKEN)
        .base_url(f"{api_url}/bot")
        .request(HTTPXRequest(connection_pool_size=AT_ONCE))
        .get_updates_request(HTTPXRequest())
        .rate_limiter(AIORateLimiter())
        .concurrent_updates(AT_ONCE)
        .post_init(prepare)
        .build()
    )
    made.add_handler(CallbackQueryHandler(partial(take, taps)))
    return made


async def sends(api_url: str, at_once: int, seconds: float) -> int:
    """How many messages with a button its client sends."""
    bot = Bot(TOKEN, base_url=f"{api_url}/bot", request=HTTPXRequest(connection_pool_size=at_once))
    markup = InlineKeyboardMarkup([[InlineKeyboardButton(LABEL, callback_data="well:1")]])
    async with bot:
        return await sent_in(lambda: bot.send_message(1, TEXT, reply_markup=markup), at_once, seconds)


async def send_round(api_url: str, prompts: int) -> None:
    """All at once, which is what the library's rate limiter is for."""
    made = (
        Application.builder()
        .token(TOKEN)
        .base_url(f"{api_url}/bot")
        .request(HTTPXRequest(connection_pool_size=AT_ONCE, pool_timeout=600))
        .rate_limiter(AIORateLimiter(overall_max_rate=LIMIT, overall_time_period=1, max_retries=5))
        .build()
    )
    async with made:
        await asyncio.gather(*(made.bot.send_message(n, TEXT) for n in range(1, prompts + 1)))


def run(mode: str, url: str, api_url: str, port: str) -> None:
    running = application(Taps(url), api_url, int(port), mode)
    if mode == "polling":
        running.run_polling(timeout=50)
    else:
        address = f"http://127.0.0.1:{port}/tap"
        running.run_webhook("127.0.0.1", int(port), "tap", webhook_url=address, secret_token=SECRET)


if __name__ == "__main__":
    match sys.argv[1:]:
        case "sends", api_url, at_once, seconds:
            print(asyncio.run(sends(api_url, int(at_once), float(seconds))))
        case "round", api_url, prompts:
            asyncio.run(send_round(api_url, int(prompts)))
        case mode, url, api_url, port:
            run(mode, url, api_url, port)
