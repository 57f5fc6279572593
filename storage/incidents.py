"""Incidents: what was reported, who was told, who answered, and what was noted until the end."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from domain.chat import Address, Language
from domain.incident import climbs_at
from storage.database import Session, insert
from storage.tables import incident, incident_note, incident_person, incident_told, outbox, person, unit


@dataclass(frozen=True, slots=True)
class Incident:
    """`ask_id` is set if a declaration raised it; `climbs_at` while nobody has answered and it can still climb."""

    id: int
    unit_id: int
    unit_name: str
    unit_path: str
    kind: str
    text: str
    people: int
    is_drill: bool
    reported_by_id: int
    reported_by: str
    reported_in: Language
    reported_at: datetime
    ask_id: int | None
    attachment_id: int | None
    climbed: int
    climbs_at: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by_id: int | None
    closed_at: datetime | None
    closed_by_id: int | None
    outcome: str

    @property
    def is_open(self) -> bool:
        return self.closed_at is None

    @property
    def is_unanswered(self) -> bool:
        return self.is_open and self.acknowledged_at is None


_FIELDS: sa.Select[Any] = (
    sa.select(
        incident.c.id,
        incident.c.unit_id,
        unit.c.name,
        unit.c.path,
        incident.c.kind,
        incident.c.text,
        incident.c.people,
        incident.c.is_drill,
        incident.c.reported_by_id,
        person.c.name,
        person.c.language,
        incident.c.reported_at,
        incident.c.ask_id,
        incident.c.attachment_id,
        incident.c.climbed,
        incident.c.climbs_at,
        incident.c.acknowledged_at,
        incident.c.acknowledged_by_id,
        incident.c.closed_at,
        incident.c.closed_by_id,
        incident.c.outcome,
    )
    .join_from(incident, unit)
    .join(person, person.c.id == incident.c.reported_by_id)
)
_UNANSWERED = sa.and_(incident.c.acknowledged_at.is_(None), incident.c.closed_at.is_(None))


async def by_id(session: Session, incident_id: int) -> Incident | None:
    row = (await session.execute(_FIELDS.where(incident.c.id == incident_id))).first()
    return Incident(*row) if row else None


async def of_ask(session: Session, ask_id: int) -> Incident | None:
    """The open incident that this ask's declaration raised."""
    query = _FIELDS.where(incident.c.ask_id == ask_id, incident.c.closed_at.is_(None)).order_by(incident.c.id.desc())
    row = (await session.execute(query.limit(1))).first()
    return Incident(*row) if row else None


async def open_of(session: Session, scope: Collection[str], *, drills: bool = False) -> list[Incident]:
    """Those not closed yet in these subtrees, the newest first; drills only if asked for."""
    inside = sa.or_(sa.false(), *(unit.c.path.startswith(path) for path in scope))
    query = _FIELDS.where(inside, incident.c.closed_at.is_(None), _counted(drills))
    rows = await session.execute(query.order_by(incident.c.id.desc()))
    return [Incident(*row) for row in rows]


async def open_by(session: Session, person_id: int) -> list[Incident]:
    """Those not closed yet that this person reported, drills among them, the newest first."""
    query = _FIELDS.where(
        incident.c.reported_by_id == person_id, incident.c.ask_id.is_(None), incident.c.closed_at.is_(None)
    )
    return [Incident(*row) for row in await session.execute(query.order_by(incident.c.id.desc()))]


async def between(session: Session, first_at: datetime, last_at: datetime) -> list[Incident]:
    """Those reported from the one instant until before the other, in order; never a drill."""
    query = _FIELDS.where(incident.c.reported_at >= first_at, incident.c.reported_at < last_at, _counted(drills=False))
    return [Incident(*row) for row in await session.execute(query.order_by(incident.c.id))]


def _counted(drills: bool) -> sa.ColumnElement[bool]:
    return sa.true() if drills else incident.c.is_drill.is_(False)


async def report(
    session: Session,
    *,
    unit_id: int,
    kind: str,
    text: str,
    by: int,
    channel: str,
    now: datetime,
    people: int = 0,
    named: Collection[int] = (),
    attachment_id: int | None = None,
    ask_id: int | None = None,
    is_drill: bool = False,
) -> int:
    """Store it, with the time at which it climbs for the first time; its number."""
    values = {
        "unit_id": unit_id,
        "kind": kind,
        "text": text,
        "people": people,
        "is_drill": is_drill,
        "reported_by_id": by,
        "channel": channel,
        "reported_at": now,
        "ask_id": ask_id,
        "attachment_id": attachment_id,
        "climbs_at": climbs_at(now, 0),
    }
    made: int = (await session.execute(incident.insert().values(values).returning(incident.c.id))).scalar_one()
    if named:
        await session.execute(
            incident_person.insert(), [{"incident_id": made, "person_id": one} for one in sorted(set(named))]
        )
    return made


@dataclass(frozen=True, slots=True)
class Concerned:
    person_id: int
    name: str
    unit_name: str


async def concerned(session: Session, incident_id: int) -> list[Concerned]:
    """The people it is about, as far as they were named."""
    query = (
        sa.select(person.c.id, person.c.name, unit.c.name)
        .join_from(incident_person, person)
        .join(unit, unit.c.id == person.c.unit_id)
        .where(incident_person.c.incident_id == incident_id)
        .order_by(person.c.name, person.c.id)
    )
    return [Concerned(*row) for row in await session.execute(query)]


