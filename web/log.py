"""What a chat page shows: who reads, which messages, and how they look as HTML."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo
from hashlib import sha256

import texts
from domain.chat import Attached, Button, Language
from domain.files import PICTURES
from domain.policy import Action, scope
from handlers.help import FOR_GROUPS, FOR_HEADS, FOR_STAFF
from storage import bindings, people, posts, webchat
from storage.database import Database
from storage.people import Person
from storage.webchat import Enclosed, Shown
from web.links import Visit

MOST = 100
"""Messages on a page; older ones stay in the store."""
_TURNS_TEXT_AROUND = dict.fromkeys((*range(8234, 8239), *range(8294, 8298)))


@dataclass(frozen=True, slots=True)
class Message:
    """One message as the page draws it. `day` is set on the first message of each day.

    `picture` and `document` are what is enclosed, of which there is at most one.
    """

    id: str
    place: int
    version: int
    title: str
    text: str
    rows: Sequence[Sequence[Button]]
    clock: str
    day: str
    picture: Enclosed | None = None
    document: Enclosed | None = None


@dataclass(frozen=True, slots=True)
class Log:
    """A chat as one reader sees it now. `state` changes whenever anything on it does."""

    visit: Visit
    language: Language
    heading: str
    menu: Sequence[str]
    messages: Sequence[Message]

    @property
    def versions(self) -> dict[str, int]:
        return {one.id: one.version for one in self.messages}

    @property
    def state(self) -> str:
        seen = " ".join(f"{name}:{version}" for name, version in self.versions.items())
        return sha256(seen.encode()).hexdigest()[:16]

    def beyond(self, known: Mapping[str, int]) -> list[Message]:
        """The messages that a page knowing `known` lacks or has in an older version."""
        return [one for one in self.messages if known.get(one.id) != one.version]


async def read(database: Database, visit: Visit, zone: tzinfo) -> Log | None:
    """The chat from one consistent read, or None if this reader may not see it (any more)."""
    async with database.reading() as session:
        person = (await people.at(session, {visit.reader})).get(visit.reader)
        if visit.is_private:
            shown = await webchat.messages(session, visit.chat, person.id if person else None, MOST)
            heading = f"{person.name} · {person.unit_name}" if person else ""
        elif person is None:
            return None
        else:
            shown = await webchat.group_messages(session, visit.chat, MOST)
            binding = await bindings.of_chat(session, visit.chat)
            heading = binding.unit_name if binding else ""
        rights = await posts.held_by(session, person.id) if person else []
    language: Language = person.language if person else "vi"
    default = "web.stranger" if visit.is_private else "web.group"
    menu = _menu(visit, person, bool(scope(rights, Action.SEE_FIGURES)))
    return Log(visit, language, plain(heading) or texts.text(language, default), menu, _drawn(shown, language, zone))


async def is_staff(database: Database, visit: Visit) -> bool:
    """Whether the reader is somebody on the list."""
    async with database.reading() as session:
        return visit.reader in await people.at(session, {visit.reader})


async def file(database: Database, visit: Visit, file_id: int) -> Attached | None:
    """A file of a message on this page, or None if this reader may not see it (any more), or it is gone."""
    async with database.reading() as session:
        person = (await people.at(session, {visit.reader})).get(visit.reader)
        if visit.is_private:
            return await webchat.enclosed(session, visit.chat, person.id if person else None, file_id)
        return await webchat.enclosed_in_group(session, visit.chat, file_id) if person else None


def _menu(visit: Visit, person: Person | None, may_see_figures: bool) -> Sequence[str]:
    if person is None:
        return ()
    figures = FOR_HEADS if may_see_figures else ()
    return FOR_STAFF + figures if visit.is_private else [name for name in figures if name in FOR_GROUPS]


def _drawn(shown: Collection[Shown], language: Language, zone: tzinfo) -> list[Message]:
    drawn, day_before = [], None
    for one in shown:
        local = one.at.astimezone(zone)
        day = local.date()
        enclosed = one.enclosed and replace(one.enclosed, name=plain(one.enclosed.name))
        is_picture = enclosed is not None and enclosed.media_type in PICTURES
        drawn.append(
            Message(
                one.message_id,
                one.place,
                one.version,
                plain(one.title),
                plain(one.text),
                _rows(one),
                f"{local:%H:%M}",
                texts.day(language, day) if day != day_before else "",
                picture=enclosed if is_picture else None,
                document=None if is_picture else enclosed,
            )
        )
        day_before = day
    return drawn


def _rows(shown: Shown) -> list[list[Button]]:
    """The buttons a page can offer: taps, and addresses that are nothing but web pages."""
    rows = [
        [replace(one, label=plain(one.label)) for one in row if one.data or one.url.startswith(("https://", "http://"))]
        for row in shown.keyboard
    ]
    return [row for row in rows if row]


def plain(text: str) -> str:
    """Text as it reads, without characters that turn the words around it the other way."""
    return unicodedata.normalize("NFC", text).translate(_TURNS_TEXT_AROUND)
