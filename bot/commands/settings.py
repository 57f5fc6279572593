"""`vungxanh settings`: every setting, what it is, and what it is for."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import typer
from pydantic import SecretStr
from pydantic_core import PydanticUndefined

from bot.commands.desk import desk_of
from bot.commands.printed import say
from bot.settings import Settings

app = typer.Typer()


@app.command()
def settings(context: typer.Context) -> None:
    """Show every setting and what it is for.

    Each with its name in the environment, its value and its default. Secrets show only as set or unset.
    """
    found = desk_of(context).settings
    for name, field in Settings.model_fields.items():
        default = "" if field.default is PydanticUndefined else shown(field.default)
        value = shown(getattr(found, name))
        say(f"VUNGXANH_{name.upper()} = {value or '(empty)'}")
        say(f"    {field.description} Default: {default or '(empty)'}.")


def shown(value: Any) -> str:
    """As an operator may see it, without passwords."""
    if isinstance(value, SecretStr):
        return "set" if value.get_secret_value() else "unset"
    return without_password(str(value))


def without_password(url: str) -> str:
    """A database's URL may hold one, before the @ or among the parameters."""
    scheme, separator, rest = url.partition("://")
    if not separator or "@" not in rest:
        return url if "?" not in url or scheme == "sqlite" else f"{url.partition('?')[0]}?…"
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    query = "?…" if parts.query else ""
    return f"{scheme}://{parts.username or ''}:…@{host}{parts.path}{query}"
