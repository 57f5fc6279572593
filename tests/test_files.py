"""Photos and documents: fetched for the conversation that waits, kept with the answers, forgotten with them."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from domain import files
from domain.chat import File, RetryLater
from domain.policy import Role
from storage import tables
from tests.morning import UNWELL, asked, taps
from tests.phone import PHOTO, Phone
from tests.world import World

TESTED = (UNWELL, "Không có triệu chứng", "Tiếp tục", "Không đo", "Không tiếp xúc", "Không đến")
OFFER = "Nếu có ảnh kết quả, anh/chị gửi ảnh vào đây"
ATTACHED = "Đã kèm ảnh kết quả"
UNEXPECTED = "Bot chưa chờ tệp hay ảnh nào ở bước này"


async def at_review(world: World, result: str = "Âm tính", *, on: str = "telegram") -> Phone:
    lan = await asked(world, on=on)
    await taps(lan, *TESTED, result)
    return lan


@pytest.mark.parametrize("on", ["telegram", "webchat"])
async def test_a_photo_of_the_result_goes_with_the_declaration(world: World, on: str) -> None:
    lan = await at_review(world, on=on)
    lan.sees(OFFER)
    await lan.sends_photo()
    assert ATTACHED in lan.last
    await lan.tap("Gửi bản khai")
    assert "Đã nhận khai báo" in lan.last
    assert ATTACHED in lan.last
    declared = await world.rows(
        sa.select(tables.attachment.c.content, tables.attachment.c.media_type).join(
            tables.declaration, tables.declaration.c.attachment_id == tables.attachment.c.id
        )
    )
    assert declared == [(PHOTO, "image/jpeg")]
    assert await world.count(tables.draft) == 0


async def test_who_was_not_tested_is_not_asked_for_a_photo(world: World) -> None:
    lan = await at_review(world, "Chưa xét nghiệm")
    lan.sees_not(OFFER)
    await lan.sends_photo()
    assert UNEXPECTED in lan.last
    assert await world.count(tables.download) == 0


async def test_a_photo_makes_an_older_review_out_of_date(world: World) -> None:
    lan = await at_review(world)
    _, old = lan.button("Gửi bản khai")
    await lan.sends_photo()
    await lan.press(old.data)
    assert await world.count(tables.declaration) == 0
    assert ATTACHED in lan.last


async def test_a_photo_can_be_taken_back_or_sent_again(world: World) -> None:
    lan = await at_review(world)
    await lan.sends_photo()
    await lan.sends_photo(PHOTO + b" sharper")
    assert await world.rows(sa.select(tables.attachment.c.content)) == [(PHOTO + b" sharper",)]
    await lan.tap("Bỏ ảnh")
    assert OFFER in lan.last
    await lan.tap("Gửi bản khai")
    assert ATTACHED not in lan.last
    assert await world.count(tables.attachment) == 0


async def test_a_correction_begins_with_the_photo_and_leaves_the_earlier_version_its_own(world: World) -> None:
    lan = await at_review(world)
    await lan.sends_photo()
    await taps(lan, "Gửi bản khai", "Sửa bản khai", UNWELL)
    assert ATTACHED in lan.last
    await taps(lan, "Bỏ ảnh", "Gửi bản khai")
    kept = await world.rows(sa.select(tables.declaration.c.version, tables.declaration.c.attachment_id.is_not(None)))
    assert kept == [(1, True), (2, False)]
    assert await world.count(tables.attachment) == 1


async def test_without_the_answer_that_called_for_it_the_photo_is_forgotten(world: World) -> None:
    lan = await at_review(world)
    await lan.sends_photo()
    await taps(lan, "Sửa: Xét nghiệm", "Chưa xét nghiệm", "Gửi bản khai")
    assert ATTACHED not in lan.last
    assert await world.count(tables.attachment) == 0


async def test_only_pictures_are_taken_and_the_content_tells(world: World) -> None:
    lan = await at_review(world)
    await lan.sends_document(b"MZ\x90\x00 a program", "ket-qua.jpg", "image/jpeg")
    assert "chỉ nhận ảnh" in lan.last
    await lan.sends_document(PHOTO, "scan.bin", "application/octet-stream")
    assert ATTACHED in lan.last


async def test_a_photo_that_comes_after_the_declaration_was_sent_is_not_lost_silently(world: World) -> None:
    lan = await at_review(world)
    world.telegram.fetch_faults = [RetryLater(5.0)]
    await lan.sends_photo()
    await lan.tap("Gửi bản khai")
    await world.clock_strikes("07:01")
    assert "gửi trước khi ảnh đến" in lan.last


async def test_a_file_nobody_waits_for_is_answered_and_not_fetched(world: World) -> None:
    lan = await asked(world)
    await lan.sends_document(b"ma;ten\n", "danh-sach.csv")
    assert UNEXPECTED in lan.last
    assert await world.count(tables.download) == 0


async def test_too_large_a_file_is_refused_whether_its_size_is_said_or_found(world: World) -> None:
    lan = await at_review(world)
    too_large = PHOTO + bytes(files.MOST_BYTES)
    await lan.sends_photo(too_large)
    assert "lớn hơn 5 MB" in lan.last
    assert await world.count(tables.download) == 0
    world.telegram.files["huge"] = too_large
    await lan.says(File("huge", media_type="image/jpeg"))
    assert "lớn hơn 5 MB" in lan.last
    await lan.sends_photo()
    assert ATTACHED in lan.last


async def test_a_slow_line_is_tried_three_times_and_the_conversation_stays_open(world: World) -> None:
    lan = await at_review(world)
    world.telegram.fetch_faults = [RetryLater(20.0), RetryLater(5.0), RetryLater(5.0)]
    await lan.sends_photo()
    lan.sees("đang nhận tệp")
    await world.clock_strikes("07:01")
    await world.clock_strikes("07:02")
    assert "chưa nhận được tệp" in lan.last
    assert lan.screen.count("đang nhận tệp") == 1
    await lan.sends_photo()
    assert ATTACHED in lan.last


async def test_a_file_is_fetched_after_a_restart_and_counts_once(each_world: World) -> None:
    world = each_world
    lan = await at_review(world)
    world.telegram.fetch_faults = [RetryLater(5.0)]
    await lan.sends_photo()
    await world.restart()
    world.now += timedelta(seconds=30)
    await world.settle()
    assert ATTACHED in lan.last
    await _forget_that_it_was_done(world)
    await world.settle()
    assert await world.count(tables.attachment) == 1
    assert lan.screen.count(ATTACHED) == 1


async def test_who_may_see_the_answer_sees_the_photo_in_a_message_of_its_own(world: World) -> None:
    lan = await at_review(world)
    await lan.sends_photo()
    await lan.tap("Gửi bản khai")
    head = await world.enrolled("hoa", "P1", role=Role.HEAD)
    guard = await world.enrolled("nam", "P1", role=Role.GUARD)
    ask = (await world.rows(sa.select(tables.declaration.c.ask_id)))[0][0]
    for each in (head, guard):
        await each.press(world.house.seal.button(f"look:{ask}", each.address))
    assert head.last.startswith("[ảnh]\n📎 Ảnh kết quả của Lan")
    guard.sees_not("[ảnh]")


async def _forget_that_it_was_done(world: World) -> None:
    """As if the process had ended between handing the content in and noting it."""
    async with world.transaction() as session:
        await session.execute(tables.download.update().values(state="waiting", due_at=world.now))


async def test_photos_are_forgotten_with_the_answers(world: World) -> None:
    lan = await at_review(world)
    await lan.sends_photo()
    await lan.tap("Gửi bản khai")
    await world.app.ticks.tidy(world.now + timedelta(days=90))
    assert (await world.count(tables.attachment), await world.count(tables.download)) == (1, 0)
    await world.app.ticks.tidy(world.now + timedelta(days=91))
    assert await world.count(tables.attachment) == 0


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (PHOTO, "image/jpeg"),
        (b"\x89PNG\r\n\x1a\n....", "image/png"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"),
        (b"RIFF\x00\x00\x00\x00WAVEfmt ", ""),
        (b"PK\x03\x04....", "application/zip"),
        ("mã;họ tên\nCB1;Lan\n".encode(), "text/plain"),
        ("mã;họ tên\r\n".encode("utf-16"), "text/plain"),
        ("họ tên".encode("cp1258", "replace"), "text/plain"),
        (b"\xff\xfe\x00", ""),
        (b"%PDF-1.7\n\x00\x01", ""),
        (b"MZ\x90\x00", ""),
        (b"", ""),
    ],
)
def test_the_content_tells_what_a_file_is(content: bytes, kind: str) -> None:
    assert files.media_type(content) == kind
