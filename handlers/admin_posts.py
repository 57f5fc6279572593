"""Who is head, focal person, guard, committee member or administrator: seen by unit, given, taken and confirmed."""

from __future__ import annotations

from collections.abc import Sequence

from domain.chat import Button
from domain.policy import Action, Role
from handlers import admin_approvals, appointing
from handlers.admin_desk import (
    NotTheirs,
    Paths,
    home,
    labelled,
    on_tap,
    on_words,
    paged,
    role_name,
    screen,
    tree_of,
    unit_of,
    wait_for,
    whole,
    yes_no,
)
from handlers.admin_people import found_people
from handlers.router import Router
from handlers.turn import Turn, button
from storage import dialogues, people, posts
from storage.dialogues import Dialogue
from storage.outbox import Letter
from storage.people import Person
from storage.posts import Listed
from storage.units import Unit

router = Router()
ANYWHERE = (Role.HEAD, Role.FOCAL, Role.GUARD)
AT_THE_TOP = (*ANYWHERE, Role.COMMITTEE, Role.ADMIN)
"""The committee and administrators are given over the whole organisation."""
MOST_NAMED = 40


@on_tap(router, "adm_posts", Action.CONFIRM_POST)
async def of_unit(turn: Turn, paths: Paths, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """Who holds what in one unit."""
    await dialogues.drop(turn.session, turn.chat)
    return [await _of_unit(turn, paths, await unit_of(turn, paths, args[0]), message_id)]


async def _of_unit(turn: Turn, paths: Paths, unit: Unit, message_id: str | None, done: str = "") -> Letter:
    held = [one for one in await posts.listed(turn.session) if one.unit_id == unit.id]
    lines = [f"{done}\n"] if done else []
    lines += [_line(turn, role, held) for role in _roles(paths, unit)]
    waiting = [one for one in await posts.waiting(turn.session) if one.unit_path.startswith(tuple(paths))]
    gives = [
        button(turn, "console.give", f"adm_give:{unit.id}:{one}", role=role_name(turn, one))
        for one in _roles(paths, unit)
    ]
    rows: list[tuple[Button, ...]] = [tuple(gives[at : at + 2]) for at in range(0, len(gives), 2)]
    if any(one.is_confirmed for one in held):
        rows.append((button(turn, "console.take", f"adm_take:{unit.id}:0"),))
    if waiting:
        rows.append((button(turn, "console.waiting", "adm_wait:0", n=len(waiting)),))
    rows += [(button(turn, "console.other_unit", "adm_units:adm_posts:0"),), home(turn)]
    return screen(turn, turn.text("console.posts_of", unit=unit.name), lines, rows, message_id)


def _roles(paths: Paths, unit: Unit) -> tuple[Role, ...]:
    return AT_THE_TOP if whole(paths, unit) else ANYWHERE


def _line(turn: Turn, role: Role, held: Sequence[Listed]) -> str:
    mine = [one for one in held if one.role is role]
    names = [one.name if one.is_confirmed else turn.text("console.not_yet", name=one.name) for one in mine]
    shown = ", ".join(names) or turn.text("console.nobody")
    return turn.text("console.post_line", role=role_name(turn, role), names=shown)


@on_tap(router, "adm_give", Action.CONFIRM_POST)
async def to_whom(turn: Turn, paths: Paths, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """Whom to give the post: a part of the name, or the staff code."""
    unit, role = await _asked(turn, paths, args)
    await wait_for(turn, "adm_give", "person", unit=unit.id, role=role.value)
    lines = [turn.text("console.give_whom", role=role_name(turn, role), unit=unit.name)]
    back = (button(turn, "console.back", f"adm_posts:{unit.id}"),)
    return [screen(turn, "", lines, [back], message_id)]


@on_words(router, "adm_give", Action.CONFIRM_POST)
async def typed_name(turn: Turn, paths: Paths, waiting: Dialogue, said: str) -> Sequence[Letter] | None:
    """The people meant, to choose from."""
    unit, role = await _asked(turn, paths, [waiting.data["unit"], waiting.data["role"]])
    await wait_for(turn, "adm_give", "person", **waiting.data)
    return [await found_people(turn, paths, said, f"adm_give_to:{unit.id}:{role}", f"adm_posts:{unit.id}")]


@on_tap(router, "adm_give_to", Action.CONFIRM_POST)
async def confirm_giving(turn: Turn, paths: Paths, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """Before and after, and the one tap."""
    unit, role = await _asked(turn, paths, args)
    person = await _person(turn, paths, args[2])
    held = [one for one in await posts.listed(turn.session) if one.unit_id == unit.id and one.role is role]
    before = ", ".join(one.name for one in held if one.is_confirmed) or turn.text("console.nobody")
    lines = [
        turn.text("console.post_before", role=role_name(turn, role), unit=unit.name, names=before),
        turn.text("console.post_added", name=person.name, code=person.staff_code, where=person.unit_name),
    ]
    if _needs_second(turn, role, person.id):
        lines.append(turn.text("console.needs_second"))
    keyboard = yes_no(turn, f"adm_give_ok:{unit.id}:{role}:{person.id}", f"adm_posts:{unit.id}")
    return [screen(turn, "", lines, keyboard, message_id)]


@on_tap(router, "adm_give_ok", Action.CONFIRM_POST)
async def give(turn: Turn, paths: Paths, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """Give it; an administrator's post, or any to oneself, once a second administrator says yes."""
    unit, role = await _asked(turn, paths, args)
    person = await _person(turn, paths, args[2])
    await dialogues.drop(turn.session, turn.chat)
    if _needs_second(turn, role, person.id):
        return await admin_approvals.ask(turn, "post_given", person, role, unit, message_id)
    actor = str(turn.staff.id)
    await appointing.appoint(turn.session, person.staff_code, role, unit.code, turn.now, actor)
    done = turn.text("console.given", name=person.name, role=role_name(turn, role), unit=unit.name)
    return [await _of_unit(turn, paths, unit, message_id, done)]


@on_tap(router, "adm_take", Action.CONFIRM_POST)
async def which_to_take(turn: Turn, paths: Paths, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    unit = await unit_of(turn, paths, args[0])
    held = [one for one in await posts.listed(turn.session) if one.unit_id == unit.id and one.is_confirmed]
    buttons = [labelled(f"{role_name(turn, one.role)}: {one.name}", f"adm_take_it:{one.id}") for one in held]
    back = (button(turn, "console.back", f"adm_posts:{unit.id}"),)
    keyboard = [*paged(buttons, int(args[1]), f"adm_take:{unit.id}"), back]
    return [screen(turn, "", [turn.text("console.take_which", unit=unit.name)], keyboard, message_id)]


@on_tap(router, "adm_take_it", Action.CONFIRM_POST)
async def confirm_taking(turn: Turn, paths: Paths, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    one = await _held(turn, paths, args[0])
    others = [other.name for other in await posts.listed(turn.session) if _same(other, one) and other.id != one.id]
    role = role_name(turn, one.role)
    after = ", ".join(others) or turn.text("console.nobody")
    lines = [
        turn.text("console.post_before", role=role, unit=one.unit_name, names=", ".join([one.name, *others])),
        turn.text("console.post_after", role=role, names=after),
    ]
    if one.role is Role.ADMIN:
        lines.append(turn.text("console.needs_second"))
    return [screen(turn, "", lines, yes_no(turn, f"adm_take_ok:{one.id}", f"adm_take:{one.unit_id}:0"), message_id)]


@on_tap(router, "adm_take_ok", Action.CONFIRM_POST)
async def take(turn: Turn, paths: Paths, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """Take it away, at once and everywhere; an administrator's once a second one says yes."""
    one = await _held(turn, paths, args[0])
    unit = await unit_of(turn, paths, one.unit_id)
    if one.role is Role.ADMIN:
        person = await people.by_staff_code(turn.session, one.staff_code)
        if person is None:
            raise NotTheirs
        return await admin_approvals.ask(turn, "post_ended", person, one.role, unit, message_id)
    await appointing.end(turn.session, one.staff_code, one.role, unit.code, turn.now, str(turn.staff.id))
    done = turn.text("console.taken", name=one.name, role=role_name(turn, one.role), unit=unit.name)
    return [await _of_unit(turn, paths, unit, message_id, done)]


@on_tap(router, "adm_wait", Action.CONFIRM_POST)
async def waiting_posts(turn: Turn, paths: Paths, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """What the roster asks for: one by one, or all."""
    return [await _waiting(turn, paths, int(args[0]), message_id)]


async def _waiting(turn: Turn, paths: Paths, page: int, message_id: str | None, done: str = "") -> Letter:
    waiting = await _to_confirm(turn, paths)
    buttons = [
        labelled(f"{role_name(turn, one.role)}: {one.person_name} – {one.unit_name}", f"adm_wait_it:{one.id}")
        for one in waiting
    ]
    rows = paged(buttons, page, "adm_wait")
    if len(waiting) > 1:
        rows.append((button(turn, "console.confirm_all", "adm_wait_all", n=len(waiting)),))
    top = (await tree_of(turn, paths))[0]
    rows.append((button(turn, "console.back", f"adm_posts:{top.id}"),))
    lines = [f"{done}\n"] if done else []
    lines.append(turn.text("console.waiting_list", n=len(waiting)) if waiting else turn.text("console.nothing_waits"))
    return screen(turn, "", lines, rows, message_id)


@on_tap(router, "adm_wait_it", Action.CONFIRM_POST)
async def one_waiting(turn: Turn, paths: Paths, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    one = await _awaited(turn, paths, args[0])
    lines = [turn.text("console.wait_before", name=one.person_name, role=role_name(turn, one.role), unit=one.unit_name)]
    yes = Button(turn.text("console.confirm"), f"adm_wait_ok:{one.id}", style="success")
    no = button(turn, "console.refuse_post", f"adm_wait_no:{one.id}")
    return [screen(turn, "", lines, [(yes,), (no,), (button(turn, "console.back", "adm_wait:0"),)], message_id)]


@on_tap(router, "adm_wait_ok", Action.CONFIRM_POST)
async def confirm_one(turn: Turn, paths: Paths, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    one = await _awaited(turn, paths, args[0])
    await appointing.confirm(turn.session, [one.id], turn.now, str(turn.staff.id))
    done = turn.text("console.given", name=one.person_name, role=role_name(turn, one.role), unit=one.unit_name)
    return [await _waiting(turn, paths, 0, message_id, done)]


@on_tap(router, "adm_wait_no", Action.CONFIRM_POST)
async def refuse_one(turn: Turn, paths: Paths, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """The roster asks in vain: the post ends without ever having been in force."""
    one = await _awaited(turn, paths, args[0])
    person = await people.by_id(turn.session, one.person_id)
    unit = await unit_of(turn, paths, one.unit_path.split("/")[-2])
    if person is None:
        raise NotTheirs
    await appointing.end(turn.session, person.staff_code, one.role, unit.code, turn.now, str(turn.staff.id))
    done = turn.text("console.refused_post", name=one.person_name, role=role_name(turn, one.role))
    return [await _waiting(turn, paths, 0, message_id, done)]


@on_tap(router, "adm_wait_all", Action.CONFIRM_POST)
async def all_waiting(turn: Turn, paths: Paths, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """All of them, with the names before the tap; the button stands for exactly these."""
    waiting = await _to_confirm(turn, paths)
    if not waiting:
        return [await _waiting(turn, paths, 0, message_id)]
    lines = [turn.text("console.confirm_these", n=len(waiting))]
    lines += [
        turn.text("console.wait_line", name=one.person_name, role=role_name(turn, one.role), unit=one.unit_name)
        for one in waiting[:MOST_NAMED]
    ]
    if len(waiting) > MOST_NAMED:
        lines.append(turn.text("console.and_more", n=len(waiting) - MOST_NAMED))
    newest = max(one.id for one in waiting)
    return [screen(turn, "", lines, yes_no(turn, f"adm_all_ok:{len(waiting)}:{newest}", "adm_wait:0"), message_id)]


@on_tap(router, "adm_all_ok", Action.CONFIRM_POST)
async def confirm_all(turn: Turn, paths: Paths, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """Those that were shown; if others wait by now, they are shown first."""
    waiting = await _to_confirm(turn, paths)
    if [str(len(waiting)), str(max((one.id for one in waiting), default=0))] != list(args):
        return await all_waiting(turn, paths, (), message_id)
    done = await appointing.confirm(turn.session, [one.id for one in waiting], turn.now, str(turn.staff.id))
    return [await _waiting(turn, paths, 0, message_id, turn.text("console.confirmed_all", n=len(done)))]


async def _to_confirm(turn: Turn, paths: Paths) -> list[posts.Waiting]:
    """Not one's own: nobody confirms their own post."""
    found = await posts.waiting(turn.session)
    return [one for one in found if one.unit_path.startswith(tuple(paths)) and one.person_id != turn.staff.id]


async def _awaited(turn: Turn, paths: Paths, post_id: str) -> posts.Waiting:
    for one in await _to_confirm(turn, paths):
        if one.id == int(post_id):
            return one
    raise NotTheirs


async def _held(turn: Turn, paths: Paths, post_id: str) -> Listed:
    for one in await posts.listed(turn.session):
        if one.id == int(post_id) and one.is_confirmed:
            await unit_of(turn, paths, one.unit_id)
            return one
    raise NotTheirs


async def _asked(turn: Turn, paths: Paths, args: Sequence[str]) -> tuple[Unit, Role]:
    """The unit and role that a button names, if they go together for this administrator."""
    unit = await unit_of(turn, paths, args[0])
    role = Role(args[1])
    if role not in _roles(paths, unit):
        raise NotTheirs
    return unit, role


async def _person(turn: Turn, paths: Paths, person_id: str) -> Person:
    person = await people.by_id(turn.session, int(person_id))
    if person is None or not person.unit_path.startswith(tuple(paths)):
        raise NotTheirs
    return person


def _needs_second(turn: Turn, role: Role, person_id: int) -> bool:
    """An administrator's post, or a right that somebody gives to themselves."""
    return role is Role.ADMIN or person_id == turn.staff.id


def _same(one: Listed, other: Listed) -> bool:
    return one.is_confirmed and (one.unit_id, one.role) == (other.unit_id, other.role)
