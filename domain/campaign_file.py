"""Loads a campaign folder: everything is checked, and all mistakes are told at once."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import cast

from domain.campaign import (
    AFTERNOON,
    MORNING,
    RISK,
    ROUND_KINDS,
    Audience,
    Band,
    Campaign,
    Reference,
    ScheduleSpec,
    Workplace,
)
from domain.control_file import read_controls
from domain.incident import HEALTH, IncidentKind
from domain.question_file import LONGEST_LABEL, read_questions, read_workplace
from domain.questions import Question
from domain.risk import Level, assess
from domain.rule_file import RuleFile, read_rules
from domain.toml_reader import Problem, Section, read_file
from domain.workdays import WEEKDAYS
from domain.zone_file import ZoneFile, read_zones

__all__ = ["CampaignError", "Problem", "available_campaigns", "campaign_folder", "load_campaign"]

_MAIN, _QUESTIONS, _RULES, _SCHEDULES = "campaign.toml", "questions.toml", "rules.toml", "schedules.toml"
_ZONES = "zones.toml"
_FILES = (_MAIN, _QUESTIONS, _RULES, _SCHEDULES, _ZONES)
_LONGEST_NAME, _LONGEST_TEXT = 100, 600
_MOST_INCIDENTS, _LONGEST_INCIDENT = 9, 40
_COLOURS = ("green", "yellow", "orange", "red")


class CampaignError(Exception):
    """The campaign cannot be used. `problems` has every mistake; as text it is one line for each."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = list(problems)
        super().__init__("\n".join(map(str, self.problems)))


def available_campaigns() -> list[str]:
    """The names of the campaigns shipped with the bot."""
    return sorted(folder.name for folder in _shipped().iterdir() if (folder / _MAIN).is_file())


def campaign_folder(name: str) -> Path:
    """The folder of a shipped campaign; raises CampaignError naming the choices for any other name."""
    known = available_campaigns()
    if name not in known:
        raise CampaignError([Problem("campaigns", "", f'expected one of {", ".join(known)}, found "{name}"')])
    return _shipped() / name


def load_campaign(folder: Path) -> Campaign:
    """The campaign in this folder; raises CampaignError with every mistake in it."""
    problems: list[Problem] = []
    sections = {name: read_file(folder / name, f"{folder.name}/{name}", problems) for name in _FILES}
    for stray in sorted(folder.glob("*.toml")):
        if stray.name not in _FILES:
            problems.append(Problem(f"{folder.name}/{stray.name}", "", f"unknown file, expected {', '.join(_FILES)}"))
    main, questions, rules, schedules, zones = sections.values()
    asked = _asked(questions) if questions else None
    ruled = read_rules(rules, asked[1] if asked else None) if rules else None
    planned = _schedules(schedules) if schedules else ()
    zoned = read_zones(zones, asked[0].question if asked else None) if zones else None
    campaign = _campaign(main, folder.name, asked, ruled, planned, zoned) if main else None
    if campaign is None or problems:
        raise CampaignError(sorted(problems, key=lambda each: (each.file, each.line or 0, each.key)))
    _check_healthy_is_low(campaign, folder.name)
    return campaign


def _shipped() -> Path:
    return Path(str(files("campaigns")))


def _asked(file: Section) -> tuple[Workplace, tuple[Question, ...]]:
    found = read_workplace(file), read_questions(file)
    file.finish()
    return found


def _campaign(
    file: Section,
    folder_name: str,
    asked: tuple[Workplace, tuple[Question, ...]] | None,
    ruled: RuleFile | None,
    schedules: tuple[ScheduleSpec, ...],
    zoned: ZoneFile | None,
) -> Campaign | None:
    """None if another file could not be read at all; this one is checked all the same."""
    key = file.name("key")
    if key and key != folder_name:
        file.fault("key", f'expected the name of its folder, "{folder_name}", found "{key}"')
    version = file.whole("version", 1, 1_000_000)
    title, statement = file.words("title", _LONGEST_NAME), file.words("statement", _LONGEST_TEXT)
    well, unwell = file.words("well_label", LONGEST_LABEL), file.words("unwell_label", LONGEST_LABEL)
    references, incidents, controls = _references(file), _incidents(file), read_controls(file)
    file.finish()
    if asked is None or ruled is None or zoned is None:
        return None
    return Campaign(
        key=key,
        version=version,
        title=title,
        statement=statement,
        well_label=well,
        unwell_label=unwell,
        workplace=asked[0],
        questions=asked[1],
        rules=ruled.rules,
        thresholds=ruled.thresholds,
        otherwise=ruled.otherwise,
        undeclared=ruled.undeclared,
        schedules=schedules,
        references=references,
        incidents=incidents,
        controls=controls,
        zones=zoned.rules,
        map_columns=zoned.map_columns,
    )


