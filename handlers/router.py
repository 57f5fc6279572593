"""Which handler answers what; a conversation declares its own, `bot.app` lists them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from handlers.turn import Handler, Turn
from storage.outbox import Letter

H = TypeVar("H", bound=Handler)


@dataclass(frozen=True, slots=True)
class Route:
    """A handler and who may reach it: staff who agreed, unless more is said."""

    handler: Handler
    strangers: bool = False
    before_consent: bool = False
    groups: bool = False


@dataclass(frozen=True, slots=True)
class Tapped:
    """A tap as its handler gets it: of a person who has agreed, in private."""

    turn: Turn
    args: Sequence[str]
    message_id: str


Together = Callable[[Sequence[Tapped]], Awaitable[Sequence[Sequence[Letter] | None]]]
"""Answers taps of different people at once. None leaves a tap, of which nothing was stored, to the usual handler."""


@dataclass(slots=True)
class Router:
    commands: dict[str, Route] = field(default_factory=dict)
    taps: dict[str, Route] = field(default_factory=dict)
    texts: list[Route] = field(default_factory=list)
    """Tried in order; the first that does not return None has answered."""
    contact: Route | None = None
    dialogues: dict[str, Route] = field(default_factory=dict)
    """By topic: who takes the words typed (or the file sent) while this conversation waits for them."""
    crowds: dict[str, Together] = field(default_factory=dict)
    """By verb: who answers many taps at once, with what `taps` would have said to each of them alone."""

    def command(self, name: str, **who: bool) -> Callable[[H], H]:
        def register(handler: H) -> H:
            self.commands[name] = Route(handler, **who)
            return handler

        return register

    def tap(self, verb: str, **who: bool) -> Callable[[H], H]:
        def register(handler: H) -> H:
            self.taps[verb] = Route(handler, **who)
            return handler

        return register

    def crowd(self, verb: str) -> Callable[[Together], Together]:
        def register(handler: Together) -> Together:
            self.crowds[verb] = handler
            return handler

        return register

    def text(self, **who: bool) -> Callable[[H], H]:
        def register(handler: H) -> H:
            self.texts.append(Route(handler, **who))
            return handler

        return register

    def dialogue(self, topic: str, **who: bool) -> Callable[[H], H]:
        """The handler gets the turn, the open `Dialogue`, and the words or the `File`; None if they are not for it."""

        def register(handler: H) -> H:
            self.dialogues[topic] = Route(handler, **who)
            return handler

        return register

    def on_contact(self, **who: bool) -> Callable[[H], H]:
        def register(handler: H) -> H:
            self.contact = Route(handler, **who)
            return handler

        return register


def joined(*routers: Router) -> Router:
    """All of them as one. Raises ValueError if two claim the same word."""
    whole = Router()
    for router in routers:
        clash = (
            (whole.commands.keys() & router.commands.keys())
            | (whole.taps.keys() & router.taps.keys())
            | (whole.dialogues.keys() & router.dialogues.keys())
        )
        if clash:
            raise ValueError(f"two handlers for {sorted(clash)}")
        whole.commands |= router.commands
        whole.taps |= router.taps
        whole.texts += router.texts
        whole.dialogues |= router.dialogues
        whole.crowds |= router.crowds
        whole.contact = router.contact or whole.contact
    return whole
