"""As many sends as a client manages in a time, so many at once. Ours and the peers' are measured by the same lines."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

TEXT = "Hôm nay tôi khỏe mạnh, không sốt, không ho, không tiếp xúc với người bệnh."
LABEL = "Tôi khỏe"
Send = Callable[[], Awaitable[object]]


async def sent_in(send: Send, at_once: int, seconds: float) -> int:
    """How many were answered in that time."""
    await send()
    end, sent = time.perf_counter() + seconds, 0

    async def sender() -> None:
        nonlocal sent
        while time.perf_counter() < end:
            await send()
            sent += 1

    await asyncio.gather(*(sender() for _ in range(at_once)))
    return sent
