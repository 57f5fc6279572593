"""An account that hears nothing: it repairs itself, and administrators learn of it by another way, once."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio
from aiohttp.abc import AbstractResolver, ResolveResult

from channels.telegram import TelegramAccount, Webhook, Wire
from domain.chat import Address, Outgoing, Sent
from domain.policy import Role
from scheduler.hearing import Hearing
from storage.deafness import DEAF_AFTER
from tests.phone import Phone
from tests.servers.bot_api import BotApi
from tests.servers.telegram_bench import Clock, Store, account_at, listening
from tests.world import World
from web.health import Health
from web.metrics import Metrics

NEVER = datetime.max.replace(tzinfo=UTC)
HOUR, REPAIR_WITHIN = timedelta(hours=1), timedelta(seconds=90)
DEAD_POLL = timedelta(seconds=50) + timedelta(seconds=Wire().poll_grace)
"""What a long poll on a half-open connection takes until it is given up."""
DEAF, HEARS = "bot không nhận được gì từ Telegram", "nhận lại được tin từ Telegram"
REFUSALS = ["unauthorized", "not_found", "two_pollers", "error", "internal", "block_page", "garbage", "drop_before"]


@dataclass
class Names(AbstractResolver):
    """Looks up the one name there is, while it can."""

    fails: bool = False

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        if self.fails:
            raise OSError(-3, "temporary failure in name resolution")
        return [ResolveResult(hostname=host, host="127.0.0.1", port=port, family=socket.AF_INET, proto=0, flags=0)]

    async def close(self) -> None:
        """Nothing is open."""


@dataclass
class Hours(Clock):
    """Time that passes while the account waits before it tries again. The fault ends at the worst moment.

    That is just after an attempt has begun, of which each takes `attempt`; `check` is what else runs by this clock.
    """

    attempt: timedelta = timedelta()
    until: datetime = NEVER
    heal: Callable[[], None] = lambda: None
    check: Callable[[], Awaitable[object]] = field(default=lambda: asyncio.sleep(0))
    healed_at: datetime | None = None

    async def nap(self, seconds: float) -> None:
        if self.healed_at is None and self.now >= self.until:
            self.heal()
            self.healed_at = self.now
        self.now += self.attempt
        await super().nap(seconds)
        await self.check()


@dataclass
class Scene:
    """An account at a server that will fail, and an administrator who has another chat."""

    world: World
    server: BotApi
    names: Names
    clock: Hours
    account: TelegramAccount
    web: Phone

    def begin(self, fault: str) -> None:
        if fault == "dns":
            self.names.fails = True
        else:
            self.server.fails(fault, method="getUpdates", times=10**6)
        self.clock.attempt = DEAD_POLL if fault == "silent" else timedelta()
        self.clock.heal = self._heal

    def _heal(self) -> None:
        self.names.fails = False
        self.server.faults.clear()

    @property
    def health(self) -> Health:
        return Health(self.world.database, self.clock, ("telegram", "webchat"), {"telegram": self.account})

    async def look(self) -> None:
        self.world.now = self.clock.now
        await self.world.app.deliveries["webchat"].drain()


@pytest_asyncio.fixture
async def scene(world: World) -> AsyncIterator[Scene]:
    telegram = await world.enrolled("an", role=Role.ADMIN)
    web = await world.also_on("an", "webchat")
    await telegram.type("/help")
    names, clock = Names(), Hours(now=world.now)
    async with BotApi() as server:
        wire = Wire(connect_timeout=2.0, read_timeout=2.0, poll_grace=0.05, resolver=names)
        port = server.base.rpartition(":")[2]
        base = f"http://api.telegram.example:{port}"
        account = account_at(server, clock=clock, wire=wire, base=base, poll_timeout=0)
        ears = Hearing(world.database, world.house, {"telegram": account}, clock, lambda: None)
        clock.check = lambda: ears.check(clock.now)
        yield Scene(world, server, names, clock, account, web)
        await account.close()


@pytest.mark.parametrize("fault", [*REFUSALS, "silent", "dns"])
async def test_an_hour_of_deafness_is_told_of_by_another_way_and_repairs_itself(scene: Scene, fault: str) -> None:
    clock, account = scene.clock, scene.account
    began = clock.now
    if fault == "dns":  # a name is remembered for a while once it was found
        scene.begin(fault)
    async with listening(account, Store()) as store:
        if fault != "dns":
            await scene.server.until(lambda: account.heard_at)
            scene.begin(fault)
        await scene.server.until(lambda: clock.now >= began + DEAF_AFTER + 2 * REPAIR_WITHIN)
        reading = await scene.health.read()
        clock.until = began + HOUR
        await scene.server.until(lambda: clock.healed_at)
        await scene.server.says(scene.server.user(7), "chào")
        await scene.server.until(lambda: store.kept)
        await scene.server.until(lambda: account.heard_at and account.heard_at > began)
        await clock.check()
        assert (await scene.health.read()).channels["telegram"].hearing
    assert clock.healed_at is not None and account.heard_at is not None
    assert clock.healed_at - began >= HOUR
    assert account.heard_at - clock.healed_at <= REPAIR_WITHIN
    assert account.problem == ""
    assert not reading.ok and not reading.channels["telegram"].hearing
    assert 'vungxanh_hearing{channel="telegram"} 0.0' in Metrics().text(reading).decode()
    await scene.look()
    assert (scene.web.screen.count(DEAF), scene.web.screen.count(HEARS)) == (1, 1)
    told = [message for _, message in scene.world.telegram.sent if DEAF in message.text]
    assert told == [], "the account that is deaf is not what tells of it"


async def test_a_short_silence_is_nobodys_business(scene: Scene) -> None:
    async with listening(scene.account, Store()):
        await scene.server.until(lambda: scene.account.heard_at)
        scene.begin("error")
        scene.clock.until = scene.clock.now + timedelta(minutes=4)
        await scene.server.until(lambda: scene.clock.healed_at)
        healed_at = scene.clock.now
        await scene.server.until(lambda: scene.account.heard_at and scene.account.heard_at >= healed_at)
        await scene.clock.check()
    await scene.look()
    scene.web.sees_not(DEAF, HEARS)


@dataclass
class Ear:
    """An account as it may look from outside."""

    problem: str = ""
    heard_at: datetime | None = None
    silent_since: datetime | None = None


async def test_it_is_told_once_though_processes_come_and_go(each_world: World) -> None:
    world = each_world
    await world.enrolled("an", role=Role.ADMIN, on="webchat")
    an, began = world.phone("an", "webchat"), world.now

    def process(ear: Ear) -> Hearing:
        return Hearing(world.database, world.house, {"telegram": ear}, lambda: world.now, lambda: None)

    deaf = Ear("status_401", began, began)
    world.now += timedelta(minutes=6)
    assert [await process(deaf).check(world.now) for _ in range(3)] == [1, 0, 0]
    started = Ear("status_401", None, world.now)
    assert await process(started).check(world.now) == 0, "one that has just begun to listen says nothing yet"
    standing_by = Ear("", world.now, None)
    assert await process(standing_by).check(world.now) == 0
    world.now += timedelta(minutes=1)
    hears = Ear("", world.now, world.now)
    assert [await process(hears).check(world.now) for _ in range(2)] == [1, 0]
    await world.settle()
    an.sees("(mã lỗi: status_401)", HEARS)
    world.now += timedelta(minutes=30)
    again = Ear("status_409", began, world.now - timedelta(minutes=10))
    assert await process(again).check(world.now) == 1


async def test_who_has_no_other_chat_is_told_there(world: World) -> None:
    an = await world.enrolled("an", role=Role.ADMIN)
    ear = Ear("status_409", world.now - timedelta(minutes=6), world.now - timedelta(minutes=6))
    hearing = Hearing(world.database, world.house, {"telegram": ear}, lambda: world.now, lambda: None)
    assert await hearing.check(world.now) == 1
    await world.settle()
    an.sees(DEAF)


async def test_a_refusal_is_no_hearing_and_sending_none_either(scene: Scene) -> None:
    """Sends go through while another poller takes the updates: that account is deaf all the same."""
    server, account = scene.server, scene.account
    server.fails("two_pollers", method="getUpdates", times=10**6)
    async with listening(account, Store()):
        await server.until(lambda: scene.clock.naps)
        message = Outgoing(Address(account.name, str(server.user(8))), "chào")
        while not isinstance(await account.send(message, "key"), Sent):
            """In hours that pass so quickly connections are renewed in the middle of it."""
        assert account.heard_at is None and account.silent_since is not None
        await server.until(lambda: account.problem == "status_409")
    assert account.silent_since is None, "it listens no more"


async def test_a_webhook_that_telegram_cannot_reach_is_deaf(
    server_with_webhook: tuple[BotApi, TelegramAccount],
) -> None:
    server, account = server_with_webhook
    watching = asyncio.create_task(account.listen(Store().receive))
    await server.until(lambda: account.heard_at)
    await server.says(server.user(7), "chào")  # to an address at which nobody answers
    await server.until(lambda: account.problem == "webhook_not_reached")
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)


@pytest_asyncio.fixture
async def server_with_webhook() -> AsyncIterator[tuple[BotApi, TelegramAccount]]:
    async with BotApi(pace=0.01) as server:
        account = account_at(server, webhook=Webhook("http://127.0.0.1:9/telegram", "made-up"))
        yield server, account
        await account.close()
