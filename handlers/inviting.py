"""Invitations: fresh one-use codes for those who have no chat yet, and the links that carry them."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.codes import new_code
from storage import audit, invites
from storage.database import Session
from storage.enrolled import Invitee

IN_ONE_GO = 500


@dataclass(frozen=True, slots=True)
class Ways:
    """How long an invitation lasts, and where its links lead. Telegram's name is known once the account has begun."""

    lasts: timedelta = timedelta(hours=24)
    web_address: str = ""
    telegram_username: Callable[[], str] = str
    random_bits: Callable[[int], int] = secrets.randbits


@dataclass(frozen=True, slots=True)
class Invitation:
    """One person's code and the links that are ready to be opened; None where that way does not exist."""

    to: Invitee
    code: str
    telegram: str | None
    web: str | None


async def invite_these(
    session: Session,
    people: Sequence[Invitee],
    ways: Ways,
    about: str,
    now: datetime,
    actor: str,
    *,
    everyone: bool = False,
) -> list[Invitation]:
    """Invite exactly these; earlier unused codes stop working. `about` is what the audit names: a unit, or a person."""
    invited: list[Invitation] = []
    username = ways.telegram_username()
    for start in range(0, len(people), IN_ONE_GO):
        some = people[start : start + IN_ONE_GO]
        ids = [one.person_id for one in some]
        codes = await invites.issue(session, ids, now, ways.lasts, lambda: new_code(ways.random_bits))
        invited += [_invitation(one, codes[one.person_id], username, ways.web_address) for one in some]
    if invited:
        await audit.record(session, now, actor, "invited", about, count=len(invited), everyone=everyone)
    return invited


def _invitation(to: Invitee, code: str, telegram_username: str, web_address: str) -> Invitation:
    telegram = f"https://t.me/{telegram_username}?start={code}" if telegram_username else None
    return Invitation(to, code, telegram, f"{web_address}/chat/join/{code}" if web_address else None)
