"""What an incident looks like: to those who answer for the unit, to whoever reported it, and to a group."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import texts
from domain.chat import Address, Button, ButtonStyle, Keyboard, Language
from domain.incident import CLIMBS_AFTER, HEALTH, told_after
from domain.policy import Action
from handlers.screens import Screen
from handlers.turn import House
from storage import incidents, people, posts
from storage.database import Session
from storage.incidents import Concerned, Incident, Note
from storage.posts import Officer

MOST_NOTES = 5


@dataclass(frozen=True, slots=True)
class Case:
    """An incident with everything that those entitled may read about it.

    `officers` are those whose post reaches over its unit, by person, each with the post that is told first;
    `chats` are where they and the reporter can be written to.
    """

    of: Incident
    concerned: Sequence[Concerned]
    notes: Sequence[Note]
    officers: Mapping[int, Officer]
    told: frozenset[int]
    chats: Mapping[int, Address]

    @property
    def unreached(self) -> list[Officer]:
        """Those who should know by now and have no chat that works."""
        return [one for one in self.officers.values() if one.person_id not in self.chats and self.must_know(one)]

    def must_know(self, one: Officer) -> bool:
        """Whether it has climbed as far as this post; whoever reported it knows."""
        return one.person_id != self.of.reported_by_id and _told_after(one, self.of) <= self.of.climbed


async def load(session: Session, of: Incident) -> Case:
    """The case as it stands now."""
    officers: dict[int, Officer] = {}
    over = await posts.over(session, Action.ANSWER_INCIDENT, of.unit_path)
    for one in sorted(over, key=lambda one: _told_after(one, of)):
        officers.setdefault(one.person_id, one)
    return Case(
        of,
        await incidents.concerned(session, of.id),
        await incidents.notes(session, of.id),
        officers,
        frozenset(await incidents.told(session, of.id)),
        await people.chats_of(session, [*officers, of.reported_by_id]),
    )


def _told_after(one: Officer, of: Incident) -> int:
    return told_after(one.role, one.unit_path, of.unit_path)


def page(house: House, language: Language, case: Case, hint: str = "") -> Screen:
    """All there is to know, for those who answer for the unit, and what they can do."""
    of = case.of
    lines = [hint, ""] if hint else []
    lines += [_said_by(house, language, of), *_what(house, language, case), "", *_answer(house, language, case)]
    told = [one for one in case.officers.values() if one.person_id in case.told]
    if told:
        lines.append(texts.text(language, "incident.told", posts=_posts(language, told)))
    if case.unreached and of.is_unanswered:
        names = "; ".join(_holder(language, one) for one in case.unreached)
        lines.append(texts.text(language, "incident.unreached", names=names))
    return Screen(title(language, of), "\n".join([*lines, *_notes(house, language, case)]), _buttons(language, of))


def brief(house: House, language: Language, case: Case) -> Screen:
    """How far it has come, where a later message in the same chat says the rest."""
    return Screen(title(language, case.of), "\n".join(_answer(house, language, case)), ())


def receipt(house: House, language: Language, case: Case) -> Screen:
    """For whoever reported it: when, who was told by post, and how far it has come; nobody else's words."""
    of = case.of
    told = [one for one in case.officers.values() if one.person_id in case.told]
    lines = [*_what(house, language, case), ""]
    if told:
        lines.append(texts.text(language, "incident.told", posts=_posts(language, told)))
    else:
        lines.append(texts.text(language, "incident.told_nobody"))
    if of.acknowledged_at:
        at, post = clock(house, of.acknowledged_at), post_name(language, case.officers.get(of.acknowledged_by_id or 0))
        lines.append(texts.text(language, "incident.taken", at=at, post=post))
    if of.closed_at:
        at, outcome = clock(house, of.closed_at), outcome_name(language, of.outcome)
        lines.append(texts.text(language, "incident.over", at=at, outcome=outcome))
    elif told and not of.acknowledged_at:
        lines.append(texts.text(language, "incident.will_say"))
    heading = texts.text(language, "incident.sent", at=clock(house, of.reported_at), number=of.id)
    add = ((_button(language, "incident.add", f"incident_note:{of.id}"),),) if of.is_open else ()
    return Screen(marked(language, of.is_drill, heading), "\n".join(lines), add)


def news_for_reporter(house: House, case: Case) -> str:
    """That somebody has taken it on, by post, or that it is over; "" where there is nothing that they need hear."""
    of, language = case.of, case.of.reported_in
    reported = clock(house, of.reported_at)
    if of.closed_at and of.kind != HEALTH:
        at, outcome = clock(house, of.closed_at), outcome_name(language, of.outcome)
        text = texts.text(language, "incident.over_news", number=of.id, reported=reported, at=at, outcome=outcome)
        return marked(language, of.is_drill, text)
    if of.acknowledged_at is None or of.closed_at:
        return ""
    at, post = clock(house, of.acknowledged_at), post_name(language, case.officers.get(of.acknowledged_by_id or 0))
    key = "incident.taken_health" if of.kind == HEALTH else "incident.taken_news"
    return marked(language, of.is_drill, texts.text(language, key, number=of.id, reported=reported, post=post, at=at))


def group_line(house: House, language: Language, of: Incident) -> str:
    """For a supervisor chat: that something is being dealt with. Neither what nor whom."""
    opened = clock(house, of.reported_at)
    if of.closed_at is None:
        line = texts.text(language, "incident.group_open", at=opened)
    else:
        line = texts.text(language, "incident.group_over", opened=opened, at=clock(house, of.closed_at))
    return marked(language, of.is_drill, line)


