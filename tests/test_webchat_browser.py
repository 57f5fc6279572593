"""The web chat on a small phone, in a real browser: by thumb, by keyboard, by ear, and over a line that breaks."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, FilePayload, Page, Route, expect

from domain.chat import Address, Attached, Button, File, Outgoing, Tap, Text
from domain.files import MOST_BYTES
from tests.browser import chromium, opened
from tests.web_bench import LAN, House, house
from tests.web_demo_day import GROUP, PEOPLE, DemoDay
from texts import text

pytestmark = pytest.mark.asyncio(loop_scope="module")

ME = Address("webchat", LAN)
ASK = Outgoing(
    ME,
    "Sáng nay anh/chị thế nào?",
    title="Khai báo sáng",
    keyboard=(
        (
            Button(
                "Tôi khoẻ, không tiếp xúc, không về từ vùng nguy cơ. Tôi cam đoan khai đúng.", "1.well", style="success"
            ),
        ),
        (Button("Có điều cần khai", "1.unwell"), Button("Xem thêm", url="https://example.vn/")),
    ),
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def here(empty_store: Path, tmp_path: Path) -> AsyncIterator[House]:
    async with house(empty_store, tmp_path) as running:
        await running.enrol()
        yield running


async def photo(page: Page, width: int) -> bytes:
    """A picture with too much in it to be small."""
    drawn: str = await page.evaluate(NOISE, width)
    return base64.b64decode(drawn.partition(",")[2])


async def fits(page: Page) -> bool:
    """No horizontal scrolling."""
    return bool(await page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


async def test_an_answer_by_keyboard_turns_the_question_into_its_receipt(browser: Browser, here: House) -> None:
    asked = await here.show(ASK, "ask")
    async with opened(browser, here.url + here.path()) as page:
        await page.keyboard.press("Tab")
        await expect(page.get_by_role("button", name="Tôi khoẻ")).to_be_focused()
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", name="Cảm ơn")).to_be_visible()
        await expect(page.get_by_role("button", name="Tôi khoẻ")).to_have_count(0)
        await expect(page.locator(f"#m-{asked}")).to_be_focused()
        await expect(page.locator(".mine")).to_have_count(0)
        await expect(page.locator(".message")).to_have_count(1)
    assert [update.said for update in here.heard] == [Tap("1.well", asked)]


async def test_what_is_sent_and_edited_meanwhile_appears_by_itself(browser: Browser, here: House) -> None:
    async with opened(browser, here.url + here.path()) as page:
        await expect(page.get_by_text(text("vi", "web.empty"))).to_be_visible()
        asked = await here.show(ASK, "ask")
        await expect(page.get_by_role("button", name="Tôi khoẻ")).to_be_visible()
        await expect(page.get_by_text(text("vi", "web.empty"))).to_be_hidden()
        await here.show(Outgoing(ME, "Tin sau"), "later")
        await here.show(Outgoing(ME, "Đã ghi lúc 07:05", replaces=asked), "receipt")
        await expect(page.locator(".message .text")).to_have_text(["Đã ghi lúc 07:05", "Tin sau"])


async def test_an_answer_given_without_a_line_arrives_once_when_it_is_back(browser: Browser, here: House) -> None:
    asked = await here.show(ASK, "ask")
    async with opened(browser, here.url + here.path()) as page:
        await page.context.set_offline(True)
        await page.get_by_role("button", name="Tôi khoẻ").click()
        await expect(page.get_by_text(text("vi", "web.unsent"))).to_be_visible()
        await page.get_by_role("textbox").fill("còn một câu")
        await page.keyboard.press("Enter")
        assert here.heard == []
        await page.context.set_offline(False)
        await expect(page.get_by_role("heading", name="Cảm ơn")).to_be_visible()
        await expect(page.get_by_text("Nghe: còn một câu")).to_be_visible()
        await page.reload()
        await expect(page.locator(".mine")).to_have_count(0)
    assert [update.said for update in here.heard] == [Tap("1.well", asked), Text("còn một câu")]


async def test_an_answer_outlasts_a_closed_page(browser: Browser, here: House) -> None:
    await here.show(ASK, "ask")
    here.refuses = True
    async with opened(browser, here.url + here.path()) as page:
        await page.get_by_role("button", name="Có điều").click()
        await expect(page.get_by_text(text("vi", "web.not_stored"))).to_be_visible()
        await page.goto("about:blank")
        here.refuses = False
        await page.goto(here.url + here.path())
        await expect(page.get_by_role("heading", name="Cảm ơn")).to_be_visible()
    assert len(here.heard) == 1


async def test_an_answer_whose_receipt_was_lost_is_repeated_without_harm(browser: Browser, here: House) -> None:
    await here.show(ASK, "ask")
    async with opened(browser, here.url + here.path()) as page:
        lost: list[object] = []

        async def lose(route: object) -> None:
            if lost:
                await route.continue_()  # type: ignore[attr-defined]
                return
            lost.append(await route.fetch())  # type: ignore[attr-defined]
            await route.abort()  # type: ignore[attr-defined]

        await page.route("**/say", lose)
        await page.get_by_role("button", name="Tôi khoẻ").click()
        await expect(page.get_by_role("heading", name="Cảm ơn")).to_be_visible()
        await expect(page.locator(".mine")).to_have_count(0, timeout=10_000)
    assert len(lost) == 1
    assert len(here.heard) == 1


async def test_a_long_unsent_text_waits_for_the_person_instead(browser: Browser, here: House) -> None:
    async with opened(browser, here.url + here.path()) as page:
        await page.evaluate(
            """path => localStorage.setItem("vungxanh:" + path + "#queue", JSON.stringify(
                [{key: "0123456789", text: "2", tap: "", message_id: "", label: "2", at: Date.now() - 7200000}]))""",
            here.path(),
        )
        await page.reload()
        await expect(page.get_by_role("textbox")).to_have_value("2")
        await expect(page.get_by_role("status")).to_have_text(text("vi", "web.too_old"))
    assert here.heard == []


async def test_a_photo_too_large_to_send_is_made_smaller(browser: Browser, here: House) -> None:
    async with opened(browser, here.url + here.path()) as page:
        large = await photo(page, 2200)
        assert len(large) > MOST_BYTES
        picker = page.get_by_label(text("vi", "web.attach"))
        await picker.set_input_files({"name": "que thử.png", "mimeType": "image/png", "buffer": large})
        await expect(page.get_by_text("Nhận: que thử.jpg image/jpeg")).to_be_visible()
        await expect(page.locator(".mine .state")).to_have_text(text("vi", "web.sent"))
        await expect(page.locator("progress")).to_have_count(0)
    (update,) = here.heard
    assert isinstance(update.said, File)
    assert update.said.size < MOST_BYTES / 2


async def test_the_file_button_is_reached_and_pressed_by_keyboard(browser: Browser, here: House) -> None:
    async with opened(browser, here.url + here.path()) as page:
        page.on("filechooser", lambda chooser: None)  # from now on none opens outside of the page
        await page.locator("summary").focus()
        await page.keyboard.press("Tab")
        await expect(page.get_by_label(text("vi", "web.attach"))).to_be_focused()
        async with page.expect_file_chooser(timeout=5000) as chooser:
            await page.keyboard.press("Space")
        await (await chooser.value).set_files(ROSTER)
        await expect(page.get_by_text("Nhận: danh sách.csv")).to_be_visible()


async def test_a_file_on_a_broken_line_is_sent_once_when_it_is_back(browser: Browser, here: House) -> None:
    async with opened(browser, here.url + here.path()) as page:
        await page.context.set_offline(True)
        await page.get_by_label(text("vi", "web.attach")).set_input_files(ROSTER)
        await expect(page.get_by_text(text("vi", "web.file_unsent"))).to_be_visible()
        assert here.heard == []
        await page.context.set_offline(False)
        await expect(page.get_by_text("Nhận: danh sách.csv text/plain")).to_be_visible()
    assert len(here.heard) == 1


async def test_a_file_whose_receipt_was_lost_is_repeated_without_harm(browser: Browser, here: House) -> None:
    async with opened(browser, here.url + here.path()) as page:
        lost: list[object] = []

        async def lose(route: Route) -> None:
            if lost:
                await route.continue_()
                return
            lost.append(await route.fetch())
            await route.abort()

        await page.route("**/file", lose)
        await page.get_by_label(text("vi", "web.attach")).set_input_files(ROSTER)
        await expect(page.get_by_text("Nhận: danh sách.csv")).to_be_visible()
        await expect(page.locator(".mine .state")).to_have_text(text("vi", "web.sent"), timeout=10_000)
    assert len(here.heard) == 1


async def test_too_large_a_file_is_not_even_sent(browser: Browser, here: House) -> None:
    async with opened(browser, here.url + here.path()) as page:
        too_large = ROSTER | {"buffer": bytes(MOST_BYTES + 1)}
        await page.get_by_label(text("vi", "web.attach")).set_input_files(too_large)
        await expect(page.get_by_role("status")).to_have_text(text("vi", "help.file_too_large"))
    assert here.heard == []


async def test_a_picture_and_a_document_are_seen_and_fit(browser: Browser, here: House) -> None:
    async with opened(browser, here.url + here.path()) as page:
        png = await photo(page, 900)
        await here.show(Outgoing(ME, "Ảnh chụp", attached=Attached("a.png", "image/png", png)), "picture")
        long_name = f"{'danh-sách-' * 12}.xlsx"
        await here.show(Outgoing(ME, "Tệp", attached=Attached(long_name, "application/zip", b"PK")), "document")
        picture = page.get_by_role("img", name=text("vi", "web.picture"))
        await expect(picture).to_be_visible()
        await picture.scroll_into_view_if_needed()
        await page.wait_for_function("document.querySelector('.picture img').naturalWidth > 0")
        await expect(page.get_by_role("link", name="danh-sách-")).to_have_attribute("download", "")
        assert await fits(page)


async def test_a_refused_text_says_why(browser: Browser, here: House) -> None:
    async with opened(browser, here.url + here.path()) as page:
        await page.evaluate("document.getElementById('text').removeAttribute('maxlength')")
        await page.get_by_role("textbox").fill("x" * 4001)
        await page.get_by_role("button", name=text("vi", "web.send")).click()
        await expect(page.get_by_text(text("vi", "web.too_long"))).to_be_visible()


@pytest.mark.parametrize("width", [240, 360, 1280])
async def test_the_page_fits_and_its_targets_suit_a_thumb(browser: Browser, here: House, width: int) -> None:
    await here.show(ASK, "ask")
    await here.show(Outgoing(ME, "https://example.vn/" + "rất-dài-" * 40), "long")
    async with opened(browser, here.url + here.path(), width=width) as page:
        assert await fits(page)
        await page.locator("summary").click()
        for target in await page.locator("button:visible, a.button:visible, summary, #text").all():
            box = await target.bounding_box()
            assert box
            assert box["height"] >= 44, await target.inner_text()
        assert await fits(page)


async def test_a_screen_reader_finds_its_way(browser: Browser, here: House) -> None:
    await here.show(ASK, "ask")
    async with opened(browser, here.url + here.path()) as page:
        log = page.get_by_role("log", name=text("vi", "web.log"))
        await expect(log).to_have_attribute("aria-live", "polite")
        await expect(log.get_by_role("article")).to_have_count(1)
        await expect(page.get_by_role("heading", name="Khai báo sáng", level=2)).to_be_visible()
        await expect(page.get_by_role("textbox", name=text("vi", "web.type_here"))).to_be_visible()
        await expect(page.get_by_role("link", name="Xem thêm")).to_have_attribute("rel", "noopener noreferrer")
        assert await page.evaluate("document.documentElement.lang") == "vi"


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_words_stand_out_from_their_ground(browser: Browser, here: House, scheme: str) -> None:
    """WCAG AA: 4.5 to 1."""
    await here.show(ASK, "ask")
    async with opened(browser, here.url + here.path()) as page:
        await page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        contrasts = await page.evaluate(CONTRASTS)
    assert len(contrasts) > 8
    assert {words: ratio for words, ratio in contrasts.items() if ratio < 4.5} == {}


async def test_everything_works_without_javascript(browser: Browser, here: House) -> None:
    await here.show(ASK, "ask")
    async with opened(browser, here.url + here.path(), javascript=False) as page:
        await page.get_by_role("button", name="Tôi khoẻ").click()
        await expect(page.get_by_role("heading", name="Cảm ơn")).to_be_visible()
        await page.get_by_role("textbox").fill("2")
        await page.keyboard.press("Enter")
        await expect(page.get_by_text("Nghe: 2")).to_be_visible()
        await page.goto(here.url + "/chat/join/abc")
        await page.get_by_role("button", name=text("vi", "web.join_start")).click()
        await expect(page.get_by_text("Lệnh start [abc]")).to_be_visible()
    assert len(here.heard) == 3


@pytest.mark.parametrize("width", [360, 1280])
async def test_the_demonstration_shows_five_phones_and_its_clock_moves(
    browser: Browser, empty_store: Path, tmp_path: Path, width: int
) -> None:
    async with house(empty_store, tmp_path) as spare:
        day = DemoDay(spare.seal)
    async with house(empty_store, tmp_path, demo=day) as here:
        for n, (title, _, chat) in enumerate(PEOPLE):
            await here.enrol(title, chat, f"S{n}")
            await here.show(replace(ASK, to=Address("webchat", chat)), f"ask{n}")
        async with opened(browser, f"{here.url}/demo", width=width, height=800) as page:
            assert await fits(page)
            await expect(page.locator("iframe")).to_have_count(5)
            await page.get_by_role("button", name="đến 07:00").click()
            await expect(page.locator("#clock")).to_have_text("07:00")
            await page.get_by_role("button", name="chạy").click()
            await expect(page.get_by_role("button", name="dừng")).to_be_visible()
            first = page.frame_locator("iframe").nth(0)
            await first.get_by_role("button", name="Tôi khoẻ").click()
            await expect(first.get_by_role("heading", name="Cảm ơn")).to_be_visible()
            await here.show(Outgoing(Address("webchat", GROUP), "Đã khai 1/4"), "board")
            await expect(page.frame_locator("iframe").nth(4).get_by_text("Đã khai 1/4")).to_be_visible()
            if width == 1280:
                for phone in await page.locator(".phone").all():
                    box = await phone.bounding_box()
                    assert box
                    assert box["x"] + box["width"] <= width
    assert day.moves == ["to_morning", "run"]


ROSTER: FilePayload = {"name": "danh sách.csv", "mimeType": "text/csv", "buffer": "mã;họ tên\n".encode()}
NOISE = """width => { const canvas = document.createElement("canvas");
  canvas.width = width; canvas.height = width * 0.6;
  const paper = canvas.getContext("2d"), dots = paper.createImageData(canvas.width, canvas.height);
  for (let n = 0, at = 7; n < dots.data.length; n += 1) {
    at ^= at << 13; at ^= at >>> 17; at ^= at << 5; dots.data[n] = n % 4 === 3 ? 255 : at & 255; }
  paper.putImageData(dots, 0, 0); return canvas.toDataURL("image/png"); }"""
CONTRASTS = """() => {
  const light = (rgb) => { const [r, g, b] = rgb.map((v) => { v /= 255;
    return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; }); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const parts = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const ground = (node) => { for (let one = node; one; one = one.parentElement) {
    const found = parts(getComputedStyle(one).backgroundColor);
    if (found.length === 3 || found[3] === 1) return found.slice(0, 3);
  } return [255, 255, 255]; };
  const ratios = {};
  document.querySelectorAll("h1, h2, p, time, summary, button, a, input, .day span").forEach((node) => {
    if (!node.offsetParent && getComputedStyle(node).position !== "sticky") return;
    const words = node.textContent.trim() || node.placeholder; if (!words) return;
    const [a, b] = [light(parts(getComputedStyle(node).color).slice(0, 3)), light(ground(node))].sort((x, y) => y - x);
    ratios[words.slice(0, 40)] = Math.round(((a + 0.05) / (b + 0.05)) * 100) / 100;
  });
  return ratios;
}"""
