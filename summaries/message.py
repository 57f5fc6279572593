"""A status in words: the board, the sealed summary, a head's list. Groups see counts, never a name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from zoneinfo import ZoneInfo

import texts
from domain.chat import Language
from domain.completion import percent_text
from domain.risk import KNOWN_LEVELS
from storage.asks import Missing
from storage.rounds import Round
from summaries.status import Standing, Status

MOST_NAMES = 40
MOST_TEXT = 3500
"""Characters: a board that needed a second message could not be edited in place."""
_NEVER_REACHED = ("not_enrolled", "undecided", "declined", "blocked", "failed", "unknown")
_REACHES = (*_NEVER_REACHED, "waiting", "delivered", "not_asked")
_REASONS = ("leave", "business", "sick", "isolation", "trip", "home", "field", "office", "left")


@dataclass(frozen=True, slots=True)
class Words:
    title: str
    text: str


def _title(key: str, status: Status, of: Standing, language: Language) -> str:
    kind = texts.text(language, f"declaration.{status.kind}")
    return texts.text(language, key, unit=of.unit.name, kind=kind, day=texts.day(language, status.day))


def board(status: Status, of: Standing, language: Language, zone: ZoneInfo) -> Words:
    """The live status of a unit and everything below it."""
    title = _title("summary.board_title", status, of, language)
    hours = _hours(status.main(of.unit.path), language, zone)
    return Words(title, "\n".join([*hours, *_figures(status, of, language)]))


def sealed(status: Status, of: Standing, language: Language, zone: ZoneInfo) -> Words:
    """What is posted once when the round closes."""
    title = _title("summary.sealed_title", status, of, language)
    as_of = texts.text(language, "summary.as_of", at=texts.clock(status.at, zone))
    return Words(title, "\n".join([as_of, *_figures(status, of, language)]))


def missing_list(status: Status, of: Standing, people: Sequence[Missing], language: Language, zone: ZoneInfo) -> Words:
    """Who has not answered and why; for those entitled, in private."""
    title = _title("summary.missing_title", status, of, language)
    lines = [_completion(of, language), ""]
    names = [_missing_line(one, of, language, zone) for one in people]
    fitting = _fitting(names[:MOST_NAMES], MOST_TEXT)
    lines += fitting
    if len(fitting) < len(people):
        lines.append(texts.text(language, "summary.missing_more", n=len(people) - len(fitting)))
    return Words(title, "\n".join(lines))


def _missing_line(one: Missing, of: Standing, language: Language, zone: ZoneInfo) -> str:
    name = one.name if one.unit_id == of.unit.id else f"{one.name} ({one.unit_name})"
    why = texts.text(language, f"summary.reach_{one.reach}")
    if one.last_answer_at is None:
        return texts.text(language, "summary.missing_line", name=name, why=why)
    last = f"{one.last_answer_at.astimezone(zone):%d/%m}"
    return texts.text(language, "summary.missing_line_last", name=name, why=why, last=last)


def _hours(main: Round | None, language: Language, zone: ZoneInfo) -> list[str]:
    """Until when the unit's round is open, or since when it is closed: by hand perhaps before its time."""
    if main is None:
        return []
    if main.closed_at is None:
        return [texts.text(language, "summary.is_open", closes=texts.clock(main.closes_at, zone))]
    return [texts.text(language, "summary.closed", closes=texts.clock(min(main.closed_at, main.closes_at), zone))]


def _figures(status: Status, of: Standing, language: Language) -> list[str]:
    lines = [_completion(of, language)]
    if of.late:
        lines.append(texts.text(language, "summary.late", n=of.late))
    if of.excused:
        why = _list(of.excused, _REASONS, "summary.reason_", language)
        lines.append(texts.text(language, "summary.excused", n=of.excused.total(), why=why))
    if of.missing:
        why = _list(of.missing, _REACHES, "summary.reach_", language)
        lines.append(texts.text(language, "summary.missing", n=of.missing.total(), why=why))
    if of.answered:
        levels = [level.value for level in KNOWN_LEVELS]
        shown = _list(of.levels, levels, "declaration.level_", language)
        lines.append(texts.text(language, "summary.levels", levels=shown))
    main = status.main(of.unit.path)
    if main and main.not_asked:
        lines.append(texts.text(language, "summary.not_asked_note"))
    below = status.below(of.unit.path)
    if below:
        lines += ["", texts.text(language, "summary.units_heading")]
        fitting = _fitting([_unit_line(one, language) for one in below], MOST_TEXT - sum(map(len, lines)))
        lines += fitting
        if len(fitting) < len(below):
            lines.append(texts.text(language, "summary.units_more", n=len(below) - len(fitting)))
    return lines


def _fitting(lines: Sequence[str], room: int) -> list[str]:
    """As many of the first lines as have room, in characters."""
    ends = accumulate(len(line) + 1 for line in lines)
    return [line for line, end in zip(lines, ends, strict=True) if end <= room]


def _completion(of: Standing, language: Language) -> str:
    if of.completion is None:
        return texts.text(language, "summary.nobody_due")
    return texts.text(
        language,
        "summary.completion",
        answered=of.answered,
        expected=of.due - of.excused.total(),
        percent=percent_text(of.completion, language),
    )


def _unit_line(of: Standing, language: Language) -> str:
    percent = percent_text(of.completion, language) if of.completion is not None else "–"
    expected = of.due - of.excused.total()
    return texts.text(
        language, "summary.unit_line", name=of.unit.name, answered=of.answered, expected=expected, percent=percent
    )


def _list(counts: Mapping[str, int], order: Sequence[str], prefix: str, language: Language) -> str:
    """Counts with what they are of, in a fixed order and without the empty ones; whatever has no word comes last."""
    known = {key: counts[key] for key in order if counts.get(key)}
    other = sum(counts.values()) - sum(known.values())
    items = [(texts.text(language, f"{prefix}{key}"), n) for key, n in known.items()]
    if other:
        items.append((texts.text(language, "summary.other"), other))
    return "; ".join(texts.text(language, "summary.why_item", what=what, n=n) for what, n in items)
