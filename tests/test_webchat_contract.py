"""Web chat keeps the contract of all channels, read off the page over real HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

from channels.webchat import WebChat
from domain.chat import Address, Channel, Fetched, May, Outcome, Outgoing, Receive, always
from tests.channel_contract import CHECKS, Bench, Check, Shown, Trouble, check_name
from tests.web_bench import LAN, House, Page, client, house

NEEDS_A_SERVICE = (
    "a_blocked_chat_is_unreachable",
    "slow_down_says_how_long",
    "an_unheard_answer_is_an_unknown_outcome",
    "no_connection_is_worth_another_try",
)
"""Between the outbox and the page there is nobody who could refuse, slow down or not answer."""


class Delivering:
    """The channel with what surrounds it: a letter that was sent is a row of the outbox."""

    def __init__(self, here: House) -> None:
        self.name = here.hub.name
        self.capabilities = here.hub.capabilities
        self._here = here

    async def listen(self, receive: Receive, may: May = always) -> None:
        await self._here.hub.listen(receive, may)

    async def send(self, message: Outgoing, key: str) -> Outcome:
        outcome = await self._here.hub.send(message, key)
        await self._here.show(message, key)
        return outcome

    async def fetch(self, file_id: str) -> Fetched:
        return await self._here.hub.fetch(file_id)

    async def leave(self, chat: Address) -> Outcome:
        return await self._here.hub.leave(chat)

    async def close(self) -> None:
        await self._here.hub.close()


class WebBench:
    troubles: frozenset[Trouble] = frozenset()

    def __init__(self, here: House, chat_id: str, path: str) -> None:
        self.channel: Channel = Delivering(here)
        self.to = Address(here.hub.name, chat_id)
        self._here = here
        self._path = path

    async def screen(self) -> Sequence[Shown]:
        async with client(self._here) as browser:
            async with browser.get(self._path) as answer:
                page = Page(await answer.text())
            return [await self._seen(browser, page, shown) for shown in page.shown]

    async def _seen(self, browser: aiohttp.ClientSession, page: Page, shown: Shown) -> Shown:
        """With the picture as the page's own address gives it."""
        if shown.message_id not in page.pictures:
            return shown
        async with browser.get(page.pictures[shown.message_id]) as answer:
            return replace(shown, picture=await answer.read())

    async def trouble(self, kind: Trouble) -> None:
        raise AssertionError(kind)


@pytest_asyncio.fixture(params=["private", "group"])
async def bench(request: pytest.FixtureRequest, empty_store: Path, tmp_path: Path) -> AsyncIterator[Bench]:
    async with house(empty_store, tmp_path) as here:
        await here.enrol()
        if request.param == "group":
            yield WebBench(here, "group-ke-hoach", here.group_path("group-ke-hoach"))
        else:
            yield WebBench(here, LAN, here.path())


@pytest.mark.parametrize("check", [one for one in CHECKS if check_name(one) not in NEEDS_A_SERVICE], ids=check_name)
async def test_contract(check: Check, bench: Bench) -> None:
    await check(bench)


async def test_the_same_key_always_names_the_same_message() -> None:
    hub, message = WebChat(), Outgoing(Address("webchat", LAN), "Xin chào")
    assert await hub.send(message, "prompt:7") == await hub.send(message, "prompt:7")
    assert await hub.send(message, "prompt:7") != await hub.send(message, "prompt:8")


async def test_a_watch_hears_only_of_its_own_chats_and_of_the_end() -> None:
    hub = WebChat()
    with hub.watch("a", "b") as watch:
        hub.changed(["c"])
        hub.changed(["b", "a", "b"])
        assert await watch.changed() == {"a", "b"}
        await hub.close()
        assert await watch.changed() == frozenset()
    hub.changed(["a"])
