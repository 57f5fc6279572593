"""A Telegram account of ours at a local Bot API server, with a clock and sleeps that no test waits for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random

from channels.telegram import TelegramAccount, Webhook, Wire
from domain.chat import Incoming, NotStored, Receipt
from tests.servers.bot_api import BotApi


@dataclass
class Clock:
    """Stands still, except that each nap moves it on by its length."""

    now: datetime = datetime(2026, 3, 2, 0, 0, tzinfo=UTC)
    naps: list[float] = field(default_factory=list)

    def __call__(self) -> datetime:
        return self.now

    async def nap(self, seconds: float) -> None:
        self.naps.append(seconds)
        self.now += timedelta(seconds=seconds)
        await asyncio.sleep(0)


@dataclass
class Store:
    """Keeps what it is given, as the intake does; `refusals` times it does not."""

    kept: list[Incoming] = field(default_factory=list)
    batches: list[int] = field(default_factory=list)
    refusals: int = 0
    receipt: Receipt = field(default_factory=lambda: Receipt(saved=True, notice="Đã ghi"))

    async def receive(self, batch: Sequence[Incoming]) -> Sequence[Receipt]:
        self.batches.append(len(batch))
        if self.refusals:
            self.refusals -= 1
            raise NotStored
        self.kept += batch
        return [self.receipt for _ in batch]


def account_at(
    server: BotApi,
    *,
    clock: Clock | None = None,
    webhook: Webhook | None = None,
    wire: Wire | None = None,
    base: str = "",
    poll_timeout: int = 50,
) -> TelegramAccount:
    clock = clock or Clock()
    return TelegramAccount(
        "telegram",
        server.token,
        clock=clock,
        sleep=clock.nap,
        random=Random(1),
        api_base=base or server.base,
        wire=wire or Wire(connect_timeout=2.0, read_timeout=2.0),
        webhook=webhook,
        poll_timeout=poll_timeout,
    )


@asynccontextmanager
async def listening(account: TelegramAccount, store: Store) -> AsyncIterator[Store]:
    """The account takes updates into the store while the block runs."""
    task = asyncio.create_task(account.listen(store.receive))
    try:
        yield store
        assert not task.done(), "listening ended"
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
