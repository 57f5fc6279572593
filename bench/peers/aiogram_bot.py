"""A bot on aiogram 3: Dispatcher, its aiohttp session and webhook handler, acknowledging in the webhook's own reply.

`python -m bench.peers.aiogram_bot webhook|polling DATABASE_URL API_URL PORT`, `… sends API_URL AT_ONCE SECONDS` or
`… round API_URL PROMPTS`
"""

from __future__ import annotations

import asyncio
import sys

from aiogram import Bot, Dispatcher
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.methods import TelegramMethod
from aiogram.types import CallbackQuery, InlineKeyboardButton, InlineKeyboardMarkup
from aiogram.webhook.aiohttp_server import SimpleRequestHandler
from aiohttp import web

from bench.peers.lone import listen
from bench.peers.store import Taps
from bench.sending import LABEL, TEXT, sent_in
from bench.telegram import SECRET, TOKEN


def dispatcher(taps: Taps, *, replies: bool) -> Dispatcher:
    """With `replies` the acknowledgement is what the webhook returns, else a call of its own."""

    async def take(query: CallbackQuery) -> TelegramMethod[bool] | None:
        await taps.keep(query.from_user.id, query.data or "")
        if replies:
            return query.answer()
        await query.answer()
        return None

    made = Dispatcher()
    made.callback_query.register(take)
    return made


def bot_at(api_url: str, connections: int = 100) -> Bot:
    return Bot(TOKEN, session=AiohttpSession(api=TelegramAPIServer.from_base(api_url), limit=connections))


async def run(mode: str, url: str, api_url: str, port: int) -> None:
    taps, bot = Taps(url), bot_at(api_url)
    await taps.prepare()
    if mode == "polling":
        await listen(port)
        await dispatcher(taps, replies=False).start_polling(bot, polling_timeout=50)
        return
    app = web.Application()
    taking = dispatcher(taps, replies=True)
    SimpleRequestHandler(taking, bot, handle_in_background=False, secret_token=SECRET).register(app, path="/tap")
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    await bot.set_webhook(f"http://127.0.0.1:{port}/tap", secret_token=SECRET)
    await asyncio.Event().wait()


async def sends(api_url: str, at_once: int, seconds: float) -> int:
    """How many messages with a button its client sends."""
    button = InlineKeyboardButton(text=LABEL, callback_data="well:1")
    markup = InlineKeyboardMarkup(inline_keyboard=[[button]])
    async with bot_at(api_url, at_once) as bot:
        return await sent_in(lambda: bot.send_message(1, TEXT, reply_markup=markup), at_once, seconds)


async def send_round(api_url: str, prompts: int) -> None:
    """One after another with a pause, as its documents' example of a broadcast does (20 a second)."""
    async with bot_at(api_url) as bot:
        for n in range(1, prompts + 1):
            await bot.send_message(n, TEXT)
            await asyncio.sleep(0.05)


if __name__ == "__main__":
    match sys.argv[1:]:
        case "sends", api_url, at_once, seconds:
            print(asyncio.run(sends(api_url, int(at_once), float(seconds))))
        case "round", api_url, prompts:
            asyncio.run(send_round(api_url, int(prompts)))
        case mode, url, api_url, port:
            asyncio.run(run(mode, url, api_url, int(port)))
