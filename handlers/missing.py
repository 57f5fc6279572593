"""Who has not declared: the lists that a head works from, by command or from the board, and what to do about each."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import date

from domain.chat import Button
from domain.dates import compact, from_compact
from domain.policy import Action, may, scope
from handlers import days, people_list, person_card, reminding, screens
from handlers.people_list import PAGE, STATES, Place
from handlers.router import Router
from handlers.screens import Screen
from handlers.turn import Turn, reply, say
from storage import asks, dialogues, posts, rounds, units
from storage.outbox import Letter
from storage.units import Unit
from summaries import status
from summaries.status import Standing, main_round

router = Router()


@router.command("missing", before_consent=True)
async def missing(turn: Turn, args: str) -> Sequence[Letter]:
    """`/missing [unit code] [day]`: the latest round's list, of the one unit meant or a choice of them."""
    day, code = days.named(turn, args)
    if day is None:
        return [say(turn, "heads.bad_day", example="/missing 20/11", days=turn.house.keeps_days)]
    rights = await _rights(turn)
    if code:
        unit = await units.by_code(turn.session, code) or await units.by_code(turn.session, code.upper())
    else:
        unit = await _only_unit(turn, rights)
    if not rights or (code and not (unit and _is_inside(unit, rights))):
        return [say(turn, "heads.nothing_here")]
    return [await _first_page(turn, rights, unit, day)]


