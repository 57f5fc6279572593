"""What each refusal of the Bot API means for delivery."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta

from telegram.error import TelegramError

from channels.telegram.request import NoAnswer, NotConnected, Refused
from domain.chat import Moved, Outcome, Rejected, RetryLater, Unknown, Unreachable

NO_CONNECTION = RetryLater(after=5.0, whole_account=True, why="no_connection")
_ACCOUNT_TROUBLE = {401: "unauthorized", 404: "not_found", 409: "conflict"}
_TROUBLE_WAIT = 60.0
_FOREIGN_WAIT = 30.0
_DEFAULT_FLOOD_WAIT = 5.0

_FORBIDDEN = (
    ("blocked", "blocked"),
    ("deactivated", "deactivated"),
    ("kicked", "kicked"),
    ("not a member", "not_member"),
    ("deleted", "chat_deleted"),
    ("can't initiate", "not_started"),
)
_GONE = ("message to edit not found", "message can't be edited", "message_id_invalid", "message identifier")


class OutcomeRules:
    """Refusals to outcomes, remembering recent floods.

    A 429 does not say whether the chat or the whole account is too fast. In a group it is taken for the group's
    own limit; in a private chat too, unless two different private chats got one within a second.
    """

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._floods: deque[tuple[datetime, int]] = deque(maxlen=64)

    def outcome(self, error: TelegramError, chat_id: int) -> Outcome:
        if isinstance(error, NotConnected):
            return NO_CONNECTION
        if isinstance(error, NoAnswer):
            return Unknown(f"no_answer_{error.message}")
        if not isinstance(error, Refused):
            return Unknown("unreadable_answer")
        if error.status >= 500 or error.status < 400:
            return Unknown(f"status_{error.status}")
        if not error.genuine:
            return RetryLater(_FOREIGN_WAIT, whole_account=True, why=f"foreign_answer_{error.status}")
        return self._refusal(error, chat_id)

    def _refusal(self, error: Refused, chat_id: int) -> Outcome:
        if error.migrate_to is not None:
            return Moved(str(error.migrate_to))
        if error.status == 429:
            return self._flood(error.retry_after or _DEFAULT_FLOOD_WAIT, chat_id)
        if error.status in _ACCOUNT_TROUBLE:
            return RetryLater(_TROUBLE_WAIT, whole_account=True, why=_ACCOUNT_TROUBLE[error.status])
        if error.status == 403:
            return Unreachable(_forbidden(error.description))
        if error.status == 400 and "chat not found" in error.description.lower():
            return Unreachable("chat_not_found")
        return Rejected(_code(error.description) or f"status_{error.status}")

    def _flood(self, after: float, chat_id: int) -> RetryLater:
        if chat_id < 0:
            return RetryLater(after, why="flood")
        now = self._clock()
        self._floods.append((now, chat_id))
        recent = {chat for at, chat in self._floods if timedelta(0) <= now - at <= timedelta(seconds=1)}
        return RetryLater(after, whole_account=len(recent) > 1, why="flood")


def is_unchanged(error: Refused) -> bool:
    """The edit asked for what is already shown: as good as done."""
    return error.status == 400 and "message is not modified" in error.description.lower()


def is_gone(error: Refused) -> bool:
    """The message to replace is no more; only a new one can stand in its place."""
    return error.status == 400 and any(sign in error.description.lower() for sign in _GONE)


def has_no_text(error: Refused) -> bool:
    """The message to replace shows a picture or document: what can change is the words below that."""
    return error.status == 400 and "there is no text in the message" in error.description.lower()


def account_problem(outcome: Outcome) -> str:
    """A reason why the whole account cannot send, for the health page; empty if there is none."""
    if isinstance(outcome, RetryLater) and outcome.whole_account and outcome.why != "flood":
        return outcome.why
    return ""


def _forbidden(description: str) -> str:
    text = description.lower()
    return next((code for sign, code in _FORBIDDEN if sign in text), "forbidden")


def _code(description: str) -> str:
    """`Bad Request: reply markup is too long` as `reply_markup_is_too_long`; quoted parts may be ours, so they go."""
    reason = re.split(r"['\"]|https?:", description.removeprefix("Bad Request: "))[0]
    return re.sub(r"[^a-z]+", "_", reason.lower()).strip("_")[:60]
