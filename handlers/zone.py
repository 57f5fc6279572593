"""How the units one answers for stand and why; a head or the committee can set another zone, with a reason."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from domain.chat import Button, File
from domain.policy import Action, Post, may, scope
from domain.zone import COLOURS, Override, Zone
from handlers.router import Router
from handlers.turn import Turn, button, column, reply, say
from storage import audit, bindings, dialogues, overrides, posts
from storage.dialogues import Dialogue
from storage.outbox import Letter
from summaries import zone_words, zones
from summaries.zones import UnitZone, Zones

router = Router()
TOPIC = "zone"
LONGEST_REASON = 200
LASTS = (1, 3, 7)
"""For how many days, today included, an override can be given: then somebody looks again."""
MOST_BUTTONS = 20


@router.command("zone", groups=True, before_consent=True)
async def show(turn: Turn, args: str) -> Sequence[Letter]:
    """The zone of a unit (by its code), of one's own, or of a group's; counts, never names."""
    paths = await _paths(turn)
    found = await zones.on(turn.session, turn.house.campaign, turn.today, turn.now)
    mine = [one for one in found.units if any(one.unit.path.startswith(path) for path in paths)]
    wanted = args.strip().upper()
    chosen = [one for one in mine if (one.unit.code.upper() == wanted if wanted else one.unit.path in paths)]
    if not chosen:
        return [say(turn, "zone.no_right")]
    rights = await posts.held_by(turn.session, turn.staff.id) if turn.is_private else []
    return [_explained(turn, found, one, rights) for one in chosen]


@router.tap("zone_see", before_consent=True)
async def see(turn: Turn, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    found, of, rights = await _of(turn, int(args[0]), Action.SEE_FIGURES)
    return [_explained(turn, found, of, rights, message_id) if of else say(turn, "zone.no_right")]


@router.tap("zone_set", before_consent=True)
async def which_zone(turn: Turn, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    _, of, _ = await _of(turn, int(args[0]), Action.OVERRIDE_ZONE)
    if of is None:
        return [say(turn, "zone.no_right")]
    colours = [
        Button(zone_words.name(one, turn.language), f"zone_to:{of.unit.id}:{one.value}")
        for one in COLOURS
        if one is not of.rolled
    ]
    back = button(turn, "zone.back", f"zone_see:{of.unit.id}")
    return [
        reply(
            turn, turn.text("zone.which_zone", unit=of.unit.name), keyboard=column(*colours, back), replaces=message_id
        )
    ]


@router.tap("zone_to", before_consent=True)
async def ask_reason(turn: Turn, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """Why? Green is refused while anybody is unknown."""
    found, of, _ = await _of(turn, int(args[0]), Action.OVERRIDE_ZONE)
    if of is None:
        return [say(turn, "zone.no_right")]
    zone = Zone(args[1])
    if zone is Zone.GREEN and not _is_known(found, of):
        return [say(turn, "zone.not_green")]
    data = {"unit": of.unit.id, "zone": zone.value}
    await dialogues.keep(turn.session, turn.chat, turn.staff.id, TOPIC, "reason", data, turn.now)
    text = turn.text("zone.ask_reason", unit=of.unit.name, zone=zone_words.name(zone, turn.language))
    back = button(turn, "zone.back", f"zone_see:{of.unit.id}")
    return [reply(turn, text, keyboard=column(back), replaces=message_id)]


@router.dialogue(TOPIC, before_consent=True)
async def typed(turn: Turn, dialogue: Dialogue, said: str | File) -> Sequence[Letter] | None:
    """The reason in words; then until when."""
    if isinstance(said, File) or dialogue.step != "reason" or not said.strip():
        return None
    if len(said) > LONGEST_REASON:
        return [say(turn, "zone.reason_long")]
    if said.strip() == turn.text("zone.back"):
        return None
    data = {**dialogue.data, "reason": said.strip()}
    await dialogues.keep(turn.session, turn.chat, turn.staff.id, TOPIC, "days", data, turn.now)
    options = [Button(turn.day(turn.today + timedelta(days=days - 1)), f"zone_days:{days}") for days in LASTS]
    return [reply(turn, turn.text("zone.ask_days"), keyboard=column(*options))]


@router.tap("zone_days", before_consent=True)
async def override(turn: Turn, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """Put it in force. The rules' own zone is kept beside it: should it get worse, the override ends by itself."""
    known = await dialogues.open_in(turn.session, turn.chat, turn.now)
    if known is None or known.topic != TOPIC or "reason" not in known.data:
        return [say(turn, "zone.gone")]
    found, of, _ = await _of(turn, int(known.data["unit"]), Action.OVERRIDE_ZONE)
    zone = Zone(known.data["zone"])
    if of is None or of.computed is None:
        return [say(turn, "zone.no_right")]
    if zone is Zone.GREEN and not _is_known(found, of):
        return [say(turn, "zone.not_green")]
    last = turn.today + timedelta(days=min(int(args[0]), max(LASTS)) - 1)
    given = Override(zone, of.computed, str(known.data["reason"]), last)
    number = await overrides.give(turn.session, of.unit.id, given, turn.staff.id, turn.now)
    await dialogues.drop(turn.session, turn.chat)
    before = of.rolled.value if of.rolled else ""
    await audit.record(
        turn.session,
        turn.now,
        str(turn.staff.id),
        "zone_overridden",
        str(number),
        unit=of.unit.id,
        before=before,
        after=zone.value,
        last=last.isoformat(),
    )
    shown = zone_words.name(zone, turn.language)
    text = turn.text("zone.set", unit=of.unit.name, zone=shown, last=f"{last:%d/%m}")
    return [reply(turn, text, replaces=message_id)]


