"""Who gets which summary when: supervisor chats, and in private those whose unit has none."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from domain.chat import Address, Language, Outgoing
from domain.policy import Action, Role
from storage import asks, bindings, outbox, people, posts
from storage.database import Session
from storage.outbox import Letter
from storage.posts import Holder
from storage.rounds import Round
from summaries import message, status
from summaries.message import Words
from summaries.status import Status

GETS_SUMMARY = (Role.HEAD, Role.COMMITTEE)
GETS_NAMES = (Role.HEAD, Role.FOCAL)


async def summaries(session: Session, zone: ZoneInfo, of: Round, now: datetime) -> int:
    """Write the sealed summary for every chat and person whose round this is; how many.

    Doing it again writes to nobody twice, but reaches the people of a unit whose chat has been lost since.
    """
    found = await status.of_kind(session, of.day, of.kind, now)
    if found is None:
        return 0
    bound = await bindings.confirmed(session)
    letters = []
    for binding in bound:
        standing = found.of(binding.unit_path)
        if standing and _is_of(found, binding.unit_path, of):
            words = message.sealed(found, standing, binding.language, zone)
            key = f"{outbox.summary_key(of.id)}:{binding.id}"
            letters.append(Letter(key, "summary", _to(binding.chat, words), binding_id=binding.id, to_group=True))
    with_chat = {binding.unit_id for binding in bound}
    holders = [
        one
        for one in await posts.holders(session, Action.SEE_FIGURES)
        if one.role in GETS_SUMMARY and one.unit_id not in with_chat
    ]
    for holder, chat, language in await _reachable(session, holders):
        standing = found.of(holder.unit_path)
        if standing and standing.due and _is_of(found, holder.unit_path, of):
            words = message.sealed(found, standing, language, zone)
            letters.append(_private(outbox.summary_key(of.id), "summary", holder, chat, words))
    return await outbox.enqueue(session, letters, now)


async def missing_lists(session: Session, zone: ZoneInfo, of: Round, now: datetime) -> int:
    """Write to each head and focal person who of their people has not answered, and why; how many lists."""
    found = await status.of_kind(session, of.day, of.kind, now)
    if found is None:
        return 0
    everybody = await asks.missing(session, of.id, [of.unit_path])
    holders = [one for one in await posts.holders(session, Action.SEE_MISSING) if one.role in GETS_NAMES]
    letters = []
    for holder, chat, language in await _reachable(session, holders):
        standing = found.of(holder.unit_path)
        mine = [one for one in everybody if one.unit_path.startswith(holder.unit_path)]
        if standing and mine:
            words = message.missing_list(found, standing, mine, language, zone)
            letters.append(_private(f"missing:{of.id}", "missing_list", holder, chat, words))
    return await outbox.enqueue(session, letters, now)


def _is_of(found: Status, unit_path: str, of: Round) -> bool:
    main = found.main(unit_path)
    return main is not None and main.id == of.id


async def _reachable(session: Session, holders: Sequence[Holder]) -> list[tuple[Holder, Address, Language]]:
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
