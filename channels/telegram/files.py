"""A file that somebody sent, fetched from the Bot API server and from nowhere else."""

from __future__ import annotations

import re

import msgspec
from telegram.error import TelegramError

from channels.telegram.line import Line
from channels.telegram.outcomes import OutcomeRules
from channels.telegram.request import Refused, TooLarge
from domain.chat import Fetched, Rejected, RetryLater
from domain.files import MOST_BYTES

_WAIT = 15.0
_AGAIN = 5.0
_PATH = re.compile(r"[A-Za-z0-9_-]+(?:[./][A-Za-z0-9_-]+)*")
"""What a path on the file server looks like: no host, no way up, nothing absolute."""


class _Known(msgspec.Struct):
    file_path: str = ""
    file_size: int = 0


class _Answer(msgspec.Struct):
    result: _Known


_answers = msgspec.json.Decoder(_Answer)


async def fetch(line: Line, rules: OutcomeRules, file_id: str) -> Fetched:
    """The content, or why not. Asking twice does no harm, so every doubt is worth another try."""
    try:
        known = _answers.decode(await line.call("getFile", {"file_id": file_id}, _WAIT)).result
        if known.file_size > MOST_BYTES:
            return Rejected("too_large")
        if not _PATH.fullmatch(known.file_path):
            return Rejected("no_path")
        return await line.download(known.file_path, MOST_BYTES, _WAIT)
    except TooLarge:
        return Rejected("too_large")
    except (TelegramError, msgspec.MsgspecError) as error:
        return _why_not(error, rules)


def _why_not(error: Exception, rules: OutcomeRules) -> RetryLater | Rejected:
    if isinstance(error, Refused) and "too big" in error.description.lower():
        return Rejected("too_large")
    outcome = rules.outcome(error, 0) if isinstance(error, TelegramError) else None
    return outcome if isinstance(outcome, RetryLater | Rejected) else RetryLater(_AGAIN, why="no_answer")
