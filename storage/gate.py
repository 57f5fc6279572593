"""The one gate before the wire: may this chat see this letter at this moment?"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from domain.policy import GRANTS, Action
from storage.tables import address, ask, binding, incident, outbox, person, post, risk_update, unit

MISSING_ROLES = tuple(role for role, actions in GRANTS.items() if Action.SEE_MISSING in actions)
_LATER, _HELD, _BELOW = outbox.alias("later"), unit.alias("held"), unit.alias("below")


def refusal(now: datetime | sa.BindParameter[datetime]) -> sa.ColumnElement[str]:
    """An expression over an `outbox` row: why it must not go out, or "" if it may."""
    return sa.case(
        (outbox.c.expires_at <= now, "expired"),
        (outbox.c.binding_id.is_not(None) & ~_binding_holds(), "chat no longer bound"),
        (outbox.c.person_id.is_not(None) & outbox.c.to_group.is_(False) & ~_address_holds(), "chat no longer theirs"),
        (outbox.c.kind.in_(("prompt", "reminder")) & ~_may_be_asked(), "not to be asked"),
        ((outbox.c.kind == "risk_reminder") & _is_confirmed(), "confirmed meanwhile"),
        ((outbox.c.kind == "incident") & _is_closed(), "closed meanwhile"),
        (outbox.c.unit_id.is_not(None) & ~_answers_for_unit(), "post no longer held"),
        (outbox.c.replaces.is_not(None) & _is_overtaken(), "newer words are there"),
        ((outbox.c.kind == "leave") & _is_bound(), "bound meanwhile"),
        else_="",
    )


def _is_overtaken() -> sa.ColumnElement[bool]:
    """A later letter stands, or will stand, in the very same place."""
    return sa.exists(
        sa.select(_LATER.c.id).where(
            _LATER.c.channel == outbox.c.channel,
            _LATER.c.chat_id == outbox.c.chat_id,
            _LATER.c.id > outbox.c.id,
            _LATER.c.replaces == outbox.c.replaces,
            _LATER.c.state.in_(("waiting", "sending", "sent")),
        )
    )


def _binding_holds() -> sa.ColumnElement[bool]:
    return sa.exists(
        sa.select(binding.c.id).where(
            binding.c.id == outbox.c.binding_id,
            binding.c.ended_at.is_(None),
            binding.c.confirmed_at.is_not(None),
            binding.c.channel == outbox.c.channel,
            binding.c.chat_id == outbox.c.chat_id,
        )
    )


def _is_bound() -> sa.ColumnElement[bool]:
    return sa.exists(
        sa.select(binding.c.id).where(
            binding.c.ended_at.is_(None),
            binding.c.confirmed_at.is_not(None),
            binding.c.channel == outbox.c.channel,
            binding.c.chat_id == outbox.c.chat_id,
        )
    )


def _address_holds() -> sa.ColumnElement[bool]:
    return sa.exists(
        sa.select(address.c.id)
        .join_from(address, person, person.c.id == address.c.person_id)
        .where(
            address.c.channel == outbox.c.channel,
            address.c.chat_id == outbox.c.chat_id,
            address.c.person_id == outbox.c.person_id,
            address.c.lost_at.is_(None),
            person.c.left_at.is_(None),
        )
    )


def _may_be_asked() -> sa.ColumnElement[bool]:
    return sa.exists(
        sa.select(ask.c.id)
        .join_from(ask, person, person.c.id == ask.c.person_id)
        .where(ask.c.id == outbox.c.ask_id, ask.c.state == "due", person.c.consent == "agreed")
    )


def _is_confirmed() -> sa.ColumnElement[bool]:
    """Only those who have not confirmed at the moment of sending are reminded."""
    return sa.exists(
        sa.select(risk_update.c.id).where(
            risk_update.c.id == outbox.c.risk_update_id, risk_update.c.confirmed_at.is_not(None)
        )
    )


def _is_closed() -> sa.ColumnElement[bool]:
    return sa.exists(
        sa.select(incident.c.id).where(incident.c.id == outbox.c.incident_id, incident.c.closed_at.is_not(None))
    )


def _answers_for_unit() -> sa.ColumnElement[bool]:
    return sa.exists(
        sa.select(post.c.id)
        .join_from(post, _HELD, _HELD.c.id == post.c.unit_id)
        .join(_BELOW, _BELOW.c.path.startswith(_HELD.c.path))
        .where(
            post.c.person_id == outbox.c.person_id,
            post.c.role.in_(MISSING_ROLES),
            post.c.confirmed_at.is_not(None),
            post.c.until_at.is_(None),
            _BELOW.c.id == outbox.c.unit_id,
        )
    )
