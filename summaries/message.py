"""A status in words: the board, the sealed summary, a head's list. Groups see counts, never a name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate
from zoneinfo import ZoneInfo

import texts
from domain.chat import Language
from domain.completion import percent_text
from domain.risk import KNOWN_LEVELS
from storage.asks import Listed
from storage.rounds import Round
from summaries import answer_times
from summaries.answer_times import Times
from summaries.status import Standing, Status

MOST_TEXT = 3500
"""Characters: a board that needed a second message could not be edited in place."""
_NEVER_REACHED = ("not_enrolled", "undecided", "declined", "blocked", "failed", "unknown", "enough")
_REACHES = (*_NEVER_REACHED, "waiting", "delivered", "contested", "not_asked")
_REASONS = ("leave", "business", "sick", "isolation", "trip", "home", "field", "office", "left")


@dataclass(frozen=True, slots=True)
class Words:
    title: str
    text: str


def _title(key: str, status: Status, of: Standing, language: Language) -> str:
    kind = texts.text(language, f"declaration.{status.kind}")
    return texts.text(language, key, unit=of.unit.name, kind=kind, day=texts.day(language, status.day))


def board(status: Status, of: Standing, language: Language, zone: ZoneInfo, colour: str = "") -> Words:
    """The live status of a unit and everything below it. `colour`: its zone in words, not shown once it is closed."""
    title = _title("summary.board_title", status, of, language)
    hours = _hours(status.main(of.unit.path), language, zone)
    main = status.main(of.unit.path)
    coloured = [colour] if colour and main and main.closed_at is None else []
    return Words(title, "\n".join([*hours, *coloured, *_figures(status, of, language)]))


def sealed(
    status: Status, of: Standing, language: Language, zone: ZoneInfo, soon: Times | None = None, colour: str = ""
) -> Words:
    """What is posted once when the round closes. `soon`: how soon the unit answered, where anybody was asked."""
    title = _title("summary.sealed_title", status, of, language)
    as_of = texts.text(language, "summary.as_of", at=texts.clock(status.at, zone))
    times = [answer_times.line(soon, language)] if soon else []
    return Words(title, "\n".join([as_of, *([colour] if colour else []), *times, *_figures(status, of, language)]))


def people_list(
    status: Status,
    of: Standing,
    view: str,
    people: Sequence[Listed],
    last: Mapping[int, datetime],
    language: Language,
    zone: ZoneInfo,
) -> Words:
    """Some of a unit's people by name, with why each is on the list `view`; for those entitled, in private.

    `last` says by person when they last answered.
    """
    title = _title(f"summary.{view}_title", status, of, language)
    lines = [_list_line(one, of, last.get(one.person_id), language, zone) for one in people]
    return Words(title, "\n".join([_completion(of, language), "", *lines]))


def _list_line(one: Listed, of: Standing, last: datetime | None, language: Language, zone: ZoneInfo) -> str:
    return texts.text(language, "summary.list_line", name=_whose(one, of), what=_what(one, last, language, zone))


def _whose(one: Listed, of: Standing) -> str:
    return one.name if one.unit_id == of.unit.id else f"{one.name} ({one.unit_name})"


def _what(one: Listed, last: datetime | None, language: Language, zone: ZoneInfo) -> str:
    """What became of the question to this person; never what they answered."""
    if one.state == "excused":
        return texts.text(language, f"summary.reason_{one.reason}" if one.reason else "summary.other")
    if one.state == "answered" and one.answered_at:
        key = "summary.answered_by_proxy" if one.proxy else "summary.answered_at"
        return texts.text(language, key, at=texts.clock(one.answered_at, zone))
    why = texts.text(language, f"summary.reach_{one.reach}")
    if last is None:
        return why
    return texts.text(language, "summary.and_last", why=why, last=f"{last.astimezone(zone):%d/%m}")


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
    if of.proxy:
        lines.append(texts.text(language, "summary.proxy", n=of.proxy))
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
        units = fitting([_unit_line(one, language) for one in below], MOST_TEXT - sum(map(len, lines)))
        lines += units
        if len(units) < len(below):
            lines.append(texts.text(language, "summary.units_more", n=len(below) - len(units)))
    return lines


def fitting(lines: Sequence[str], room: int) -> list[str]:
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
