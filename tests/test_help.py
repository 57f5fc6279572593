"""An answer to everything: help by role, the language, words and commands nobody knows; status for those entitled."""

from __future__ import annotations

import re

import pytest

from domain.chat import Language
from domain.policy import Role
from tests.phone import Phone
from tests.world import World

STAFF = ["/today", "/incident", "/history", "/leave", "/why", "/language", "/privacy", "/help"]
RISK = ["/zone", "/risk", "/map"]


@pytest.mark.parametrize(
    ("role", "more"),
    [
        (None, []),
        (Role.GUARD, []),
        (Role.FOCAL, ["/status", "/missing", *RISK, "/times"]),
        (Role.HEAD, ["/status", "/missing", *RISK, "/times", "/bind"]),
        (Role.COMMITTEE, ["/status", "/missing", *RISK, "/times", "/quality", "/bind"]),
        (Role.ADMIN, ["/bind", "/times", "/admin"]),
    ],
)
async def test_help_lists_what_this_person_can_do(world: World, role: Role | None, more: list[str]) -> None:
    lan = await world.enrolled("lan", role=role)
    await lan.type("/help")
    assert re.findall(r"^/\w+", lan.last, re.MULTILINE) == STAFF + more


@pytest.mark.parametrize("said", ["/banana", "/bind2 x", "xin chào", "👍", "12", "  ", "SELECT * FROM person; --"])
async def test_what_nobody_understands_is_answered_with_help(world: World, said: str) -> None:
    lan = await world.enrolled("lan")
    await lan.type("/help")
    await lan.type(said)
    assert "/history" in lan.last


async def test_help_says_that_a_declaration_waits(world: World) -> None:
    lan = await world.enrolled("lan")
    await world.clock_strikes("07:00")
    await lan.type("/help")
    assert "🔔 Có bản khai đang chờ" in lan.last
    await lan.type("/today")
    await lan.tap("Tôi khỏe")
    await lan.type("/help")
    assert "đang chờ" not in lan.last


async def test_the_language_changes_at_once_and_with_it_what_waits(each_world: World) -> None:
    lan = await each_world.enrolled("lan")
    await each_world.clock_strikes("07:00")
    await lan.type("/language")
    await lan.tap("English")
    lan.sees("From now on the bot speaks English.", "Health declaration: morning round, Monday, 23/11/2026")
    await lan.tap("I'm well")
    lan.sees("✅ Declaration received at 07:00")
    await lan.type("/language")
    await lan.type("tieng viet")
    lan.sees("Từ nay bot sẽ dùng tiếng Việt.")
    await each_world.clock_strikes("16:30")
    assert "Khai báo y tế buổi chiều" in lan.last


async def a_whole_day(world: World, language: Language) -> Phone:
    """Everything one person can meet in a day, in their own language."""
    vi = language == "vi"
    lan = await world.enrolled("lan", role=Role.HEAD, language=language)
    for said in ("/start", "/start 0", "/help", "/today", "/history", "/privacy", "/banana", "hm", "/status", "/bind"):
        await lan.type(said)
    await world.clock_strikes("07:00")
    await lan.type("hm")
    for label in (("Tôi có điều", "Tiếp tục", "Ho"), ("I have", "Continue", "Cough"))[not vi]:
        await lan.tap(label)
    for said in ("hm", "1, 3", "400", "hm", "37,85", "38", "2", "3", "3", "1"):
        await lan.type(said)
    for said in ("/today", "/history", "/status", "/leave", "1", "hm", "1", "hm", "1", "/leave"):
        await lan.type(said)
    await lan.press("1.well:1.AAAAAAAAAAAA")
    for at, old in lan.buttons:
        await lan.press(old.data, at)
    await world.clock_strikes("19:00", days=2)
    for at, old in lan.buttons[:6]:
        await lan.press(old.data, at)
    return lan


@pytest.mark.parametrize("language", ["vi", "en"])
async def test_nobody_reads_a_sentence_in_the_other_language(world: World, language: Language) -> None:
    await a_whole_day(world, language)
    other = re.compile(
        r"[ăâđêôơưạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ]|\b(?:khai|sang|cho|ban)\b"
        if language == "en"
        else r"\b(?:the|you|your|please|send|declaration|round|and|is|of|leave)\b(?! ?/)",
        re.IGNORECASE,
    )
    allowed = re.compile(r"Sở Nông nghiệp|Tiếng Việt|Đổi ngôn ngữ|Change language|English|/leave")
    for _, message in world.telegram.sent:
        if message.text == "Từ nay bot sẽ dùng tiếng Việt.":
            break  # the last buttons pressed change the language
        labels = "\n".join(one.label for row in message.keyboard for one in row)
        words = allowed.sub("", f"{message.title}\n{message.text}\n{labels}")
        assert not other.search(words), words


async def test_status_is_for_those_entitled_and_only_of_their_own(each_world: World) -> None:
    world = each_world
    await world.unit("A", "Phòng An")
    await world.unit("A1", "Tổ An Một", parent="A")
    await world.unit("B", "Phòng Bình")
    head = await world.enrolled("hoa", "A", role=Role.HEAD)
    everything = await world.enrolled("chu", role=Role.COMMITTEE)
    lan = await world.enrolled("lan", "A1")
    await world.enrolled("minh", "B")
    await head.type("/status")
    assert "chưa có đợt khai báo nào mở" in head.last
    await world.clock_strikes("07:00")
    await lan.tap("Tôi khỏe")
    await head.type("/status")
    assert "Phòng An" in head.last and "Tổ An Một: 1/1" in head.last and "Đã khai: 1/2" in head.last
    assert "Bình" not in head.last and "Lan" not in head.last
    await everything.type("/status")
    assert "Phòng Bình: 0/1" in everything.last
    for role in (None, Role.GUARD, Role.ADMIN):
        nobody = await world.enrolled(f"x{role}", "A", role=role)
        await nobody.type("/status")
        assert "Không có số liệu để xem ở đây" in nobody.last
