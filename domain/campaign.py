"""A campaign: what is asked, when, of whom, and what the answers mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, time
from typing import Literal

from domain.control import Control
from domain.incident import IncidentKind
from domain.questions import Answer, Question, Words
from domain.rules import Rule
from domain.zone import ZoneRules
from domain.zone_file import MapColumn

Audience = Literal["everyone", "worked_today", "units"]
MORNING, RISK, AFTERNOON = "morning", "risk", "afternoon"
ROUND_KINDS = (MORNING, RISK, AFTERNOON)
"""People declare in the morning and the afternoon; in between units update their risk (Directive 001, IV(2))."""
DRILL = "drill"
"""A rehearsal of a round in which people declare: no kind that can be scheduled, and in no figure."""

MOST_QUESTIONS = 5
"""As many screens as a person who is not well goes through, before the last one that shows everything."""

WORKPLACE = "workplace"
"""The key under which the workplace stands among a declaration's answers."""


@dataclass(frozen=True, slots=True)
class ScheduleSpec:
    """When a kind of round happens and for whom; wall-clock times in the organisation's zone, weekdays `mon`-`sun`."""

    kind: str
    opens: time
    reminders: tuple[time, ...]
    missing_list: time | None
    closes: time
    weekdays: tuple[str, ...]
    on_holidays: bool
    audience: Audience


@dataclass(frozen=True, slots=True)
class Workplace:
    """Where the person works today: asked in the morning, `worked` decides who is asked in the afternoon.

    `usual` is offered until a person has an own remembered answer.
    """

    question: Question
    worked: frozenset[str]
    usual: str


@dataclass(frozen=True, slots=True)
class Band:
    """One step of a national scale: values up to and including `at_most`, its name and, if any, its colour."""

    at_most: float
    name: Words
    colour: str = ""


@dataclass(frozen=True, slots=True)
class Reference:
    """What the campaign takes from an official document, which one, and of which day."""

    key: str
    document: Words
    adopted: date
    says: Words
    bands: tuple[Band, ...] = ()


@dataclass(frozen=True, slots=True)
class Campaign:
    """One campaign folder, checked. `version` is stored with each assessment as the rule version."""

    key: str
    version: int
    title: Words
    statement: Words
    well_label: Words
    unwell_label: Words
    workplace: Workplace
    questions: tuple[Question, ...]
    rules: tuple[Rule, ...]
    thresholds: Mapping[str, float]
    otherwise: Words
    undeclared: Words
    schedules: tuple[ScheduleSpec, ...]
    references: tuple[Reference, ...]
    incidents: tuple[IncidentKind, ...]
    controls: tuple[Control, ...]
    zones: ZoneRules
    map_columns: tuple[MapColumn, ...]

    def healthy_answers(self) -> dict[str, Answer]:
        """What the one tap of a healthy person declares, question by question."""
        return {question.key: question.well_answer for question in self.questions}

    def incident(self, key: str) -> IncidentKind | None:
        """The kind of incident of that key; None if this campaign has no such kind."""
        return next((kind for kind in self.incidents if kind.key == key), None)

    def question(self, key: str) -> Question | None:
        """The question of that key, the workplace included; None if this campaign does not ask it."""
        everything = (self.workplace.question, *self.questions)
        return next((question for question in everything if question.key == key), None)
