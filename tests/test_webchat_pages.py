"""The chat page without a browser's help: reading, tapping, typing and joining over plain HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from domain.chat import Address, Button, Command, Outgoing, Tap, Text
from handlers.help import FOR_HEADS, FOR_STAFF
from storage import people
from tests.web_bench import LAN, NOW, House, Page, client, house
from texts import text
from web.guard import Flood
from web.spoken import Refused, read_form, read_json

ME = Address("webchat", LAN)
WELL = Button("Tôi khoẻ", data="1.well.7.abc", style="success")


@pytest_asyncio.fixture
async def here(empty_store: Path, tmp_path: Path) -> AsyncIterator[House]:
    async with house(empty_store, tmp_path) as running:
        yield running


async def page(here: House, path: str | None = None) -> Page:
    async with client(here) as browser, browser.get(path or here.path()) as answer:
        assert answer.status == 200
        return Page(await answer.text())


async def test_a_tap_without_javascript_brings_back_the_page_with_the_answer(here: House) -> None:
    asked = await here.show(Outgoing(ME, "Anh/chị thế nào?", keyboard=((WELL,),)), "ask")
    seen = await page(here)
    form = {"key": seen.fields["key"], "message_id": asked, "tap": seen.taps["Tôi khoẻ"]}
    async with client(here) as browser, browser.post(f"{here.path()}/say", data=form) as answer:
        assert str(answer.url.path) == here.path()
        assert [(one.title, one.text) for one in Page(await answer.text()).shown] == [
            ("Cảm ơn", "Đã ghi: 1.well.7.abc")
        ]
    assert [update.said for update in here.heard] == [Tap("1.well.7.abc", asked)]


async def test_the_same_form_sent_twice_counts_once_and_another_tap_counts_too(here: House) -> None:
    form = {"key": "0123456789", "message_id": "m", "tap": "1.a"}
    async with client(here) as browser:
        for tap in ("1.a", "1.a", "1.b"):
            async with browser.post(f"{here.path()}/say", data=form | {"tap": tap}) as answer:
                assert answer.status == 200
    assert [update.said for update in here.heard] == [Tap("1.a", "m"), Tap("1.b", "m")]


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("2", Text("2")),
        ("  Tôi e\u0302m  ", Text("Tôi êm")),
        ("/today", Command("today")),
        ("/Start@bot  4F7Q ", Command("start", "4F7Q")),
        ("a\x00\u0007b\nc", Text("ab\nc")),
    ],
)
async def test_what_is_typed_is_a_text_or_a_command(here: House, typed: str, said: object) -> None:
    async with client(here) as browser:
        spoken = {"key": "k" * 16, "text": typed}
        async with browser.post(f"{here.path()}/say", json=spoken) as answer:
            assert await answer.json() == {"saved": True, "notice": ""}
    assert [update.said for update in here.heard] == [said]


async def test_in_a_group_the_speaker_is_the_reader(here: House) -> None:
    await here.enrol()
    path = here.group_path("group-ke-hoach")
    async with client(here) as browser, browser.post(f"{path}/say", json={"key": "k" * 16, "text": "/status"}):
        pass
    (update,) = here.heard
    assert (update.sender, update.chat) == (ME, Address("webchat", "group-ke-hoach"))
    assert [one.text for one in (await page(here, path)).shown] == ["Lệnh status []"]


async def test_when_the_store_refuses_the_answer_is_kept_on_the_page(here: House) -> None:
    here.refuses = True
    async with client(here) as browser:
        async with browser.post(f"{here.path()}/say", json={"key": "k" * 16, "text": "2"}) as answer:
            assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
            assert await answer.json() == {"saved": False, "error": text("vi", "web.not_stored")}
        async with browser.post(f"{here.path()}/say", data={"key": "k" * 16, "text": 'a "b" <c>'}) as answer:
            assert answer.status == 503
            again = Page(await answer.text()).fields
        here.refuses = False
        async with browser.post(f"{here.path()}/say", data=again):
            pass
    assert [update.said for update in here.heard] == [Text('a "b" <c>')]


@pytest.mark.parametrize(
    ("spoken", "status"),
    [
        ({"key": "k" * 16, "text": "x" * 4001}, 413),
        ({"key": "k" * 16, "text": "x" * 20_000}, 413),
        ({"key": "k" * 16, "text": "  "}, 400),
        ({"key": "", "text": "2"}, 400),
        ({"key": "k" * 16, "tap": "x" * 201}, 400),
        ({"key": 7, "text": "2"}, 400),
        (["2"], 400),
    ],
)
async def test_what_is_out_of_bounds_is_refused_in_plain_words(here: House, spoken: object, status: int) -> None:
    async with client(here) as browser, browser.post(f"{here.path()}/say", json=spoken) as answer:
        assert answer.status == status
        assert (await answer.json())["error"]
    assert here.heard == []


async def test_a_flood_is_slowed_for_its_own_chat_only(here: House) -> None:
    async with client(here) as browser:
        statuses = []
        for number in range(45):
            spoken = {"key": f"key-{number:08d}", "text": "a"}
            async with browser.post(f"{here.path()}/say", json=spoken) as answer:
                statuses.append(answer.status)
        assert statuses[:30] == [200] * 30
        assert 429 in statuses
        other = f"{here.path('minh-000000000000000000')}/say"
        async with browser.post(other, json={"key": "k" * 16, "text": "a"}) as answer:
            assert answer.status == 200


def test_a_flood_gate_opens_again_as_time_passes_and_forgets_who_went_quiet() -> None:
    gate = Flood(per_minute=2, most_remembered=2)
    assert [gate.allows("a", at) for at in (0, 0, 0, 31, 31)] == [True, True, False, True, False]
    assert gate.allows("b", 32)
    assert gate.allows("c", 200)
    assert gate.allows("d", 200)


async def test_only_what_was_written_to_whoever_has_the_chat_now_is_shown(here: House) -> None:
    lan = await here.enrol()
    await here.show(Outgoing(ME, "Chào khách"), "stranger")
    await here.show(Outgoing(ME, "Của Lan"), "hers", person_id=lan)
    assert [one.text for one in (await page(here)).shown] == ["Chào khách", "Của Lan"]
    minh = await here.enrol("Minh", "minh-000000000000000000", "S2")
    async with here.database.transaction() as session:
        await people.link(session, minh, ME, NOW)
    assert [one.text for one in (await page(here)).shown] == ["Chào khách"]


async def test_a_group_is_shown_to_staff_only(here: House) -> None:
    path = here.group_path("group-ke-hoach", "nobody-00000000000000000")
    async with client(here) as browser, browser.get(path) as answer:
        assert answer.status == 404


async def test_pages_speak_the_readers_language(here: House) -> None:
    await here.enrol(language="en")
    async with client(here) as browser, browser.get(here.path()) as answer:
        html = await answer.text()
    assert '<html lang="en">' in html
    assert text("en", "web.send") in html


async def test_hostile_names_and_texts_stay_text(here: House) -> None:
    evil = "<script>alert(1)</script>\"'><img src=x onerror=y> {{7*7}} \u202egnp.exe"
    await here.enrol(name=evil)
    keyboard = (
        (Button(evil, data='1."><b>'), Button("xấu", url="javascript:alert(1)"), Button("Gọi", asks_phone=True)),
    )
    await here.show(Outgoing(ME, evil, title=evil, keyboard=keyboard), "evil")
    async with client(here) as browser, browser.get(here.path()) as answer:
        html = await answer.text()
    for mark in ("<script>alert", "<img", "<b>", "javascript:", "\u202e"):
        assert mark not in html
    (shown,) = Page(html).shown
    assert shown.text == shown.title == evil.replace("\u202e", "")
    assert shown.labels == ((shown.text,),)


async def test_a_message_stands_where_it_first_stood_on_the_day_it_came(here: House) -> None:
    asked = await here.show(Outgoing(ME, "Câu hỏi"), "ask")
    here.now = NOW.replace(day=24)
    await here.show(Outgoing(ME, "Hôm sau"), "other")
    await here.show(Outgoing(ME, "Cảm ơn", replaces=asked), "thanks")
    async with client(here) as browser, browser.get(here.path()) as answer:
        html = await answer.text()
    order = [html.index(part) for part in ("23/11/2026", "Cảm ơn", "24/11/2026", "Hôm sau")]
    assert order == sorted(order)


async def test_asking_for_news_says_nothing_when_there_is_none(here: House) -> None:
    await here.show(Outgoing(ME, "Một"), "one")
    async with client(here) as browser:
        async with browser.get(f"{here.path()}/messages") as answer:
            first = await answer.json()
            assert [one.text for one in Page(first["html"]).shown] == ["Một"]
        async with browser.get(f"{here.path()}/messages", params={"state": first["state"]}) as answer:
            assert answer.status == 204


async def test_joining_changes_nothing_until_the_button_is_pressed_and_then_once(here: House) -> None:
    code = "4F7QZ4F7QZ4F7QZ4F7QZ4F7QZ4"
    async with client(here) as browser:
        async with browser.get(f"/chat/join/{code}") as answer:
            form = Page(html := await answer.text()).fields
        assert "4F7QZ-4F7QZ-4F7QZ-4F7QZ-4F7QZ-4" in html
        assert here.heard == []
        ends = set()
        for _ in range(2):
            async with browser.post("/chat/join", data=form | {"code": code}) as answer:
                ends.add(answer.url.path)
                assert [one.text for one in Page(await answer.text()).shown] == [f"Lệnh start [{code}]"]
    assert len(ends) == 1
    (update,) = here.heard
    assert (update.said, update.is_private, update.language) == (Command("start", code), True, "vi")


async def test_every_code_leads_to_a_chat_and_a_second_one_can_be_tried_there(here: House) -> None:
    async with client(here) as browser:
        async with browser.get("/chat/join", params={"lang": "en"}) as answer:
            form = Page(html := await answer.text()).fields
            assert text("en", "web.join_intro") in html
        for code in ("wrong", "right"):
            async with browser.post("/chat/join", data=form | {"code": code}) as answer:
                shown = Page(await answer.text()).shown
    assert [one.text for one in shown] == ["Lệnh start [wrong]", "Lệnh start [right]"]
    assert here.heard[0].language == "en"


async def test_joining_survives_a_busy_store_and_a_forged_or_empty_form(here: House) -> None:
    async with client(here) as browser:
        async with browser.post("/chat/join", data={"code": ""}) as answer:
            assert answer.url.path == "/chat/join"
        async with browser.post("/chat/join", data={"code": "x", "seed": "lan.forged"}) as answer:
            assert answer.url.path.startswith("/chat/fresh-")
        here.refuses = True
        async with browser.post("/chat/join", data={"code": "AB CD"}) as answer:
            html = await answer.text()
            assert answer.status == 503
    assert text("vi", "web.not_stored") in html
    assert 'value="AB CD"' in html


async def test_links_of_other_chats_purposes_and_keys_open_nothing(here: House) -> None:
    own = here.path().removeprefix("/chat/")
    forged = (
        own[:-1] + ("A" if own[-1] != "A" else "B"),
        own.replace("lan", "mai"),
        here.seal.link("join", LAN),
        here.seal.link("group", LAN) + "x",
        "x" * 12,
    )
    async with client(here) as browser:
        for link in forged:
            for path in (f"/chat/{link}", f"/chat/{link}/messages", f"/chat/{link}/events"):
                async with browser.get(path) as answer:
                    assert answer.status == 404
            async with browser.post(f"/chat/{link}/say", json={"key": "k" * 16, "text": "2"}) as answer:
                assert answer.status == 404
    assert here.heard == []


@pytest.mark.parametrize("language", ["vi", "en"])
def test_every_command_of_the_menu_has_a_label(language: str) -> None:
    for name in FOR_STAFF + FOR_HEADS:
        assert text(language, f"web.menu_{name}")


@given(st.binary(max_size=300))
def test_any_body_is_read_or_refused(body: bytes) -> None:
    for read in (read_json, read_form):
        try:
            spoken = read(body)
        except Refused:
            continue
        assert spoken.text or spoken.tap
