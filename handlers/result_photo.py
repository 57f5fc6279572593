"""The photo of a test result: offered where a declaration is read once more before it is sent, never required."""

from __future__ import annotations

from dataclasses import replace

from domain.answering import takes_photo
from domain.chat import File
from handlers import behalf
from handlers.turn import Turn
from storage import attachments, declarations, dialogues
from storage.asks import Ask
from storage.declarations import Draft

TOPIC = "result_photo"


async def await_one(turn: Turn, ask: Ask, draft: Draft) -> bool:
    """Whether a photo may go with these answers; if so, the next one sent in this chat is taken for it.

    Only one's own: nobody sends the photo of somebody else's result.
    """
    if not behalf.is_own(turn, ask) or not takes_photo(turn.house.campaign, draft.answers):
        return False
    await dialogues.keep(turn.session, turn.chat, turn.staff.id, TOPIC, "", {"ask": ask.id}, turn.now)
    return True


async def keep(turn: Turn, ask: Ask, draft: Draft, photo: File) -> Draft:
    """The draft with this photo, instead of the one before."""
    content = photo.content or b""
    kept = await attachments.add(turn.session, turn.staff.id, "", photo.media_type, content, turn.now)
    return await _change(turn, ask, draft, kept)


async def drop(turn: Turn, ask: Ask, draft: Draft) -> Draft:
    """The draft without its photo, which is forgotten unless an earlier version has it."""
    return await _change(turn, ask, draft, None)


async def _change(turn: Turn, ask: Ask, draft: Draft, photo: int | None) -> Draft:
    changed = replace(draft, attachment_id=photo)
    await declarations.keep_draft(turn.session, ask.id, changed, turn.now)
    if draft.attachment_id:
        await attachments.forget_unused(turn.session, [draft.attachment_id])
    return changed
