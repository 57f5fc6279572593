"""The administrator's menu: what is set up now, and everything that can be changed without a programmer."""

from __future__ import annotations

from collections.abc import Sequence

from domain.campaign import ROUND_KINDS
from domain.chat import Button
from domain.policy import Action, scope
from handlers import (
    admin_approvals,
    admin_campaign,
    admin_days,
    admin_drill,
    admin_groups,
    admin_people,
    admin_posts,
    admin_roster,
    admin_schedules,
    screens,
)
from handlers.admin_desk import home, labelled, paged, paths_of, screen, tree_of
from handlers.help import help_
from handlers.router import Router, joined
from handlers.turn import Turn, button, say
from storage import dialogues, enrolled, planned, posts
from storage.outbox import Letter

router = Router()
CONFIGURES = (Action.PLAN, Action.IMPORT_ROSTER, Action.CONFIRM_POST, Action.INVITE)
OF_A_UNIT = {
    "adm_posts": Action.CONFIRM_POST,
    "adm_plan": Action.PLAN,
    "adm_days": Action.PLAN,
    "adm_lost": Action.INVITE,
    "adm_drill": Action.PLAN,
}
"""Buttons that lead to a screen of one unit, and the right that each takes."""


@router.command("admin", before_consent=True)
async def admin(turn: Turn, args: str) -> Sequence[Letter]:
    """The menu; for everybody else a word that nobody knows."""
    menu = await _menu(turn, None)
    return [menu] if menu else await help_(turn, args)


@router.tap("admin", before_consent=True)
async def back_to_menu(turn: Turn, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    await dialogues.drop(turn.session, turn.chat)
    return [await _menu(turn, message_id) or say(turn, "help.stale_button")]


@router.tap("adm_units", before_consent=True)
async def other_unit(turn: Turn, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """Which unit the screen behind `args[0]` is to be about."""
    paths = await paths_of(turn, OF_A_UNIT[args[0]])
    if not paths:
        return [say(turn, "help.stale_button")]
    buttons = [labelled(one.name, f"{args[0]}:{one.id}") for one in await tree_of(turn, paths)]
    keyboard = [*paged(buttons, int(args[1]), f"adm_units:{args[0]}"), home(turn)]
    return [screen(turn, "", [turn.text("console.which_unit")], keyboard, message_id)]


async def _menu(turn: Turn, message_id: str | None) -> Letter | None:
    rights = await posts.held_by(turn.session, turn.staff.id)
    held = {action: scope(rights, action) for action in CONFIGURES}
    if not any(held.values()):
        return None
    paths = next(paths for paths in held.values() if paths)
    top = (await tree_of(turn, paths))[0]
    lines = [await _reach(turn, top.path), *await _hours(turn, top.path)]
    waiting = [one for one in await posts.waiting(turn.session) if one.unit_path.startswith(tuple(paths))]
    if waiting:
        lines.append(turn.text("console.posts_wait", n=len(waiting)))
    rows = _buttons(turn, top.id)
    if await admin_approvals.pending_for(turn, held[Action.CONFIRM_POST]):
        rows.append((button(turn, "console.approvals", "adm_pending"),))
    return screen(turn, turn.text("console.menu", unit=top.name), lines, rows, message_id)


async def _reach(turn: Turn, path: str) -> str:
    reached, everybody = await enrolled.reached(turn.session, path)
    return turn.text("console.reach", reached=reached, everybody=everybody)


async def _hours(turn: Turn, path: str) -> list[str]:
    """Each kind of round as it stands today."""
    plans = await planned.between(turn.session, turn.today, turn.today)
    lines = []
    for kind in ROUND_KINDS:
        schedule = plans.nearest(kind, path, turn.today)
        name = screens.kind_name(turn.language, kind)
        if schedule is None or schedule.is_off:
            lines.append(turn.text("console.no_round", kind=name))
            continue
        key = "console.paused_now" if plans.is_paused(kind, path, turn.today) else "console.hours"
        lines.append(turn.text(key, kind=name, opens=f"{schedule.opens:%H:%M}", closes=f"{schedule.closes:%H:%M}"))
    return lines


def _buttons(turn: Turn, unit_id: int) -> list[tuple[Button, ...]]:
    return [
        (button(turn, "console.roster", "adm_roster"),),
        (button(turn, "console.posts", f"adm_posts:{unit_id}"),),
        (button(turn, "console.plan", f"adm_plan:{unit_id}"),),
        (button(turn, "console.days", f"adm_days:{unit_id}"),),
        (button(turn, "console.lost", f"adm_lost:{unit_id}"),),
        (button(turn, "console.test", "adm_test"), button(turn, "console.drill", f"adm_drill:{unit_id}")),
        (button(turn, "console.groups", "adm_groups:0"), button(turn, "console.campaign", "adm_campaign")),
    ]


console = joined(
    router,
    admin_posts.router,
    admin_approvals.router,
    admin_people.router,
    admin_roster.router,
    admin_schedules.router,
    admin_days.router,
    admin_drill.router,
    admin_groups.router,
    admin_campaign.router,
)
"""Everything that begins at the menu."""
