"""What an administrator names by its code: a unit, a person, a kind of round."""

from __future__ import annotations

from domain.campaign import ROUND_KINDS
from domain.refusal import WrongInput
from storage import people, units
from storage.database import Session
from storage.people import Person
from storage.units import Unit


async def unit_named(session: Session, code: str | None) -> Unit:
    """The unit of this code, or the organisation itself without one. Raises WrongInput."""
    found = await units.by_code(session, code) if code is not None else await units.root(session)
    if found is None:
        raise WrongInput("admin.unknown_unit", {"code": code or ""})
    return found


async def person_named(session: Session, staff_code: str) -> Person:
    """The member of staff of this code. Raises WrongInput, also for somebody who has left."""
    found = await people.by_staff_code(session, staff_code)
    if found is None:
        raise WrongInput("admin.unknown_person", {"code": staff_code})
    return found


def known_kind(kind: str) -> str:
    """The kind itself. Raises WrongInput with the choices."""
    if kind not in ROUND_KINDS:
        raise WrongInput("admin.unknown_kind", {"kind": kind, "known": ", ".join(ROUND_KINDS)})
    return kind
