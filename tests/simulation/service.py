"""Telegram as the simulation has it: the strict stand-in of the other tests, with its people, on virtual time."""

from __future__ import annotations

import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from domain.chat import Address
from tests.servers import bot_api_people, bot_api_server
from tests.servers.bot_api_server import BotApi, Refusal
from tests.servers.bot_api_state import Message, Update
from tests.simulation.department import CAST, GROUP_OF_A, GROUP_OF_B, TELEGRAM
from tests.simulation.records import Key, Shown


class Service(BotApi):
    """Without HTTP: `answer` and `poll` are what a request gets once it has arrived."""

    def __init__(self, time: Callable[[], float], epoch: float) -> None:
        super().__init__()
        clock = SimpleNamespace(monotonic=time, time=lambda: epoch + time())
        vars(bot_api_server)["time"] = vars(bot_api_people)["time"] = clock
        self.time = time
        self.limits.enforce = True
        self.is_down = False
        self.offered: list[Update] = []
        for member in CAST:
            if member.telegram:
                self.user(member.telegram, member.name)
        for group, title in ((GROUP_OF_A, "Phòng An"), (GROUP_OF_B, "Phòng Bình")):
            self.group(group, title, kind="group")

    async def answer(self, method: str, parameters: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """The status and body of the reply."""
        try:
            return 200, {"ok": True, "result": await self._call(method, parameters)}
        except Refusal as refusal:
            return refusal.status, refused(refusal.status, refusal.description, refusal.parameters)

    def offer_raw(self, body: bytes, queue: str = "raw") -> int:
        number = super().offer_raw(body, queue)
        self.offered.append(self.pending[-1])
        return number

    def offer_again(self) -> None:
        """A service gone mad: everything that ever happened, once more, the last first."""
        self.pending += reversed(self.offered)
        self.changed()

    async def poll(self, parameters: dict[str, Any]) -> tuple[int, bytes]:
        try:
            answer = await self._get_updates(parameters)
        except Refusal as refusal:
            return refusal.status, json.dumps(refused(refusal.status, refusal.description, {})).encode()
        assert isinstance(answer.body, bytes)
        return 200, answer.body

    def appeared(self, result: dict[str, Any], letter: str, began: float, *, is_edit: bool) -> Shown:
        """What an accepted call has put on the screen."""
        chat_id = result["chat"]["id"]
        message = self.chats[chat_id].messages[result["message_id"]]
        at, here = self.time(), Address(TELEGRAM, str(chat_id))
        return Shown(at, here, str(message.id), letter, message.text, _keys(message), is_edit, began)


def refused(status: int, description: str, parameters: dict[str, Any]) -> dict[str, Any]:
    body = {"ok": False, "error_code": status, "description": description}
    return body | ({"parameters": parameters} if parameters else {})


def _keys(message: Message) -> list[Key]:
    return [Key(one["text"], one.get("callback_data", "")) for row in message.buttons for one in row]
