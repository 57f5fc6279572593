"""How soon each unit answers, with everything below it, and how many of its people were reached at all."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import astuple, dataclass, field, fields
from datetime import date, time, timedelta
from fractions import Fraction
from math import ceil
from zoneinfo import ZoneInfo

import texts
from domain.answer_time import DAYS_FOR_ADVICE, FEWEST, Spread, better_prompt, spread
from domain.chat import Language
from domain.completion import percent_text
from storage import answer_times, units
from storage.answer_times import Held, Reply
from storage.database import Session
from storage.units import Unit

LOOK_BACK = timedelta(days=28)
"""Enough for ten working days around any holidays but Tết's."""


@dataclass(slots=True)
class Times:
    """Of those due and not excused: who was reached, and after how many minutes they answered themselves, in time.

    Late answers and those that somebody else gave are counted apart. `people` and `days` are those of answers in time.
    """

    unit: Unit
    due: int = 0
    reached: int = 0
    late: int = 0
    proxy: int = 0
    minutes: list[float] = field(default_factory=list)
    people: set[int] = field(default_factory=set)
    days: set[date] = field(default_factory=set)

    def add(self, reply: Reply, of: Held) -> None:
        self.due += 1
        is_own = reply.answered_at is not None and not reply.proxy
        self.reached += is_own or reply.reach == "delivered"
        self.proxy += reply.proxy
        self.late += is_own and reply.late
        if reply.answered_at and is_own and not reply.late:
            self.minutes.append(max((reply.answered_at - of.opened_at).total_seconds(), 0) / 60)
            self.people.add(reply.person_id)
            self.days.add(of.day)

    @property
    def spread(self) -> Spread | None:
        """None where so few answered that it would be about somebody in particular."""
        return spread(self.minutes) if len(self.people) >= FEWEST else None


async def of_kind(session: Session, day: date, kind: str) -> dict[int, Times]:
    """Each unit in which anybody was due in these rounds, by its id."""
    held = [one for one in await answer_times.held(session, day, day) if one.kind == kind]
    replies = await answer_times.replies(session, [one.id for one in held])
    return {one.unit.id: one for one in rolled_up(await units.everything(session), held, replies)}


def rolled_up(tree: Sequence[Unit], held: Collection[Held], replies: Sequence[Reply]) -> list[Times]:
    """What the replies to these rounds come to for each unit and everything below it."""
    found = {unit.id: Times(unit) for unit in tree}
    rounds = {one.id: one for one in held}
    for reply in replies:
        if reply.round_id in rounds:
            for part in found[reply.unit_id].unit.path.strip("/").split("/"):
                found[int(part)].add(reply, rounds[reply.round_id])
    return [one for one in found.values() if one.due]


@dataclass(frozen=True, slots=True)
class Recent:
    """One kind of round on the last working days that had one. `advice`: by unit, the hour now and a better one."""

    kind: str
    days: tuple[date, ...]
    all_days: list[Times]
    last_day: list[Times]
    advice: dict[int, tuple[time, time]]


async def recent(session: Session, today: date, zone: ZoneInfo, scope: Collection[str]) -> list[Recent]:
    """The last ten days of each kind of round in these subtrees, for all their units from one query."""
    held = await answer_times.held(session, today - LOOK_BACK, today)
    by_kind = {kind: latest_days(held, kind) for kind in dict.fromkeys(one.kind for one in held)}
    tree = await units.everything(session)
    replies = await answer_times.replies(session, [one.id for mine in by_kind.values() for one in mine], scope)
    return [_recent(kind, mine, tree, replies, zone) for kind, mine in by_kind.items()]


def latest_days(held: Sequence[Held], kind: str) -> list[Held]:
    """The rounds of this kind on the last ten days that had one."""
    of_kind = [one for one in held if one.kind == kind]
    days = sorted({one.day for one in of_kind})[-DAYS_FOR_ADVICE:]
    return [one for one in of_kind if one.day in days]