@router.tap("zone_end", before_consent=True)
async def end(turn: Turn, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """The rules speak again."""
    _, of, _ = await _of(turn, int(args[0]), Action.OVERRIDE_ZONE)
    if of is None or of.computed is None:
        return [say(turn, "zone.no_right")]
    if await overrides.end(turn.session, of.unit.id, turn.staff.id, turn.now):
        before = of.rolled.value if of.rolled else ""
        detail = {"unit": of.unit.id, "before": before, "after": of.computed.value}
        await audit.record(turn.session, turn.now, str(turn.staff.id), "zone_override_ended", str(of.unit.id), **detail)
    text = turn.text("zone.ended", unit=of.unit.name, zone=zone_words.name(of.computed, turn.language))
    return [reply(turn, text, replaces=message_id)]


def _is_known(found: Zones, of: UnitZone) -> bool:
    """Whether everybody below has declared: what is unknown is never green, whoever says so."""
    reasons = (reason for one in found.below(of.unit.path) for reason in one.reasons)
    return not any(reason.key in ("unknown", "missing") for reason in reasons)


async def _of(turn: Turn, unit_id: int, action: Action) -> tuple[Zones, UnitZone | None, list[Post]]:
    """The unit as it stands, None if it is not there or the tapper may not do this: both look alike."""
    rights = await posts.held_by(turn.session, turn.staff.id)
    found = await zones.on(turn.session, turn.house.campaign, turn.today, turn.now)
    of = next((one for one in found.units if one.unit.id == unit_id), None)
    return found, of if of and may(rights, action, of.unit.path) else None, rights


def _explained(turn: Turn, found: Zones, of: UnitZone, rights: Sequence[Post], message_id: str | None = None) -> Letter:
    words = zone_words.explained(turn.house.campaign, found, of, turn.language, turn.house.zone)
    children = [one for one in found.units if one.unit.parent_id == of.unit.id and one.rolled]
    buttons = [
        Button(f"{zone_words.SIGNS[one.rolled]} {one.unit.name}", f"zone_see:{one.unit.id}")
        for one in sorted(children, key=lambda one: -(one.rolled or Zone.GREEN).rank)[:MOST_BUTTONS]
        if one.rolled
    ]
    if of.rolled and may(rights, Action.OVERRIDE_ZONE, of.unit.path):
        buttons.append(button(turn, "zone.choose", f"zone_set:{of.unit.id}"))
        if of.override:
            buttons.append(button(turn, "zone.end", f"zone_end:{of.unit.id}"))
    keyboard = column(*buttons) if turn.is_private else ()
    return reply(turn, words.text, title=words.title, keyboard=keyboard, replaces=message_id)


async def _paths(turn: Turn) -> list[str]:
    if turn.is_private:
        return scope(await posts.held_by(turn.session, turn.staff.id), Action.SEE_FIGURES)
    bound = await bindings.of_chat(turn.session, turn.chat)
    return [bound.unit_path] if bound and bound.is_confirmed else []
