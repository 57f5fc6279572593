"""Who may see and do what: the one table of rights (DOMAIN, vocabulary). What no line grants is denied."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    HEAD = "head"
    FOCAL = "focal"
    COMMITTEE = "committee"
    GUARD = "guard"
    ADMIN = "admin"


class Action(StrEnum):
    SEE_FIGURES = "see_figures"
    """Counts of a unit: due, answered, by level; its zone and why. No names."""
    SEE_MISSING = "see_missing"
    """Who has not answered, by name, and why."""
    REMIND = "remind"
    """Ask those who have not answered once more."""
    ANSWER_FOR = "answer_for"
    """Declare for somebody who cannot, with a reason; excuse somebody from declaring."""
    SEE_ANSWER = "see_answer"
    """A named declaration. Every look is recorded, and the person can see who looked."""
    UPDATE_RISK = "update_risk"
    """Confirm or correct the unit's risk update, and note that it was entered on the national map."""
    OVERRIDE_ZONE = "override_zone"
    """Say another zone than the rules do, with a reason that is shown."""
    ANSWER_INCIDENT = "answer_incident"
    """Be told of incidents, acknowledge, note and close them."""
    SEE_QUALITY = "see_quality"
    """Signals about the quality of a unit's data; they name nobody."""
    BIND_CHAT = "bind_chat"
    """Make a group the unit's supervisor chat, or confirm that another may."""
    PLAN = "plan"
    """Change schedules, pauses, the calendar."""
    IMPORT_ROSTER = "import_roster"
    CONFIRM_POST = "confirm_post"
    INVITE = "invite"


_RESPONSIBLE = frozenset(
    {
        Action.SEE_FIGURES,
        Action.SEE_MISSING,
        Action.REMIND,
        Action.ANSWER_FOR,
        Action.UPDATE_RISK,
        Action.ANSWER_INCIDENT,
    }
)
GRANTS: dict[Role, frozenset[Action]] = {
    Role.HEAD: _RESPONSIBLE | {Action.SEE_ANSWER, Action.OVERRIDE_ZONE, Action.BIND_CHAT},
    Role.FOCAL: _RESPONSIBLE,
    Role.COMMITTEE: _RESPONSIBLE | {Action.SEE_ANSWER, Action.OVERRIDE_ZONE, Action.SEE_QUALITY, Action.BIND_CHAT},
    Role.GUARD: frozenset(),
    Role.ADMIN: frozenset({Action.BIND_CHAT, Action.PLAN, Action.IMPORT_ROSTER, Action.CONFIRM_POST, Action.INVITE}),
}
"""An administrator configures and does not by that role see anyone's answers."""

FROM_ROSTER = frozenset({Role.HEAD, Role.FOCAL})
"""The only roles a roster file may ask for; they wait for an administrator's yes."""


@dataclass(frozen=True, slots=True)
class Post:
    """A role held over one unit and everything below it; `unit_path` is the unit's place in the tree."""

    role: Role
    unit_path: str


def may(posts: Collection[Post], action: Action, unit_path: str) -> bool:
    """Whether somebody holding `posts` may do `action` to the unit at `unit_path`."""
    return any(unit_path.startswith(path) for path in scope(posts, action))


def scope(posts: Collection[Post], action: Action) -> list[str]:
    """The subtrees in which `action` is allowed, for use in a query; empty means nowhere."""
    granted = sorted({post.unit_path for post in posts if action in GRANTS.get(post.role, frozenset())})
    return [path for path in granted if not any(path != top and path.startswith(top) for top in granted)]
