"""A rehearsal: a round that looks and works like any other, is marked as a drill everywhere, and counts nowhere."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from domain.campaign import DRILL
from domain.chat import Button
from domain.policy import Action
from handlers import by_hand
from handlers.admin_desk import Paths, home, on_tap, screen, unit_of, yes_no
from handlers.router import Router
from handlers.turn import Turn, button
from storage import enrolled, rounds
from storage.outbox import Letter
from storage.units import Unit

router = Router()
LENGTHS = (15, 30, 60)
"""Minutes."""


@on_tap(router, "adm_drill", Action.PLAN)
async def drill(turn: Turn, paths: Paths, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """Whether a drill is on, and how long one could last."""
    return [await _drill(turn, await unit_of(turn, paths, args[0]), message_id)]


async def _drill(turn: Turn, unit: Unit, message_id: str, done: str = "") -> Letter:
    today = await rounds.on(turn.session, turn.today, drills=True)
    running = [one for one in today if one.is_drill and one.closed_at is None and one.unit_path.startswith(unit.path)]
    lines = [f"{done}\n"] if done else []
    lines += [turn.text("console.drill_on", closes=turn.clock(one.closes_at)) for one in running]
    lines.append(turn.text("console.drill_means"))
    rows: list[tuple[Button, ...]] = [
        (button(turn, "console.drill_minutes", f"adm_drill_for:{unit.id}:{one}", n=one),) for one in LENGTHS
    ]
    if running:
        rows.insert(0, (button(turn, "console.drill_end", f"adm_drill_end:{unit.id}"),))
    rows += [(button(turn, "console.other_unit", "adm_units:adm_drill:0"),), home(turn)]
    return screen(turn, turn.text("console.drill_of", unit=unit.name), lines, rows, message_id)


@on_tap(router, "adm_drill_for", Action.PLAN)
async def confirm(turn: Turn, paths: Paths, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """How many would be asked, and how many of them have a chat."""
    unit = await unit_of(turn, paths, args[0])
    reached, everybody = await enrolled.reached(turn.session, unit.path)
    closes = turn.clock(turn.now + timedelta(minutes=int(args[1])))
    lines = [
        turn.text("console.drill_sure", unit=unit.name, closes=closes, reached=reached, everybody=everybody),
        turn.text("console.drill_means"),
    ]
    yes = f"adm_drill_ok:{unit.id}:{args[1]}"
    return [screen(turn, "", lines, yes_no(turn, yes, f"adm_drill:{unit.id}"), message_id)]


@on_tap(router, "adm_drill_ok", Action.PLAN)
async def begin(turn: Turn, paths: Paths, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """It opens at the next tick."""
    unit, lasts = await unit_of(turn, paths, args[0]), timedelta(minutes=int(args[1]))
    await by_hand.open_drill(turn.session, turn.house.zone, unit, lasts, turn.now, str(turn.staff.id))
    return [await _drill(turn, unit, message_id, turn.text("console.drill_begun"))]


@on_tap(router, "adm_drill_end", Action.PLAN)
async def confirm_end(turn: Turn, paths: Paths, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    unit = await unit_of(turn, paths, args[0])
    line = turn.text("console.drill_end_sure", unit=unit.name)
    return [screen(turn, "", [line], yes_no(turn, f"adm_drill_stop:{unit.id}", f"adm_drill:{unit.id}"), message_id)]


@on_tap(router, "adm_drill_stop", Action.PLAN)
async def end(turn: Turn, paths: Paths, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """Close it now; its summary comes at once."""
    unit = await unit_of(turn, paths, args[0])
    await by_hand.close_rounds(turn.session, turn.house.zone, DRILL, unit, turn.now, str(turn.staff.id))
    return [await _drill(turn, unit, message_id, turn.text("console.drill_ended"))]
