"""People with habits: they answer at once, late or never, tap twice, tap old buttons, forward, block, and type."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from random import Random

from domain.chat import Address, Incoming, Tap, Text
from tests.servers.bot_api_state import Message
from tests.simulation.department import TELEGRAM, WEBCHAT, Member
from tests.simulation.loop import Process
from tests.simulation.records import Act, Key, Records, Shown
from tests.simulation.service import Service
from tests.simulation.weather import SPEAKING, Weather

HABITS = (
    "prompt",
    "prompt",
    "prompt",
    "late",
    "never",
    "twice",
    "old",
    "correct",
    "explore",
    "both",
    "words",
    "block",
    "phone",
)
ASKING = ("well", "unwell")
GOES_ON = ("send", "next", "answer", "tick", "at")
"""Buttons that lead a declaration on."""
NEVER_TAPPED = ("decline", "language", "leave_new", "bind")
MALFORMED = (b'"message":[]}', b'"message":{"message_id":"x"}}', b'"callback_query":{"id":1}}', b'"message":{"chat":}')
"""What only a broken service sends, after an update's number."""
Take = Callable[[Incoming], Awaitable[bool]]


@dataclass(slots=True)
class Someone:
    """One member of staff with whatever is on their screens. `energy` bounds what they do in a day."""

    member: Member
    habit: str
    chance: Random
    service: Service
    weather: Weather
    records: Records
    take_web: Take
    invite: Callable[[str], Awaitable[str]]
    room: Process
    everybody: dict[str, Someone]
    energy: int = 14
    chats: set[str] = field(default_factory=set)
    screens: dict[Address, dict[str, Shown]] = field(default_factory=dict)
    _said: int = 0

    def __post_init__(self) -> None:
        self.chats = {str(chat) for chat in (self.member.telegram, self.member.web) if chat}

    def sees(self, shown: Shown) -> None:
        """A message came up, or changed; whatever follows from it is done in its own time."""
        self.screens.setdefault(shown.chat, {})[shown.message_id] = shown
        if self.energy > 0:
            self.room.run(self._react(shown))

    async def _react(self, shown: Shown) -> None:
        if shown.key("risk_ok", "risk_same"):
            await self._confirm(shown)
        elif shown.key("incident_take"):
            await self._after(20, 900)
            await self._tap(shown, "incident_take")
        elif shown.key("send"):
            await self._after(2, 40)
            await self._tap(shown, "send")
        elif shown.key("answer", "tick", "at"):
            await self._answer(shown)
        elif shown.key(*ASKING):
            await self._asked(shown)
        elif shown.key("correct") and self.habit in ("correct", "explore"):
            await self._after(30, 3000)
            await self._tap(shown, "correct")

    async def _asked(self, shown: Shown) -> None:
        match self.habit:
            case "never":
                return
            case "late":
                await self._after(7000, 8500)
            case "old":
                await self._after(10, 2000)
                await self._tap_an_old_one()
            case "block":
                await self._block()
            case "phone":
                await self._change_phone()
            case _:
                await self._after(2, 900)
        await self._tap(shown, self._choice())
        if self.habit == "twice":
            await self._after(0.1, 30)
            await self._tap(shown, "well")
        elif self.habit == "both":
            await self._answer_elsewhere(shown)
        elif self.habit == "words":
            await self._words()

    def _choice(self) -> str:
        share = {"explore": 0.7, "correct": 0.5}.get(self.habit, 0.1)
        return "unwell" if self.chance.random() < share else "well"

    async def _answer(self, shown: Shown) -> None:
        """Somewhere in the questions: one option, and on."""
        await self._after(1, 30)
        options = [one for one in shown.keys if one.verb in GOES_ON]
        on = [one for one in options if one.verb in ("send", "next")]
        ticked = any(one.label.startswith("☑") for one in options)
        await self._press(shown, self.chance.choice(on if ticked and on else options))

    async def _confirm(self, shown: Shown) -> None:
        if self.chance.random() < 0.75:
            await self._after(30, 3600)
            await self._tap(shown, "risk_ok", "risk_same")

    async def _tap_an_old_one(self) -> None:
        """Any button still on a screen, of whatever round."""
        on_screen = [
            (shown, key) for screen in self.screens.values() for shown in screen.values() for key in shown.keys
        ]
        choices = [one for one in on_screen if one[1].data and one[1].verb not in NEVER_TAPPED]
        if choices:
            await self._press(*self.chance.choice(choices))

    async def _answer_elsewhere(self, shown: Shown) -> None:
        """The same question in the person's other chat, at the same time."""
        for chat, screen in self.screens.items():
            if chat != shown.chat and (other := next((one for one in screen.values() if one.key("well")), None)):
                await self._tap(other, "well")
        if self.member.web and self.chance.random() < 0.5:
            await self._say_on_page(Text("/today"))

    async def _block(self) -> None:
        if self.member.telegram and self.energy > 5:
            self.energy -= 5
            await self.service.blocks(self.member.telegram)
            self._note(Address(TELEGRAM, str(self.member.telegram)), "block", "")
            self.weather.counts["blocked"] += 1
            await self._after(60, 6000)
            await self.service.unblocks(self.member.telegram)
            await self.service.says(self.member.telegram, "/today")

    async def _change_phone(self) -> None:
        """A new account, for which an administrator gives a code; the old one still lies in a drawer."""
        new = (self.member.telegram or 0) + 1000
        if self.member.telegram and str(new) not in self.chats:
            self.chats.add(str(new))
            self.service.user(new, self.member.name)
            await self.service.says(new, f"/start {await self.invite(self.member.name)}")
            self.weather.counts["new phone"] += 1
        await self._after(2, 900)

    async def _words(self) -> None:
        await self._after(1, 600)
        said = self.chance.choice(("1", "tôi khỏe", "2", "/today", "/status", "/help", "ok ạ", "/missing"))
        if self.member.telegram:
            await self.service.says(self.member.telegram, said)
            self._note(Address(TELEGRAM, str(self.member.telegram)), "says", said)
        elif self.member.web:
            await self._say_on_page(Text(said))

    async def type(self, words: str, *, group: int | None = None) -> None:
        assert self.member.telegram
        await self.service.says(self.member.telegram, words, chat=group)

    async def _after(self, least: float, most: float) -> None:
        await asyncio.sleep(self.chance.uniform(least, most))

    async def _tap(self, shown: Shown, *verbs: str) -> None:
        """The button of this verb, if it is still on the screen."""
        now = self.screens[shown.chat].get(shown.message_id, shown)
        if key := now.key(*verbs) or shown.key(*verbs):
            await self._press(shown, key)

    async def _press(self, shown: Shown, key: Key) -> None:
        self.energy -= 1
        self._note(shown.chat, "tap", key.data)
        if self.chance.random() < 0.03:
            await self._forward(shown, key)
        if shown.chat.channel == WEBCHAT:
            await self._say_on_page(Tap(key.data, shown.message_id))
        else:
            await self._press_on_telegram(shown, key)

    async def _press_on_telegram(self, shown: Shown, key: Key) -> None:
        fault = self.weather.one_of(SPEAKING)
        if fault == "lost_tap":
            return
        if fault == "late_tap":
            await self._after(60, 5000)
        if fault == "malformed":
            self.service.offer_raw(b'{"update_id":%d,%s' % (self.service._next_update, self.chance.choice(MALFORMED)))
        chat = self.service.chats[int(shown.chat.chat_id)]
        message = chat.messages.get(int(shown.message_id)) or Message(int(shown.message_id), chat.id, "", [], {})
        self.service.tap_data(chat.id, message, key.data)
        if fault == "expired_tap":
            self.service.expire_taps()

    async def _forward(self, shown: Shown, key: Key) -> None:
        """A colleague's client sends the same data: the button is not theirs."""
        other = self.everybody["minh" if self.member.name != "minh" else "lan"]
        assert other.member.telegram
        theirs = self.service.chats[other.member.telegram]
        self.weather.counts["forwarded"] += 1
        self.service.tap_data(other.member.telegram, Message(1, theirs.id, "", [], {}), key.data)

    async def _say_on_page(self, said: Tap | Text) -> None:
        """A page says it again until it hears that it was stored."""
        assert self.member.web
        self._said += 1
        here = Address(WEBCHAT, self.member.web)
        update = Incoming(f"{self.member.name}-{self._said}", here, here, said, raw=b"{}")
        while not await self.take_web(update):
            await self._after(3, 30)

    def _note(self, chat: Address, what: str, said: str) -> None:
        self.records.acts.append(Act(self.service.time(), self.member.name, chat, what, said))
