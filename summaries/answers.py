"""Answers for export: one line for each version of each declaration, by staff code, never by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from zoneinfo import ZoneInfo

from domain.campaign import WORKPLACE
from domain.questions import Answer
from storage import declarations
from storage.database import Session


@dataclass(frozen=True, slots=True)
class AnswerLine:
    """`answered_at` is in the organisation's zone; `given_by` a staff code, another's for a proxy answer."""

    staff_code: str
    day: date
    kind: str
    version: int
    level: str
    answers: dict[str, Answer]
    given_by: str
    channel: str
    answered_at: datetime
    late: bool


async def of_day(session: Session, zone: ZoneInfo, day: date) -> list[AnswerLine]:
    """Every version given for the rounds of one day; the workplace stands among the answers."""
    return [
        AnswerLine(
            row.staff_code,
            row.day,
            row.kind,
            row.version,
            row.level,
            ({WORKPLACE: row.workplace} if row.workplace else {}) | dict(row.answers),
            row.given_by,
            row.channel,
            row.answered_at.astimezone(zone).replace(microsecond=0),
            row.late,
        )
        for row in await declarations.between(session, day, day)
    ]


def heading(questions: Sequence[str]) -> list[str]:
    """Column titles of a table of answers, with a column for each question in place of `answers`."""
    names = [field.name for field in fields(AnswerLine)]
    place = names.index("answers")
    return [*names[:place], *questions, *names[place + 1 :]]


def cells(line: AnswerLine, questions: Sequence[str]) -> list[str]:
    """The line as texts, in the order of `heading`."""
    return [
        line.staff_code,
        line.day.isoformat(),
        line.kind,
        str(line.version),
        line.level,
        *(_words(line.answers.get(question)) for question in questions),
        line.given_by,
        line.channel,
        line.answered_at.isoformat(),
        "yes" if line.late else "no",
    ]


def _words(answer: Answer) -> str:
    if answer is None:
        return ""
    return ", ".join(answer) if isinstance(answer, list) else str(answer)
