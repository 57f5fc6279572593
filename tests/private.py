"""What must never stand in a log line: tokens, phones, names, answers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from domain.campaign_file import available_campaigns, campaign_folder, load_campaign
from domain.chat import LANGUAGES
from tests.rosters import FAMILIES, MIDDLES

TOKEN = re.compile(r"\d{5,20}:[A-Za-z0-9_-]{25,}")
PHONE = re.compile(r"(?:\+84|\b0)[35789]\d{8}\b")
NAME = re.compile(rf"\b(?:{'|'.join(FAMILIES)}) (?:{'|'.join(MIDDLES)})\b|[Cc]anary|[Zz]uliquandor")


def privacy_leaks(line: str) -> Iterator[str]:
    """Each private thing in a line of the log."""
    line = line.encode().decode("unicode_escape", "replace") if "\\u" in line else line
    for pattern in (TOKEN, PHONE, NAME):
        yield from pattern.findall(line)
    yield from (label for label in answers() if label in line)


@cache
def answers() -> frozenset[str]:
    """The words of every option that says something about health, long enough to mean nothing else."""
    labels = set()
    for name in available_campaigns():
        for question in load_campaign(campaign_folder(name)).questions:
            labels |= {option.label[language] for option in question.options for language in LANGUAGES}
    return frozenset(label for label in labels if len(label) > 7 and " " in label)
