"""Log lines: structured, bounded, and never with a token, a name or an answer in them."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO

import structlog

_TOKEN = re.compile(r"(?:bot)?\d{5,20}:[A-Za-z0-9_-]{20,}")


def set_up(log_format: str, *, to: TextIO | None = None, level: int = logging.INFO) -> None:
    """Our own events from `level` on; libraries only when something is wrong, unless `level` is lower than INFO.

    Whatever the level, of a library's line only its origin is kept: telegram and httpx print tokens and contents.
    """
    stream = to or sys.stderr
    shared: list[structlog.typing.Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        without_secrets,
    ]
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer() if log_format == "json" else structlog.dev.ConsoleRenderer(colors=False)
    )
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(stream),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processors=[*shared, _without_content, renderer]))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level if level < logging.INFO else logging.WARNING)


def without_secrets(_logger: object, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Blank out anything that looks like a bot token."""
    return {key: _TOKEN.sub("…", value) if isinstance(value, str) else value for key, value in event.items()}


def _without_content(_logger: object, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Of a library's line keep who spoke, where, how grave it is and the kind of error: the rest may quote people."""
    record: logging.LogRecord = event["_record"]
    problem = event.get("exc_info") or (None,)
    return {
        "level": record.levelname.lower(),
        "timestamp": event.get("timestamp", ""),
        "event": "library",
        "logger": record.name,
        "at": f"{record.module}:{record.lineno}",
        "error": problem[0].__name__ if problem[0] else "",
    }
