"""Words instead of taps, the place of work, and what /today and /start show."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from storage import tables
from tests.morning import REST, UNWELL, WELL, asked, taps, the_asks, versions
from tests.world import World


@pytest.mark.parametrize(
    ("typed", "hint"),
    [
        ("ba mươi bảy", "Câu này cần một con số"),
        ("378", "Con số này có vẻ chưa đúng"),
        ("37,85", "quá nhiều chữ số lẻ"),
    ],
)
async def test_a_doubtful_temperature_is_asked_back(world: World, typed: str, hint: str) -> None:
    lan = await asked(world)
    await taps(lan, UNWELL, "Ho", "Tiếp tục")
    await lan.type(typed)
    assert hint in lan.last and "Câu 2/5" in lan.last
    await lan.type("38")
    assert "Câu 3/5" in lan.last


@pytest.mark.parametrize("words", ["1", "1.", "(1)", "toi khoe, khong tiep xuc, khong ve tu vung dich - xin cam doan"])
async def test_the_prompt_is_answered_in_words(world: World, words: str) -> None:
    lan = await asked(world)
    await lan.type(words)
    lan.sees("✅ Đã nhận khai báo")


@pytest.mark.parametrize("words", ["tôi khỏe", "ok", "3 hay 1", "99", "không"])
async def test_words_that_are_no_clear_answer_are_never_taken_as_well(world: World, words: str) -> None:
    lan = await asked(world)
    await lan.type(words)
    assert await versions(world) == []
    assert "Bot chưa hiểu" in lan.last and WELL in lan.last


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("ho", "Ho"),
        ("HO", "Ho"),
        ("1, 3", "Sốt, Đau họng"),
        ("sốt và đau họng", "Sốt, Đau họng"),
        ("2.", "Ho"),
        ("mất vị giác", "Mất vị giác hoặc khứu giác"),
        ("không có", "Không có triệu chứng"),
    ],
)
async def test_symptoms_in_words(world: World, words: str, shown: str) -> None:
    lan = await asked(world)
    await lan.tap(UNWELL)
    await lan.type(words)
    for answer in ("bỏ qua", "không tiếp xúc", "3", "chua xet nghiem"):
        await lan.type(answer)
    assert f"Triệu chứng: {shown}\n" in lan.last
    await lan.type("1")
    lan.sees("✅ Đã nhận khai báo")


@pytest.mark.parametrize(("words", "hint"), [("ho, không có", "trái ngược"), ("hơi khó chịu", "chưa hiểu câu trả lời")])
async def test_unclear_symptoms_are_asked_back(world: World, words: str, hint: str) -> None:
    lan = await asked(world)
    await lan.tap(UNWELL)
    await lan.type(words)
    assert hint in lan.last and "Câu 1/5" in lan.last
    await lan.type("quay lại")
    assert WELL in lan.last


async def test_a_typed_word_answers_what_is_on_screen_not_what_was_left_open(world: World) -> None:
    lan = await asked(world)
    await taps(lan, UNWELL)
    await world.clock_strikes("07:30")
    lan.sees("🔔 Nhắc khai báo")
    await lan.type("2")
    assert "Câu 1/5" in lan.last
    await lan.type("/leave")
    await lan.type("1")
    assert "Nghỉ phép: từ ngày nào" in lan.last
    await lan.type("25/11")
    assert "đến hết ngày nào" in lan.last
    assert (await world.rows(sa.select(tables.draft.c.answers)))[0][0] == {}


async def test_the_workplace_is_changed_and_remembered_for_tomorrow(world: World) -> None:
    lan = await asked(world)
    await lan.tap("Đổi nơi làm việc")
    lan.sees("Hôm nay anh/chị làm việc ở đâu?")
    await lan.type("ở nhà")
    assert "Nơi làm việc: Làm việc tại nhà" in lan.last
    await lan.tap(WELL)
    await world.clock_strikes("07:00", days=2)
    assert "Nơi làm việc: Làm việc tại nhà" in lan.last
    await taps(lan, "Đổi nơi làm việc", "Quay lại")
    assert "Nơi làm việc: Làm việc tại nhà" in lan.last and WELL in lan.last


@pytest.mark.parametrize(("place", "reason"), [("Nghỉ phép", "leave"), ("Đang cách ly", "isolation")])
async def test_who_does_not_work_today_is_not_asked_in_the_afternoon(
    each_world: World, place: str, reason: str
) -> None:
    lan = await asked(each_world)
    await taps(lan, "Đổi nơi làm việc", place, WELL)
    lan.sees(f"Nơi làm việc: {place}")
    said = len(each_world.telegram.sent)
    await each_world.clock_strikes("18:00")
    assert len(each_world.telegram.sent) == said
    assert (await the_asks(each_world))[1] == ("excused", False, "", reason)
    await lan.type("/today")
    lan.sees(f"Anh/chị không phải khai đợt này ({place.replace('Đang cách', 'Cách')})")
    await each_world.clock_strikes("07:00", days=2)
    assert "Nơi làm việc: Tại cơ quan" in lan.last, "being away is never tomorrow's proposal"


async def test_the_afternoon_asks_for_no_workplace(world: World) -> None:
    lan = await asked(world)
    await lan.tap(WELL)
    await world.clock_strikes("16:30")
    assert "Khai báo y tế buổi chiều" in lan.last and "Nơi làm việc" not in lan.last
    await taps(lan, UNWELL, "Ho", "Tiếp tục", "37,0", *REST)
    assert "Nơi làm việc" not in lan.last
    await lan.tap("Gửi")
    lan.sees("Bản khai buổi chiều")


async def test_today_shows_whatever_stands(world: World) -> None:
    await world.unit("P1")
    lan = await world.enrolled("lan", "P1")
    await lan.type("/today")
    assert "chưa có đợt khai báo nào mở" in lan.last
    await world.clock_strikes("07:00")
    await lan.type("/today")
    assert WELL in lan.last
    await lan.tap(WELL)
    await lan.type("/today")
    assert lan.last.startswith("✅ Đã nhận khai báo lúc 07:00") and "[Sửa bản khai]" in lan.last
    await world.clock_strikes("19:00")
    await lan.type("/today")
    assert "Khai báo y tế buổi chiều" in lan.last
    await lan.tap(WELL)
    await lan.type("/today")
    assert [one.text.splitlines()[0] for _, one in lan.messages[-2:]] == [
        "Bản khai buổi sáng, Thứ Hai, 23/11/2026",
        "Bản khai buổi chiều, Thứ Hai, 23/11/2026",
    ]
    lan.sees("Ghi nhận là khai muộn")


async def test_start_and_free_words_offer_the_open_prompt(world: World) -> None:
    lan = await asked(world)
    await lan.type("/start")
    assert WELL in lan.last
    await lan.type("chào bot")
    assert "Bot chưa hiểu tin nhắn này" in lan.last and WELL in lan.last
    await lan.tap(WELL)
    await lan.type("chào bot")
    assert "/history" in lan.last
