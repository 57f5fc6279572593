"""What those told of an incident can do: look, take it on, note, end it; the reporter can look and note."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from domain.chat import Button, File
from domain.incident import HEALTH, MOST_TEXT, OUTCOMES
from domain.names import tidy
from domain.policy import Action, may
from domain.typed import match_option
from handlers import alarm
from handlers import incident_screens as shown
from handlers.incident_screens import Case
from handlers.router import Router
from handlers.screens import Screen
from handlers.turn import Turn, button, column, reply, say
from storage import audit, dialogues, incidents, posted, posts
from storage.dialogues import Dialogue
from storage.incidents import Incident
from storage.outbox import Letter

router = Router()
TOPIC = "incident_note"

OnIncident = Callable[[Turn, Incident, Sequence[str], str], Awaitable[Sequence[Letter]]]


def on_incident(verb: str, *, reporter_too: bool = False) -> Callable[[OnIncident], OnIncident]:
    """A button of one incident, for those who answer for its unit now; for others it does not exist."""

    def register(handler: OnIncident) -> OnIncident:
        @router.tap(verb, before_consent=True)
        async def checked(turn: Turn, args: Sequence[str], message_id: str) -> Sequence[Letter]:
            of = await incidents.by_id(turn.session, int(args[0]))
            allowed = of and (await may_answer(turn, of) or (reporter_too and has_reported(turn, of)))
            if of is None or not allowed:
                return [say(turn, "help.stale_button")]
            return await handler(turn, of, args[1:], message_id)

        return handler

    return register


async def may_answer(turn: Turn, of: Incident) -> bool:
    """Whether a post of the speaker's reaches over the unit, now."""
    return may(await posts.held_by(turn.session, turn.staff.id), Action.ANSWER_INCIDENT, of.unit_path)


def has_reported(turn: Turn, of: Incident) -> bool:
    """Whether it is the speaker's own report; an alarm raised by one's declaration is nobody's report."""
    return of.reported_by_id == turn.staff.id and of.kind != HEALTH


@on_incident("incident", reporter_too=True)
async def look(turn: Turn, of: Incident, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """The incident as it stands, as much of it as the speaker may see."""
    await dialogues.drop(turn.session, turn.chat)
    return [await _standing(turn, await shown.load(turn.session, of), message_id)]


@on_incident("incident_take")
async def take(turn: Turn, of: Incident, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """The first to take it on ends the climbing; everybody told and the reporter learn who, by post."""
    me = turn.staff.id
    if of.reported_by_id == me:
        case = await shown.load(turn.session, of)
        return [await _standing(turn, case, message_id, turn.text("incident.someone_else"))]
    if not await incidents.acknowledge(turn.session, of.id, me, turn.now):
        return await look(turn, of, args, message_id)
    await audit.record(turn.session, turn.now, str(me), "incident_acknowledged", str(of.id), climbed=of.climbed)
    of = replace(of, acknowledged_at=turn.now, acknowledged_by_id=me, climbs_at=None)
    case, letters = await alarm.spread(turn, of, "taken", message_id)
    return [await _standing(turn, case, message_id), *letters, *alarm.tell_reporter(turn, case, "taken")]


@on_incident("incident_end")
async def ask_outcome(turn: Turn, of: Incident, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """How it ended, with a tap."""
    if not of.is_open:
        return await look(turn, of, args, message_id)
    options = [Button(shown.outcome_name(turn.language, one), f"incident_ended:{of.id}:{one}") for one in OUTCOMES]
    keyboard = column(*options, button(turn, "incident.back", f"incident:{of.id}"))
    title = shown.title(turn.language, of)
    return [
        _of(reply(turn, turn.text("incident.which_outcome"), title=title, keyboard=keyboard, replaces=message_id), of)
    ]


@on_incident("incident_ended")
async def end(turn: Turn, of: Incident, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """It is over; everybody told, the reporter and the unit's groups learn so."""
    me, outcome = turn.staff.id, args[0]
    if outcome not in OUTCOMES or not await incidents.close(turn.session, of.id, me, outcome, turn.now):
        return await look(turn, of, args, message_id)
    await audit.record(turn.session, turn.now, str(me), "incident_closed", str(of.id), outcome=outcome)
    of = replace(of, closed_at=turn.now, closed_by_id=me, climbs_at=None, outcome=outcome)
    case, letters = await alarm.spread(turn, of, "ended", message_id)
    return [await _standing(turn, case, message_id), *letters, *alarm.tell_reporter(turn, case, "ended")]


@on_incident("incident_photo", reporter_too=True)
async def photo(turn: Turn, of: Incident, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    if of.attachment_id is None:
        return [say(turn, "help.stale_button")]
    text = shown.marked(turn.language, of.is_drill, turn.text("incident.photo_of", number=of.id))
    return [replace(reply(turn, text), attachment_id=of.attachment_id)]


@on_incident("incident_note", reporter_too=True)
async def ask_note(turn: Turn, of: Incident, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """The next words typed here are a note."""
    return [await _ask_note(turn, of)]


@router.dialogue(TOPIC, before_consent=True)
async def typed_note(turn: Turn, waiting: Dialogue, said: str | File) -> Sequence[Letter] | None:
    """A note by somebody told or by the reporter; those told read it at once."""
    of = await incidents.by_id(turn.session, int(waiting.data["incident"]))
    if of is None or not (await may_answer(turn, of) or has_reported(turn, of)):
        return None
    if isinstance(said, File):
        return [await _ask_note(turn, of, turn.text("incident.words_only"))]
    if await is_on_screen(turn, said):
        return None
    text = tidy(said)
    if not 0 < len(text) <= MOST_TEXT:
        hint = turn.text("incident.too_long", n=len(text), most=MOST_TEXT) if text else ""
        return [await _ask_note(turn, of, hint)]
    await dialogues.drop(turn.session, turn.chat)
    await audit.record(turn.session, turn.now, str(turn.staff.id), "incident_noted", str(of.id))
    case, letters = await alarm.note(turn, of, text)
    return [await _standing(turn, case, None, turn.text("incident.noted", at=turn.clock(turn.now))), *letters]


async def is_on_screen(turn: Turn, said: str) -> bool:
    """Whether the words are the label, or number, of a button last shown here."""
    shown_there = await posted.open_keyboard(turn.session, turn.chat)
    labels = [one.label for row in shown_there[0] for one in row] if shown_there else []
    return match_option(labels, said) is not None


async def _ask_note(turn: Turn, of: Incident, hint: str = "") -> Letter:
    await dialogues.keep(turn.session, turn.chat, turn.staff.id, TOPIC, "text", {"incident": of.id}, turn.now)
    text = hint or turn.text("incident.ask_note", number=of.id, most=MOST_TEXT)
    keyboard = column(button(turn, "incident.back", f"incident:{of.id}"))
    return reply(turn, text, title=shown.title(turn.language, of), keyboard=keyboard)


async def _standing(turn: Turn, case: Case, message_id: str | None, hint: str = "") -> Letter:
    if await may_answer(turn, case.of):
        screen = shown.page(turn.house, turn.language, case, hint)
    else:
        screen = _hinted(shown.receipt(turn.house, turn.language, case), hint)
    letter = reply(turn, screen.text, title=screen.title, keyboard=screen.keyboard, replaces=message_id)
    return _of(letter, case.of)


def _hinted(screen: Screen, hint: str) -> Screen:
    return replace(screen, text=f"{hint}\n\n{screen.text}") if hint else screen


def _of(letter: Letter, of: Incident) -> Letter:
    """Where an incident stands, so that it is kept up to date there."""
    return replace(letter, incident_id=of.id)
