"""From which network address somebody comes, also when a proxy of ours stands in between."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from aiohttp import web

Networks = Sequence[IPv4Network | IPv6Network]


def networks(words: str) -> Networks:
    """Addresses and networks as an operator lists them, between commas. Raises ValueError."""
    return tuple(ip_network(word.strip()) for word in words.split(",") if word.strip())


def visitor(request: web.Request, trusted: Networks) -> str:
    """Who opened the connection, or if that is a trusted proxy, on whose behalf."""
    forwarded = ",".join(request.headers.getall("X-Forwarded-For", []))
    return behind(request.remote or "", forwarded or request.headers.get("X-Real-IP", ""), trusted)


def behind(peer: str, forwarded: str, trusted: Networks) -> str:
    """The nearest address that is no trusted proxy.

    Each proxy adds at the end whom it heard. What stands before the first address that we do not trust is that
    visitor's own word, which anybody can write.
    """
    here = _address(peer)
    if here is None:
        return peer
    for word in reversed([each for each in forwarded.split(",") if each.strip()]):
        told = _address(word)
        if told is None or not any(here in network for network in trusted):
            break
        here = told
    return str(here)


def _address(word: str) -> IPv4Address | IPv6Address | None:
    try:
        found = ip_address(word.strip())
    except ValueError:
        return None
    # A server on "::" sees IPv4 visitors in this dress.
    return (found.ipv4_mapped or found) if isinstance(found, IPv6Address) else found
