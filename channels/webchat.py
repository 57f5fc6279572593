"""Web chat as a channel: its messages are the outbox rows themselves; what it does is wake the pages that show them."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from hashlib import sha256

from domain.chat import Address, Capabilities, Fetched, May, Outcome, Outgoing, Receive, Rejected, Sent, always


class Watch:
    """Tells an open page which of its chats changed since it last asked."""

    def __init__(self) -> None:
        self._changed: set[str] = set()
        self._woken = asyncio.Event()

    async def changed(self) -> frozenset[str]:
        """The chats that changed, as soon as there is one; empty when the channel was closed."""
        await self._woken.wait()
        changed = frozenset(self._changed)
        self._changed.clear()
        self._woken.clear()
        return changed

    def wake(self, chat_id: str | None) -> None:
        if chat_id is not None:
            self._changed.add(chat_id)
        self._woken.set()


class WebChat:
    """Pages of this process are woken by `changed`, also for what another process has settled."""

    capabilities = Capabilities(buttons=100, edit=True, text_length=20_000, groups=True, own_pages=True)

    def __init__(self, name: str = "webchat") -> None:
        self.name = name
        self._watches: dict[str, set[Watch]] = {}

    async def listen(self, receive: Receive, may: May = always) -> None:
        """Nothing to fetch: what people say is posted to the web application."""
        await asyncio.Event().wait()

    async def send(self, message: Outgoing, key: str) -> Outcome:
        """The id of the message on the page: that of the one it replaces, or one that `key` always gives."""
        return Sent(message.replaces or message_id(key))

    async def fetch(self, file_id: str) -> Fetched:
        """Nothing to fetch either: a page posts the file itself."""
        return Rejected("not_kept_here")

    async def leave(self, chat: Address) -> Outcome:
        """A group here is a page of ours: nobody can bring the bot into one of theirs."""
        return Rejected("no_foreign_groups")

    @contextmanager
    def watch(self, *chat_ids: str) -> Iterator[Watch]:
        """Be told of changes in these chats."""
        watch = Watch()
        for chat_id in chat_ids:
            self._watches.setdefault(chat_id, set()).add(watch)
        try:
            yield watch
        finally:
            for chat_id in chat_ids:
                watches = self._watches.get(chat_id, set())
                watches.discard(watch)
                if not watches:
                    self._watches.pop(chat_id, None)

    def changed(self, chat_ids: Collection[str]) -> None:
        """Call with the chats whose messages were settled, once that is committed."""
        for chat_id in set(chat_ids):
            for watch in self._watches.get(chat_id, ()):
                watch.wake(chat_id)

    async def close(self) -> None:
        """Let every open page go."""
        for watches in list(self._watches.values()):
            for watch in watches:
                watch.wake(None)


def message_id(key: str) -> str:
    """22 letters safe in HTML, the same for the same key for ever."""
    return base64.urlsafe_b64encode(sha256(key.encode()).digest()[:16]).rstrip(b"=").decode()
