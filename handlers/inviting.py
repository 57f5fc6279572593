"""Invitations: fresh one-use codes for those who have no chat yet, and the links that carry them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.codes import new_code
from storage import audit, enrolled, invites
from storage.database import Session
from storage.enrolled import Invitee
from storage.units import Unit

IN_ONE_GO = 500


@dataclass(frozen=True, slots=True)
class Invitation:
    """One person's code and the links that are ready to be opened; None where that way does not exist."""

    to: Invitee
    code: str
    telegram: str | None
    web: str | None


async def invite(
    session: Session,
    unit: Unit,
    *,
    everyone: bool,
    lasts: timedelta,
    random_bits: Callable[[int], int],
    telegram_username: str,
    web_address: str,
    now: datetime,
    actor: str,
) -> list[Invitation]:
    """Invite those of this subtree without a working chat, or everyone; earlier unused codes stop working.

    An empty `telegram_username` gives no Telegram link.
    """
    invited: list[Invitation] = []
    people = await enrolled.to_invite(session, unit.path, everyone=everyone)
    for start in range(0, len(people), IN_ONE_GO):
        some = people[start : start + IN_ONE_GO]
        codes = await invites.issue(session, [one.person_id for one in some], now, lasts, lambda: new_code(random_bits))
        invited += [_invitation(one, codes[one.person_id], telegram_username, web_address) for one in some]
    if invited:
        await audit.record(session, now, actor, "invited", str(unit.id), count=len(invited), everyone=everyone)
    return invited


def _invitation(to: Invitee, code: str, telegram_username: str, web_address: str) -> Invitation:
    telegram = f"https://t.me/{telegram_username}?start={code}" if telegram_username else None
    return Invitation(to, code, telegram, f"{web_address}/chat/join/{code}" if web_address else None)
