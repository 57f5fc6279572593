"""A week of the demonstration's department, told as a transcript: what four people and their group see and tap.

`python -m tests.a_week` writes docs/a-week.md; tests/test_a_week.py holds that page to what really happens.
"""

from __future__ import annotations

import asyncio
import itertools
import tempfile
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from pathlib import Path

from bot.demo import ZONE, Demo, build_demo
from domain.chat import Address, Button, Command, Incoming, Said, Tap, Text
from handlers import planning
from storage import people, units, webchat
from storage.webchat import Shown

PAGE = Path(__file__).resolve().parent.parent / "docs" / "a-week.md"
NAMES = ("Chị Lan", "Anh Minh", "Chị Hà (đầu mối)", "Ông Hải (thủ trưởng)")
LAN, MINH, HA, HAI = NAMES
GROUP = "Nhóm lãnh đạo phòng"
MONDAY = datetime(2026, 11, 23, 6, 30, tzinfo=ZONE)
MOST_LINES = 14
HEADING = """# A week in the demonstration's department

Phòng Kế hoạch - Tài chính (9 people) of the made-up Sở Nông nghiệp, 12 units, about 120 people, from Monday
23 November 2026. Tuesday is a public holiday, and the Saturday is worked by order. Written by `python -m tests.a_week`;
a test holds it to what the program really does. Long messages are cut at an ellipsis.
"""


@dataclass(slots=True)
class Week:
    demo: Demo
    lines: list[str] = field(default_factory=lambda: [HEADING])
    _seen: dict[str, dict[str, int]] = field(default_factory=dict)
    _keys: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def chat(self, who: str) -> Address:
        assert self.demo.department is not None
        return self.demo.department.group if who == GROUP else self.demo.department.chats[NAMES.index(who)]

    # --- the clock ---

    async def to(self, at: str, day: date) -> None:
        """Let time pass, doing everything due on the way; the other people answer in between."""
        demo, target = self.demo, datetime.combine(day, time.fromisoformat(at), ZONE).astimezone(UTC)
        assert demo.crowd is not None
        while True:
            following = await demo.app.ticks.next_due(demo.now())
            demo.set_to = min(max(following[0], demo.now()), target) if following else target
            await demo.crowd.answer_until(demo.now())
            await demo.app.settle_everything()
            await demo.crowd.notice_prompts(demo.now())
            if following is None or following[0] > target or demo.set_to >= target:
                break
        demo.set_to = target
        await demo.app.settle_everything()

    # --- what is said and seen ---

    def day(self, title: str) -> None:
        self.lines.append(f"\n## {title}\n")

    def note(self, text: str) -> None:
        self.lines.append(f"{text}\n")

    async def sees(self, *who: str) -> None:
        """Tell what is new on these screens."""
        for one in who:
            for message in await self.new_on(one):
                self.lines += [f"**{self._clock()} {one}** sees:\n", *_quoted(message), ""]

    async def unseen(self, *who: str) -> None:
        """What is on these screens by now is not told."""
        for one in who:
            await self.new_on(one)

    async def tap(self, who: str, *labels: str) -> None:
        for label in labels:
            message_id, button = await self._button(who, label)
            self.lines.append(f"**{self._clock()} {who}** taps [{button.label}]\n")
            await self._says(who, Tap(button.data, message_id))

    async def type(self, who: str, text: str) -> None:
        self.lines.append(f"**{self._clock()} {who}** types “{text}”\n")
        name, _, args = text[1:].partition(" ")
        await self._says(who, Command(name, args) if text.startswith("/") else Text(text))

    def _clock(self) -> str:
        return f"{self.demo.now().astimezone(ZONE):%H:%M}"

    async def _says(self, who: str, said: Said) -> None:
        chat = self.chat(who)
        incoming = Incoming(f"week-{next(self._keys)}", chat, chat, said)
        await self.demo.app.receive([incoming])
        await self.demo.app.settle_everything()

    async def _button(self, who: str, label: str) -> tuple[str, Button]:
        for message in reversed(await self._messages(who)):
            for button in itertools.chain(*message.keyboard):
                if label in button.label:
                    return message.message_id, button
        raise AssertionError(f"{who} has no button {label!r}")

    async def buttons(self, who: str) -> list[str]:
        """The labels on the newest message, in order."""
        newest = (await self._messages(who))[-1]
        return [button.label for row in newest.keyboard for button in row]

    async def new_on(self, who: str) -> list[Shown]:
        known = self._seen.setdefault(who, {})
        found = [one for one in await self._messages(who) if known.get(one.message_id) != one.version]
        known |= {one.message_id: one.version for one in found}
        return found

    async def _messages(self, who: str) -> list[Shown]:
        chat = self.chat(who)
        async with self.demo.app.database.reading() as session:
            if who == GROUP:
                return await webchat.group_messages(session, chat, 200)
            person = (await people.at(session, {chat}))[chat]
            return await webchat.messages(session, chat, person.id, 200)


