"""Checks a request against the Bot API's own rules, as far as this bot uses it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

_FILE = Path(__file__).with_name("bot-api-methods.json")
_FIELD = re.compile(
    r"(?P<types>\S+)(?: (?P<low>\d+)\.\.(?P<high>\d*)(?: (?P<unit>chars|bytes))?)?"
    r"(?: =(?P<words>\S+))?(?P<required> !)?"
)


@dataclass(frozen=True, slots=True)
class Field:
    types: tuple[str, ...]
    low: int | None
    high: int | None
    unit: str | None
    words: frozenset[str]
    required: bool


class Upload(bytes):
    """A file that came as a multipart part."""

    filename: str = ""


def uploaded(content: bytes, filename: str) -> Upload:
    upload = Upload(content)
    upload.filename = filename
    return upload


@cache
def spec() -> tuple[dict[str, dict[str, Field]], dict[str, dict[str, Field]]]:
    """Methods and types, each as fields by name."""
    content = json.loads(_FILE.read_text(encoding="utf-8"))
    methods, types = (
        {name: _fields(fields) for name, fields in content[part].items()} for part in ("methods", "types")
    )
    return methods, types


def problems(method: str, parameters: dict[str, Any]) -> list[str]:
    """What the real service would refuse in this request, or silently drop (an unknown field)."""
    methods, _ = spec()
    if method not in methods:
        return [f"unknown method {method}"]
    found = _object(method, methods[method], parameters)
    for path, entities, text in (("text", "entities", "text"), ("caption", "caption_entities", "caption")):
        if not found and parameters.get(entities):
            found += _beyond(path, parameters[entities], parameters.get(text, ""))
    return found + ([] if found else _buttons(parameters))


def native(method: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """Parameters of a form, where everything but text is JSON, as the values they stand for."""
    fields = spec()[0].get(method, {})
    return {name: _native(fields.get(name), value) for name, value in parameters.items()}


def _native(field: Field | None, value: Any) -> Any:
    if field is None or "String" in field.types or not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def _fields(fields: dict[str, str]) -> dict[str, Field]:
    return {name: _field(text) for name, text in fields.items()}


def _field(text: str) -> Field:
    found = _FIELD.fullmatch(text)
    if found is None:
        raise ValueError(f"not a field: {text}")
    return Field(
        tuple(found["types"].split("|")),
        int(found["low"]) if found["low"] else None,
        int(found["high"]) if found["high"] else None,
        found["unit"],
        frozenset(found["words"].split(",")) if found["words"] else frozenset(),
        bool(found["required"]),
    )


def _object(path: str, fields: dict[str, Field], value: Any) -> list[str]:
    if not isinstance(value, dict):
        return [f"{path}: not an object"]
    found = [f"{path}.{name}: missing" for name, field in fields.items() if field.required and name not in value]
    for name, item in value.items():
        if name in fields:
            found += _value(f"{path}.{name}", fields[name], item)
        else:
            found.append(f"{path}.{name}: unknown field")
    return found


def _value(path: str, field: Field, value: Any) -> list[str]:
    tries = [_typed(path, kind, value) for kind in field.types]
    if all(tries):
        return min(tries, key=len)
    return _limits(path, field, value)


def _typed(path: str, kind: str, value: Any) -> list[str]:
    if kind.startswith("["):
        if not isinstance(value, list):
            return [f"{path}: not an array"]
        return [found for index, item in enumerate(value) for found in _typed(f"{path}[{index}]", kind[1:-1], item)]
    _, types = spec()
    if kind in types:
        return _object(path, types[kind], value)
    fits = {
        "Integer": isinstance(value, int) and not isinstance(value, bool),
        "String": isinstance(value, str),
        "Boolean": isinstance(value, bool),
        "InputFile": isinstance(value, Upload),
    }[kind]
    return [] if fits else [f"{path}: not {kind}"]


def _limits(path: str, field: Field, value: Any) -> list[str]:
    if field.words and value not in field.words:
        return [f"{path}: not one of its words"]
    if field.low is None:
        return []
    size = value
    if isinstance(value, str):
        size = len(value.encode()) if field.unit == "bytes" else utf16_units(value)
    too_much = field.high is not None and size > field.high
    return [f"{path}: {size} is outside its limit"] if size < field.low or too_much else []


def _beyond(path: str, entities: list[dict[str, Any]], text: str) -> list[str]:
    length = utf16_units(text)
    return [
        f"{path}: entity beyond the text"
        for entity in entities
        if entity["offset"] < 0 or entity["length"] < 1 or entity["offset"] + entity["length"] > length
    ]


def _buttons(parameters: dict[str, Any]) -> list[str]:
    """An inline button does exactly one thing."""
    markup = parameters.get("reply_markup")
    rows = markup.get("inline_keyboard", []) if isinstance(markup, dict) else []
    return [
        f"button {row}.{column}: does not do exactly one thing"
        for row, buttons in enumerate(rows)
        for column, button in enumerate(buttons)
        if len({"url", "callback_data"} & button.keys()) != 1
    ]


def utf16_units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2
