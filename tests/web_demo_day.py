"""A demonstration whose clock moves only when told: four phones and a group of made-up people."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

from domain.chat import Language
from domain.seal import Seal
from tests.web_bench import NOW
from web.demo import DemoPhone
from web.links import chat_link, group_link

PEOPLE = (
    ("Chị Lan", "cán bộ, Phòng Kế hoạch", "demo-lan-000000000001"),
    ("Anh Minh", "cán bộ, Phòng Kế hoạch", "demo-minh-00000000002"),
    ("Chị Hoa", "đầu mối", "demo-hoa-000000000003"),
    ("Ông Quang", "thủ trưởng", "demo-quang-0000000004"),
)
GROUP = "group-ke-hoach"


class DemoDay:
    def __init__(self, seal: Seal) -> None:
        self.language: Language = "vi"
        self.running = False
        self.moves: list[str] = []
        self._now = NOW - timedelta(minutes=35)
        self._moved = asyncio.Event()
        self._phones = [DemoPhone(title, role, chat_link(seal, chat)) for title, role, chat in PEOPLE]
        self._phones.append(DemoPhone("Nhóm lãnh đạo", "Phòng Kế hoạch", group_link(seal, GROUP, PEOPLE[3][2])))

    @property
    def phones(self) -> Sequence[DemoPhone]:
        return self._phones

    def now(self) -> datetime:
        return self._now

    async def next_event(self) -> tuple[datetime, str] | None:
        if self.moves[-2:] == ["next", "next"]:
            return None
        return self._now + timedelta(minutes=30), "nhắc người chưa khai"

    async def to_morning(self) -> None:
        self._now = NOW - timedelta(minutes=5)
        self._note("to_morning")

    async def to_next(self) -> None:
        self._now += timedelta(hours=20)
        self._note("next")

    def run(self) -> None:
        self.running = True
        self._note("run")

    def pause(self) -> None:
        self.running = False
        self._note("pause")

    async def speak(self, language: Language) -> None:
        self.language = language
        self._note(language)

    async def wait_changed(self) -> None:
        moved = self._moved
        await moved.wait()

    def _note(self, move: str) -> None:
        self.moves.append(move)
        self._moved.set()
        self._moved = asyncio.Event()
