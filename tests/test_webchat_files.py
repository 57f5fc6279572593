"""Files on the chat page over plain HTTP: taken once and within bounds, shown to whoever the chat belongs to."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from domain.chat import Address, Attached, File, Outgoing
from domain.files import MOST_BYTES
from storage import people
from tests.phone import PHOTO
from tests.web_bench import LAN, NOW, House, Page, client, house
from texts import text

ME = Address("webchat", LAN)
KEY = "0123456789"


@pytest_asyncio.fixture
async def here(empty_store: Path, tmp_path: Path) -> AsyncIterator[House]:
    async with house(empty_store, tmp_path) as running:
        await running.enrol()
        yield running


def form(content: bytes = PHOTO, name: str = "ảnh.jpg", key: str = KEY, field: str = "file") -> aiohttp.FormData:
    made = aiohttp.FormData(quote_fields=False)
    made.add_field("key", key)
    made.add_field(field, io.BytesIO(content), filename=name, content_type="text/html")
    return made


async def test_a_posted_photo_is_heard_once_with_the_type_that_its_content_tells(here: House) -> None:
    async with client(here, Accept="application/json") as browser:
        for _ in range(2):
            async with browser.post(f"{here.path()}/file", data=form()) as answer:
                assert (answer.status, await answer.json()) == (200, {"saved": True, "notice": ""})
    (update,) = here.heard
    assert update.said == File("", "ảnh.jpg", "image/jpeg", len(PHOTO), PHOTO)
    assert (update.sender, update.raw) == (ME, b"")


async def test_without_javascript_the_page_comes_back_with_the_answer(here: House) -> None:
    async with client(here) as browser, browser.post(f"{here.path()}/file", data=form()) as answer:
        assert str(answer.url.path) == here.path()
        assert "Nhận: ảnh.jpg image/jpeg" in Page(await answer.text()).shown[-1].text


@pytest.mark.parametrize(
    ("data", "status", "why"),
    [
        ({"content": bytes(MOST_BYTES + 1)}, 413, "help.file_too_large"),
        ({"content": b""}, 400, "web.no_file"),
        ({"key": "short"}, 400, "web.not_understood"),
        ({"key": "x" * 65}, 413, "web.not_understood"),
        ({"field": "other"}, 400, "web.not_understood"),
    ],
    ids=["too large", "empty", "key too short", "key too long", "another field"],
)
async def test_what_is_out_of_bounds_is_refused_in_one_sentence(
    here: House, data: dict[str, Any], status: int, why: str
) -> None:
    url = f"{here.path()}/file"
    async with client(here, Accept="application/json") as browser, browser.post(url, data=form(**data)) as answer:
        assert (answer.status, await answer.json()) == (status, {"saved": False, "error": text("vi", why)})
    assert here.heard == []


@pytest.mark.parametrize("kind", ["multipart/form-data; boundary=b", "multipart/form-data", "text/plain"])
async def test_what_is_no_form_is_refused_too(here: House, kind: str) -> None:
    body, headers = b"--c\r\n\r\nx", {"Content-Type": kind}
    async with client(here) as browser, browser.post(f"{here.path()}/file", data=body, headers=headers) as answer:
        assert answer.status == 400
    assert here.heard == []


async def test_a_stranger_can_fill_nothing(here: House) -> None:
    url = f"{here.path('stranger-0123456789')}/file"
    async with client(here) as browser, browser.post(url, data=form()) as answer:
        assert answer.status == 403
    assert here.heard == []


async def test_a_file_is_for_ones_own_chat_and_a_flood_of_them_is_slowed(here: House) -> None:
    async with client(here) as browser:
        async with browser.post(f"{here.group_path('g1')}/file", data=form()) as answer:
            assert answer.status == 400
        for number in range(12):
            async with browser.post(f"{here.path()}/file", data=form(key=f"{KEY}{number}")) as answer:
                last = answer.status
    assert last == 429
    assert len(here.heard) == 9  # the group's page belongs to the same person


async def test_a_picture_opens_only_in_the_chat_it_was_sent_to(here: House) -> None:
    await here.enrol("Bình", "binh-0123456789abcdef", "S2")
    await here.show(Outgoing(ME, "Ảnh", attached=Attached("a.jpg", "image/jpeg", PHOTO)), "picture")
    async with client(here) as browser:
        async with browser.get(here.path()) as answer:
            (address,) = Page(await answer.text()).pictures.values()
        async with browser.get(address) as answer:
            assert (answer.status, answer.content_type, await answer.read()) == (200, "image/jpeg", PHOTO)
            assert answer.headers["Cache-Control"] == "no-store"
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
        for other in (here.path("binh-0123456789abcdef"), here.path("stranger-0123456789"), here.group_path("g1")):
            async with browser.get(f"{other}/file/{address.rpartition('/')[2]}") as answer:
                assert answer.status == 404


async def test_what_was_shown_to_an_earlier_owner_of_the_chat_is_closed_to_the_next(here: House) -> None:
    mine = await here.enrol("Mai", "mai-0123456789abcdef0", "S3")
    chat = Address("webchat", "mai-0123456789abcdef0")
    picture = Attached("a.jpg", "image/jpeg", PHOTO)
    await here.show(Outgoing(chat, "Ảnh", attached=picture), "picture", person_id=mine)
    async with client(here) as browser:
        async with browser.get(here.path(chat.chat_id)) as answer:
            (address,) = Page(await answer.text()).pictures.values()
        other = await here.enrol("Nam", "nam-0123456789abcdef0", "S4")
        async with here.database.transaction() as session:
            await people.link(session, other, chat, NOW)
        async with browser.get(address) as answer:
            assert answer.status == 404


@pytest.mark.parametrize("kind", ["text/html", "image/svg+xml", "application/zip"])
async def test_a_document_is_saved_never_opened_in_the_page(here: House, kind: str) -> None:
    await here.show(Outgoing(ME, "Tệp", attached=Attached('danh "sách".html', kind, b"<script>")), "document")
    async with client(here) as browser:
        async with browser.get(here.path()) as answer:
            page = Page(await answer.text())
        assert [one.document for one in page.shown] == ['danh "sách".html']
        async with browser.get(*page.documents.values()) as answer:
            assert answer.content_type == "application/octet-stream"
            disposition = answer.headers["Content-Disposition"]
    assert disposition == "attachment; filename*=UTF-8''danh%20%22s%C3%A1ch%22.html"
