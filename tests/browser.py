"""A real browser for the tests: Debian's chromium, driven by playwright, which stays on this machine."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Browser, BrowserContext, Page, async_playwright

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """Raises FileNotFoundError where chromium is not installed: these tests are never skipped."""
    path = shutil.which("chromium")
    if path is None:
        raise FileNotFoundError("chromium is not installed (apt-get install chromium)")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def opened(
    browser: Browser, url: str, *, width: int = 360, height: int = 740, javascript: bool = True
) -> AsyncIterator[Page]:
    """A page of a phone's size in a context of its own. Anything the page complains of fails the test."""
    context: BrowserContext = await browser.new_context(
        viewport={"width": width, "height": height}, java_script_enabled=javascript, locale="vi-VN"
    )
    complaints: list[str] = []
    page = await context.new_page()
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if "Content Security" in said.text else None)
    try:
        await page.goto(url)
        yield page
        assert complaints == []
    finally:
        await context.close()