def news(language: Language, of: Incident, name: str, text: str) -> Screen:
    """That somebody has added a note, for those who answer for the unit."""
    look = ((_button(language, "incident.look", f"incident:{of.id}"),),)
    return Screen(title(language, of), texts.text(language, "incident.news", name=name, text=text), look)


def title(language: Language, of: Incident) -> str:
    key = "incident.title_open" if of.is_open else "incident.title_over"
    return marked(language, of.is_drill, texts.text(language, key, number=of.id, unit=of.unit_name))


def marked(language: Language, is_drill: bool, text: str) -> str:
    """The text, with the mark of a drill if it is one."""
    return texts.text(language, "incident.drill", text=text) if is_drill else text


def kind_name(house: House, language: Language, key: str) -> str:
    """What kind of incident; also one that the campaign in force no longer has."""
    known = house.campaign.incident(key)
    if known:
        return known.label[language]
    return texts.text(language, "incident.kind_health" if key == HEALTH else "incident.kind_gone")


def post_name(language: Language, one: Officer | None) -> str:
    """The post of somebody, without the name; plain words for one who holds it no longer."""
    if one is None:
        return texts.text(language, "incident.post_none")
    return texts.text(language, f"incident.post_{one.role.value}", unit=one.unit_name)


def clock(house: House, at: datetime) -> str:
    return texts.clock(at, house.zone)


def outcome_name(language: Language, outcome: str) -> str:
    return texts.text(language, f"incident.outcome_{outcome}")


def _said_by(house: House, language: Language, of: Incident) -> str:
    key = "incident.declared" if of.kind == HEALTH else "incident.reported"
    day = f"{of.reported_at.astimezone(house.zone):%d/%m}"
    return texts.text(language, key, name=of.reported_by, at=clock(house, of.reported_at), day=day)


def _what(house: House, language: Language, case: Case) -> list[str]:
    """What has happened and whom it concerns; of a declaration the reasons, never an answer."""
    of = case.of
    lines = [texts.text(language, "incident.kind", kind=kind_name(house, language, of.kind))]
    if of.kind == HEALTH:
        applied = of.text.split()
        why = "; ".join(rule.reason[language] for rule in house.campaign.rules if rule.key in applied)
        return [*lines, texts.text(language, "incident.reasons", why=why)] if why else lines
    if of.text:
        lines.append(texts.text(language, "incident.content", text=of.text))
    lines += _concerned(language, case)
    return [*lines, texts.text(language, "incident.has_photo")] if of.attachment_id else lines


def _concerned(language: Language, case: Case) -> list[str]:
    if case.concerned:
        names = "; ".join(f"{one.name} ({one.unit_name})" for one in case.concerned)
        return [texts.text(language, "incident.people", names=names)]
    return [texts.text(language, "incident.count", n=case.of.people)] if case.of.people else []


def _answer(house: House, language: Language, case: Case) -> list[str]:
    """Who has taken it on, or for how long nobody has; and how it ended."""
    of, lines = case.of, []
    if of.acknowledged_at:
        at, by = clock(house, of.acknowledged_at), case.officers.get(of.acknowledged_by_id or 0)
        lines.append(_by(language, "incident.answered", by, at=at))
    elif of.is_open and of.climbed:
        minutes = int(CLIMBS_AFTER[of.climbed - 1].total_seconds() // 60)
        lines.append(texts.text(language, "incident.waiting_for", minutes=minutes))
    elif of.is_open:
        lines.append(texts.text(language, "incident.waiting"))
    if of.closed_at:
        at, by = clock(house, of.closed_at), case.officers.get(of.closed_by_id or 0)
        lines.append(_by(language, "incident.ended", by, at=at, outcome=outcome_name(language, of.outcome)))
    return lines


def _by(language: Language, key: str, one: Officer | None, **values: object) -> str:
    return texts.text(language, key, post=post_name(language, one), name=one.name if one else "–", **values)


def _notes(house: House, language: Language, case: Case) -> list[str]:
    if not case.notes:
        return []
    lines = ["", texts.text(language, "incident.notes")]
    if len(case.notes) > MOST_NOTES:
        lines.append(texts.text(language, "incident.notes_more", n=len(case.notes) - MOST_NOTES))
    for one in case.notes[-MOST_NOTES:]:
        at = clock(house, one.noted_at)
        lines.append(texts.text(language, "incident.note_line", at=at, name=one.name, text=one.text))
    return lines


def _buttons(language: Language, of: Incident) -> Keyboard:
    rows: list[tuple[Button, ...]] = []
    if of.is_unanswered:
        rows.append((_button(language, "incident.take", f"incident_take:{of.id}", style="success"),))
    second = [_button(language, "incident.add", f"incident_note:{of.id}")]
    if of.is_open:
        second.append(_button(language, "incident.end", f"incident_end:{of.id}"))
    rows.append(tuple(second))
    if of.attachment_id:
        rows.append((_button(language, "incident.photo", f"incident_photo:{of.id}"),))
    return tuple(rows)


def _posts(language: Language, officers: Iterable[Officer]) -> str:
    return "; ".join(dict.fromkeys(post_name(language, one) for one in officers))


def _holder(language: Language, one: Officer) -> str:
    return texts.text(language, "incident.holder", name=one.name, post=post_name(language, one))


def _button(language: Language, key: str, data: str, style: ButtonStyle = "") -> Button:
    return Button(texts.text(language, key), data, style=style)
