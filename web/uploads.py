"""A photo or document that a page posted: read no further than we take, and made an update like any other."""

from __future__ import annotations

from hashlib import sha256

from aiohttp import BodyPartReader, web

from domain import files
from domain.chat import File, Incoming
from web.links import Visit
from web.spoken import Refused, tidy

LONGEST_NAME = 120
_LONGEST_KEY = 64
_CHUNK = 64 * 1024


async def read(request: web.Request, visit: Visit) -> Incoming:
    """The update for the form's file, its type told by its content. Raises Refused.

    `key` is made by the page once for each file, and makes a repeat harmless.
    """
    if request.content_type != "multipart/form-data" or not visit.is_private:
        raise Refused(400, "web.not_understood")
    key, name, content = b"", "", b""
    try:
        async for part in await request.multipart():
            if not isinstance(part, BodyPartReader) or part.name not in ("key", "file"):
                raise Refused(400, "web.not_understood")
            if part.name == "key":
                key = await _content(part, _LONGEST_KEY, "web.not_understood")
            else:
                name, content = part.filename or "", await _content(part, files.MOST_BYTES, "help.file_too_large")
    except ValueError as error:
        raise Refused(400, "web.not_understood") from error
    if len(key) < 8:
        raise Refused(400, "web.not_understood")
    if not content:
        raise Refused(400, "web.no_file")
    file = File("", tidy(name)[-LONGEST_NAME:], files.media_type(content), len(content), content)
    # The key covers who sent what, so that nobody can use up another's.
    said = "\x00".join((visit.reader.chat_id, key.decode("utf-8", "replace"), sha256(content).hexdigest()))
    return Incoming(sha256(said.encode()).hexdigest()[:32], visit.reader, visit.chat, file)


async def _content(part: BodyPartReader, most: int, too_much: str) -> bytes:
    content = bytearray()
    while chunk := await part.read_chunk(_CHUNK):
        content += chunk
        if len(content) > most:
            raise Refused(413, too_much)
    return bytes(content)
