"""A roster sent in a chat, as its administrator sees it: what it would change, what it did, why it cannot be read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import texts
from domain.chat import Button, Keyboard, Language
from domain.roster_plan import Plan
from handlers.screens import Screen
from storage.roster_files import RosterFile
from summaries import roster_words
from summaries.roster_words import Part

Values = Mapping[str, str | int]


def can_be_taken_over(one: RosterFile, plan: Plan) -> bool:
    """There is something to change, no error but perhaps that so many leave, and its sender stays to answer for it."""
    return not plan.is_empty and (plan.is_applicable or plan.needs_force) and not _leaves(one, plan)


def _leaves(one: RosterFile, plan: Plan) -> bool:
    return any(leave.person_id == one.person_id for leave in plan.leaves)


def preview(one: RosterFile, plan: Plan, found: Sequence[Part], shown: str, language: Language) -> Screen:
    """Nothing has changed yet; what would, the problems first, and the tap that takes it over."""
    title = texts.text(language, "roster.report_title", file=one.name)
    lines = [texts.text(language, "roster.dry_run"), "", *roster_words.short(found, language)]
    if roster_words.is_cut(found):
        lines += ["", texts.text(language, "roster.all_in_file")]
    if not can_be_taken_over(one, plan):
        lines += ["", texts.text(language, _why_not(one, plan))]
        return Screen(title, "\n".join(lines), _home(language))
    verb, key = (
        ("adm_ros_force", "console.roster_force") if plan.needs_force else ("adm_ros_ok", "console.roster_apply")
    )
    keyboard = _row(language, key, f"{verb}:{one.id}:{shown}")
    keyboard += _row(language, "console.roster_drop", f"adm_ros_no:{one.id}:{shown}")
    return Screen(title, "\n".join(lines), keyboard)


def _why_not(one: RosterFile, plan: Plan) -> str:
    if plan.is_empty:
        return "roster.nothing_to_do"
    return "console.roster_without_you" if plan.is_applicable or plan.needs_force else "roster.has_errors"


def applied(plan: Plan, number: int, until: datetime, language: Language) -> Screen:
    lines = [
        texts.text(language, "roster.applied", id=number),
        texts.text(language, "roster.undo_until", until=f"{until:%H:%M %d/%m/%Y}"),
    ]
    keyboard: Keyboard = ()
    if plan.posts_asked:
        lines.append(texts.text(language, "console.posts_wait", n=len(plan.posts_asked)))
        keyboard += _row(language, "console.roster_posts", "adm_wait:0")
    keyboard += _row(language, "console.roster_undo", f"adm_ros_undo:{number}")
    return Screen("", "\n".join(lines), keyboard + _home(language))


def unreadable(one: RosterFile, key: str, values: Values, language: Language) -> Screen:
    title = texts.text(language, "roster.report_title", file=one.name)
    return Screen(title, texts.text(language, key, **values), _home(language))


def _home(language: Language) -> Keyboard:
    return _row(language, "console.home", "admin")


def _row(language: Language, key: str, data: str) -> Keyboard:
    return ((Button(texts.text(language, key), data),),)
