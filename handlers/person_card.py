"""One person in one round, to those who answer for them: how they stand, and what can be done about it."""

from __future__ import annotations

from collections.abc import Sequence

from domain.chat import Button
from domain.dates import span
from domain.policy import Action, Post, may, scope
from handlers import behalf, people_list, reminding, screens
from handlers.people_list import Place
from handlers.turn import Turn, button, column, reply, say
from storage import absences, asks, nudges, posts, rounds
from storage.asks import MISSING, Ask
from storage.outbox import Letter


async def show(turn: Turn, ask_id: int, back: Sequence[str], message_id: str | None, hint: str = "") -> Letter:
    """The card, if its person is the speaker's to answer for; `back` is the page of the list it was opened from."""
    rights = await posts.held_by(turn.session, turn.staff.id)
    ask = await asks.within(turn.session, ask_id, scope(rights, Action.SEE_MISSING))
    if ask is None:
        return say(turn, "heads.nothing_here")
    text = "\n".join(await _lines(turn, ask))
    title = f"{ask.person_name} – {ask.unit_name}"
    keyboard = column(*await _choices(turn, ask, rights, back), _to_list(turn, ask, back))
    return reply(turn, f"{hint}\n\n{text}" if hint else text, title=title, keyboard=keyboard, replaces=message_id)


async def _lines(turn: Turn, ask: Ask) -> list[str]:
    kind, day = screens.kind_name(turn.language, ask.kind), turn.day(ask.day)
    lines = [turn.text("heads.stands", kind=kind, day=day, what=_standing(turn, ask))]
    last = (await asks.last_answers(turn.session, [ask.person_id])).get(ask.person_id)
    if last and ask.state in MISSING:
        at = f"{last.astimezone(turn.house.zone):%d/%m, %H:%M}"
        lines.append(turn.text("heads.last_answer", at=at))
    reminded = await nudges.of_person(turn.session, ask.person_id, reminding.midnight(turn))
    if reminded:
        who = "; ".join(f"{turn.clock(one.given_at)} {one.given_by}" for one in reminded)
        lines.append(turn.text("heads.reminded_today", who=who))
    if ask.consent == "declined":
        lines += ["", turn.text("heads.has_declined")]
    if ask.person_id == turn.staff.id:
        lines += ["", turn.text("heads.yourself")]
    return lines


def _standing(turn: Turn, ask: Ask) -> str:
    if ask.state == "excused":
        return turn.text("heads.is_excused", reason=turn.text(f"leave.{ask.reason}") if ask.reason else "–")
    if ask.state == "answered" and ask.answered_at:
        key = "summary.answered_by_proxy" if ask.proxy else "summary.answered_at"
        return turn.text(key, at=turn.clock(ask.answered_at))
    return turn.text(f"summary.reach_{ask.reach}")


async def _choices(turn: Turn, ask: Ask, rights: Sequence[Post], back: Sequence[str]) -> list[Button]:
    """What may be done now; each is checked again when it is tapped."""
    if ask.person_id == turn.staff.id:
        return []
    buttons = []
    of = await rounds.by_id(turn.session, ask.round_id)
    if (
        of
        and ask.state == "due"
        and people_list.still_open([of], turn.now)
        and may(rights, Action.REMIND, ask.unit_path)
    ):
        buttons.append(button(turn, "heads.remind", ":".join(["missing_remind", str(ask.id), *back])))
    if await behalf.open_to(turn, ask.id):
        buttons.append(button(turn, "heads.answer_for", f"proxy:{ask.id}"))
    if ask.day == turn.today and may(rights, Action.ANSWER_FOR, ask.unit_path):
        buttons += [button(turn, "heads.excuse", f"excuse:{ask.id}"), *await _excuses(turn, ask)]
    if may(rights, Action.SEE_ANSWER, ask.unit_path):
        buttons.append(button(turn, "heads.look", f"look:{ask.id}"))
    return buttons


async def _excuses(turn: Turn, ask: Ask) -> list[Button]:
    """What a head has recorded can be ended here; one's own leave is ended by oneself."""
    known = await absences.current(turn.session, ask.person_id, turn.today)
    return [
        button(
            turn,
            "heads.excuse_end",
            f"excuse_end:{one.id}",
            kind=turn.text(f"leave.{one.kind}"),
            span=span(one.first_day, one.last_day),
        )
        for one in known
        if one.given_by_id != one.person_id
    ]


def _to_list(turn: Turn, ask: Ask, back: Sequence[str]) -> Button:
    view = "answered" if ask.state == "answered" else "excused" if ask.state == "excused" else "missing"
    place = Place(ask.unit_id, ask.day, ask.kind, view)
    if len(back) == 3:
        place = Place(int(back[0]), ask.day, ask.kind, people_list.view_of(back[1]), int(back[2]))
    return button(turn, "heads.to_list", place.data())
