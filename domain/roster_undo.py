"""Which roster import may still be taken back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.refusal import Refusal

UNDO_WITHIN = timedelta(days=7)


class UndoRefused(Refusal):
    """There is no such import, or it is too old, not the newest, or undone already."""


@dataclass(frozen=True, slots=True)
class Past:
    """An import that was applied, and undone if `undone_at` says when."""

    applied_at: datetime
    undone_at: datetime | None = None


def require_undoable(import_id: int, past: Past | None, newest: int | None, now: datetime) -> None:
    """Raises UndoRefused unless this is the newest import not undone, and not older than `UNDO_WITHIN`."""
    if past is None:
        raise UndoRefused("roster_plan.undo_unknown", {"id": import_id})
    if past.undone_at is not None:
        raise UndoRefused("roster_plan.undo_already", {"id": import_id})
    if now - past.applied_at > UNDO_WITHIN:
        raise UndoRefused("roster_plan.undo_too_old", {"id": import_id, "days": UNDO_WITHIN.days})
    if newest is not None and newest != import_id:
        raise UndoRefused("roster_plan.undo_not_newest", {"id": import_id, "newest": newest})
