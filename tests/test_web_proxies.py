"""Who a visitor is behind a proxy: believed from trusted ones only, and each visitor has a limit of their own."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from aiohttp.test_utils import make_mocked_request

from bot.settings import Settings
from tests.web_bench import client, house
from web.chat import JOINS_PER_MINUTE
from web.proxies import behind, networks, visitor

DEFAULT = Settings.model_fields["trusted_proxies"].default


@pytest.mark.parametrize(
    ("peer", "forwarded", "trusted", "who"),
    [
        ("203.0.113.9", "", DEFAULT, "203.0.113.9"),
        ("203.0.113.9", "198.51.100.1", DEFAULT, "203.0.113.9"),
        ("127.0.0.1", "198.51.100.1", DEFAULT, "198.51.100.1"),
        ("127.0.0.1", "198.51.100.1", "", "127.0.0.1"),
        ("::ffff:127.0.0.1", "198.51.100.1", DEFAULT, "198.51.100.1"),
        ("::1", "2001:db8::7", DEFAULT, "2001:db8::7"),
        ("127.0.0.1", "6.6.6.6, 198.51.100.1", DEFAULT, "198.51.100.1"),
        ("127.0.0.1", "6.6.6.6, 198.51.100.1, 10.0.0.2", "127.0.0.1, 10.0.0.0/8", "198.51.100.1"),
        ("127.0.0.1", "10.0.0.3", "127.0.0.1,10.0.0.0/8", "10.0.0.3"),
        ("127.0.0.1", "", DEFAULT, "127.0.0.1"),
        ("127.0.0.1", "unknown", DEFAULT, "127.0.0.1"),
        ("127.0.0.1", "198.51.100.1, nonsense,", DEFAULT, "127.0.0.1"),
        ("", "198.51.100.1", DEFAULT, ""),
    ],
)
def test_only_trusted_proxies_say_who_the_visitor_is(peer: str, forwarded: str, trusted: str, who: str) -> None:
    assert behind(peer, forwarded, networks(trusted)) == who


def test_a_wrong_list_of_proxies_is_refused_at_the_start() -> None:
    with pytest.raises(ValueError, match="expected addresses or networks"):
        Settings.model_validate({"trusted_proxies": "localhost"})


@pytest.mark.parametrize(
    ("headers", "trusted", "who"),
    [
        ({"X-Forwarded-For": "203.0.113.9"}, DEFAULT, "203.0.113.9"),
        ({"X-Real-IP": "203.0.113.9"}, DEFAULT, "203.0.113.9"),
        ({"X-Forwarded-For": "203.0.113.9", "X-Real-IP": "203.0.113.8"}, DEFAULT, "203.0.113.9"),
        ({"X-Forwarded-For": "203.0.113.9", "X-Real-IP": "203.0.113.8"}, "", "127.0.0.1"),
        ({}, DEFAULT, "127.0.0.1"),
    ],
)
def test_the_headers_of_a_request(headers: dict[str, str], trusted: str, who: str) -> None:
    request = make_mocked_request("POST", "/chat/join", headers=headers).clone(remote="127.0.0.1")
    assert visitor(request, networks(trusted)) == who


async def test_whoever_tries_too_often_behind_a_proxy_slows_down_nobody_else(empty_store: Path, tmp_path: Path) -> None:
    async def joins(address: str) -> int:
        sent = {"X-Forwarded-For": address}
        async with browser.post("/chat/join", data={"code": "x"}, headers=sent, allow_redirects=False) as answer:
            return answer.status

    async with house(empty_store, tmp_path, trusted=networks(DEFAULT)) as here, client(here) as browser:
        statuses = await asyncio.gather(*(joins("203.0.113.9") for _ in range(JOINS_PER_MINUTE * 2)))
        assert 429 in statuses
        assert await joins("203.0.113.10") == 303
