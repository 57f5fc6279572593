"""Who gets which summary when: supervisor chats, and in private those whose unit has none."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from domain.campaign import Campaign
from domain.chat import Address, Language, Outgoing
from domain.policy import Action, Role
from storage import bindings, outbox, people, posts
from storage.database import Session
from storage.outbox import Letter
from storage.posts import Holder
from storage.rounds import Round
from summaries import answer_times, message, status, zone_words, zones
from summaries.message import Words
from summaries.status import Status
from summaries.zones import Zones

GETS_SUMMARY = (Role.HEAD, Role.COMMITTEE)


async def summaries(session: Session, campaign: Campaign, zone: ZoneInfo, of: Round, now: datetime) -> int:
    """Write the sealed summary for every chat and person whose round this is; how many.

    Doing it again writes to nobody twice, but reaches the people of a unit whose chat has been lost since.
    """
    found = await status.of_kind(session, of.day, of.kind, now)
    if found is None:
        return 0
    soon = await answer_times.of_kind(session, of.day, of.kind)
    colours = await zones.on(session, campaign, of.day, now)
    bound = await bindings.confirmed(session)
    letters = []
    for binding in bound:
        standing = found.of(binding.unit_path)
        if standing and _is_of(found, binding.unit_path, of):
            colour = _colour(colours, binding.unit_path, binding.language)
            words = message.sealed(found, standing, binding.language, zone, soon.get(binding.unit_id), colour)
            key = f"{outbox.summary_key(of.id)}:{binding.id}"
            letters.append(Letter(key, "summary", _to(binding.chat, words), binding_id=binding.id, to_group=True))
    with_chat = {binding.unit_id for binding in bound}
    holders = [
        one
        for one in await posts.holders(session, Action.SEE_FIGURES)
        if one.role in GETS_SUMMARY and one.unit_id not in with_chat
    ]
    for holder, chat, language in await reachable(session, holders):
        standing = found.of(holder.unit_path)
        if standing and standing.due and _is_of(found, holder.unit_path, of):
            colour = _colour(colours, holder.unit_path, language)
            words = message.sealed(found, standing, language, zone, soon.get(holder.unit_id), colour)
            letters.append(_private(outbox.summary_key(of.id), "summary", holder, chat, words))
    return await outbox.enqueue(session, letters, now)


def _colour(colours: Zones, unit_path: str, language: Language) -> str:
    unit_zone = colours.of(unit_path)
    return zone_words.line(unit_zone, language) if unit_zone else ""


def _is_of(found: Status, unit_path: str, of: Round) -> bool:
    main = found.main(unit_path)
    return main is not None and main.id == of.id


async def reachable(session: Session, holders: Sequence[Holder]) -> list[tuple[Holder, Address, Language]]:
    """Holders with a chat, one entry for each unit a person answers for."""
    chats = await people.chats_of(session, [one.person_id for one in holders])
    languages = await people.languages(session, list(chats))
    once = {(one.person_id, one.unit_id): one for one in holders if one.person_id in chats}
    return [(one, chats[one.person_id], languages[one.person_id]) for one in once.values()]


def _private(prefix: str, kind: outbox.Kind, holder: Holder, chat: Address, words: Words) -> Letter:
    key = f"{prefix}:person {holder.person_id}:{holder.unit_id}"
    return Letter(key, kind, _to(chat, words), person_id=holder.person_id, unit_id=holder.unit_id)


def _to(chat: Address, words: Words) -> Outgoing:
    return Outgoing(chat, words.text, words.title)
