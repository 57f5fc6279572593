"""What a roster would change, in words: short for a phone, and in full for a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

import texts
from domain.chat import Language
from domain.roster import Problem
from domain.roster_plan import Change, Plan, PostAsked, PostEnded

FIRST = 10
MOST_TEXT = 3000
"""Characters, so that the buttons stay on the same message."""


@dataclass(frozen=True, slots=True)
class Part:
    """One kind of change or the problems, each in a line."""

    heading: str
    lines: Sequence[str]


def parts(plan: Plan, language: Language) -> list[Part]:
    """Every change and every problem, those of a kind together; kinds without any are left out."""
    found = {
        "problems": [problem(one, language) for one in plan.problems],
        "joins": [f"{one.name} ({one.staff_code}) → {one.unit}" for one in plan.joins],
        "returns": [f"{one.name} ({one.staff_code}) → {one.unit}" for one in plan.returns],
        "leaves": [f"{one.name} ({one.staff_code}), {one.unit}" for one in plan.leaves],
        "moves": [f"{one.name} ({one.staff_code}): {one.before} → {one.after}" for one in plan.moves],
        "changes": [_change(one, language) for one in plan.changes],
        "roles": [_post(one, language) for one in plan.posts_asked],
        "roles_ended": [_post(one, language) for one in plan.posts_no_longer_asked],
        "new_units": [f"{one.name} ({one.code}) → {one.parent}" for one in plan.new_units],
        "moved_units": [f"{one.name}: {one.before} → {one.after}" for one in plan.moved_units],
        "renamed_units": [f"{one.before} → {one.after} ({one.code})" for one in plan.renamed_units],
        "gone_units": [f"{one.name} ({one.code})" for one in plan.closed_units],
        "reopened_units": [f"{one.name} ({one.code})" for one in plan.reopened_units],
    }
    return [Part(texts.text(language, f"roster.heading_{kind}"), lines) for kind, lines in found.items() if lines]


def short(found: Sequence[Part], language: Language) -> list[str]:
    """The first of each kind with how many there are, as much as one message holds."""
    lines: list[str] = []
    for part in found:
        lines += ["", f"{part.heading}: {len(part.lines)}"]
        room = MOST_TEXT - sum(len(line) + 1 for line in lines)
        shown = [f"• {line}" for line in part.lines[:FIRST]] if room > 0 else []
        while shown and sum(len(line) + 1 for line in shown) > room:
            shown.pop()
        lines += shown
        if len(shown) < len(part.lines):
            lines.append(texts.text(language, "roster.and_more", n=len(part.lines) - len(shown)))
    return lines[1:]


def is_cut(found: Sequence[Part]) -> bool:
    """Whether the short form leaves anything out for certain."""
    return any(len(part.lines) > FIRST for part in found)


def in_full(found: Sequence[Part]) -> str:
    return "\n\n".join("\n".join([f"{part.heading}: {len(part.lines)}", *part.lines]) for part in found)


def fingerprint(plan: Plan) -> str:
    """Tells one plan from another, so that what is taken over is what was read."""
    changes = [getattr(plan, kind) for kind in plan.counts]
    return sha256(repr(changes).encode()).hexdigest()[:8]


def problem(one: Problem, language: Language) -> str:
    """`Dòng 12, cột Mã CB: Thiếu mã cán bộ.`, with whether it keeps the file from being taken over."""
    severity = texts.text(language, f"roster.severity_{one.severity}")
    return f"{severity} – {_place(one, language)}: {texts.text(language, one.key, **one.values)}"


def _place(one: Problem, language: Language) -> str:
    if not one.row:
        return texts.text(language, "roster.where_file")
    if one.column:
        place = texts.text(language, "roster.where_cell", row=one.row, column=one.column)
    else:
        place = texts.text(language, "roster.where_row", row=one.row)
    return f"{place}, {texts.text(language, 'roster.where_sheet', sheet=one.sheet)}" if one.sheet else place


def _change(one: Change, language: Language) -> str:
    nothing = texts.text(language, "roster.nothing_before")
    said = texts.text(
        language,
        "roster.change",
        field=texts.text(language, f"roster.field_{one.field}"),
        before=one.before or nothing,
        after=one.after or nothing,
    )
    return f"{one.name} ({one.staff_code}), {said}"


def _post(one: PostAsked | PostEnded, language: Language) -> str:
    role = texts.text(language, f"console.role_{one.role.value}")
    return f"{one.name} ({one.staff_code}): {role}, {one.unit}"
