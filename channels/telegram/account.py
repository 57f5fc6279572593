"""A Telegram bot account as a `Channel`."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from random import Random
from typing import Any

import structlog
from telegram import InputFile, LinkPreviewOptions
from telegram import Message as Shown
from telegram.error import TelegramError

from channels.telegram.commands import CommandMenu, publish
from channels.telegram.files import fetch
from channels.telegram.line import Clock, Line, Sleep, Webhook
from channels.telegram.outcomes import OutcomeRules, account_problem, has_no_text, is_gone, is_unchanged
from channels.telegram.outgoing import CAPTION_LENGTH, TEXT_LENGTH, Part, render, units
from channels.telegram.polling import Poller
from channels.telegram.request import Refused, Wire
from channels.telegram.taps import TapAnswers
from channels.telegram.webhook import WebhookIntake
from domain.chat import (
    Address,
    Attached,
    Capabilities,
    Fetched,
    May,
    Outcome,
    Outgoing,
    Receive,
    Rejected,
    Sent,
    Unknown,
    always,
)
from domain.files import PICTURES

log = structlog.get_logger(__name__)

_NO_PREVIEW = LinkPreviewOptions(is_disabled=True)
_PARTLY_SENT_KEPT = 100
_MENU_TRIES = 5


class TelegramAccount:
    """One bot. Without `webhook` it polls. `clock` and `sleep` are given, so that tests need not wait.

    `problem` is a short code for the health page, empty when all is well; `heard_at` is when the way in was last seen
    to be open. `poll_timeout` is in seconds; Telegram caps it at 50.
    """

    capabilities = Capabilities(
        buttons=100,
        edit=True,
        text_length=TEXT_LENGTH,
        groups=True,
        per_second=30.0,
        chat_interval=1.0,
        group_per_minute=20,
        phone=True,
    )

    def __init__(
        self,
        name: str,
        token: str,
        *,
        clock: Clock,
        random: Random,
        api_base: str = "https://api.telegram.org",
        wire: Wire | None = None,
        webhook: Webhook | None = None,
        sleep: Sleep = asyncio.sleep,
        poll_timeout: int = 50,
    ) -> None:
        self.name = name
        self._line = Line(name, token, api_base, wire or Wire(), clock, sleep, random)
        self._taps = TapAnswers(self._line)
        self._rules = OutcomeRules(clock)
        self._poller = Poller(self._line, self._taps, poll_timeout)
        self._webhook = webhook
        self._intake = WebhookIntake(self._line, webhook) if webhook else None
        self._parts_sent: dict[str, int] = {}
        self._send_problem = ""

    def __repr__(self) -> str:
        return f"TelegramAccount({self.name!r})"

    @property
    def problem(self) -> str:
        return self._line.problem or self._send_problem

    @property
    def heard_at(self) -> datetime | None:
        return self._line.heard_at

    @property
    def silent_since(self) -> datetime | None:
        """Since when nothing has been heard; None while it does not listen."""
        return self._line.silent_since

    @property
    def taps_unanswered(self) -> int:
        """How many taps were stored whose acknowledgement Telegram did not take."""
        return self._taps.failed

    @property
    def username(self) -> str:
        """Empty until the account was started."""
        return self._line.me.username if self._line.me else ""

    def deep_link(self, code: str) -> str:
        """The link that opens a private chat and sends `/start code`; `code` is up to 64 of `A-Za-z0-9_-`."""
        if not self.username:
            raise ValueError("the account was not started, so its username is not known")
        return f"https://t.me/{self.username}?start={code}"

    async def start(self) -> None:
        """Learn the username and choose polling or webhook. Raises `TelegramError`; `listen` keeps trying instead."""
        await self._line.open(self._webhook)

    async def meet(self) -> None:
        """Learn the username, which links and webhooks need, for a process that leaves listening to another."""
        failures = 0
        while self._line.me is None:
            try:
                await self._line.meet()
            except Exception as error:  # noqa: BLE001 - as in listening, tried again for ever
                failures += 1
                await self._line.recover(error, failures)

    async def listen(self, receive: Receive, may: May = always) -> None:
        """Take updates while it may. With a webhook, updates come through `take`, and this guards its setting."""
        with self._line.listening():
            if self._intake is None:
                await self._poller.run(receive, may)
            else:
                await self._intake.watch(may)

    async def take(self, body: bytes, secret_header: str | None, receive: Receive) -> tuple[int, bytes]:
        """One posted update; the HTTP status and body to answer with. 503 means offer it again (add `Retry-After`)."""
        if self._intake is None:
            return 404, b""
        return await self._intake.take(body, secret_header, receive)

    async def send(self, message: Outgoing, key: str) -> Outcome:
        """Send once; the id returned is that of the part with the keyboard.

        A long text goes out in parts. If one of them fails, the next `send` with the same key goes on from there.
        """
        try:
            chat_id = int(message.to.chat_id)
        except ValueError:
            return Rejected("chat_id_is_not_a_number")
        outcome: Outcome = Rejected("message_text_is_empty")
        parts = render(message)
        for index in range(self._parts_sent.pop(key, 0), len(parts)):
            outcome = await self._send_part(parts[index], message, chat_id)
            if not isinstance(outcome, Sent):
                self._remember(key, index)
                break
        if not isinstance(outcome, Unknown):
            self._send_problem = account_problem(outcome)
        return outcome

    async def fetch(self, file_id: str) -> Fetched:
        """Fetch a file by the id that came with it, from the configured Bot API server."""
        return await fetch(self._line, self._rules, file_id)

    async def leave(self, chat: Address) -> Outcome:
        """Leave a group; one that the bot is not in any more ends as unreachable."""
        chat_id = int(chat.chat_id)
        try:
            await self._line.bot.leave_chat(chat_id)
        except TelegramError as error:
            return self._rules.outcome(error, chat_id)
        return Sent("")

    def _remember(self, key: str, sent: int) -> None:
        if sent:
            self._parts_sent[key] = sent
        if len(self._parts_sent) > _PARTLY_SENT_KEPT:
            del self._parts_sent[next(iter(self._parts_sent))]

    async def _send_part(self, part: Part, message: Outgoing, chat_id: int) -> Outcome:
        try:
            return (
                await self._edit(part, message, chat_id) if part.replaces else await self._say(part, message, chat_id)
            )
        except TelegramError as error:
            return self._rules.outcome(error, chat_id)
        except (TypeError, ValueError, KeyError, AttributeError) as error:
            # A success that the client cannot read: Telegram took the message.
            log.error("telegram_reply_unreadable", account=self.name, why=type(error).__name__)
            return Unknown("unreadable_answer")

    async def _say(self, part: Part, message: Outgoing, chat_id: int) -> Outcome:
        if part.attached is not None:
            shown = await self._show(part, part.attached, message, chat_id)
            return Sent(str(shown.message_id))
        sent = await self._line.bot.send_message(
            chat_id,
            part.text,
            entities=part.entities or None,
            reply_markup=part.markup,
            disable_notification=message.silent or None,
            protect_content=message.protect or None,
            link_preview_options=_NO_PREVIEW,
        )
        return Sent(str(sent.message_id))

    async def _show(self, part: Part, file: Attached, message: Outgoing, chat_id: int) -> Shown:
        """A picture is seen in the chat at once; anything else is a document to open."""
        upload = InputFile(file.content, filename=file.name or "file")
        options: dict[str, Any] = {
            "caption": part.text or None,
            "caption_entities": part.entities or None,
            "reply_markup": part.markup,
            "disable_notification": message.silent or None,
            "protect_content": message.protect or None,
        }
        if file.media_type in PICTURES:
            return await self._line.bot.send_photo(chat_id, upload, **options)
        return await self._line.bot.send_document(chat_id, upload, disable_content_type_detection=True, **options)

    async def _edit(self, part: Part, message: Outgoing, chat_id: int) -> Outcome:
        try:
            await self._rewrite(part, chat_id)
        except Refused as error:
            if is_gone(error) or has_no_text(error):
                return await self._say(part, message, chat_id)
            if not is_unchanged(error):
                raise
        return Sent(str(part.replaces))

    async def _rewrite(self, part: Part, chat_id: int) -> None:
        """Put new words in the place of the old; a picture or document there stays above them."""
        try:
            await self._line.bot.edit_message_text(
                part.text,
                chat_id,
                part.replaces,
                entities=part.entities or None,
                reply_markup=part.markup,  # type: ignore[arg-type]
                link_preview_options=_NO_PREVIEW,
            )
        except Refused as error:
            if not has_no_text(error) or units(part.text) > CAPTION_LENGTH:
                raise
            await self._line.bot.edit_message_caption(
                chat_id,
                part.replaces,
                caption=part.text,
                caption_entities=part.entities or None,
                reply_markup=part.markup,  # type: ignore[arg-type]
            )

    async def publish_commands(self, menus: Sequence[CommandMenu]) -> bool:
        """Set those menus that differ from what Telegram shows; false if some could not be set this time."""
        done = [await self._publish(menu) for menu in menus]
        return all(done)

    async def _publish(self, menu: CommandMenu) -> bool:
        for attempt in range(1, _MENU_TRIES + 1):
            try:
                await publish(self._line.bot, menu)
            except TelegramError as error:
                if isinstance(error, Refused) and error.status == 400:
                    log.error("telegram_menu_refused", account=self.name, scope=menu.scope, language=menu.language)
                    return False
                if attempt < _MENU_TRIES:
                    await self._line.recover(error, attempt)
            else:
                return True
        log.warning("telegram_menu_not_set", account=self.name, scope=menu.scope, language=menu.language)
        return False

    async def close(self) -> None:
        if self._intake is not None:
            await self._intake.close()
        await self._taps.close()
        await self._line.close()
