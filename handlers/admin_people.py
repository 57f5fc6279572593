"""People as an administrator meets them: found by name or code, those not reached, new invitations, a test message."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import texts
from domain.chat import Button, Outgoing
from domain.codes import shown
from domain.policy import Action
from handlers import inviting
from handlers.admin_desk import (
    PAGE,
    NotTheirs,
    Paths,
    home,
    labelled,
    on_tap,
    on_words,
    paged,
    screen,
    unit_of,
    wait_for,
    yes_no,
)
from handlers.inviting import Invitation
from handlers.router import Router
from handlers.turn import Turn, button, reply
from storage import attachments, audit, dialogues, enrolled, outbox, people
from storage.dialogues import Dialogue
from storage.enrolled import Unreached
from storage.outbox import Letter
from storage.people import Person
from storage.units import Unit
from summaries.spreadsheet import csv_line

router = Router()
MOST_IN_TEXT = 10
"""Codes in one message; more go into a file."""
MOST_UNITS = 12
FIELDS = ("staff_code", "name", "unit_code", "code", "telegram", "web")


async def found_people(turn: Turn, paths: Paths, words: str, verb: str, back: str) -> Letter:
    """Those whom the words mean, as buttons `verb:<person>`; or a word on how to say it better."""
    found, number = await people.search(turn.session, paths, words, PAGE)
    rows: list[tuple[Button, ...]] = [(labelled(f"{one.name} – {one.unit_name}", f"{verb}:{one.id}"),) for one in found]
    if number > len(found):
        line = turn.text("console.people_more", n=number - len(found))
    else:
        line = turn.text("console.people_found" if found else "console.people_none")
    return screen(turn, "", [line], [*rows, (button(turn, "console.back", back),)], None)


@on_tap(router, "adm_lost", Action.INVITE)
async def unreached(turn: Turn, paths: Paths, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """Who of a unit and everything below it has no chat that works, and why."""
    unit = await unit_of(turn, paths, args[0])
    found = await enrolled.unreached(turn.session, unit.path)
    rows = paged([_one(turn, each) for each in found], int(args[1]) if len(args) > 1 else 0, f"adm_lost:{unit.id}")
    if found:
        rows.append((button(turn, "console.invite_all", f"adm_all_in:{unit.id}", n=len(found)),))
    rows += [(button(turn, "console.other_unit", "adm_units:adm_lost:0"),), home(turn)]
    return [screen(turn, turn.text("console.lost_of", unit=unit.name), _counts(turn, found), rows, message_id)]


def _one(turn: Turn, one: Unreached) -> Button:
    return labelled(f"{one.name} – {turn.text(f'console.lost_{one.why}')}", f"adm_lost_one:{one.person_id}")


def _counts(turn: Turn, found: Sequence[Unreached]) -> list[str]:
    """How many for each reason, and in which units."""
    if not found:
        return [turn.text("console.all_reached")]
    lines = [turn.text("console.lost_total", n=len(found))]
    lines += [
        turn.text("console.count_line", what=turn.text(f"console.lost_{why}"), n=n)
        for why, n in Counter(one.why for one in found).most_common()
    ]
    in_units = Counter(one.unit_name for one in found)
    if len(in_units) > 1:
        lines += ["", turn.text("console.by_unit")]
        lines += [turn.text("console.count_line", what=name, n=n) for name, n in in_units.most_common(MOST_UNITS)]
        if len(in_units) > MOST_UNITS:
            lines.append(turn.text("console.units_more", n=len(in_units) - MOST_UNITS))
    return lines


@on_tap(router, "adm_lost_one", Action.INVITE)
async def one_unreached(turn: Turn, paths: Paths, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """One person: why not reached, and a new code."""
    person = await _person(turn, paths, args[0])
    mine = [one for one in await enrolled.unreached(turn.session, person.unit_path) if one.person_id == person.id]
    now = turn.text(f"console.lost_{mine[0].why}") if mine else turn.text("console.is_reached")
    lines = [
        turn.text("console.person_line", name=person.name, code=person.staff_code, unit=person.unit_name),
        turn.text("console.now_line", state=now),
        turn.text("console.invite_means", hours=_hours(turn)),
    ]
    keyboard = yes_no(turn, f"adm_invite:{person.id}", f"adm_lost:{person.unit_id}")
    return [screen(turn, "", lines, keyboard, message_id)]


@on_tap(router, "adm_invite", Action.INVITE)
async def invite_one(turn: Turn, paths: Paths, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """One fresh code, shown this once."""
    person = await _person(turn, paths, args[0])
    to = await enrolled.invitee(turn.session, person.id)
    if to is None:
        raise NotTheirs
    invited = await inviting.invite_these(
        turn.session, [to], turn.house.ways, f"person {person.id}", turn.now, str(turn.staff.id)
    )
    lines = [*_invitation(turn, invited[0]), "", turn.text("console.code_once", hours=_hours(turn))]
    rows = [(button(turn, "console.hide_code", f"adm_lost:{person.unit_id}"),)]
    return [screen(turn, turn.text("console.code_for", name=person.name), lines, rows, message_id)]


@on_tap(router, "adm_all_in", Action.INVITE)
async def confirm_inviting(turn: Turn, paths: Paths, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    unit = await unit_of(turn, paths, args[0])
    found = await enrolled.to_invite(turn.session, unit.path, everyone=False)
    lines = [
        turn.text("console.invite_these", n=len(found), unit=unit.name),
        turn.text("console.invite_means", hours=_hours(turn)),
    ]
    return [screen(turn, "", lines, yes_no(turn, f"adm_all_ok_in:{unit.id}", f"adm_lost:{unit.id}"), message_id)]


@on_tap(router, "adm_all_ok_in", Action.INVITE)
async def invite_all(turn: Turn, paths: Paths, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """Fresh codes for everybody of the unit who is not reached: in the message, or as a file if they are many."""
    unit = await unit_of(turn, paths, args[0])
    found = await enrolled.to_invite(turn.session, unit.path, everyone=False)
    invited = await inviting.invite_these(
        turn.session, found, turn.house.ways, str(unit.id), turn.now, str(turn.staff.id)
    )
    title = turn.text("console.codes_for", n=len(invited), unit=unit.name)
    note = turn.text("console.code_once", hours=_hours(turn))
    rows = [(button(turn, "console.hide_code", f"adm_lost:{unit.id}"),)]
    if len(invited) <= MOST_IN_TEXT:
        lines = [line for one in invited for line in (*_invitation(turn, one), "")]
        return [screen(turn, title, [*lines, note], rows, message_id)]
    return [await _as_file(turn, unit, invited, title, note)]


async def _as_file(turn: Turn, unit: Unit, invited: Sequence[Invitation], title: str, note: str) -> Letter:
    lines = [csv_line(FIELDS), *(csv_line(_cells(one)) for one in invited)]
    content = "".join(lines).encode("utf-8-sig")
    name = f"ma-moi-{unit.id}.csv"
    number = await attachments.add(turn.session, turn.staff.id, name, "text/csv", content, turn.now)
    message = Outgoing(turn.chat, note, title, (home(turn),))
    return Letter("", "reply", message, person_id=turn.staff.id, attachment_id=number)


def _cells(one: Invitation) -> list[str]:
    return [one.to.staff_code, one.to.name, one.to.unit_code, shown(one.code), one.telegram or "", one.web or ""]


def _invitation(turn: Turn, one: Invitation) -> list[str]:
    lines = [turn.text("console.person_line", name=one.to.name, code=one.to.staff_code, unit=one.to.unit_name)]
    lines.append(turn.text("console.code_line", code=shown(one.code)))
    return lines + [link for link in (one.telegram, one.web) if link]


def _hours(turn: Turn) -> int:
    return int(turn.house.ways.lasts.total_seconds() // 3600)


async def _person(turn: Turn, paths: Paths, person_id: str) -> Person:
    person = await people.by_id(turn.session, int(person_id))
    if person is None or not person.unit_path.startswith(tuple(paths)):
        raise NotTheirs
    return person


@on_tap(router, "adm_test", Action.INVITE)
async def test_whom(turn: Turn, paths: Paths, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """To oneself with a tap, to somebody else by name or code."""
    await wait_for(turn, "adm_test", "person")
    rows = [(button(turn, "console.test_me", f"adm_test_ok:{turn.staff.id}"),), home(turn)]
    return [screen(turn, "", [turn.text("console.test_whom")], rows, message_id)]


@on_words(router, "adm_test", Action.INVITE)
async def test_named(turn: Turn, paths: Paths, waiting: Dialogue, said: str) -> Sequence[Letter] | None:
    return [await found_people(turn, paths, said, "adm_test_to", "admin")]


@on_tap(router, "adm_test_to", Action.INVITE)
async def confirm_test(turn: Turn, paths: Paths, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    person = await _person(turn, paths, args[0])
    line = turn.text("console.test_sure", name=person.name, code=person.staff_code, unit=person.unit_name)
    return [screen(turn, "", [line], yes_no(turn, f"adm_test_ok:{person.id}", "adm_test"), message_id)]


@on_tap(router, "adm_test_ok", Action.INVITE)
async def send_test(turn: Turn, paths: Paths, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """A message that says of itself that it is a test, and by whom."""
    person = turn.staff if args[0] == str(turn.staff.id) else await _person(turn, paths, args[0])
    await dialogues.drop(turn.session, turn.chat)
    chat = (await people.chats_of(turn.session, [person.id])).get(person.id)
    if chat is None:
        lines = [turn.text("console.test_no_chat", name=person.name)]
        rows = [(button(turn, "console.new_code", f"adm_lost_one:{person.id}"),), home(turn)]
        return [screen(turn, "", lines, rows, message_id)]
    await audit.record(turn.session, turn.now, str(turn.staff.id), "test_sent", str(person.id), channel=chat.channel)
    text = texts.text(person.language, "console.test_message", by=turn.staff.name, at=turn.clock(turn.now))
    kind: outbox.Kind = "reply" if person.id == turn.staff.id else "notice"
    sent = Letter("", kind, Outgoing(chat, text), person_id=person.id)
    done = turn.text("console.test_sent", name=person.name, channel=chat.channel)
    return [reply(turn, done, keyboard=(home(turn),), replaces=message_id), sent]
