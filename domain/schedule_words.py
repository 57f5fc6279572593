"""A schedule as a clerk says it: "07:00 và 16:30, thứ 2 đến thứ 6, trừ ngày lễ; nhắc +30, +75", or in English."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time
from typing import Literal

from domain.campaign import AFTERNOON, MORNING, RISK
from domain.names import folded
from domain.timetable import parse_time, parse_weekdays

At = int | time
"""Minutes after the opening, or the wall-clock hour."""
Trouble = Literal["nothing", "unclear", "twice", "too_many_hours", "hours_need_one_kind", "past_midnight"]
NOON = time(12)
_NO = r"(?:khong|no|without)"
_WORDS = {
    "remind_none": rf"{_NO} (?:nhac(?: lai)?|reminders?|remind)",
    "list_none": rf"{_NO} (?:(?:gui )?danh sach(?: (?:nguoi )?chua khai)?|(?:missing )?list(?: of the missing)?)",
    "remind": r"(?:nhac(?: lai)?(?: sau)?|remind(?:s|ers?)?|reminders?)",
    "list": r"(?:danh sach(?: (?:nguoi )?chua khai)?|(?:missing )?list(?: of the missing)?)",
    "close": r"(?:dong(?: sau)?|ket thuc|closes?|closing|until(?= \d))",
    "open": r"(?:mo|opens?|opening)",
    MORNING: r"(?:buoi sang|sang|(?:the )?morning)",
    RISK: r"(?:cap nhat nguy co|nguy co|(?:the )?risk(?: update)?)",
    AFTERNOON: r"(?:buoi chieu|chieu|(?:the )?afternoon)",
}
_KEYWORD = re.compile(rf"(?<!\w)(?:{'|'.join(f'(?P<{name}>{words})' for name, words in _WORDS.items())})(?!\w)")
_HOLIDAYS = (
    (re.compile(r"(?<!\w)(?:ke ca|ca|gom ca) (?:nhung |cac )?(?:ngay )?le(?!\w)"), True),
    (re.compile(r"(?<!\w)(?:including|also on) (?:public )?holidays(?!\w)"), True),
    (re.compile(r"(?<!\w)(?:tru|khong ke|khong tinh|nghi)(?: nhung| cac)? (?:ngay )?(?:nghi )?le(?!\w)"), False),
    (re.compile(r"(?<!\w)(?:not on|except(?: on)?|excluding|no) (?:public )?holidays(?!\w)"), False),
)
_BETWEEN = re.compile(r"(?:[\s,;.:&–-]|(?:va|and|luc|at|vao|hoi)(?!\w)|(?:tu|from)(?= \d))+")
_OFFSET = re.compile(r"\+ ?(\d{1,3})(?: ?(?:phut|p|minutes|min|m)(?!\w))?(?!\d)")
_HOUR = re.compile(r"\d{1,2}(?::\d{2}(?::00)?| ?(?:h|gio|g) ?(?:\d{2}(?!\d))?)(?![\d:\w])")


@dataclass(frozen=True, slots=True)
class Unclear:
    """Nothing can be made of it; `words` is the part at fault, without its marks."""

    why: Trouble
    words: str = ""


@dataclass(frozen=True, slots=True)
class Hours:
    """When one kind of round happens."""

    opens: time
    reminders: tuple[time, ...]
    missing_list: time | None
    closes: time
    weekdays: frozenset[str]
    on_holidays: bool


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was said, and None for what was not. `opens` by kind of round; without an hour the kind keeps its own."""

    opens: Mapping[str, time | None]
    reminders: tuple[At, ...] | None = None
    missing_list: tuple[At, ...] | None = None
    closes: At | None = None
    weekdays: frozenset[str] | None = None
    on_holidays: bool | None = None


@dataclass(slots=True)
class _Heard:
    hours: dict[str, list[time]] = field(default_factory=dict)
    """By the kind of round named before them; "" for none."""
    at: dict[str, list[At]] = field(default_factory=dict)
    weekdays: frozenset[str] | None = None


class _Lost(Exception):
    def __init__(self, why: Trouble, words: str = "") -> None:
        super().__init__(why)
        self.unclear = Unclear(why, words)


def parse_schedule(words: str) -> Wanted | Unclear:
    """What the words ask for; in doubt nothing, with the reason."""
    try:
        return _parsed(folded(words))
    except _Lost as lost:
        return lost.unclear


def _parsed(text: str) -> Wanted:
    text, on_holidays = _holidays(text)
    heard = _Heard()
    name, begin, kind = "open", 0, ""
    for match in [*_KEYWORD.finditer(text), None]:
        _hear(heard, name, kind, text[begin : match.start() if match else len(text)])
        if match is None:
            break
        name, begin = str(match.lastgroup), match.end()
        if name in (MORNING, RISK, AFTERNOON):
            name, kind = "open", name
            heard.hours.setdefault(kind, [])
    return _wanted(heard, on_holidays)


def _holidays(text: str) -> tuple[str, bool | None]:
    """The text without its words about holidays, and what they say."""
    said: set[bool] = set()
    for pattern, held in _HOLIDAYS:
        text, found = pattern.subn(",", text)
        said |= {held} if found else set()
    if len(said) > 1:
        raise _Lost("twice", "ngay le")
    return text, next(iter(said), None)


