"""The group chats that are bound to units, and ending one of them."""

from __future__ import annotations

from collections.abc import Sequence

from domain.policy import Action
from handlers.admin_desk import NotTheirs, Paths, home, labelled, on_tap, paged, screen, yes_no
from handlers.router import Router
from handlers.turn import Turn
from storage import audit, bindings, people
from storage.bindings import Binding
from storage.outbox import Letter

router = Router()


@on_tap(router, "adm_groups", Action.PLAN)
async def groups(turn: Turn, paths: Paths, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """Which groups get the figures of which unit."""
    return [await _groups(turn, paths, int(args[0]), message_id)]


async def _groups(turn: Turn, paths: Paths, page: int, message_id: str, done: str = "") -> Letter:
    mine = [one for one in await bindings.confirmed(turn.session) if one.unit_path.startswith(tuple(paths))]
    lines = [f"{done}\n"] if done else []
    lines.append(turn.text("console.groups_list", n=len(mine)) if mine else turn.text("console.groups_none"))
    lines += ["", turn.text("console.groups_how")]
    buttons = [labelled(f"{one.unit_name} – {one.chat.channel}", f"adm_group:{one.id}") for one in mine]
    return screen(turn, "", lines, [*paged(buttons, page, "adm_groups"), home(turn)], message_id)


@on_tap(router, "adm_group", Action.PLAN)
async def one_group(turn: Turn, paths: Paths, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """Which one, who asked for it, and what ending it means."""
    one = await _bound(turn, paths, args[0])
    asker = await people.by_id(turn.session, one.requested_by_id)
    lines = [
        turn.text("console.group_now", unit=one.unit_name, channel=one.chat.channel, by=asker.name if asker else "–"),
        turn.text("console.group_end_means"),
    ]
    return [screen(turn, "", lines, yes_no(turn, f"adm_group_ok:{one.id}", "adm_groups:0"), message_id)]


@on_tap(router, "adm_group_ok", Action.PLAN)
async def end(turn: Turn, paths: Paths, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    one = await _bound(turn, paths, args[0])
    await bindings.end(turn.session, one.chat, "ended by an administrator", turn.now)
    await audit.record(turn.session, turn.now, str(turn.staff.id), "unbound", str(one.id), unit=one.unit_id)
    done = turn.text("console.group_ended", unit=one.unit_name)
    return [await _groups(turn, paths, 0, message_id, done)]


async def _bound(turn: Turn, paths: Paths, binding_id: str) -> Binding:
    one = await bindings.by_id(turn.session, int(binding_id))
    if one is None or not one.is_confirmed or not one.unit_path.startswith(tuple(paths)):
        raise NotTheirs
    return one
