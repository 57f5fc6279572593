"""Reporting something abnormal, in at most four steps: what, in a few words, whom it concerns, send."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from hashlib import sha256

from domain import files
from domain.chat import Button, File, Keyboard
from domain.incident import MOST_NAMED, MOST_TEXT, count_in
from domain.names import tidy
from domain.policy import Action, scope
from handlers import alarm, risk_round
from handlers import incident_screens as shown
from handlers.incident_desk import is_on_screen
from handlers.router import Router
from handlers.turn import Turn, button, column, reply, say
from storage import attachments, dialogues, incidents, people, posts
from storage.dialogues import Dialogue
from storage.incidents import Incident
from storage.outbox import Letter
from storage.people import Person

router = Router()
TOPIC = "incident"
KIND, TEXT, WHO, REVIEW = STEPS = ("kind", "text", "who", "review")
EVERYWHERE = ("/",)
MOST_FOUND = 6
MOST_LISTED = 10
LONGEST_LABEL = 40


@dataclass(frozen=True, slots=True)
class Report:
    """What has been said so far."""

    kind: str = ""
    text: str = ""
    who: list[int] = field(default_factory=list)
    count: int = 0
    photo: int = 0
    is_drill: bool = False

    @property
    def fingerprint(self) -> str:
        """Tells one review from another, so that what is sent is what was read."""
        return sha256(repr(self).encode()).hexdigest()[:6]


OnReport = Callable[[Turn, Report, Sequence[str], str], Awaitable[Sequence[Letter]]]


def on_report(verb: str) -> Callable[[OnReport], OnReport]:
    """A button of the report being written here; once it is sent or given up, one kind sentence."""

    def register(handler: OnReport) -> OnReport:
        @router.tap(verb, before_consent=True)
        async def checked(turn: Turn, args: Sequence[str], message_id: str) -> Sequence[Letter]:
            waiting = await dialogues.open_in(turn.session, turn.chat, turn.now)
            if waiting is None or waiting.topic != TOPIC or not waiting.data["kind"]:
                return [say(turn, "incident.gone")]
            return await handler(turn, Report(**waiting.data), args, message_id)

        return handler

    return register


@router.command("incident", before_consent=True)
async def incident(turn: Turn, args: str) -> Sequence[Letter]:
    """What is not over yet, for those whom it concerns; else straight to what has happened."""
    known = await _open_for(turn)
    if known and not args:
        return [_list(turn, known)]
    return await _begin(turn, tidy(args))


@router.tap("incident_new", before_consent=True)
async def begin(turn: Turn, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """A new report, below whatever stands there; a drill only by those who answer for a unit or configure."""
    is_drill = bool(args)
    if is_drill and not await _may_drill(turn):
        return [say(turn, "help.stale_button")]
    return await _begin(turn, is_drill=is_drill)


@router.tap("incident_kind", before_consent=True)
async def choose_kind(turn: Turn, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """What has happened; whether it is a drill rides on the button, so that neither can turn into the other."""
    is_drill = len(args) > 1
    if turn.house.campaign.incident(args[0]) is None or (is_drill and not await _may_drill(turn)):
        return [say(turn, "help.stale_button")]
    waiting = await dialogues.open_in(turn.session, turn.chat, turn.now)
    report = Report(**waiting.data) if waiting and waiting.topic == TOPIC else Report()
    report = replace(report, kind=args[0], is_drill=is_drill)
    return await _ask(turn, WHO if report.text else TEXT, report, message_id)


@on_report("incident_step")
async def go_to(turn: Turn, report: Report, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """On, or back, with everything said so far."""
    return await _ask(turn, args[0], report, message_id)


@on_report("incident_who")
async def choose_person(turn: Turn, report: Report, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """One of those found, or oneself."""
    found = await people.by_id(turn.session, int(args[0]))
    return await _add(turn, report, found, message_id) if found else [say(turn, "help.stale_button")]


@on_report("incident_clear")
async def choose_again(turn: Turn, report: Report, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    return await _ask(turn, WHO, replace(report, who=[], count=0), message_id)


@on_report("incident_drop")
async def give_up(turn: Turn, report: Report, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    await dialogues.drop(turn.session, turn.chat)
    return [reply(turn, turn.text("incident.dropped"), replaces=message_id)]


@on_report("incident_send")
async def send(turn: Turn, report: Report, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """Store it, tell everybody who must know, and say to whom it went; an older review is shown anew first."""
    if [report.fingerprint] != list(args):
        return await _ask(turn, REVIEW, report, message_id)
    if report.is_drill and not await _may_drill(turn):
        return [say(turn, "help.stale_button")]
    await dialogues.drop(turn.session, turn.chat)
    incident_id = await incidents.report(
        turn.session,
        unit_id=turn.staff.unit_id,
        kind=report.kind,
        text=report.text,
        by=turn.staff.id,
        channel=turn.chat.channel,
        now=turn.now,
        people=report.count,
        named=report.who,
        attachment_id=report.photo or None,
        is_drill=report.is_drill,
    )
    case, letters = await alarm.first_sounded(turn, incident_id)
    if not report.is_drill:
        await risk_round.force(turn.session, turn.house, turn.staff.unit_id, turn.now, str(turn.staff.id))
    screen = shown.receipt(turn.house, turn.language, case)
    receipt = reply(turn, screen.text, title=screen.title, keyboard=screen.keyboard, replaces=message_id)
    return [replace(receipt, incident_id=incident_id), *letters]


@router.dialogue(TOPIC, before_consent=True)
async def typed(turn: Turn, waiting: Dialogue, said: str | File) -> Sequence[Letter] | None:
    """Words for the step on the screen, or a photo at any of them."""
    report = Report(**waiting.data)
    if isinstance(said, File):
        return await _take_photo(turn, waiting.step, report, said)
    if waiting.step == WHO and (count := _count(turn, said)):
        return await _ask(turn, REVIEW, replace(report, who=[], count=count), None)
    if await is_on_screen(turn, said):
        return None
    if waiting.step == WHO:
        return await _find(turn, report, said)
    if waiting.step == REVIEW:
        return await _ask(turn, REVIEW, report, None, turn.text("incident.press"))
    return await _take_text(turn, waiting.step, report, tidy(said))


async def _take_text(turn: Turn, step: str, report: Report, text: str) -> Sequence[Letter]:
    if not 0 < len(text) <= MOST_TEXT:
        hint = turn.text("incident.too_long", n=len(text), most=MOST_TEXT) if text else ""
        return await _ask(turn, step, report, None, hint)
    report = replace(report, text=text)
    if step == KIND:
        return await _ask(turn, KIND, report, None, turn.text("incident.text_kept"))
    return await _ask(turn, WHO, report, None)


async def _take_photo(turn: Turn, step: str, report: Report, file: File) -> Sequence[Letter] | None:
    if file.content is None:
        return None
    media_type = files.media_type(file.content)
    if media_type not in files.PICTURES:
        return await _ask(turn, step, report, None, turn.text("incident.photo_only"))
    me = turn.staff.id
    photo = await attachments.add(turn.session, me, file.name, media_type, file.content, turn.now)
    return await _ask(turn, step, replace(report, photo=photo), None, turn.text("incident.has_photo"))


def _count(turn: Turn, said: str) -> int | None:
    """How many people; where options are numbered for want of buttons, a bare number is one of those."""
    has_buttons = turn.house.channels[turn.chat.channel].buttons > 0
    return count_in(said) if has_buttons or not said.strip().isdigit() else None


async def _find(turn: Turn, report: Report, said: str) -> Sequence[Letter]:
    found, number = await people.search(turn.session, EVERYWHERE, said, MOST_FOUND)
    if number == 1:
        return await _add(turn, report, found[0], None)
    if not number:
        return await _ask(turn, WHO, report, None, turn.text("incident.nobody_found"))
    if number > MOST_FOUND:
        return await _ask(turn, WHO, report, None, turn.text("incident.many_found", n=number))
    return await _ask(turn, WHO, report, None, turn.text("incident.pick"), found)


async def _add(turn: Turn, report: Report, person: Person, message_id: str | None) -> Sequence[Letter]:
    who = [*report.who, *({person.id} - set(report.who))]
    if len(who) > MOST_NAMED:
        return await _ask(turn, WHO, report, message_id, turn.text("incident.enough", most=MOST_NAMED))
    return await _ask(turn, WHO, replace(report, who=who, count=0), message_id)


async def _begin(turn: Turn, text: str = "", *, is_drill: bool = False) -> Sequence[Letter]:
    report = Report(text=text if len(text) <= MOST_TEXT else "", is_drill=is_drill)
    hint = turn.text("incident.too_long", n=len(text), most=MOST_TEXT) if text and not report.text else ""
    return await _ask(turn, KIND, report, None, hint)


async def _ask(
    turn: Turn,
    step: str,
    report: Report,
    message_id: str | None,
    hint: str = "",
    found: Sequence[Person] = (),
) -> list[Letter]:
    """Show a step, and remember that the next words and files here belong to it."""
    await dialogues.keep(turn.session, turn.chat, turn.staff.id, TOPIC, step, asdict(report), turn.now)
    if step == KIND:
        lines, keyboard = _kinds(turn, report, may_drill=not report.is_drill and await _may_drill(turn))
    elif step == TEXT:
        lines, keyboard = _words(turn, report)
    elif step == WHO:
        lines, keyboard = _people(turn, report, found, await _names(turn, report))
    else:
        lines, keyboard = _review(turn, report, await _names(turn, report))
    heading = turn.text("incident.step", number=STEPS.index(step) + 1)
    title = shown.marked(turn.language, report.is_drill, heading)
    text = "\n".join([hint, "", *lines] if hint else lines)
    return [reply(turn, text, title=title, keyboard=keyboard, replaces=message_id)]


def _kinds(turn: Turn, report: Report, *, may_drill: bool) -> tuple[list[str], Keyboard]:
    mark = ":drill" if report.is_drill else ""
    kinds = [
        Button(one.label[turn.language], f"incident_kind:{one.key}{mark}") for one in turn.house.campaign.incidents
    ]
    if may_drill:
        kinds.append(button(turn, "incident.start_drill", "incident_new:drill"))
    lines = [turn.text("incident.drill_note")] if report.is_drill else []
    return [*lines, turn.text("incident.ask_kind")], column(*kinds)


def _words(turn: Turn, report: Report) -> tuple[list[str], Keyboard]:
    lines = [_kind(turn, report), "", turn.text("incident.ask_text", most=MOST_TEXT)]
    if report.text:
        lines += ["", turn.text("incident.content", text=report.text)]
    skip = button(turn, "incident.next" if report.text else "incident.skip", f"incident_step:{WHO}")
    return lines, column(skip, button(turn, "incident.back", f"incident_step:{KIND}"))


def _people(turn: Turn, report: Report, found: Sequence[Person], names: Sequence[str]) -> tuple[list[str], Keyboard]:
    lines = [turn.text("incident.ask_who"), *_concerned(turn, report, names)]
    buttons = [Button(_short(f"{one.name} – {one.unit_name}"), f"incident_who:{one.id}") for one in found]
    if report.who or report.count:
        buttons += [
            button(turn, "incident.next", f"incident_step:{REVIEW}"),
            button(turn, "incident.clear", "incident_clear"),
        ]
    else:
        buttons += [
            button(turn, "incident.myself", f"incident_who:{turn.staff.id}"),
            button(turn, "incident.skip", f"incident_step:{REVIEW}"),
        ]
    return lines, column(*buttons, button(turn, "incident.back", f"incident_step:{TEXT}"))


def _review(turn: Turn, report: Report, names: Sequence[str]) -> tuple[list[str], Keyboard]:
    lines = [_kind(turn, report)]
    if report.text:
        lines.append(turn.text("incident.content", text=report.text))
    lines += [*_concerned(turn, report, names), ""]
    lines.append(turn.text("incident.has_photo" if report.photo else "incident.add_photo"))
    send = Button(turn.text("incident.send"), f"incident_send:{report.fingerprint}", style="danger")
    changes = (
        button(turn, "incident.change_text", f"incident_step:{TEXT}"),
        button(turn, "incident.change_who", f"incident_step:{WHO}"),
    )
    return lines, ((send,), changes, (button(turn, "incident.drop", "incident_drop"),))


def _kind(turn: Turn, report: Report) -> str:
    return turn.text("incident.kind", kind=shown.kind_name(turn.house, turn.language, report.kind))


def _concerned(turn: Turn, report: Report, names: Sequence[str]) -> list[str]:
    if names:
        return [turn.text("incident.people", names="; ".join(names))]
    return [turn.text("incident.count", n=report.count)] if report.count else []


async def _names(turn: Turn, report: Report) -> list[str]:
    found = await people.by_ids(turn.session, report.who) if report.who else {}
    return [f"{one.name} ({one.unit_name})" for one in found.values()]


def _list(turn: Turn, known: Sequence[Incident]) -> Letter:
    lines = [turn.text("incident.open_ones")]
    if len(known) > MOST_LISTED:
        lines.append(turn.text("incident.more", n=len(known) - MOST_LISTED))
    buttons = [Button(_short(_listed(turn, one)), f"incident:{one.id}") for one in known[:MOST_LISTED]]
    return reply(turn, "\n".join(lines), keyboard=column(*buttons, button(turn, "incident.new", "incident_new")))


def _listed(turn: Turn, one: Incident) -> str:
    sign = "✅" if one.acknowledged_at else "⚠️"
    kind = shown.kind_name(turn.house, turn.language, one.kind)
    text = shown.marked(turn.language, one.is_drill, f"#{one.id} {turn.clock(one.reported_at)} {kind}")
    return f"{sign} {text}"


def _short(label: str) -> str:
    return label if len(label) <= LONGEST_LABEL else f"{label[: LONGEST_LABEL - 1]}…"


async def _open_for(turn: Turn) -> list[Incident]:
    """What the speaker answers for or has reported, the newest first."""
    paths = scope(await posts.held_by(turn.session, turn.staff.id), Action.ANSWER_INCIDENT)
    found = await incidents.open_of(turn.session, paths, drills=True) if paths else []
    found += await incidents.open_by(turn.session, turn.staff.id)
    return sorted({one.id: one for one in found}.values(), key=lambda one: -one.id)


async def _may_drill(turn: Turn) -> bool:
    rights = await posts.held_by(turn.session, turn.staff.id)
    return bool(scope(rights, Action.ANSWER_INCIDENT) or scope(rights, Action.PLAN))
