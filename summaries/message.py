"""A status in words: the board, the sealed summary, a head's list. Groups see counts, never a name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import texts
from domain.chat import Language
from domain.completion import percent_text
from domain.risk import KNOWN_LEVELS
from storage.asks import Missing
from summaries.status import Standing, Status

MOST_NAMES = 40
MOST_UNITS = 60
_REACHES = ("not_enrolled", "undecided", "declined", "blocked", "failed", "unknown", "waiting", "delivered", "not_asked")
_REASONS = ("leave", "business", "sick", "isolation", "trip", "home", "office")


@dataclass(frozen=True, slots=True)
class Words:
    title: str
    text: str


def board(status: Status, of: Standing, language: Language, zone: ZoneInfo) -> Words:
    """The live status of a unit and everything below it."""
    title = texts.text(
        language,
        "summary.board_title",
        unit=of.unit.name,
        kind=texts.text(language, f"declaration.{status.kind}"),
        day=texts.day(language, status.day),
    )
    if status.is_closed:
        state = texts.text(language, "summary.closed", closes=texts.clock(status.closes_at, zone))
    else:
        state = texts.text(language, "summary.is_open", closes=texts.clock(status.closes_at, zone))
    return Words(title, "\n".join([state, *_figures(status, of, language)]))


def sealed(status: Status, of: Standing, language: Language, zone: ZoneInfo) -> Words:
    """What is posted once when the round closes."""
    title = texts.text(
        language,
        "summary.sealed_title",
        unit=of.unit.name,
        kind=texts.text(language, f"declaration.{status.kind}"),
        day=texts.day(language, status.day),
    )
    as_of = texts.text(language, "summary.as_of", at=texts.clock(status.at, zone))
    return Words(title, "\n".join([as_of, *_figures(status, of, language)]))


def missing_list(
    status: Status, of: Standing, people: Sequence[Missing], language: Language
) -> Words:
    """Who has not answered and why; for those entitled, in private."""
    title = texts.text(
        language,
        "summary.missing_title",
        unit=of.unit.name,
        kind=texts.text(language, f"declaration.{status.kind}"),
        day=texts.day(language, status.day),
    )
    lines = [_completion(of, language), ""]
    for one in people[:MOST_NAMES]:
        values = {"name": one.name, "why": texts.text(language, f"summary.reach_{one.reach}")}
        if one.unit_id != of.unit.id:
            values["name"] = f"{one.name} ({one.unit_name})"
        if one.last_answer_at:
            last = f"{one.last_answer_at:%d/%m}"
            lines.append(texts.text(language, "summary.missing_line_last", last=last, **values))
        else:
            lines.append(texts.text(language, "summary.missing_line", **values))
    if len(people) > MOST_NAMES:
        lines.append(texts.text(language, "summary.missing_more", n=len(people) - MOST_NAMES))
    if not people:
        lines.append(texts.text(language, "summary.missing_none"))
    return Words(title, "\n".join(lines))


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
    if status.not_asked:
        lines.append(texts.text(language, "summary.not_asked_note"))
    below = status.below(of.unit.path)
    if below:
        lines += ["", texts.text(language, "summary.units_heading")]
        lines += [_unit_line(one, language) for one in below[:MOST_UNITS]]
    return lines


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
    """Counts with what they are of, in a fixed order and without the empty ones; whatever is unknown comes last."""
    keys = [key for key in order if counts.get(key)] + [key for key in counts if key not in order]
    items = Counter(counts)
    return ", ".join(
        texts.text(language, "summary.why_item", what=texts.text(language, f"{prefix}{key}"), n=items[key])
        for key in keys
    )
