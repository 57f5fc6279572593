"""Who answers for a unit when nobody below does: the focal person, the head, and on up the tree."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from domain.policy import Role

Asked = Literal["focal", "head", "above", "nobody"]


class Holds(Protocol):
    """A post in force."""

    @property
    def person_id(self) -> int: ...
    @property
    def role(self) -> Role: ...
    @property
    def unit_path(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Responsible:
    """The rung that is asked, and everybody on it. `vacant` says why the rungs below are passed over."""

    asked: Asked
    person_ids: tuple[int, ...]
    vacant: Literal["", "no_focal", "focal_away"] = ""


def responsible(unit_path: str, posts: Sequence[Holds], available: Collection[int]) -> Responsible:
    """Whom to ask about a unit: only somebody `available` (with a chat, and not away) can be."""

    def at(role: Role, path: str) -> list[int]:
        return [one.person_id for one in posts if one.role is role and one.unit_path == path]

    focal = at(Role.FOCAL, unit_path)
    vacant: Literal["no_focal", "focal_away"] = "focal_away" if focal else "no_focal"
    if here := _available(focal, available):
        return Responsible("focal", here)
    if here := _available(at(Role.HEAD, unit_path), available):
        return Responsible("head", here, vacant)
    for path in above(unit_path):
        if here := _available(at(Role.HEAD, path), available):
            return Responsible("above", here, vacant)
    committee = [one.person_id for one in posts if one.role is Role.COMMITTEE and unit_path.startswith(one.unit_path)]
    here = _available(committee, available)
    return Responsible("above", here, vacant) if here else Responsible("nobody", (), vacant)


def above(unit_path: str) -> list[str]:
    """The paths of the units above, the nearest first: `/1/7/12/` gives `/1/7/`, `/1/`."""
    parts = unit_path.strip("/").split("/")
    return [f"/{'/'.join(parts[:length])}/" for length in range(len(parts) - 1, 0, -1)]


def _available(person_ids: Sequence[int], available: Collection[int]) -> tuple[int, ...]:
    return tuple(dict.fromkeys(one for one in person_ids if one in available))