async def tell(session: Session, incident_id: int, person_ids: Collection[int], step: int, now: datetime) -> None:
    """Note whom it was sent to; who was told before keeps the first time."""
    rows = [{"incident_id": incident_id, "person_id": one, "step": step, "told_at": now} for one in person_ids]
    if rows:
        await session.execute(insert(session, incident_told).on_conflict_do_nothing(), rows)


async def told(session: Session, incident_id: int) -> set[int]:
    """Those to whom it was sent."""
    query = sa.select(incident_told.c.person_id).where(incident_told.c.incident_id == incident_id)
    return set((await session.execute(query)).scalars())


async def due(session: Session, now: datetime) -> list[Incident]:
    """Those whose time to climb has come, the oldest first."""
    rows = await session.execute(_FIELDS.where(incident.c.climbs_at <= now).order_by(incident.c.climbs_at).limit(200))
    return [Incident(*row) for row in rows]


async def next_climb(session: Session) -> datetime | None:
    """When the next one climbs."""
    found: datetime | None = (await session.execute(sa.select(sa.func.min(incident.c.climbs_at)))).scalar()
    return found


async def climb(session: Session, of: Incident, climbed: int) -> bool:
    """Let it climb so far; true for exactly one caller, and only while nobody has answered."""
    where = (incident.c.id == of.id, incident.c.climbs_at == of.climbs_at, _UNANSWERED)
    following = climbs_at(of.reported_at, climbed)
    result = await session.execute(incident.update().where(*where).values(climbed=climbed, climbs_at=following))
    return bool(result.rowcount)


async def tell_others(session: Session, incident_id: int, now: datetime) -> None:
    """Somebody's chat turned out to be lost: look at once whether anybody else must be told."""
    await session.execute(incident.update().where(incident.c.id == incident_id, _UNANSWERED).values(climbs_at=now))


async def acknowledge(session: Session, incident_id: int, by: int, now: datetime) -> bool:
    """Somebody takes it on; true for the first, who ends the climbing."""
    values = {"acknowledged_at": now, "acknowledged_by_id": by, "climbs_at": None}
    result = await session.execute(incident.update().where(incident.c.id == incident_id, _UNANSWERED).values(values))
    where = (incident_told.c.incident_id == incident_id, incident_told.c.person_id == by)
    await session.execute(
        incident_told.update().where(*where, incident_told.c.acknowledged_at.is_(None)).values(acknowledged_at=now)
    )
    return bool(result.rowcount)


async def close(session: Session, incident_id: int, by: int, outcome: str, now: datetime) -> bool:
    """It is over, with this outcome; true for the first who says so."""
    values = {"closed_at": now, "closed_by_id": by, "outcome": outcome, "climbs_at": None}
    where = (incident.c.id == incident_id, incident.c.closed_at.is_(None))
    return bool((await session.execute(incident.update().where(*where).values(values))).rowcount)


@dataclass(frozen=True, slots=True)
class Note:
    id: int
    person_id: int
    name: str
    text: str
    noted_at: datetime


async def note(session: Session, incident_id: int, by: int, text: str, now: datetime) -> int:
    values = {"incident_id": incident_id, "person_id": by, "text": text, "noted_at": now}
    made: int = (
        await session.execute(incident_note.insert().values(values).returning(incident_note.c.id))
    ).scalar_one()
    return made


async def notes(session: Session, incident_id: int) -> list[Note]:
    """What was noted, in order."""
    query = (
        sa.select(incident_note.c.id, person.c.id, person.c.name, incident_note.c.text, incident_note.c.noted_at)
        .join_from(incident_note, person)
        .where(incident_note.c.incident_id == incident_id)
        .order_by(incident_note.c.id)
    )
    return [Note(*row) for row in await session.execute(query)]


@dataclass(frozen=True, slots=True)
class Shown:
    """A message in which an incident stands: somebody's own, or the line in a supervisor chat.

    `is_last` if none of the later messages of its chat is about it.
    """

    to: Address
    message_id: str
    person_id: int | None
    binding_id: int | None
    is_last: bool


async def shown(session: Session, incident_id: int) -> list[Shown]:
    """Every message in which it stands, once each, the oldest first."""
    places = (outbox.c.channel, outbox.c.chat_id, outbox.c.message_id, outbox.c.person_id, outbox.c.binding_id)
    query = (
        sa.select(*places)
        .where(outbox.c.incident_id == incident_id, outbox.c.message_id.is_not(None))
        .group_by(*places)
        .order_by(sa.func.max(outbox.c.id))
    )
    rows = list(await session.execute(query))
    last = {(row.channel, row.chat_id): row for row in rows}
    return [Shown(Address(row.channel, row.chat_id), *row[2:], row is last[row.channel, row.chat_id]) for row in rows]


async def withdraw(session: Session, incident_id: int, now: datetime) -> None:
    """Take back alarms to people that have not left: what they said is no longer so."""
    await session.execute(
        outbox.update()
        .where(
            outbox.c.incident_id == incident_id,
            outbox.c.kind == "incident",
            outbox.c.person_id.is_not(None),
            outbox.c.state == "waiting",
        )
        .values(state="withdrawn", outcome="answered", settled_at=now)
    )


async def forget(session: Session, before: datetime) -> None:
    """Delete what was said of incidents reported before this instant, and of whom; that there were any stays."""
    old = sa.select(incident.c.id).where(incident.c.reported_at < before)
    await session.execute(incident_note.delete().where(incident_note.c.incident_id.in_(old)))
    await session.execute(incident_person.delete().where(incident_person.c.incident_id.in_(old)))
    said = sa.or_(incident.c.text != "", incident.c.attachment_id.is_not(None))
    await session.execute(
        incident.update().where(incident.c.reported_at < before, said).values(text="", attachment_id=None)
    )