def _quoted(message: Shown) -> list[str]:
    lines = [*([f"**{message.title}**"] if message.title else []), *message.text.split("\n")]
    if len(lines) > MOST_LINES:
        lines = [*lines[:MOST_LINES], "…"]
    lines += [" ".join(f"[{button.label}]" for button in row) for row in message.keyboard[:6]]
    return [f"> {line}  ".rstrip() if not line else f"> {line}  " for line in lines]


async def tell() -> str:
    """The whole week."""
    with tempfile.TemporaryDirectory() as folder:
        demo = await build_demo(Path(folder), MONDAY.astimezone(UTC))
        demo.seconds = lambda: demo.set_when
        week = Week(demo)
        try:
            for told in (_monday, _tuesday, _wednesday, _thursday, _friday, _saturday):
                await told(week)
        finally:
            await demo.app.database.close()
    return "\n".join(week.lines).rstrip() + "\n"


async def _monday(week: Week) -> None:
    day = date(2026, 11, 23)
    week.day("Thứ Hai 23/11: một ngày bình thường, một người ho")
    await week.to("07:00", day)
    await week.sees(LAN)
    await week.tap(LAN, "Tôi khỏe")
    await week.sees(LAN)
    await week.tap(MINH, "Tôi có điều cần khai báo thêm", "Ho", "Tiếp tục", "Không đo")
    await week.tap(MINH, "Không tiếp xúc", "Không đến", "Chưa xét nghiệm", "Gửi bản khai")
    await week.sees(MINH)
    await week.tap(HA, "Tôi khỏe")
    await week.to("08:30", day)
    await week.unseen(LAN, HA)
    await week.sees(HAI)
    await week.tap(HAI, "Tôi khỏe")
    await week.to("09:00", day)
    await week.unseen(HA, HAI)
    await week.sees(GROUP)
    await week.to("14:00", day)
    await week.sees(HA)
    await week.tap(HA, "✓ Xác nhận")
    await week.sees(HA)
    await week.type(HAI, "/zone")
    await week.sees(HAI)
    await week.to("16:30", day)
    for who in (LAN, HA, HAI):
        await week.tap(who, "Tôi khỏe")
    await week.tap(HA, "Đã nhập lên bản đồ")
    await week.to("18:30", day)
    await week.unseen(*NAMES, GROUP)
    await week.type(HA, "/leave")
    await week.tap(HA, "Nghỉ phép")
    await week.type(HA, "25/11")
    await week.tap(HA, "25/11")
    await week.sees(HA)


async def _tuesday(week: Week) -> None:
    week.day("Thứ Ba 24/11: ngày nghỉ lễ, không ai bị hỏi")
    await week.to("19:00", date(2026, 11, 24))
    new = [who for who in NAMES if await week.new_on(who)]
    week.note(f"Số người nhận được tin nhắn trong ngày: {len(new)}")
    assert not new


async def _wednesday(week: Week) -> None:
    day = date(2026, 11, 25)
    week.day("Thứ Tư 25/11: đầu mối nghỉ phép, thủ trưởng xác nhận muộn")
    await week.to("07:00", day)
    for who in (LAN, MINH, HAI):
        await week.tap(who, "Tôi khỏe")
    await week.to("13:59", day)
    await week.unseen(*NAMES, GROUP)
    await week.to("14:00", day)
    await week.sees(HA, HAI)
    await week.to("15:00", day)
    await week.sees(GROUP)
    await week.to("15:12", day)
    await week.unseen(HAI)
    await week.tap(HAI, "✓")
    await week.sees(HAI)
    await week.to("16:30", day)
    for who in (LAN, MINH, HAI):
        await week.tap(who, "Tôi khỏe")


