"""How a chat becomes a person's: a one-use code, then their own phone number where the channel can vouch for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from domain.chat import Button, Contact
from domain.codes import looks_like_code, tidy_code
from domain.phones import e164
from handlers import declaration, privacy
from handlers.notices import close_by, notices
from handlers.router import Router
from handlers.turn import Turn, button, column, reply, say
from storage import asks, audit, invites, people
from storage.outbox import Letter
from storage.people import Person

router = Router()


@router.command("start", strangers=True, before_consent=True)
async def start(turn: Turn, args: str) -> Sequence[Letter]:
    """`/start CODE` enrols; plain `/start` greets whoever it is."""
    if args.strip():
        return await redeem(turn, args)
    if turn.person is None:
        return await stranger(turn, "")
    return await _known(turn, turn.person, "enrolment.welcome_back")


async def stranger(turn: Turn, text: str) -> Sequence[Letter]:
    """A code if it looks like one, else one polite reply a day."""
    if tidy_code(text) or looks_like_code(text):
        return await redeem(turn, text)
    key = f"stranger:{turn.chat.channel}:{turn.chat.chat_id}:{turn.today}"
    return [replace(say(turn, "enrolment.stranger", organisation=turn.house.name), key=key)]


async def redeem(turn: Turn, typed: str) -> Sequence[Letter]:
    """Use a code. Wrong, used and expired ones fail alike, and so does everything after too many of them."""
    code = tidy_code(typed)
    if await invites.is_throttled(turn.session, turn.chat, turn.now):
        return [_refused(turn, once=True)]
    person_id = await invites.redeem(turn.session, code, turn.now) if code else None
    if person_id is None:
        await invites.failed(turn.session, turn.chat, turn.now)
        return [_refused(turn)] if turn.person is None else await _known(turn, turn.person, "enrolment.already")
    await people.link(turn.session, person_id, turn.chat, turn.now)
    person = await people.by_id(turn.session, person_id)
    if person is None:
        raise LookupError("an invitation for nobody")
    reach = {"agreed": "waiting", "declined": "declined"}.get(person.consent, "undecided")
    await asks.reached(turn.session, person.id, turn.today, reach, turn.now)
    await audit.record(turn.session, turn.now, str(person.id), "enrolled", channel=turn.chat.channel)
    known = replace(turn, person=person, language=person.language)
    hello = say(known, "enrolment.hello", name=person.name, unit=person.unit_name)
    if turn.house.channels[turn.chat.channel].phone and person.phone:
        return [hello, _ask_phone(known)]
    return [hello, *await _next(known)]


async def _known(turn: Turn, person: Person, key: str) -> Sequence[Letter]:
    """A word to somebody already enrolled, and what they can do now."""
    if not person.consent:
        return await privacy.notice(turn)
    greeting = say(turn, key, name=person.name)
    return [greeting, *(await declaration.open_prompt(turn) if person.has_agreed else ())]


def _refused(turn: Turn, *, once: bool = False) -> Letter:
    """The one sentence for every code that does not work; `once` an hour for those who go on guessing."""
    hourly = f"refused:{turn.chat.channel}:{turn.chat.chat_id}:{turn.now:%Y%m%d%H}"
    return replace(say(turn, "enrolment.refused"), key=hourly if once else "")


def _ask_phone(turn: Turn, key: str = "enrolment.phone") -> Letter:
    share = Button(turn.text("enrolment.share_phone"), asks_phone=True)
    return reply(
        turn,
        turn.text(key),
        keyboard=column(share, button(turn, "enrolment.skip_phone", "nophone")),
    )


@router.on_contact(before_consent=True)
async def confirm_phone(turn: Turn, contact: Contact) -> Sequence[Letter]:
    """Their own number, vouched for by the channel, against the roster's."""
    if not contact.own:
        return [_ask_phone(turn, "enrolment.not_own_phone")]
    if e164(contact.phone) != turn.staff.phone:
        await audit.record(turn.session, turn.now, str(turn.staff.id), "phone_differs", channel=turn.chat.channel)
        return [say(turn, "enrolment.phone_differs"), *await _next(turn), *await _warn(turn)]
    await people.phone_verified(turn.session, turn.chat, turn.now)
    return [say(turn, "enrolment.phone_confirmed"), *await _next(turn)]


async def _warn(turn: Turn) -> list[Letter]:
    """Those close by can ask the person: it may be a new number, or somebody else who had the code. Once a day."""
    me = turn.staff
    told = await close_by(turn.session, me.unit_path, but=me.id)
    key, text = f"phone_differs:{me.id}:{turn.today}", "enrolment.phone_differs_notice"
    return await notices(turn.session, told, key, text, unit_id=me.unit_id, name=me.name, unit=me.unit_name)


@router.tap("nophone", before_consent=True)
async def skip_phone(turn: Turn, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    return await _next(turn)


async def _next(turn: Turn) -> Sequence[Letter]:
    """What follows enrolment: the notice, or for those who agreed before, the open prompt."""
    if not turn.staff.has_agreed:
        return await privacy.notice(turn)
    return await declaration.open_prompt(turn)
