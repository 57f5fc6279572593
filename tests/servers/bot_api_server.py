"""A local Bot API server: real HTTP, strict about every request, and able to misbehave in every known way."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import time
from collections.abc import Awaitable, Callable
from random import Random
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from tests.servers.bot_api_people import Telegram
from tests.servers.bot_api_spec import Upload, native, problems, uploaded
from tests.servers.bot_api_state import Chat, Fault, Message, Send, Update, fault
from tests.servers.bot_api_webhook import WebhookPoster

TOKEN = "7000001:made-up-token-for-tests-only-000000"
_PATH = "/bot{token}/{method}"
_FILE_PATH = "/file/bot{token}/{path:.+}"
_EDITS = {"editMessageText", "editMessageCaption"}
_SENDS = {"sendMessage", "sendDocument", "sendPhoto"} | _EDITS
_MOST_DOWNLOADED = 20 * 1024 * 1024


class Refusal(Exception):
    """An `ok: false` reply."""

    def __init__(self, status: int, description: str, parameters: dict[str, int] | None = None) -> None:
        super().__init__(description)
        self.status = status
        self.description = description
        self.parameters = parameters or {}


class BotApi(Telegram):
    """`async with BotApi() as server:` listens on 127.0.0.1 at `server.base`; `server.token` is accepted.

    `pace` multiplies the waits between webhook attempts.
    """

    def __init__(self, *, token: str = TOKEN, seed: int = 1, pace: float = 1.0) -> None:
        super().__init__()
        self.token = token
        self.base = ""
        self.calls: list[str] = []
        self.faults: list[Fault] = []
        self.poster: WebhookPoster | None = None
        self.dropped_pending = False
        self.tells_sizes = True
        self._pace = pace
        self._random = Random(seed)
        self.polls = 0
        self._closing = asyncio.Event()
        self._runner: web.AppRunner | None = None
        self._methods: dict[str, Callable[[dict[str, Any]], Awaitable[Any]]] = {
            "getMe": self._get_me,
            "setWebhook": self._set_webhook,
            "deleteWebhook": self._delete_webhook,
            "getWebhookInfo": self._webhook_info,
            "sendMessage": self._send_message,
            "sendDocument": self._send_document,
            "sendPhoto": self._send_photo,
            "getFile": self._get_file,
            "editMessageText": self._edit_message,
            "editMessageCaption": self._edit_caption,
            "leaveChat": self._leave_chat,
            "answerCallbackQuery": self._answer_callback,
            "setMyCommands": self._set_commands,
            "getMyCommands": self._get_commands,
        }

    async def start(self, port: int = 0, extra_routes: Callable[[web.Application], None] | None = None) -> str:
        app = web.Application(client_max_size=60 * 1024 * 1024)
        app.router.add_route("*", _PATH, self._respond)
        app.router.add_get(_FILE_PATH, self._download)
        if extra_routes is not None:
            extra_routes(app)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1, handle_signals=False)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", port, backlog=1024)
        await site.start()
        self.base = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self.base

    async def stop(self) -> None:
        self._closing.set()
        self.changed()
        await self._forget_webhook()
        if self._runner is not None:
            await self._runner.cleanup()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    def fails(self, name: str, **where: Any) -> Fault:
        """Plan a fault, such as `fails("flood", retry_after=3, method="sendMessage", chat=5, times=2)`."""
        planned = fault(name, **where)
        self.faults.append(planned)
        return planned

    # One request

    async def _respond(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        parameters = await _parameters(request, method)
        self.calls.append(method)
        if request.match_info["token"] != self.token:
            return _reply(Refusal(401, "Unauthorized"))
        planned = self._planned(method, parameters)
        if planned is None:
            return await self._answered(method, parameters)
        return await self._misbehave(planned, request, method, parameters)

    async def _answered(self, method: str, parameters: dict[str, Any]) -> web.Response:
        try:
            if method == "getUpdates":
                self._check(method, parameters)
                return await self._get_updates(parameters)
            return _reply(await self._call(method, parameters))
        except Refusal as refusal:
            return _reply(refusal)

    async def _call(self, method: str, parameters: dict[str, Any]) -> Any:
        self._check(method, parameters)
        self._limit(method, parameters)
        result = await self._methods[method](parameters)
        self.changed()
        return result

    def _check(self, method: str, parameters: dict[str, Any]) -> None:
        found = problems(method, parameters)
        if found:
            self.violations += [f"{method}: {problem}" for problem in found]
            if any(problem.startswith("unknown method") for problem in found):
                raise Refusal(404, "Not Found: method not found")
            raise Refusal(400, f"Bad Request: {found[0]}")

    def _limit(self, method: str, parameters: dict[str, Any]) -> None:
        if method in _SENDS:
            chat_id = int(parameters["chat_id"])
            wait = self.limits.refusal(chat_id, time.monotonic(), is_edit=method in _EDITS)
            if wait is not None:
                raise Refusal(429, f"Too Many Requests: retry after {wait}", {"retry_after": wait})

    # Faults

    def _planned(self, method: str, parameters: dict[str, Any]) -> Fault | None:
        for planned in self.faults:
            matches = planned.method in (None, method) and planned.chat in (None, _chat_id(parameters))
            if matches and planned.times > 0 and self._random.random() < planned.probability:
                planned.times -= 1
                return planned
        return None

    async def _misbehave(
        self, planned: Fault, request: web.Request, method: str, parameters: dict[str, Any]
    ) -> web.StreamResponse:
        if planned.kind == "delay":
            await self._pause(planned.delay)
            return await self._answered(method, parameters)
        if planned.kind == "silent":
            await self._closing.wait()
        if planned.accept:
            await self._accept_unanswered(method, parameters)
        if planned.kind in ("drop", "silent") and request.transport is not None:
            request.transport.abort()
        if planned.kind == "block_page":
            return web.Response(status=403, text="<html>blocked by order</html>", content_type="text/html")
        if planned.kind == "answer":
            self._note_flood(planned, parameters)
            return _reply(Refusal(planned.status, planned.description, planned.parameters))
        return web.Response(text=planned.description)

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._closing.wait(), seconds)

    async def _accept_unanswered(self, method: str, parameters: dict[str, Any]) -> None:
        before = len(self.sends)
        await self._answered(method, parameters)
        for send in self.sends[before:]:
            send.answered = False

    def _note_flood(self, planned: Fault, parameters: dict[str, Any]) -> None:
        chat_id = _chat_id(parameters)
        if planned.status == 429 and chat_id is not None:
            self.limits.order_wait(chat_id, time.monotonic() + planned.parameters["retry_after"])

    # Updates

    async def _get_updates(self, parameters: dict[str, Any]) -> web.Response:
        self.polls += 1
        self.changed()
        poll, end = self.polls, time.monotonic() + parameters.get("timeout", 0)
        if self.poster is not None:
            raise Refusal(409, "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook first")
        self._allow(parameters)
        self._confirm(parameters.get("offset", 0))
        while not self.pending and not self._closing.is_set() and time.monotonic() < end:
            await self.next_change(end - time.monotonic())
            if poll != self.polls:
                raise Refusal(409, "Conflict: terminated by other getUpdates request; make sure that only one runs")
        batch = b",".join(update.body for update in self.pending[: parameters.get("limit", 100)])
        return web.Response(body=b'{"ok":true,"result":[' + batch + b"]}", content_type="application/json")

    def _confirm(self, offset: int) -> None:
        if offset < 0:
            self.pending = self.pending[offset:]
        elif offset:
            self.pending = [update for update in self.pending if update.id >= offset]
        self.changed()

    def _allow(self, parameters: dict[str, Any]) -> None:
        if "allowed_updates" in parameters:
            self.allowed = frozenset(parameters["allowed_updates"])

    async def _set_webhook(self, parameters: dict[str, Any]) -> bool:
        await self._forget_webhook()
        self._drop_if_asked(parameters)
        self._allow(parameters)
        self.polls += 1  # an open long poll ends with 409
        self.poster = WebhookPoster(
            parameters["url"],
            parameters.get("secret_token", ""),
            parameters.get("max_connections", 40),
            self._pace,
            self._answered,
        )
        for update in self.pending:
            self.post(update)
        return True

    async def _delete_webhook(self, parameters: dict[str, Any]) -> bool:
        await self._forget_webhook()
        self._drop_if_asked(parameters)
        return True

    def _drop_if_asked(self, parameters: dict[str, Any]) -> None:
        if parameters.get("drop_pending_updates"):
            self.dropped_pending = True
            self.pending.clear()

    async def _forget_webhook(self) -> None:
        poster, self.poster = self.poster, None
        if poster is not None:
            await poster.close()

    def post(self, update: Update) -> None:
        if self.poster is not None:
            self.poster.offer(update, self._taken)

    def _taken(self, update: Update) -> None:
        self.pending.remove(update)
        self.changed()

    async def _webhook_info(self, _: dict[str, Any]) -> dict[str, Any]:
        url = self.poster.url if self.poster else ""
        state = {"url": url, "has_custom_certificate": False, "pending_update_count": len(self.pending)}
        failed_at = self.poster.last_error_at if self.poster else None
        return state | ({"last_error_date": int(failed_at)} if failed_at else {})

    # Other methods

    async def _get_me(self, _: dict[str, Any]) -> dict[str, Any]:
        return self.bot

    def _chat(self, parameters: dict[str, Any]) -> Chat:
        chat = self.chats.get(int(parameters["chat_id"]))
        if chat is None or not chat.started:
            raise Refusal(400, "Bad Request: chat not found")
        if chat.moved_to is not None:
            text = "Bad Request: group chat was upgraded to a supergroup chat"
            raise Refusal(400, text, {"migrate_to_chat_id": chat.moved_to})
        if chat.refusal is not None:
            raise Refusal(*chat.refusal)
        return chat

    async def _send_message(self, parameters: dict[str, Any]) -> dict[str, Any]:
        return self._say("sendMessage", parameters, parameters["text"], parameters.get("entities", []))

    async def _send_document(self, parameters: dict[str, Any]) -> dict[str, Any]:
        return self._show("sendDocument", parameters, parameters["document"])

    async def _send_photo(self, parameters: dict[str, Any]) -> dict[str, Any]:
        photo = parameters["photo"]
        if isinstance(photo, Upload) and not photo.startswith((b"\xff\xd8", b"\x89PNG", b"RIFF")):
            raise Refusal(400, "Bad Request: IMAGE_PROCESS_FAILED")
        return self._show("sendPhoto", parameters, photo)

    def _show(self, method: str, parameters: dict[str, Any], file: Upload | str) -> dict[str, Any]:
        entities = parameters.get("caption_entities", [])
        return self._say(method, parameters, parameters.get("caption", ""), entities, file)

    async def _get_file(self, parameters: dict[str, Any]) -> dict[str, Any]:
        file_id = parameters["file_id"]
        content = self.files.get(file_id)
        if content is None:
            raise Refusal(400, "Bad Request: wrong file_id or the file is temporarily unavailable")
        if len(content) > _MOST_DOWNLOADED:
            raise Refusal(400, "Bad Request: file is too big")
        known = {"file_id": file_id, "file_unique_id": f"unique-{file_id}", "file_path": f"documents/{file_id}.bin"}
        return known | ({"file_size": len(content)} if self.tells_sizes else {})

    async def _download(self, request: web.Request) -> web.StreamResponse:
        """The bytes themselves; the token is part of the address here too."""
        self.calls.append("file")
        content = self.files.get(request.match_info["path"].removeprefix("documents/").removesuffix(".bin"))
        if request.match_info["token"] != self.token or content is None:
            return _reply(Refusal(404, "Not Found"))
        planned = self._planned("file", {})
        if planned is not None:
            return await self._misbehave(planned, request, "file", {})
        return web.Response(body=content, content_type="application/octet-stream")

    def _say(
        self,
        method: str,
        parameters: dict[str, Any],
        text: str,
        entities: list[dict[str, Any]],
        file: Upload | str = "",
    ) -> dict[str, Any]:
        chat = self._chat(parameters)
        if not text.strip() and not file:
            raise Refusal(400, "Bad Request: message text is empty")
        markup = parameters.get("reply_markup", {})
        if "keyboard" in markup and chat.kind != "private" and _asks_contact(markup):
            raise Refusal(400, "Bad Request: phone number can be requested in private chats only")
        message = Message(
            chat.take_id(),
            chat.id,
            text,
            entities,
            markup,
            silent=parameters.get("disable_notification", False),
            protect=parameters.get("protect_content", False),
            document=(file.filename or "file") if isinstance(file, Upload) else file,
            picture=method == "sendPhoto",
            content=file if isinstance(file, Upload) else b"",
            no_preview=parameters.get("link_preview_options", {}).get("is_disabled", False),
        )
        chat.messages[message.id] = message
        self._record(method, message)
        return self.message_json(message)

    async def _edit_message(self, parameters: dict[str, Any]) -> dict[str, Any]:
        message = self._to_edit(parameters)
        if message.document:
            raise Refusal(400, "Bad Request: there is no text in the message to edit")
        return self._rewrite("editMessageText", parameters, message, "text", "entities")

    async def _edit_caption(self, parameters: dict[str, Any]) -> dict[str, Any]:
        message = self._to_edit(parameters)
        if not message.document:
            raise Refusal(400, "Bad Request: there is no caption in the message to edit")
        return self._rewrite("editMessageCaption", parameters, message, "caption", "caption_entities")

    def _to_edit(self, parameters: dict[str, Any]) -> Message:
        message = self._chat(parameters).messages.get(parameters.get("message_id", 0))
        if message is None:
            raise Refusal(400, "Bad Request: message to edit not found")
        if "keyboard" in message.markup:
            raise Refusal(400, "Bad Request: message can't be edited")
        return message

    def _rewrite(
        self, method: str, parameters: dict[str, Any], message: Message, text: str, entities: str
    ) -> dict[str, Any]:
        wanted = (parameters.get(text, ""), parameters.get(entities, []), parameters.get("reply_markup", {}))
        if wanted == (message.text, message.entities, message.markup):
            raise Refusal(400, "Bad Request: message is not modified: specified new message content is the same")
        message.text, message.entities, message.markup = wanted
        message.edits += 1
        self._record(method, message)
        return self.message_json(message)

    def _record(self, method: str, message: Message) -> None:
        self.sends.append(Send(time.monotonic(), message.chat_id, method, message.id, message.text))

    async def _leave_chat(self, parameters: dict[str, Any]) -> bool:
        chat = self._chat(parameters)
        if chat.kind == "private":
            raise Refusal(400, "Bad Request: chat member status can't be changed in private chats")
        self.bot_leaves(chat.id)
        return True

    async def _answer_callback(self, parameters: dict[str, Any]) -> bool:
        callback_id = parameters["callback_query_id"]
        if callback_id not in self.callbacks:
            raise Refusal(400, "Bad Request: query is too old and response timeout expired or query ID is invalid")
        self.callback_answers[callback_id] = parameters
        return True

    async def _set_commands(self, parameters: dict[str, Any]) -> bool:
        if not all(re.fullmatch(r"[a-z0-9_]+", command["command"]) for command in parameters["commands"]):
            raise Refusal(400, "Bad Request: BOT_COMMAND_INVALID")
        self.commands[_menu(parameters)] = parameters["commands"]
        return True

    async def _get_commands(self, parameters: dict[str, Any]) -> list[dict[str, str]]:
        return self.commands.get(_menu(parameters), [])


def _menu(parameters: dict[str, Any]) -> tuple[str, str]:
    scope = parameters.get("scope", {"type": "default"})
    return f"{scope['type']}{scope.get('chat_id', '')}", parameters.get("language_code", "")


def _asks_contact(markup: dict[str, Any]) -> bool:
    return any(button.get("request_contact") for row in markup["keyboard"] for button in row)


def _chat_id(parameters: dict[str, Any]) -> int | None:
    try:
        return int(parameters["chat_id"])
    except (KeyError, TypeError, ValueError):
        return None


async def _parameters(request: web.Request, method: str) -> dict[str, Any]:
    if request.content_type == "application/json":
        body = await request.json()
        return body if isinstance(body, dict) else {"": body}
    found: dict[str, Any] = dict(request.query)
    for name, value in (await request.post()).items():
        found[name] = uploaded(value.file.read(), value.filename) if isinstance(value, web.FileField) else value
    return native(method, found)


def _reply(result: Any) -> web.Response:
    if not isinstance(result, Refusal):
        return _json(200, {"ok": True, "result": result})
    body: dict[str, Any] = {"ok": False, "error_code": result.status, "description": result.description}
    if result.parameters:
        body["parameters"] = result.parameters
    answer = _json(result.status, body)
    if "retry_after" in result.parameters:
        answer.headers["Retry-After"] = str(result.parameters["retry_after"])
    return answer


def _json(status: int, body: dict[str, Any]) -> web.Response:
    return web.Response(status=status, body=json.dumps(body).encode(), content_type="application/json")
