"""The local Bot API server, for tests in this process or, as `python -m tests.servers.bot_api`, as one of its own."""

from __future__ import annotations

import argparse
import asyncio
import signal

from tests.servers.bot_api_control import add_control
from tests.servers.bot_api_server import TOKEN, BotApi
from tests.servers.bot_api_state import Message

__all__ = ["TOKEN", "BotApi", "Message"]


async def serve(port: int, users: list[int], token: str, *, enforce: bool) -> None:
    server = BotApi(token=token)
    server.limits.enforce = enforce
    for user_id in users:
        server.user(user_id)
    await server.start(port, lambda app: add_control(app, server))
    print(server.base, flush=True)
    stopped = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stopped.set)
    await stopped.wait()
    await server.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one; the address is printed")
    parser.add_argument("--users", type=int, nargs="*", default=[], help="ids of people who pressed Start")
    parser.add_argument("--token", default=TOKEN)
    parser.add_argument("--enforce-limits", action="store_true", help="answer 429 instead of only measuring")
    options = parser.parse_args()
    asyncio.run(serve(options.port, options.users, options.token, enforce=options.enforce_limits))


if __name__ == "__main__":
    main()
