"""Log lines: structured, bounded, and never with a token, a name or an answer in them."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

_TOKEN = re.compile(r"(?:bot)?\d{5,20}:[A-Za-z0-9_-]{20,}")
_QUIET = (
    "aiohttp.access",
    "httpx",
    "httpcore",
    "telegram",
    "apscheduler",
    "asyncio",
    "aiosqlite",
    "sqlalchemy",
    "alembic",
)


def set_up(log_format: str) -> None:
    """Our own events at INFO; libraries only when something is wrong: below that they print tokens and content."""
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
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processors=[*shared, _without_content, renderer]))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def without_secrets(_logger: object, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Blank out anything that looks like a bot token."""
    return {key: _TOKEN.sub("…", value) if isinstance(value, str) else value for key, value in event.items()}


def _without_content(_logger: object, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Of a library's line keep who spoke, how grave it is and the kind of error: the rest may quote people."""
    record: logging.LogRecord = event["_record"]
    kind = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else ""
    kept: dict[str, Any] = {key: event[key] for key in ("level", "timestamp") if key in event}
    template = record.msg if isinstance(record.msg, str) else type(record.msg).__name__
    return {
        **kept,
        "event": "library",
        "logger": record.name,
        "template": _TOKEN.sub("…", template)[:120],
        "error": kind,
    }
