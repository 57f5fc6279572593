"""From an update to the handler that answers it: who speaks, may they, and what did they mean."""

from __future__ import annotations

from collections.abc import Sequence

from domain.chat import Command, Contact, File, Incoming, Joined, Left, Moved, Said, Tap, Text
from domain.files import MOST_BYTES
from domain.seal import Choice
from domain.typed import match_option
from handlers import binding, declaration, enrolment, privacy
from handlers.router import Route, Router, Tapped, Together
from handlers.turn import House, Turn, say
from storage import declarations, dialogues, downloads, posted, settlement
from storage.dialogues import Dialogue
from storage.outbox import Letter


class Dispatcher:
    """Runs one turn. It never sends, commits or reads a clock."""

    def __init__(self, house: House, router: Router) -> None:
        self.house = house
        self.router = router

    async def answer(self, turn: Turn, incoming: Incoming) -> list[Letter]:
        """What to say to this update, as letters named after it."""
        return self.named(incoming, await self._answer(turn, incoming.said))

    def crowd_for(self, turn: Turn, said: Said) -> tuple[Together, Tapped] | None:
        """Who answers this together with others like it; None for what needs a turn of its own."""
        if not isinstance(said, Tap) or not turn.is_private or turn.person is None or not turn.person.has_agreed:
            return None
        choice = self.house.seal.opened(said.data, turn.chat)
        answers = self.router.crowds.get(choice.verb) if choice else None
        return (answers, Tapped(turn, choice.args, said.message_id)) if choice and answers else None

    def named(self, incoming: Incoming, letters: Sequence[Letter]) -> list[Letter]:
        """Letters that answer this update, named after it, their buttons sealed."""
        name = f"reply:{incoming.sender.channel}:{incoming.update_key}"
        return [self.house.sealed(letter, letter.key or f"{name}:{n}") for n, letter in enumerate(letters)]

    async def _answer(self, turn: Turn, said: Said) -> Sequence[Letter]:
        match said:
            case Moved(chat_id):
                await settlement.chat_moved(turn.session, turn.chat, chat_id, turn.now)
                return []
            case Left(why):
                await settlement.chat_lost(turn.session, turn.chat, why, turn.now)
                return []
            case Joined():
                return await binding.joined(turn)
            case Command(name, args):
                if turn.person and turn.is_private:
                    await dialogues.drop(turn.session, turn.chat)
                route = self.router.commands.get(name) or self.router.commands["help"]
                return await self._run(route, turn, args)
            case Tap(data, message_id):
                choice = self.house.seal.opened(data, turn.chat)
                return await self._tapped(turn, choice, message_id)
            case Contact() if self.router.contact:
                return await self._run(self.router.contact, turn, said)
            case Text(text) if turn.is_private:
                return await self._typed(turn, text)
            case File() if turn.is_private and turn.person:
                return await self._sent_file(turn, said)
            case _:
                return []

    async def _tapped(self, turn: Turn, choice: Choice | None, message_id: str) -> Sequence[Letter]:
        route = self.router.taps.get(choice.verb) if choice else None
        if choice is None or route is None:
            return [say(turn, "help.stale_button")] if turn.is_private and turn.person else []
        return await self._run(route, turn, choice.args, message_id)

    async def _typed(self, turn: Turn, text: str) -> Sequence[Letter]:
        """A typed answer: to the open question, to the buttons last shown, or else a word of help."""
        agreed = turn.person is not None and turn.person.has_agreed
        if turn.person and (answered := await self._in_dialogue(turn, text)):
            return answered
        for route in self.router.texts if agreed else ():
            answer = await route.handler(turn, text)
            if answer is not None:
                return list(answer)
        shown = await posted.open_keyboard(turn.session, turn.chat) if turn.person else None
        if shown:
            keyboard, message_id = shown
            options = [one for row in keyboard for one in row]
            meant = match_option([one.label for one in options], text)
            if meant is not None and options[meant].data:
                choice = self.house.seal.opened(options[meant].data, turn.chat)
                return await self._tapped(turn, choice, message_id)
        if turn.person is None:
            return await enrolment.stranger(turn, text)
        if not turn.person.consent:
            return await privacy.notice(turn)
        hint = turn.text("declaration.how_to_answer")
        waiting = await declaration.open_prompt(turn, hint) if agreed else []
        return waiting or await self._run(self.router.commands["help"], turn, "")

    async def _sent_file(self, turn: Turn, file: File) -> Sequence[Letter]:
        """To the conversation that waits for it: at once, or if the content is still to be fetched, after that."""
        if file.content is not None:
            return await self._in_dialogue(turn, file) or [say(turn, "help.file_unexpected")]
        if await self._open_dialogue(turn) is None:
            return [say(turn, "help.file_unexpected")]
        if file.size > MOST_BYTES:
            return [say(turn, "help.file_too_large")]
        await downloads.ask_for(turn.session, turn.chat, turn.staff.id, file, turn.now)
        return []

    async def _in_dialogue(self, turn: Turn, said: str | File) -> Sequence[Letter]:
        found = await self._open_dialogue(turn)
        return await self._run(found[0], turn, found[1], said) if found else []

    async def _open_dialogue(self, turn: Turn) -> tuple[Route, Dialogue] | None:
        """The conversation that waits here, unless the person has gone on with a declaration since."""
        waiting = await dialogues.open_in(turn.session, turn.chat, turn.now)
        route = self.router.dialogues.get(waiting.topic) if waiting else None
        if waiting is None or route is None:
            return None
        has_gone_on = await declarations.has_gone_on(turn.session, turn.staff.id, waiting.changed_at)
        return None if has_gone_on else (route, waiting)

    async def _run(self, route: Route, turn: Turn, *said: object) -> Sequence[Letter]:
        if not turn.is_private and not route.groups:
            return []
        if turn.person is None and not route.strangers:
            return await enrolment.stranger(turn, "") if turn.is_private else []
        if turn.person and not turn.person.has_agreed and not route.before_consent:
            return await privacy.notice(turn)
        return list(await route.handler(turn, *said) or ())
