"""How many messages with a button a client library sends in a second: ours, python-telegram-bot's, aiogram's.

`python -m bench.sends API_URL AT_ONCE SECONDS` prints how many ours sent; `python -m bench` compares them.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
from datetime import UTC, datetime

import uvloop

from bench.sending import LABEL, TEXT, sent_in
from bench.subjects import PEERS, THEIRS, Name
from bench.telegram import TOKEN, BotApi
from channels.telegram import TelegramAccount, Wire
from domain.chat import Address, Button, Outgoing, Sent

MESSAGE = Outgoing(Address("telegram", "1"), TEXT, "Khai báo", ((Button(LABEL, "1.well:1.x"),),))


async def sent(api_url: str, at_once: int, seconds: float) -> int:
    account = TelegramAccount(
        "telegram",
        TOKEN,
        clock=lambda: datetime.now(UTC),
        random=random.Random(),
        api_base=api_url,
        wire=Wire(connections=at_once),
    )

    async def send() -> None:
        assert isinstance(await account.send(MESSAGE, "key"), Sent)

    found = await sent_in(send, at_once, seconds)
    await account.close()
    return found


async def per_second(name: Name, at_once: int, delay: float, seconds: float) -> float:
    """Measured in a process that keeps to the measured core, against a Bot API here."""
    api = BotApi(delay=delay)
    await api.start()
    command = [sys.executable, "-m", "bench.sends"]
    if name != "ours":
        command = [str(PEERS), "-m", f"bench.peers.{name}_bot", "sends"]
    arguments = [*command, api.url, str(at_once), str(seconds)]
    process = await asyncio.create_subprocess_exec(*arguments, stdout=asyncio.subprocess.PIPE)
    os.sched_setaffinity(process.pid, {THEIRS})
    said, _ = await process.communicate()
    await api.stop()
    return int(said) / seconds


async def best(name: Name, delay: float, seconds: float) -> float:
    """With the number of messages at a time that suits it best."""
    return max([await per_second(name, many, delay, seconds) for many in (32, 100)])


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(runner.run(sent(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))))
