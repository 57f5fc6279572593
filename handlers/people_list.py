"""Lists of a unit's people in a round, by the page, each name a button: by command, and once a round by itself."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

import texts
from domain.chat import Button, Keyboard, Language, Outgoing
from domain.dates import compact, from_compact
from domain.policy import Action, Role
from handlers.screens import Screen, incident_row
from handlers.turn import House
from storage import asks, outbox, posts
from storage.asks import MISSING, Listed
from storage.database import Session
from storage.outbox import Letter
from storage.rounds import Round
from summaries import message, post, status
from summaries.status import Standing, Status

PAGE = 8
"""Names on one screen of a phone."""
LONGEST_LABEL = 40
STATES: dict[str, Collection[str]] = {"missing": MISSING, "answered": ("answered",), "excused": ("excused",)}
"""The three lists that together are everybody due."""
GETS_LIST = (Role.HEAD, Role.FOCAL)


@dataclass(frozen=True, slots=True)
class Place:
    """Which page of which list of which unit, in the rounds of one kind on one day."""

    unit_id: int
    day: date
    kind: str
    view: str = "missing"
    page: int = 0

    def data(self, verb: str = "missing") -> str:
        return f"{verb}:{self.unit_id}:{compact(self.day)}:{self.kind}:{self.view[0]}:{self.page}"


def place_of(args: Sequence[str]) -> Place:
    return Place(int(args[0]), from_compact(args[1]), args[2], view_of(args[3]), int(args[4]))


def view_of(letter: str) -> str:
    return next(view for view in STATES if view[0] == letter)


def count(of: Standing, view: str) -> int:
    """How many are on this list."""
    return {"missing": of.missing.total(), "answered": of.answered, "excused": of.excused.total()}[view]


def screen(
    house: House,
    language: Language,
    found: Status,
    of: Standing,
    people: Sequence[Listed],
    last: Mapping[int, datetime],
    place: Place,
) -> Screen:
    """One page of the list and the ways on from it; `last` says by person when they last answered."""
    words = message.people_list(found, of, place.view, people, last, language, house.zone)
    tail = f"{place.unit_id}:{place.view[0]}:{place.page}"
    names = [(Button(label(one.name), f"missing_card:{one.ask_id}:{tail}"),) for one in people]
    rows = [*names, pages(place, "missing", count(of, place.view)), _to_all(language, found, of, place)]
    rows += [_views(language, of, place), _units(language, found, of, place), incident_row(language)]
    return Screen(words.title, words.text, tuple(row for row in rows if row))


def pages(place: Place, verb: str, total: int) -> tuple[Button, ...]:
    """Buttons to the pages before and after, each saying which lines it has."""
    buttons = []
    for mark, page in (("‹ {}", place.page - 1), ("{} ›", place.page + 1)):
        first, last = page * PAGE + 1, min((page + 1) * PAGE, total)
        if 0 < first <= last:
            lines = f"{first}–{last}" if first < last else f"{last}"
            buttons.append(Button(mark.format(f"{lines} / {total}"), replace(place, page=page).data(verb)))
    return tuple(buttons)


def label(name: str) -> str:
    return name if len(name) <= LONGEST_LABEL else f"{name[: LONGEST_LABEL - 1]}…"


def _to_all(language: Language, found: Status, of: Standing, place: Place) -> tuple[Button, ...]:
    if place.view != "missing" or not of.missing or not still_open(found.rounds, found.at):
        return ()
    words = texts.text(language, "heads.remind_all", n=of.missing.total())
    return (Button(words, place.data("missing_all"), style="primary"),)


def still_open(rounds: Sequence[Round], now: datetime) -> dict[int, Round]:
    """Those of these rounds in which somebody can still be reminded, by id."""
    return {one.id: one for one in rounds if one.closed_at is None and now < one.closes_at}


def _views(language: Language, of: Standing, place: Place) -> tuple[Button, ...]:
    others = [view for view in STATES if view != place.view and count(of, view)]
    return tuple(
        Button(texts.text(language, f"heads.view_{view}", n=count(of, view)), replace(place, view=view, page=0).data())
        for view in others
    )


def _units(language: Language, found: Status, of: Standing, place: Place) -> tuple[Button, ...]:
    if not found.below(of.unit.path):
        return ()
    return (Button(texts.text(language, "heads.by_unit"), replace(place, page=0).data("missing_units")),)


async def send_all(session: Session, house: House, of: Round, now: datetime) -> int:
    """Write to each head and focal person who of their people has not answered, and why; how many lists."""
    found = await status.of_kind(session, of.day, of.kind, now)
    if found is None:
        return 0
    everybody = await asks.listed(session, [of.id], MISSING, [of.unit_path])
    holders = [one for one in await posts.holders(session, Action.SEE_MISSING) if one.role in GETS_LIST]
    reachable = await post.reachable(session, holders)
    firsts = {path: _first_page(everybody, path) for path in {holder.unit_path for holder, _, _ in reachable}}
    last = await asks.last_answers(session, {one.person_id for page in firsts.values() for one in page})
    letters = []
    for holder, chat, language in reachable:
        standing, mine = found.of(holder.unit_path), firsts[holder.unit_path]
        if standing and mine:
            place = Place(holder.unit_id, of.day, of.kind)
            shown = screen(house, language, found, standing, mine, last, place)
            out = Outgoing(chat, shown.text, shown.title, shown.keyboard)
            letter = Letter("", "missing_list", out, person_id=holder.person_id, unit_id=holder.unit_id)
            letters.append(house.sealed(letter, f"missing:{of.id}:person {holder.person_id}:{holder.unit_id}"))
    return await outbox.enqueue(session, letters, now)


def _first_page(everybody: Sequence[Listed], path: str) -> list[Listed]:
    return [one for one in everybody if one.unit_path.startswith(path)][:PAGE]


def board_button(language: Language, unit_id: int, of: Round) -> Keyboard:
    """On a board, for those who may see names: these come in private."""
    data = f"missing_board:{unit_id}:{compact(of.day)}:{of.kind}"
    return ((Button(texts.text(language, "heads.who_is_missing"), data),),)