@router.tap("missing_day", before_consent=True)
async def other_day(turn: Turn, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    rights = await _rights(turn)
    unit = await units.by_id(turn.session, int(args[0]))
    if not rights or (unit and not _is_inside(unit, rights)):
        return [say(turn, "heads.nothing_here")]
    return [await _first_page(turn, rights, unit, from_compact(args[1]), message_id)]


@router.tap("missing_board", groups=True, before_consent=True)
async def from_board(turn: Turn, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """Tapped in the group, answered in private: nothing in the group tells who may see names."""
    private = replace(turn, chat=turn.sender)
    return [await _page(private, Place(int(args[0]), from_compact(args[1]), args[2]))]


@router.tap("missing", before_consent=True)
async def turn_page(turn: Turn, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    return [await _page(turn, people_list.place_of(args), message_id)]


@router.tap("missing_units", before_consent=True)
async def by_unit(turn: Turn, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """The units below this one to choose from, each with how many are missing."""
    place = people_list.place_of(args)
    rights = await _rights(turn)
    unit = await units.by_id(turn.session, place.unit_id)
    if not rights or (unit and not _is_inside(unit, rights)):
        return [say(turn, "heads.nothing_here")]
    return [await _choice(turn, rights, unit, place, message_id)]


@router.tap("missing_all", before_consent=True)
async def remind_all(turn: Turn, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """Remind everybody on the list, whatever page is shown."""
    place = people_list.place_of(args)
    unit = await units.by_id(turn.session, place.unit_id)
    rights = await posts.held_by(turn.session, turn.staff.id)
    if unit is None or not may(rights, Action.REMIND, unit.path):
        return [say(turn, "heads.nothing_here")]
    of_day = await rounds.on(turn.session, place.day, drills=True)
    still_open = people_list.still_open([one for one in of_day if one.kind == place.kind], turn.now)
    people = await asks.listed(turn.session, still_open.keys(), ("due",), [unit.path])
    result = await reminding.remind(turn, still_open, {one.ask_id: one.person_id for one in people})
    return [await _page(turn, place, message_id, reminding.in_words(turn, result))]


@router.tap("missing_card", before_consent=True)
async def card(turn: Turn, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """One person: how they stand in the round and what the speaker can do about it."""
    await dialogues.drop(turn.session, turn.chat)
    return [await person_card.show(turn, int(args[0]), args[1:], message_id)]


@router.tap("missing_remind", before_consent=True)
async def remind_one(turn: Turn, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    rights = scope(await posts.held_by(turn.session, turn.staff.id), Action.REMIND)
    ask = await asks.within(turn.session, int(args[0]), rights)
    of = await rounds.by_id(turn.session, ask.round_id) if ask else None
    if ask is None or of is None:
        return [say(turn, "heads.nothing_here")]
    due = {ask.id: ask.person_id} if ask.state == "due" else {}
    result = await reminding.remind(turn, people_list.still_open([of], turn.now), due)
    hint = reminding.in_words(turn, result)
    return [await person_card.show(turn, ask.id, args[1:], message_id, hint)]


async def _rights(turn: Turn) -> list[str]:
    return scope(await posts.held_by(turn.session, turn.staff.id), Action.SEE_MISSING)


def _is_inside(unit: Unit, rights: Collection[str]) -> bool:
    return any(unit.path.startswith(path) for path in rights)


async def _only_unit(turn: Turn, rights: Sequence[str]) -> Unit | None:
    """The unit whose list is meant if none is named, unless the speaker answers for several."""
    if len(rights) != 1:
        return None
    return await units.by_id(turn.session, int(rights[0].rstrip("/").rpartition("/")[2]))


async def _first_page(
    turn: Turn, rights: Sequence[str], unit: Unit | None, day: date, message_id: str | None = None
) -> Letter:
    """The list of the day's latest round, or the choice of units; without a round, the way to other days."""
    of_day = await rounds.on(turn.session, day)
    paths = [unit.path] if unit else list(rights)
    kinds = [one.kind for one in of_day if any(main_round(of_day, one.kind, path) for path in paths)]
    if not kinds:
        row = await _other_days(turn, unit.id if unit else 0, day)
        text = turn.text("summary.status_nothing", day=turn.day(day))
        return reply(turn, text, keyboard=(row,) if row else (), replaces=message_id)
    place = Place(unit.id if unit else 0, day, kinds[-1])
    return await _page(turn, place, message_id) if unit else await _choice(turn, rights, None, place, message_id)


async def _page(turn: Turn, place: Place, message_id: str | None = None, hint: str = "") -> Letter:
    """One page of a list, if the speaker may see it; a page that is no longer there is the last one."""
    unit = await units.by_id(turn.session, place.unit_id)
    if unit is None or not _is_inside(unit, await _rights(turn)):
        return say(turn, "heads.nothing_here")
    found = await status.of_kind(turn.session, place.day, place.kind, turn.now)
    of = found.of(unit.path) if found else None
    if found is None or of is None:
        return say(turn, "summary.status_nothing", day=turn.day(place.day))
    place = replace(place, page=min(place.page, max(people_list.count(of, place.view) - 1, 0) // PAGE))
    people = await asks.listed(
        turn.session,
        [one.id for one in found.rounds],
        STATES[place.view],
        [unit.path],
        first=place.page * PAGE,
        most=PAGE,
    )
    last = await asks.last_answers(turn.session, [one.person_id for one in people])
    shown = people_list.screen(turn.house, turn.language, found, of, people, last, place)
    return await _with_ways_on(turn, place, unit, shown, message_id, hint)


async def _with_ways_on(
    turn: Turn, place: Place, unit: Unit, shown: Screen, message_id: str | None, hint: str
) -> Letter:
    """The page with buttons to the day's other rounds and to other days."""
    of_day = await rounds.on(turn.session, place.day)
    kinds = dict.fromkeys(one.kind for one in of_day if main_round(of_day, one.kind, unit.path))
    others = tuple(
        Button(screens.kind_name(turn.language, kind).capitalize(), replace(place, kind=kind, page=0).data())
        for kind in kinds
        if kind != place.kind
    )
    more = [row for row in (others, await _other_days(turn, unit.id, place.day)) if row]
    text = f"{hint}\n\n{shown.text}" if hint else shown.text
    return reply(turn, text, title=shown.title, keyboard=(*shown.keyboard, *more), replaces=message_id)


async def _other_days(turn: Turn, unit_id: int, day: date) -> tuple[Button, ...]:
    return await days.around(turn, day, lambda other: f"missing_day:{unit_id}:{compact(other)}")


async def _choice(
    turn: Turn, rights: Sequence[str], unit: Unit | None, place: Place, message_id: str | None = None
) -> Letter:
    """Units to choose from: those below one, or those the speaker answers for."""
    found = await status.of_kind(turn.session, place.day, place.kind, turn.now)
    if found is None:
        return say(turn, "summary.status_nothing", day=turn.day(place.day))
    listed = found.below(unit.path) if unit else [one for one in map(found.of, rights) if one and one.due]
    shown = listed[place.page * PAGE : (place.page + 1) * PAGE]
    rows = [(_unit_button(turn, one, place),) for one in shown]
    kind, day = screens.kind_name(turn.language, place.kind), turn.day(place.day)
    text = turn.text("heads.which_unit", kind=kind, day=day)
    up = (Button(turn.text("heads.to_list"), replace(place, page=0).data()),) if unit else ()
    more = [row for row in (people_list.pages(place, "missing_units", len(listed)), up) if row]
    more += [row for row in [await _other_days(turn, place.unit_id, place.day)] if row and not unit]
    return reply(turn, text, keyboard=(*rows, *more), replaces=message_id)


def _unit_button(turn: Turn, of: Standing, place: Place) -> Button:
    words = turn.text("heads.unit_missing", name=of.unit.name, n=of.missing.total(), due=of.due)
    return Button(people_list.label(words), replace(place, unit_id=of.unit.id, page=0).data())