def _recent(kind: str, mine: Sequence[Held], tree: Sequence[Unit], replies: Sequence[Reply], zone: ZoneInfo) -> Recent:
    days = tuple(sorted({one.day for one in mine}))
    last_day = rolled_up(tree, [one for one in mine if one.day == days[-1]], replies)
    return Recent(kind, days, rolled_up(tree, mine, replies), last_day, _advice(mine, tree, replies, zone))


def _advice(
    mine: Sequence[Held], tree: Sequence[Unit], replies: Sequence[Reply], zone: ZoneInfo
) -> dict[int, tuple[time, time]]:
    """A better hour for each unit, by the schedule under which most of its people are asked."""
    most: dict[int, tuple[int, time, time | None]] = {}
    for schedule_id in dict.fromkeys(one.schedule_id for one in mine):
        held = [one for one in mine if one.schedule_id == schedule_id]
        opens = held[0].opens_at.astimezone(zone).time()
        for one in rolled_up(tree, held, replies):
            better = better_prompt(opens, one.minutes, len(one.days)) if one.spread else None
            if one.due > most.get(one.unit.id, (0,))[0]:
                most[one.unit.id] = (one.due, opens, better)
    return {unit_id: (opens, better) for unit_id, (_, opens, better) in most.items() if better}


def line(times: Times, language: Language) -> str:
    """Percentiles and reach in one line; a small number of answers gives the reach alone."""
    reach, found = _reach(times, language), times.spread
    if found is None:
        return texts.text(language, "times.reach", reach=reach)
    minutes = {"quarter": found.p25, "half": found.p50, "three_quarters": found.p75, "nearly_all": found.p95}
    shown = {name: ceil(value) for name, value in minutes.items()}
    return texts.text(language, "times.line", reach=reach, **shown)


def short_line(times: Times, language: Language) -> str:
    """The same of one unit among several, in half the words."""
    reach, found = _reach(times, language), times.spread
    if found is None:
        return texts.text(language, "times.unit_line_few", name=times.unit.name, reach=reach)
    half, nearly_all = ceil(found.p50), ceil(found.p95)
    return texts.text(language, "times.unit_line", name=times.unit.name, half=half, nearly_all=nearly_all, reach=reach)


def _reach(times: Times, language: Language) -> str:
    return percent_text(Fraction(times.reached, times.due), language)


@dataclass(frozen=True, slots=True)
class TimesLine:
    """One unit in one kind of round on one day, for scripts. Minutes are None where there are too few answers."""

    day: date
    kind: str
    unit_code: str
    unit_name: str
    due: int
    reached: int
    in_time: int
    late: int
    proxy: int
    p25: float | None
    p50: float | None
    p75: float | None
    p95: float | None


async def of_day(session: Session, day: date) -> list[TimesLine]:
    """Every unit, with everything below it, in each kind of round of one day."""
    held = await answer_times.held(session, day, day)
    tree = await units.everything(session)
    replies = await answer_times.replies(session, [one.id for one in held])
    return [
        _line_of(day, kind, times)
        for kind in dict.fromkeys(one.kind for one in held)
        for times in rolled_up(tree, [one for one in held if one.kind == kind], replies)
    ]


def _line_of(day: date, kind: str, times: Times) -> TimesLine:
    counts = (times.due, times.reached, len(times.minutes), times.late, times.proxy)
    minutes = (None,) * 4 if times.spread is None else astuple(times.spread)
    rounded = (None if value is None else round(value, 1) for value in minutes)
    return TimesLine(day, kind, times.unit.code, times.unit.name, *counts, *rounded)


def heading() -> list[str]:
    return [one.name for one in fields(TimesLine)]


def cells(line: TimesLine) -> list[str]:
    """The line as texts, in the order of `heading`."""
    return ["" if value is None else str(value) for value in astuple(line)]
