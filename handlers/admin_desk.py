"""What every administrator's screen is made of: who may see it, lists by the page, and refusals in plain words."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import date

from domain.chat import Button, File, Keyboard
from domain.policy import Action, Role, scope
from domain.refusal import Refusal
from domain.typed import match_option
from handlers import screens
from handlers.router import Router
from handlers.turn import Turn, button, reply, say
from storage import dialogues, posted, posts, units
from storage.dialogues import Dialogue
from storage.outbox import Letter
from storage.units import Unit

PAGE = 8
LONGEST_LABEL = 40
Paths = Sequence[str]
OnTap = Callable[[Turn, Paths, Sequence[str], str], Awaitable[Sequence[Letter]]]
OnWords = Callable[[Turn, Paths, Dialogue, str], Awaitable[Sequence[Letter] | None]]
OnFile = Callable[[Turn, Paths, Dialogue, File], Awaitable[Sequence[Letter] | None]]


class NotTheirs(Exception):
    """What a button names is not there, or not this administrator's: both look alike."""


async def paths_of(turn: Turn, action: Action) -> Paths:
    """The subtrees in which the speaker may do this; empty for everybody who is no administrator of anything."""
    return scope(await posts.held_by(turn.session, turn.staff.id), action)


def on_tap(router: Router, verb: str, action: Action) -> Callable[[OnTap], OnTap]:
    """A button of an administrator's. For everybody else it is one that does not exist."""

    def register(handler: OnTap) -> OnTap:
        @router.tap(verb, before_consent=True)
        async def checked(turn: Turn, args: Sequence[str], message_id: str) -> Sequence[Letter]:
            paths = await paths_of(turn, action)
            if not paths:
                return [say(turn, "help.stale_button")]
            return await _answered(turn, handler(turn, paths, args, message_id)) or ()

        return handler

    return register


def on_words(router: Router, topic: str, action: Action) -> Callable[[OnWords], OnWords]:
    """Words typed in an administrator's conversation, unless they are the label of a button on the screen."""

    def register(handler: OnWords) -> OnWords:
        @router.dialogue(topic, before_consent=True)
        async def checked(turn: Turn, waiting: Dialogue, said: str | File) -> Sequence[Letter] | None:
            paths = await paths_of(turn, action)
            if not paths or isinstance(said, File) or await _is_button(turn, said):
                return None
            return await _answered(turn, handler(turn, paths, waiting, said))

        return handler

    return register


def on_file(router: Router, topic: str, action: Action) -> Callable[[OnFile], OnFile]:
    """A file sent in an administrator's conversation, once its content is there."""

    def register(handler: OnFile) -> OnFile:
        @router.dialogue(topic, before_consent=True)
        async def checked(turn: Turn, waiting: Dialogue, said: str | File) -> Sequence[Letter] | None:
            paths = await paths_of(turn, action)
            if not paths or not isinstance(said, File) or said.content is None:
                return None
            return await _answered(turn, handler(turn, paths, waiting, said))

        return handler

    return register


async def _answered(turn: Turn, answer: Awaitable[Sequence[Letter] | None]) -> Sequence[Letter] | None:
    try:
        return await answer
    except NotTheirs:
        return [say(turn, "help.stale_button")]
    except Refusal as refusal:
        return [reply(turn, why(turn, refusal.key, refusal.values))]


async def _is_button(turn: Turn, said: str) -> bool:
    shown = await posted.open_keyboard(turn.session, turn.chat)
    return shown is not None and match_option([one.label for row in shown[0] for one in row], said) is not None


def why(turn: Turn, key: str, values: Mapping[str, str | int]) -> str:
    """A refusal as the person reads it: roles, kinds of round and days in their own words."""
    return turn.text(key, **{name: _worded(turn, name, value) for name, value in values.items()})


def _worded(turn: Turn, name: str, value: str | int) -> str | int:
    if name == "role":
        return role_name(turn, Role(str(value)))
    if name == "kind":
        return screens.kind_name(turn.language, str(value))
    if name in ("day", "first", "last"):
        return f"{date.fromisoformat(str(value)):%d/%m/%Y}"
    return value


def role_name(turn: Turn, role: Role) -> str:
    return turn.text(f"console.role_{role.value}")


async def wait_for(turn: Turn, topic: str, step: str, **data: object) -> None:
    """The next words typed here belong to this question."""
    await dialogues.keep(turn.session, turn.chat, turn.staff.id, topic, step, data, turn.now)


async def unit_of(turn: Turn, paths: Paths, unit_id: str | int) -> Unit:
    """The unit in force of this id, inside these subtrees. Raises NotTheirs."""
    found = await units.by_id(turn.session, int(unit_id))
    if found is None or not found.is_open or not found.path.startswith(tuple(paths)):
        raise NotTheirs
    return found


async def tree_of(turn: Turn, paths: Paths) -> list[Unit]:
    """The units in force in these subtrees, each after its parent: the first is where a screen begins."""
    return [one for one in await units.tree(turn.session) if one.path.startswith(tuple(paths))]


def whole(paths: Paths, unit: Unit) -> bool:
    """Whether this is the organisation itself, all of it in these hands."""
    return unit.parent_id is None and unit.path in paths


def paged(buttons: Sequence[Button], page: int, verb: str) -> list[tuple[Button, ...]]:
    """Eight buttons below each other, and ‹ › where there are more; `verb` takes the page as its last argument."""
    last = max(len(buttons) - 1, 0) // PAGE
    page = min(max(page, 0), last)
    rows: list[tuple[Button, ...]] = [(one,) for one in buttons[page * PAGE : (page + 1) * PAGE]]
    arrows = [Button(f"‹ {page}/{last + 1}", f"{verb}:{page - 1}")] if page else []
    arrows += [Button(f"{page + 2}/{last + 1} ›", f"{verb}:{page + 1}")] if page < last else []
    return [*rows, tuple(arrows)] if arrows else rows


def labelled(label: str, data: str) -> Button:
    """A button that carries a name, cut to what a phone shows."""
    return Button(label if len(label) <= LONGEST_LABEL else f"{label[: LONGEST_LABEL - 1]}…", data)


def screen(
    turn: Turn, title: str, lines: Sequence[str], keyboard: Sequence[tuple[Button, ...]], at: str | None
) -> Letter:
    """One administrator's screen: what is now, then the buttons, in place of the message `at`."""
    rows: Keyboard = tuple(keyboard)
    return reply(turn, "\n".join(lines), title=title, keyboard=rows, replaces=at)


def home(turn: Turn) -> tuple[Button, ...]:
    """The way back to the menu."""
    return (button(turn, "console.home", "admin"),)


def yes_no(turn: Turn, yes: str, no: str) -> list[tuple[Button, ...]]:
    """The one confirming tap, and the way back."""
    confirm = Button(turn.text("console.confirm"), yes, style="success")
    return [(confirm,), (button(turn, "console.back", no),)]
