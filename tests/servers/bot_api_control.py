"""Orders to a Bot API server that runs as a process of its own, as JSON over HTTP below `/control/`."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from dataclasses import asdict
from random import Random
from typing import Any, TypeVar

from aiohttp import web

from tests.servers.bot_api_server import BotApi
from tests.servers.bot_api_state import Message

T = TypeVar("T")
IN_ONE_GO = 20
"""After so many chats a long order lets requests of the bot be taken: their times are what is measured."""


def add_control(app: web.Application, server: BotApi) -> None:
    orders = _Orders(server)
    app.router.add_post("/control/users", orders.users)
    app.router.add_post("/control/groups", orders.groups)
    app.router.add_post("/control/says", orders.says)
    app.router.add_post("/control/tap", orders.tap)
    app.router.add_post("/control/tap-all", orders.tap_all)
    app.router.add_post("/control/tap-any", orders.tap_any)
    app.router.add_post("/control/blocks", orders.blocks)
    app.router.add_post("/control/fails", orders.fails)
    app.router.add_post("/control/heal", orders.heal)
    app.router.add_post("/control/limits", orders.limits)
    app.router.add_get("/control/messages", orders.messages)
    app.router.add_get("/control/sends", orders.sends)
    app.router.add_get("/control/acknowledged", orders.acknowledged)
    app.router.add_get("/control/violations", orders.violations)
    app.router.add_get("/control/stats", orders.stats)


class _Orders:
    def __init__(self, server: BotApi) -> None:
        self._server = server
        self._chance = Random(1)

    async def users(self, request: web.Request) -> web.Response:
        """`{"ids": [..], "started": true}` or `{"first": 1, "count": 2284}`."""
        order = await request.json()
        ids = order.get("ids") or range(order["first"], order["first"] + order["count"])
        async for user_id in _gently(ids):
            self._server.user(user_id, started=order.get("started", True))
        return web.json_response({"users": len(ids)})

    async def groups(self, request: web.Request) -> web.Response:
        order = await request.json()
        self._server.group(order["id"], order.get("title", "Group"))
        return web.json_response({})

    async def says(self, request: web.Request) -> web.Response:
        """`{"user": 1, "text": "/start abc"}`, or many as `{"all": [[1, "/start abc"], ..]}`; `chat` for a group."""
        order = await request.json()
        said = order.get("all") or [[order["user"], order["text"]]]
        ids = [await self._server.says(user, text, chat=order.get("chat")) async for user, text in _gently(said)]
        return web.json_response({"updates": ids})

    async def tap(self, request: web.Request) -> web.Response:
        """`{"user": 1, "label": "..", "chat": 1, "message": 5}`: by default the newest message with that button."""
        order = await request.json()
        message = self._with_button(order.get("chat", order["user"]), order["label"], order.get("message"))
        if message is None:
            raise web.HTTPNotFound(text="no such button on the screen")
        callback_id = self._server.tap_data(order["user"], message, _data(message, order["label"]))
        return web.json_response({"callback": callback_id, "message": message.id})

    async def tap_all(self, request: web.Request) -> web.Response:
        """`{"label": ".."}`: everyone with such a button taps the newest one; who tapped which message comes back.

        `label` may be the beginning of the label; `users` narrows who taps.
        """
        order = await request.json()
        chosen = order.get("users") or [chat.id for chat in self._server.chats.values() if chat.kind == "private"]
        tapped = []
        async for user in _gently(chosen):
            message = self._with_button(user, order["label"], None)
            if message is not None:
                callback_id = self._server.tap_data(user, message, _data(message, order["label"]))
                tapped.append({"user": user, "message": message.id, "callback": callback_id})
        return web.json_response({"tapped": tapped})

    async def tap_any(self, request: web.Request) -> web.Response:
        """`{"users": [..], "labels": [..]}`: each taps one of the buttons with these beginnings in the newest message

        that has any. What each tapped comes back, with the update that it became.
        """
        order = await request.json()
        tapped = []
        for user in order["users"]:
            found = self._with_any(user, order["labels"])
            if found is not None:
                message, data = found
                callback_id = self._server.tap_data(user, message, data)
                update = self._server.taps_offered[callback_id]
                tapped.append({"user": user, "callback": callback_id, "update": update, "data": data})
        return web.json_response({"tapped": tapped})

    async def blocks(self, request: web.Request) -> web.Response:
        order = await request.json()
        await self._server.blocks(order["user"])
        return web.json_response({})

    async def fails(self, request: web.Request) -> web.Response:
        """`{"name": "drop_after", "method": "sendMessage", "probability": 0.02, "times": 1000}`."""
        self._server.fails(**await request.json())
        return web.json_response({})

    async def heal(self, _: web.Request) -> web.Response:
        self._server.faults.clear()
        return web.json_response({})

    async def limits(self, request: web.Request) -> web.Response:
        """`{"enforce": true, "per_second": 30}`."""
        for name, value in (await request.json()).items():
            setattr(self._server.limits, name, value)
        return web.json_response({})

    async def messages(self, request: web.Request) -> web.Response:
        """Of one `?chat=`, or of all chats by id."""
        chat = request.query.get("chat")
        if chat is not None:
            return web.json_response([_seen(message) for message in self._server.screen(int(chat))])
        parts = [
            f'"{each}": {json.dumps([_seen(message) for message in self._server.screen(each)])}'
            async for each in _gently(list(self._server.chats))
        ]
        return web.Response(text="{" + ",".join(parts) + "}", content_type="application/json")

    async def sends(self, _: web.Request) -> web.Response:
        return web.json_response([asdict(send) for send in self._server.sends])

    async def acknowledged(self, request: web.Request) -> web.Response:
        """The taps answered as taken, in order, from the `?since=`th on; how many were answered; which updates wait."""
        answers = list(self._server.callback_answers.items())
        since = int(request.query.get("since", 0))
        taken = [callback for callback, answer in answers[since:] if not answer.get("show_alert")]
        waiting = [update.id for update in self._server.pending]
        return web.json_response({"taken": taken, "answers": len(answers), "pending": len(waiting), "waiting": waiting})

    async def violations(self, _: web.Request) -> web.Response:
        return web.json_response(self._server.violations)

    async def stats(self, _: web.Request) -> web.Response:
        server = self._server
        return web.json_response(
            {
                "sends": len(server.sends),
                "busiest_second": server.busiest_second(),
                "refused": server.limits.refused,
                "calls_inside_wait": server.limits.calls_inside_wait,
                "pending": len(server.pending),
                "taps_answered": len(server.callback_answers),
                "violations": len(server.violations),
                "unanswered_sends": sum(not send.answered for send in server.sends),
            }
        )

    def _with_button(self, chat: int, label: str, message_id: int | None) -> Message | None:
        screen = reversed(self._server.screen(chat))
        wanted = (message for message in screen if message_id in (None, message.id) and _data(message, label))
        return next(wanted, None)

    def _with_any(self, chat: int, labels: list[str]) -> tuple[Message, str] | None:
        for message in reversed(self._server.screen(chat)):
            offered = [data for label in labels if (data := _data(message, label))]
            if offered:
                return message, self._chance.choice(offered)
        return None


async def _gently(things: Iterable[T]) -> AsyncIterator[T]:
    for number, one in enumerate(things):
        if number % IN_ONE_GO == 0:
            await asyncio.sleep(0)
        yield one


def _data(message: Message, label: str) -> str:
    for row in message.buttons:
        for button in row:
            if button["text"].startswith(label) and "callback_data" in button:
                return str(button["callback_data"])
    return ""


def _seen(message: Message) -> dict[str, Any]:
    return {"id": message.id, "text": message.text, "labels": message.labels, "edits": message.edits}
