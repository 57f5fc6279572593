"""Answers to taps, so that the button stops spinning: by the way, and never in the way of saving."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from telegram.error import TelegramError

from channels.telegram.incoming import Arrival
from channels.telegram.line import Line
from domain.chat import Receipt, Tap

_NOTICE_LENGTH = 200
_LAST_ANSWERS = 0.5
_WAIT = 20.0


def answer_to(arrival: Arrival, receipt: Receipt) -> dict[str, Any]:
    """The parameters of the answer to a tap; nothing for whatever is none."""
    if arrival.callback_id is None or not isinstance(arrival.incoming.said, Tap):
        return {}
    shown = {"text": receipt.notice[:_NOTICE_LENGTH]} if receipt.notice else {}
    alert = {} if receipt.saved else {"show_alert": True}
    return {"callback_query_id": arrival.callback_id, **shown, **alert}


class TapAnswers:
    """Calls answerCallbackQuery in the background, at most `at_once` at a time and `waiting` in all.

    A failure is only counted: the answer is stored already.
    """

    def __init__(self, line: Line, at_once: int = 20, waiting: int = 2000) -> None:
        self.failed = 0
        self._line = line
        self._waiting = waiting
        self._gate = asyncio.Semaphore(at_once)
        self._tasks: set[asyncio.Task[None]] = set()

    def answer(self, arrivals: Iterable[Arrival], receipts: Iterable[Receipt]) -> None:
        for arrival, receipt in zip(arrivals, receipts, strict=True):
            answer = answer_to(arrival, receipt)
            if not answer:
                continue
            if len(self._tasks) >= self._waiting:
                self.failed += 1
                continue
            task = asyncio.create_task(self._answer(answer))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _answer(self, answer: dict[str, Any]) -> None:
        async with self._gate:
            try:
                await self._line.call("answerCallbackQuery", answer, _WAIT)
            except TelegramError:
                self.failed += 1

    async def close(self) -> None:
        """Gives answers under way two seconds; those who get none see their button spin out."""
        tasks = list(self._tasks)
        if tasks:
            await asyncio.wait(tasks, timeout=_LAST_ANSWERS)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
