"""How a group becomes a unit's supervisor chat: an authorised /bind in it, confirmed by a second person."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from domain.chat import Address, Outgoing
from domain.policy import Action, may, scope
from handlers.notices import notices
from handlers.router import Router
from handlers.turn import Turn, button, column, reply, say
from storage import audit, bindings, outbox, posts, units
from storage.bindings import Binding
from storage.database import Session
from storage.outbox import Letter
from storage.units import Unit

router = Router()
STAYS_UNBOUND = timedelta(hours=24)
"""How long the bot waits in a group of staff for somebody to bind it."""


async def joined(turn: Turn) -> Sequence[Letter]:
    """Brought into a group: staff are told how to bind it and have a day for it; a stranger's group is left at once."""
    if turn.is_private or await bindings.of_chat(turn.session, turn.chat):
        return []
    if turn.person is None:
        return [_leave(turn.chat, turn.now)]
    return [say(turn, "binding.hello"), _leave(turn.chat, turn.now + STAYS_UNBOUND)]


def _leave(chat: Address, at: datetime) -> Letter:
    return Letter("", "leave", Outgoing(chat, ""), to_group=True, not_before=at)


@router.command("bind", groups=True, before_consent=True)
async def bind(turn: Turn, args: str) -> Sequence[Letter]:
    """Ask that this group be a unit's supervisor chat; without a code, the unit the asker heads."""
    if turn.is_private:
        return [say(turn, "binding.only_in_group")]
    rights = await posts.held_by(turn.session, turn.staff.id)
    if not scope(rights, Action.BIND_CHAT):
        return [say(turn, "binding.no_right")]
    unit = await _unit(turn, args.strip(), scope(rights, Action.BIND_CHAT))
    if unit is None or not may(rights, Action.BIND_CHAT, unit.path):
        return [say(turn, "binding.which_unit")]
    known = await bindings.of_chat(turn.session, turn.chat)
    if known and known.is_confirmed:
        return [say(turn, "binding.already", unit=known.unit_name)]
    if known:
        await bindings.end(turn.session, turn.chat, "asked again", turn.now)
    number = await bindings.request(turn.session, turn.chat, unit.id, turn.language, turn.staff.id, turn.now)
    await audit.record(turn.session, turn.now, str(turn.staff.id), "bind_requested", str(number), unit=unit.id)
    yes = button(turn, "binding.confirm", f"bind:{number}")
    return [reply(turn, turn.text("binding.requested", unit=unit.name), keyboard=column(yes))]


@router.tap("bind", groups=True, before_consent=True)
async def confirm(turn: Turn, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """The second person's yes, in the same group, with a right of their own over the unit."""
    binding = await bindings.by_id(turn.session, int(args[0]))
    if binding is None or binding.chat != turn.chat:
        return []
    rights = await posts.held_by(turn.session, turn.staff.id)
    if not may(rights, Action.BIND_CHAT, binding.unit_path):
        return [say(turn, "binding.no_right")]
    if binding.requested_by_id == turn.staff.id:
        return [say(turn, "binding.second_person")]
    if not may(await posts.held_by(turn.session, binding.requested_by_id), Action.BIND_CHAT, binding.unit_path):
        return [say(turn, "binding.no_right")]  # whoever asked has lost the post meanwhile
    if not await bindings.confirm(turn.session, binding.id, turn.staff.id, turn.now):
        return []
    await audit.record(turn.session, turn.now, str(turn.staff.id), "bind_confirmed", str(binding.id))
    return [reply(turn, turn.text("binding.confirmed", unit=binding.unit_name), replaces=message_id)]


@router.command("unbind", groups=True, before_consent=True)
async def unbind(turn: Turn, args: str) -> Sequence[Letter]:
    """End it; one authorised person is enough to close a door."""
    binding = await bindings.of_chat(turn.session, turn.chat)
    if binding is None:
        return [say(turn, "binding.none")]
    rights = await posts.held_by(turn.session, turn.staff.id)
    if not may(rights, Action.BIND_CHAT, binding.unit_path):
        return [say(turn, "binding.no_right")]
    await bindings.end(turn.session, turn.chat, "unbound", turn.now)
    await audit.record(turn.session, turn.now, str(turn.staff.id), "unbound", str(binding.id))
    return [say(turn, "binding.ended", unit=binding.unit_name)]


async def tell_of_loss(session: Session, lost: Binding, now: datetime) -> int:
    """Those who answer for the unit hear that its group has gone; how many are written to."""
    holders = await posts.holders(session, Action.BIND_CHAT)
    told = {one.person_id for one in holders if one.unit_id == lost.unit_id} | {lost.requested_by_id}
    key = f"binding_lost:{lost.id}"
    return await outbox.enqueue(session, await notices(session, told, key, "binding.removed", unit=lost.unit_name), now)


async def _unit(turn: Turn, code: str, paths: Sequence[str]) -> Unit | None:
    if code:
        return await units.by_code(turn.session, code) or await units.by_code(turn.session, code.upper())
    if len(paths) != 1:
        return None
    return await units.by_id(turn.session, int(paths[0].rstrip("/").rpartition("/")[2]))