async def _thursday(week: Week) -> None:
    day = date(2026, 11, 26)
    week.day("Thứ Năm 26/11: khai hộ bị phản đối, việc bất thường lúc 14:59")
    await week.to("07:00", day)
    for who in (MINH, HA, HAI):
        await week.tap(who, "Tôi khỏe")
    await week.to("08:30", day)
    await week.unseen(*NAMES, GROUP)
    await week.tap(HAI, "Nguyễn Thị Lan", "Khai hộ", "Điện thoại hỏng")
    await week.sees(HAI)
    await week.tap(HAI, "Đúng như trên")
    await week.sees(LAN)
    await week.tap(LAN, "Không đúng, tôi khai lại")
    await week.unseen(LAN)
    await week.sees(HAI)
    await week.tap(LAN, "Tôi khỏe")
    await week.to("14:00", day)
    await week.tap(HA, "✓")
    await week.to("14:59", day)
    await week.unseen(*NAMES, GROUP)
    await week.type(MINH, "/incident")
    await week.sees(MINH)
    await week.tap(MINH, (await week.buttons(MINH))[0])
    await week.type(MINH, "Một khách đến họp bị ngất tại phòng 302, đã gọi 115")
    await week.tap(MINH, "Bỏ qua")
    await week.unseen(MINH)
    await week.tap(MINH, "Gửi ngay")
    await week.sees(MINH, HAI, GROUP)
    await week.tap(HAI, "Tôi tiếp nhận")
    await week.sees(MINH)
    await week.unseen(HAI)
    await week.to("15:01", day)
    await week.sees(HA)
    await week.tap(HA, "✓")
    await week.tap(HAI, "Kết thúc việc này", "Đã chuyển cơ quan y tế")
    await week.unseen(HAI)
    await week.sees(MINH)
    await week.to("16:30", day)
    for who in NAMES:
        await week.tap(who, "Tôi khỏe")
    await week.to("18:30", day)
    await week.unseen(*NAMES, GROUP)


async def _friday(week: Week) -> None:
    day = date(2026, 11, 27)
    week.day("Thứ Sáu 27/11: vì sao còn vàng, và thứ Bảy làm bù")
    await week.to("07:00", day)
    for who in NAMES:
        await week.tap(who, "Tôi khỏe")
    await week.to("14:00", day)
    await week.unseen(*NAMES, GROUP)
    await week.tap(HA, "✓")
    await week.unseen(HA)
    await week.type(HAI, "/zone")
    await week.sees(HAI)
    await week.type(HAI, "/status 23/11")
    await week.sees(HAI)
    await week.to("16:30", day)
    for who in NAMES:
        await week.tap(who, "Tôi khỏe")
    await week.to("18:30", day)
    async with week.demo.app.database.transaction() as session:
        root = await units.root(session)
        assert root is not None
        saturday = date(2026, 11, 28)
        await planning.declare_day(
            session, saturday, root, is_working=True, note="", today=day, now=week.demo.now(), actor="cli"
        )
    week.note("Quản trị ghi: thứ Bảy 28/11 là ngày làm việc.")
    await week.unseen(*NAMES, GROUP)


async def _saturday(week: Week) -> None:
    day = date(2026, 11, 28)
    week.day("Thứ Bảy 28/11: làm bù, ai cũng được hỏi như ngày thường")
    await week.to("07:00", day)
    await week.sees(LAN)
    for who in NAMES:
        await week.tap(who, "Tôi khỏe")
    await week.to("09:00", day)
    await week.unseen(*NAMES)
    await week.sees(GROUP)
    await week.type(LAN, "/history")
    await week.sees(LAN)


def main() -> None:
    PAGE.write_text(asyncio.run(tell()), encoding="utf-8")


if __name__ == "__main__":
    main()
