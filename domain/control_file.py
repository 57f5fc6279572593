"""Reads and checks the control questions of a campaign."""

from __future__ import annotations

from domain.control import Control
from domain.questions import Option
from domain.toml_reader import Section

_LONGEST_TEXT, _LONGEST_LABEL = 200, 40
_MOST_OPTIONS = 4


def read_controls(file: Section) -> tuple[Control, ...]:
    """None are needed; those that are there have two to four options, one of them right."""
    found: list[Control] = []
    for section in file.sections("controls"):
        control = _control(section)
        if control.key and control.key in {each.key for each in found}:
            section.fault("key", f'expected a key of its own, "{control.key}" stands above')
        found.append(control)
    return tuple(found)


def _control(section: Section) -> Control:
    key, text = section.key("key"), section.words("text", _LONGEST_TEXT)
    options = tuple(_option(entry) for entry in section.sections("options", 2, _MOST_OPTIONS))
    keys = [option.key for option in options]
    right = section.one_of("right", keys) if keys else section.key("right")
    for index, each in enumerate(keys):
        if each and each in keys[:index]:
            section.fault(f"options[{index}].key", f'expected a key of its own, "{each}" stands above')
    section.finish()
    return Control(key, text, options, right)


def _option(entry: Section) -> Option:
    option = Option(entry.key("key"), entry.words("label", _LONGEST_LABEL))
    entry.finish()
    return option