def _hear(heard: _Heard, name: str, kind: str, body: str) -> None:
    """One keyword with what follows it: hours or minutes, then perhaps the weekdays; at first also before the hours."""
    first = _HOUR.search(body) if name == "open" and not kind else None
    if first and _times(body[: first.start()])[1]:
        _hear_weekdays(heard, _times(body[: first.start()])[1])
        body = body[first.start() :]
    times, rest = _times(body)
    if name == "open":
        _hear_opening(heard, kind, times, body)
    elif name in heard.at or (name.endswith("_none") and times):
        raise _Lost("twice", body.strip())
    elif not times and not name.endswith("_none"):
        raise _Lost("unclear", f"{name} {body}".strip())
    else:
        heard.at[name.removesuffix("_none")] = times
    if rest:
        _hear_weekdays(heard, rest)


def _hear_opening(heard: _Heard, kind: str, times: list[At], body: str) -> None:
    if any(isinstance(at, int) for at in times):
        raise _Lost("unclear", body.strip())
    heard.hours.setdefault(kind, []).extend(at for at in times if isinstance(at, time))


def _hear_weekdays(heard: _Heard, rest: str) -> None:
    bare = re.sub(r"^(?:on|vao|cac ngay|trong)\s+|\s+(?:at|luc|vao|hoi)$", "", rest)
    found = parse_weekdays(bare) or parse_weekdays(rest)
    if found is None:
        raise _Lost("unclear", rest)
    if heard.weekdays is not None:
        raise _Lost("twice", rest)
    heard.weekdays = found


def _times(body: str) -> tuple[list[At], str]:
    """The hours and minutes at the beginning, and the rest without what stands between."""
    found: list[At] = []
    place = 0
    while True:
        if between := _BETWEEN.match(body, place):
            place = between.end()
        if offset := _OFFSET.match(body, place):
            found.append(int(offset[1]))
            place = offset.end()
        elif (hour := _HOUR.match(body, place)) and (at := parse_time(hour[0])) is not None:
            found.append(at)
            place = hour.end()
        else:
            return found, body[place:].strip(" ,;.")


def _wanted(heard: _Heard, on_holidays: bool | None) -> Wanted:
    opens = _openings(heard.hours)
    said = (heard.weekdays, on_holidays, *heard.at.values(), *opens.values())
    if all(one is None for one in said):
        raise _Lost("nothing")
    closes = heard.at.get("close")
    missing_list = heard.at.get("list")
    if len(closes or ()) > 1 or len(missing_list or ()) > 1:
        raise _Lost("too_many_hours")
    spoken = [at for times in heard.at.values() for at in times]
    if len(opens) > 1 and any(isinstance(at, time) for at in spoken):
        raise _Lost("hours_need_one_kind")
    return Wanted(
        opens,
        _maybe(heard.at.get("remind")),
        _maybe(missing_list),
        closes[0] if closes else None,
        heard.weekdays,
        on_holidays,
    )


def _maybe(times: list[At] | None) -> tuple[At, ...] | None:
    return None if times is None else tuple(times)


def _openings(hours: Mapping[str, list[time]]) -> dict[str, time | None]:
    """Which kinds are meant: those named, else by the hour, else both that people answer."""
    named: dict[str, time | None] = {}
    bare = hours.get("", [])
    for kind, times in hours.items():
        if kind:
            if len(times) > 1:
                raise _Lost("too_many_hours")
            named[kind] = times[0] if times else None
    if named and bare:
        raise _Lost("too_many_hours")
    if named:
        return named
    if len(bare) > 2 or (len(bare) == 2 and bare[0] >= bare[1]):
        raise _Lost("too_many_hours")
    if len(bare) == 2:
        return {MORNING: bare[0], AFTERNOON: bare[1]}
    if bare:
        return {MORNING if bare[0] < NOON else AFTERNOON: bare[0]}
    return {MORNING: None, AFTERNOON: None}


def changed(hours: Hours, wanted: Wanted, kind: str) -> Hours | Unclear:
    """The hours with what was said; what was not said moves along with the opening."""
    opens = wanted.opens[kind] or hours.opens
    moved = _minutes(opens) - _minutes(hours.opens)
    try:
        return Hours(
            opens,
            tuple(_hour(at, opens) for at in wanted.reminders)
            if wanted.reminders is not None
            else tuple(_later(at, moved) for at in hours.reminders),
            _list_hour(hours, wanted, opens, moved),
            _later(hours.closes, moved) if wanted.closes is None else _hour(wanted.closes, opens),
            hours.weekdays if wanted.weekdays is None else wanted.weekdays,
            hours.on_holidays if wanted.on_holidays is None else wanted.on_holidays,
        )
    except _Lost as lost:
        return lost.unclear


def _list_hour(hours: Hours, wanted: Wanted, opens: time, moved: int) -> time | None:
    if wanted.missing_list is not None:
        return _hour(wanted.missing_list[0], opens) if wanted.missing_list else None
    return _later(hours.missing_list, moved) if hours.missing_list else None


def _hour(at: At, opens: time) -> time:
    return at if isinstance(at, time) else _later(opens, at)


def _later(at: time, minutes: int) -> time:
    total = _minutes(at) + minutes
    if not 0 <= total < 24 * 60:
        raise _Lost("past_midnight")
    return time(total // 60, total % 60)


def _minutes(at: time) -> int:
    return at.hour * 60 + at.minute
