"""The risk round: each unit's draft goes to whoever answers for it, and who is late is reminded."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

import texts
from domain.campaign import RISK
from domain.chat import Address, Button, Language, Outgoing
from domain.ladder import Responsible, responsible
from domain.policy import Action, Role
from domain.timetable import instant, local_day, local_time
from domain.workdays import WEEKDAYS
from domain.zone import Facts, Zone
from handlers import risk_draft, risk_table
from handlers.risk_draft import Draft
from handlers.screens import Screen
from handlers.turn import House
from storage import absences, audit, outbox, people, posts, risk_updates, rounds, schedules, units
from storage.database import Session
from storage.outbox import Kind, Letter
from storage.risk_updates import Drafted, RiskUpdate
from storage.rounds import Round, Step
from storage.schedules import Schedule
from summaries import zone_words, zones

MOST_DRAFTS = 3
"""Whoever answers for more units than this gets one list of them instead of a message for each."""
MOST_LISTED = 20
AT_ONCE = timedelta(minutes=60)
"""Until when an update that an incident forces must be confirmed."""
LAST_MINUTE = time(23, 59)
MAP_REMINDERS = (timedelta(minutes=30), timedelta(minutes=90), timedelta(hours=3))
"""After the deadline: reminders of what is not on the national map yet."""


@dataclass(frozen=True, slots=True)
class Rungs:
    """Who answers for each unit today, and how they are written to."""

    of_unit: Mapping[int, Responsible]
    chats: Mapping[int, Address]
    languages: Mapping[int, Language]


async def open_round(session: Session, house: House, of: Round, unit_ids: Collection[int], now: datetime) -> int:
    """Draft the update of each of these units that has people due today, and ask whoever answers for it; how many."""
    found = await zones.on(session, house.campaign, of.day, now)
    asked = [one for one in found.units if one.unit.id in unit_ids and one.facts is not None]
    if not asked:
        return 0
    to = await rungs(session, {one.unit.id: one.unit.path for one in asked}, of.day)
    rows = [
        Drafted(
            one.unit.id,
            to.of_unit[one.unit.id].asked,
            one.facts or Facts(),
            one.proposed or Zone.YELLOW,
        )
        for one in asked
    ]
    await risk_updates.draft(session, of.id, rows, now)
    waiting = await _unconfirmed(session, house, of, now)
    await outbox.enqueue(session, _letters(house, waiting, to, f"risk:{of.id}", "risk", "risk.title", now), now)
    return len(rows)


async def remind(session: Session, house: House, of: Round, number: int, now: datetime) -> int:
    """Write to those who answer for a unit not confirmed yet; how many. The gate asks again before sending."""
    waiting = await _unconfirmed(session, house, of, now)
    if not waiting:
        return 0
    to = await rungs(session, _paths(waiting), of.day)
    key = f"risk_reminder:{of.id}:{number}"
    letters = _letters(house, waiting, to, key, "risk_reminder", "risk.reminder_title", now)
    return await outbox.enqueue(session, letters, now)


async def tell_heads(session: Session, house: House, of: Round, now: datetime) -> int:
    """Shortly before the deadline each head learns which of their units is not confirmed, and can do it; how many."""
    waiting = await _unconfirmed(session, house, of, now)
    if not waiting:
        return 0
    asked = await rungs(session, _paths(waiting), of.day)
    heads = [one for one in await posts.holders(session, Action.UPDATE_RISK) if one.role is Role.HEAD]
    told = {
        draft.update.unit_id: Responsible(
            "head",
            tuple(
                one.person_id
                for one in heads
                if one.unit_id == draft.update.unit_id
                and one.person_id not in asked.of_unit[draft.update.unit_id].person_ids
            ),
        )
        for draft in waiting
    }
    to = Rungs(told, asked.chats, asked.languages)
    letters = _letters(house, waiting, to, f"risk_head:{of.id}", "risk_reminder", "risk.head_title", now)
    return await outbox.enqueue(session, letters, now)


async def close_round(session: Session, house: House, of: Round, now: datetime) -> int:
    """The deadline: the table of all units to the committee, to heads of several units, and to their groups."""
    await rounds.close(session, of.id, now)
    reminders = [Step("map", number, of.closes_at + after) for number, after in enumerate(MAP_REMINDERS, start=1)]
    await rounds.add_steps(session, of.id, reminders)
    return await risk_table.send(session, house, of, now)


async def force(session: Session, house: House, unit_id: int, now: datetime, actor: str) -> None:
    """A fresh update of this unit at once, because something happened: the next tick asks for it.

    If one is being asked for already, that one will do.
    """
    unit = await units.by_id(session, unit_id)
    today = local_day(now, house.zone)
    if unit is None:
        return
    mine = [one for one in await risk_updates.on(session, today) if one.unit_id == unit_id]
    had = await rounds.since(session, today)
    about_to_open = any(
        one.audience == "unit" and one.unit_id == unit_id and one.once_on == today and (one.id, today) not in had
        for one in await schedules.in_force(session)
    )
    if about_to_open or any(one.confirmed_at is None and one.closed_at is None for one in mine):
        return
    opens = local_time(now, house.zone).replace(second=0)
    closes_at = min(now + AT_ONCE, instant(today, LAST_MINUTE, house.zone))
    if closes_at <= now:
        return
    closes = local_time(closes_at, house.zone).replace(second=0)
    made = await schedules.add(
        session,
        Schedule(
            id=0,
            kind=RISK,
            unit_id=unit.id,
            unit_path=unit.path,
            opens=opens,
            reminders=_halfway(opens, closes),
            missing_list=None,
            closes=closes,
            weekdays=frozenset(WEEKDAYS),
            on_holidays=True,
            audience="unit",
            is_off=False,
            once_on=today,
            since_day=today,
        ),
        now,
    )
    await audit.record(session, now, actor, "risk_update_forced", str(made.id), unit=unit.id)


def _halfway(opens: time, closes: time) -> tuple[time, ...]:
    minutes = (opens.hour * 60 + opens.minute + closes.hour * 60 + closes.minute) // 2
    at = time(minutes // 60, minutes % 60)
    return (at,) if opens < at < closes else ()


async def rungs(session: Session, updates: Mapping[int, str], day: date) -> Rungs:
    """Who answers for these units (paths by id) on a day: only somebody with a chat who is not away."""
    holders = await posts.holders(session, Action.UPDATE_RISK)
    chats, languages = await _written_to(session, {one.person_id for one in holders})
    available = chats.keys() - await absences.away(session, list(chats), day)
    return Rungs(
        {unit_id: responsible(path, holders, available) for unit_id, path in updates.items()}, chats, languages
    )


async def _unconfirmed(session: Session, house: House, of: Round, now: datetime) -> list[Draft]:
    waiting = [one for one in await risk_updates.of_round(session, of.id) if one.confirmed_at is None]
    return await risk_draft.drafts(session, house, of.day, waiting, now) if waiting else []


async def _written_to(
    session: Session, person_ids: Collection[int]
) -> tuple[Mapping[int, Address], Mapping[int, Language]]:
    return await people.chats_of(session, person_ids), await people.languages(session, person_ids)


def _paths(drafts: Sequence[Draft]) -> dict[int, str]:
    return {one.update.unit_id: one.update.unit_path for one in drafts}


def _letters(
    house: House, drafts: Sequence[Draft], to: Rungs, prefix: str, kind: Kind, heading: str, now: datetime
) -> list[Letter]:
    """One message for each draft and person; a list for whoever would get more than `MOST_DRAFTS`."""
    by_person: dict[int, list[Draft]] = {}
    for draft in drafts:
        for person_id in to.of_unit[draft.update.unit_id].person_ids:
            by_person.setdefault(person_id, []).append(draft)
    letters = []
    for person_id, mine in by_person.items():
        if person_id not in to.chats:
            continue
        chat, language = to.chats[person_id], to.languages[person_id]
        if len(mine) > MOST_DRAFTS:
            screen = listed(language, mine[0].update.day, [one.update for one in mine])
            out = Outgoing(chat, screen.text, screen.title, screen.keyboard)
            letter = Letter("", kind, out, person_id, unit_id=mine[0].update.unit_id)
            letters.append(house.sealed(letter, f"{prefix}:{person_id}"))
            continue
        for draft in mine:
            note = _note(language, to.of_unit[draft.update.unit_id])
            screen = risk_draft.screen(house, language, draft, now, heading=heading, note=note)
            out = Outgoing(chat, screen.text, screen.title, screen.keyboard)
            update = draft.update
            letter = Letter("", kind, out, person_id, unit_id=update.unit_id, risk_update_id=update.id)
            letters.append(house.sealed(letter, f"{prefix}:{person_id}:{update.unit_id}"))
    return letters


def _note(language: Language, asked: Responsible) -> str:
    return texts.text(language, f"risk.vacant_{asked.vacant}") if asked.vacant else ""


def listed(language: Language, day: date, updates: Sequence[RiskUpdate]) -> Screen:
    """Several units in one message: a tap opens each."""
    title = texts.text(language, "risk.list_title", day=texts.day(language, day))
    lines = [texts.text(language, "risk.list")]
    if len(updates) > MOST_LISTED:
        lines.append(texts.text(language, "risk.list_more", n=len(updates) - MOST_LISTED))
    rows = [(Button(_label(one), f"risk_open:{one.id}"),) for one in updates[:MOST_LISTED]]
    return Screen(title, "\n".join(lines), tuple(rows))


def _label(update: RiskUpdate) -> str:
    return f"{zone_words.SIGNS[update.zone] if update.zone else '…'} {update.unit_name}"
