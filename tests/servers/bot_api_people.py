"""The people's side of the stand-in Telegram: who exists, what they do, and what their screens show."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Sequence
from typing import Any

from tests.servers.bot_api_state import Chat, Limits, Message, Send, Update, busiest


class Telegram:
    """State and acts without HTTP. Ids of people are positive, of groups negative, as on Telegram."""

    def __init__(self, *, bot_id: int = 7000001, username: str = "vung_xanh_bot") -> None:
        self.bot = {"id": bot_id, "is_bot": True, "first_name": "Vùng Xanh", "username": username}
        self.username = username
        self.chats: dict[int, Chat] = {}
        self.pending: list[Update] = []
        self.sends: list[Send] = []
        self.violations: list[str] = []
        self.callbacks: set[str] = set()
        self.taps_offered: dict[str, int] = {}
        self.files: dict[str, bytes] = {}
        self.callback_answers: dict[str, dict[str, Any]] = {}
        self.commands: dict[tuple[str, str], list[dict[str, str]]] = {}
        self.allowed: frozenset[str] = frozenset()
        self.limits = Limits()
        self._next_update = 1000
        self._next_callback = 1
        self._changed = asyncio.Event()

    # People and groups

    def user(self, user_id: int, name: str = "", *, language: str = "vi", started: bool = True) -> int:
        self.chats[user_id] = Chat(user_id, "private", name or f"User {user_id}", language, started)
        return user_id

    def group(self, group_id: int, title: str, *, kind: str = "supergroup", inside: bool = True) -> int:
        self.chats[group_id] = Chat(group_id, kind, title, started=inside)
        return group_id

    def screen(self, chat_id: int) -> list[Message]:
        """The bot's messages in a chat, oldest first, as they stand after edits."""
        return list(self.chats[chat_id].messages.values())

    def last(self, chat_id: int) -> Message:
        screen = self.screen(chat_id)
        assert screen, f"the screen of {chat_id} is empty"
        return screen[-1]

    # What they do

    async def says(self, user_id: int, text: str, *, chat: int | None = None) -> int:
        """Write a text; returns the update's id. Writing in private is also allowing the bot to write."""
        place = self.chats[chat or user_id]
        if place.id == user_id:
            place.started, place.refusal = True, None
        return self.offer("message", self._message(user_id, place, text=text), str(place.id))

    async def shares_contact(self, user_id: int, phone: str, *, own: bool = True) -> int:
        place = self.chats[user_id]
        contact: dict[str, Any] = {"phone_number": phone, "first_name": place.name}
        if own:
            contact["user_id"] = user_id
        return self.offer("message", self._message(user_id, place, contact=contact), str(user_id))

    async def sends_photo(self, user_id: int, content: bytes, *, chat: int | None = None) -> int:
        """Send a photo: Telegram offers it in several sizes and keeps neither name nor type."""
        place = self.chats[chat or user_id]
        sizes = [
            {"width": width, "height": width, "file_size": len(kept)} | self._keep(kept)
            for width, kept in ((90, content[:90]), (1280, content), (320, content[:320]))
        ]
        return self.offer("message", self._message(user_id, place, photo=sizes), str(place.id))

    async def sends_document(
        self, user_id: int, content: bytes, name: str = "", kind: str = "", *, chat: int | None = None
    ) -> int:
        place = self.chats[chat or user_id]
        document: dict[str, Any] = {"file_size": len(content)} | self._keep(content)
        document |= {key: value for key, value in (("file_name", name), ("mime_type", kind)) if value}
        return self.offer("message", self._message(user_id, place, document=document), str(place.id))

    def _keep(self, content: bytes) -> dict[str, str]:
        file_id = f"file{len(self.files)}"
        self.files[file_id] = content
        return {"file_id": file_id, "file_unique_id": f"unique-{file_id}"}

    async def taps(self, user_id: int, message: Message, label: str) -> str:
        """Press a button that is on the screen; returns the callback query's id. Fails if there is no such button."""
        return self.tap_data(user_id, message, message.button(label)["callback_data"])

    def tap_data(self, user_id: int, message: Message, data: str) -> str:
        """Press with any data, as a forged client could."""
        callback_id = f"cb{self._next_callback}"
        self._next_callback += 1
        self.callbacks.add(callback_id)
        query = {
            "id": callback_id,
            "from": self._person(user_id),
            "chat_instance": "1",
            "data": data,
            "message": self.message_json(message),
        }
        self.taps_offered[callback_id] = self.offer("callback_query", query, f"tap{user_id}")
        return callback_id

    def expire_taps(self) -> None:
        """From now on, answers to earlier taps are refused as too old."""
        self.callbacks.clear()

    async def blocks(self, user_id: int) -> int:
        self.chats[user_id].refusal = (403, "Forbidden: bot was blocked by the user")
        return self._membership(user_id, user_id, "member", "kicked")

    async def unblocks(self, user_id: int) -> int:
        self.chats[user_id].refusal = None
        return self._membership(user_id, user_id, "kicked", "member")

    def deactivates(self, user_id: int) -> None:
        self.chats[user_id].refusal = (403, "Forbidden: user is deactivated")

    async def adds_bot(self, user_id: int, group_id: int) -> int:
        self.chats[group_id].started, self.chats[group_id].refusal = True, None
        return self._membership(user_id, group_id, "left", "member")

    async def removes_bot(self, user_id: int, group_id: int) -> int:
        kind = self.chats[group_id].kind
        self.chats[group_id].refusal = (403, f"Forbidden: bot was kicked from the {kind} chat")
        return self._membership(user_id, group_id, "member", "kicked")

    async def upgrades(self, user_id: int, group_id: int, new_id: int) -> int:
        """The group becomes a supergroup: its old messages stay behind, and both chats carry a service message."""
        old = self.chats[group_id]
        old.moved_to = new_id
        self.group(new_id, old.name)
        update_id = self.offer("message", self._message(user_id, old, migrate_to_chat_id=new_id), str(group_id))
        self.offer("message", self._message(user_id, self.chats[new_id], migrate_from_chat_id=group_id), str(new_id))
        return update_id

    def bot_leaves(self, group_id: int) -> int:
        """The bot goes by itself; like everything that happens to it, it hears of that."""
        kind = self.chats[group_id].kind
        self.chats[group_id].refusal = (403, f"Forbidden: bot is not a member of the {kind} chat")
        return self._membership(None, group_id, "member", "left")

    def _membership(self, user_id: int | None, chat_id: int, was: str, now: str) -> int:
        change = {
            "chat": self.chats[chat_id].as_json,
            "from": self.bot if user_id is None else self._person(user_id),
            "date": int(time.time()),
            "old_chat_member": {"status": was, "user": self.bot},
            "new_chat_member": {"status": now, "user": self.bot},
        }
        return self.offer("my_chat_member", change, str(chat_id))

    def _message(self, user_id: int, chat: Chat, **content: Any) -> dict[str, Any]:
        place = {"message_id": chat.take_id(), "date": int(time.time()), "chat": chat.as_json}
        return place | {"from": self._person(user_id)} | content

    def _person(self, user_id: int) -> dict[str, Any]:
        person = self.chats[user_id]
        return {"id": user_id, "is_bot": False, "first_name": person.name, "language_code": person.language}

    def message_json(self, message: Message) -> dict[str, Any]:
        answer: dict[str, Any] = {
            "message_id": message.id,
            "date": int(time.time()),
            "chat": self.chats[message.chat_id].as_json,
            "from": self.bot,
            "caption" if message.document else "text": message.text,
        }
        if "inline_keyboard" in message.markup:
            answer["reply_markup"] = message.markup
        return answer

    # Updates

    def offer(self, kind: str, content: dict[str, Any], queue: str) -> int:
        """Queue an update of this kind, unless the bot did not ask for the kind."""
        update_id = self._next_update
        if self.allowed and kind not in self.allowed:
            return update_id
        return self.offer_raw(json.dumps({"update_id": update_id, kind: content}).encode(), queue)

    @property
    def next_number(self) -> int:
        """The number that the next update will have."""
        return self._next_update

    def offer_raw(self, body: bytes, queue: str = "raw") -> int:
        """Queue any bytes as the next update, for what only a broken service would send."""
        update = Update(self._next_update, body, queue)
        self._next_update += 1
        self.pending.append(update)
        self.post(update)
        self.changed()
        return update.id

    def post(self, update: Update) -> None:
        """Hand the update to the webhook, if there is one."""

    def changed(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    async def next_change(self, timeout: float) -> bool:
        """Wait for anything to happen; false if nothing did in `timeout` seconds."""
        try:
            await asyncio.wait_for(self._changed.wait(), timeout)
        except TimeoutError:
            return False
        return True

    async def until(self, fact: Callable[[], object], timeout: float = 20.0) -> None:
        """Wait until `fact()` holds; fails after `timeout` seconds."""
        end = time.monotonic() + timeout
        while not fact():
            left = end - time.monotonic()
            assert left > 0, "it did not happen in time"
            await self.next_change(min(left, 0.05))

    # Measurements

    def busiest_second(self, methods: Sequence[str] = ()) -> int:
        """The most accepted sends and edits in any second, by the server's clock."""
        return busiest([send.at for send in self.sends if not methods or send.method in methods])