def _check_healthy_is_low(campaign: Campaign, folder_name: str) -> None:
    """One tap of a healthy person must come out low, or every healthy person would be reported at risk."""
    outcome = assess(campaign, campaign.healthy_answers())
    if outcome.level is not Level.LOW:
        message = f'expected no rule to apply to the answers of a healthy person, "{outcome.reasons[0].rule}" does'
        raise CampaignError([Problem(f"{folder_name}/{_RULES}", "rules", message)])


def _references(file: Section) -> tuple[Reference, ...]:
    found: list[Reference] = []
    for section in file.sections("references"):
        key = section.name("key")
        if key and key in {each.key for each in found}:
            section.fault("key", f'expected a key of its own, "{key}" stands above')
        document, adopted = section.words("document", _LONGEST_NAME), section.day("adopted")
        says, bands = section.words("says", _LONGEST_TEXT), _bands(section)
        section.finish()
        found.append(Reference(key, document, adopted, says, bands))
    return tuple(found)


def _incidents(file: Section) -> tuple[IncidentKind, ...]:
    found: list[IncidentKind] = []
    for section in file.sections("incidents", 1, _MOST_INCIDENTS):
        kind = IncidentKind(section.key("key"), section.words("label", _LONGEST_INCIDENT))
        section.finish()
        if kind.key and kind.key in {HEALTH, *(each.key for each in found)}:
            section.fault("key", f'expected a key of its own, "{kind.key}" is taken')
        found.append(kind)
    return tuple(found)


def _bands(reference: Section) -> tuple[Band, ...]:
    found: list[Band] = []
    for section in reference.sections("bands"):
        at_most, name = section.number("at_most"), section.words("name", _LONGEST_NAME)
        colour = section.one_of("colour", _COLOURS) if section.has("colour") else ""
        section.finish()
        if found and at_most <= found[-1].at_most:
            section.fault("at_most", f"expected more than {found[-1].at_most:g}, found {at_most:g}")
        found.append(Band(at_most, name, colour))
    return tuple(found)


def _schedules(file: Section) -> tuple[ScheduleSpec, ...]:
    found: list[ScheduleSpec] = []
    for section in file.sections("schedules", 1):
        schedule = _schedule(section)
        if schedule.kind in {each.kind for each in found}:
            section.fault("kind", f'expected a kind of its own, "{schedule.kind}" stands above')
        found.append(schedule)
    _check_windows(file, {schedule.kind: schedule for schedule in found})
    file.finish()
    return tuple(found)


def _schedule(section: Section) -> ScheduleSpec:
    schedule = ScheduleSpec(
        kind=section.one_of("kind", ROUND_KINDS),
        opens=section.clock("opens"),
        reminders=section.clocks("reminders"),
        missing_list=section.clock("missing_list") if section.has("missing_list") else None,
        closes=section.clock("closes"),
        weekdays=section.some_of("weekdays", WEEKDAYS),
        on_holidays=section.flag("on_holidays"),
        audience=cast("Audience", section.one_of("audience", ("everyone", "worked_today", "units"))),
    )
    section.finish()
    _check_times(section, schedule)
    return schedule


def _check_times(section: Section, schedule: ScheduleSpec) -> None:
    opens, closes = schedule.opens, schedule.closes
    window = f"{opens:%H:%M} and {closes:%H:%M}"
    if not opens < closes:
        section.fault("closes", f"expected a time after opens ({opens:%H:%M}), found {closes:%H:%M}")
        return
    for index, at in enumerate(schedule.reminders):
        if not opens < at < closes:
            section.fault(f"reminders[{index}]", f"expected a time between {window}, found {at:%H:%M}")
        elif index and at <= schedule.reminders[index - 1]:
            section.fault(f"reminders[{index}]", f"expected a time after the one before it, found {at:%H:%M}")
    if schedule.missing_list and not opens < schedule.missing_list < closes:
        section.fault("missing_list", f"expected a time between {window}, found {schedule.missing_list:%H:%M}")


def _check_windows(file: Section, schedules: dict[str, ScheduleSpec]) -> None:
    """Who worked is known from the morning, and the afternoon opens when the morning has closed."""
    morning, afternoon = schedules.get(MORNING), schedules.get(AFTERNOON)
    for schedule in schedules.values():
        if (schedule.kind == RISK) != (schedule.audience == "units"):
            file.fault("schedules", f'expected audience = "units" for the risk round alone, found {schedule.kind}')
        if schedule.audience == "worked_today" and (schedule.kind == MORNING or not morning):
            file.fault(
                "schedules", f'expected a morning round, audience = "worked_today" of {schedule.kind} rests on it'
            )
    if morning and afternoon and afternoon.opens < morning.closes:
        message = f"expected the afternoon to open after the morning closes ({morning.closes:%H:%M})"
        file.fault("schedules", f"{message}, found {afternoon.opens:%H:%M}")
