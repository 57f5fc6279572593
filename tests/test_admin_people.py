"""Who cannot be reached, new invitations, test messages and group chats, from an administrator's phone."""

from __future__ import annotations

import re

from domain.chat import Left
from domain.policy import Role
from storage import tables
from tests.console import administrator, audited, id_of, opened
from tests.world import World


async def test_the_unreached_by_reason_and_unit(each_world: World) -> None:
    world = each_world
    hoa = await administrator(world)
    phuc = await world.enrolled("phuc", "P1")
    await phuc.says(Left("blocked"))
    await opened(hoa, "Chưa liên lạc được")
    assert "5 người chưa liên lạc được qua bot:" in hoa.last
    assert "• chưa đăng ký: 4" in hoa.last and "• đã chặn bot: 1" in hoa.last
    assert "• Phòng Kế hoạch: 3" in hoa.last and "• Phòng Tổ chức: 2" in hoa.last
    assert "[Phuc – đã chặn bot]" in hoa.last
    await hoa.tap("Đơn vị khác")
    await hoa.tap("Phòng Tổ chức")
    assert "2 người" in hoa.last and "Phuc" not in hoa.last


async def test_a_new_code_for_one_works_once_and_is_hidden_again(world: World) -> None:
    hoa = await administrator(world)
    await opened(hoa, "Chưa liên lạc được", "Lan – chưa đăng ký")
    assert "Hiện nay: chưa đăng ký" in hoa.last and "trong 24 giờ" in hoa.last
    assert await audited(world, "invited") == []
    await hoa.tap("Xác nhận")
    code = re.search(r"/start (\S+)", hoa.last)
    assert code and "chỉ hiện ở đây lần này" in hoa.last
    await hoa.tap("Xong, ẩn mã")
    hoa.sees_not(code[1])
    lan = world.phone("lan")
    await lan.type(f"/start {code[1]}")
    lan.sees("Xin chào anh/chị Lan")
    (line,) = await audited(world, "invited")
    assert (line["count"], line["actor"]) == (1, str(await id_of(world, "hoa")))


async def test_codes_for_everybody_not_reached_in_a_unit(world: World) -> None:
    hoa = await administrator(world)
    await opened(hoa, "Chưa liên lạc được", "Đơn vị khác", "Phòng Kế hoạch", "Mã mời mới cho cả 2 người", "Xác nhận")
    assert len(set(re.findall(r"/start (\S+)", hoa.last))) == 2 and "Minh (CB-minh), Phòng Kế hoạch" in hoa.last


async def test_many_codes_come_as_a_file(world: World) -> None:
    hoa = await administrator(world)
    for number in range(12):
        await world.person(f"nv{number}", "P1")
    await opened(hoa, "Chưa liên lạc được", "Mã mời mới cho cả 16 người", "Xác nhận")
    attached = hoa.messages[-1][1].attached
    assert attached and len(attached.content.decode("utf-8-sig").splitlines()) == 17


async def test_a_test_message_says_what_it_is_and_by_whom(world: World) -> None:
    hoa, phuc = await administrator(world), await world.enrolled("phuc", "P1")
    await opened(hoa, "Gửi tin thử", "Gửi cho tôi")
    hoa.sees("🔧 Đây là tin thử do quản trị Hoa gửi lúc 06:00.")
    await opened(hoa, "Gửi tin thử")
    await hoa.type("CB-phuc")
    await hoa.tap("Phuc")
    phuc.sees_not("tin thử")
    await hoa.tap("Xác nhận")
    phuc.sees("Đây là tin thử do quản trị Hoa gửi lúc 06:00. Anh/chị không cần làm gì.")
    assert len(await audited(world, "test_sent")) == 2


async def test_whoever_cannot_be_written_to_gets_a_code_instead(world: World) -> None:
    hoa = await administrator(world)
    await opened(hoa, "Gửi tin thử")
    await hoa.type("oanh")
    await hoa.tap("Oanh")
    await hoa.tap("Xác nhận")
    assert "Oanh chưa có nơi nào để bot gửi tin tới." in hoa.last
    await hoa.tap("Cấp mã mời mới")
    assert "Oanh (CB-oanh), Phòng Tổ chức" in hoa.last


async def test_a_bound_group_is_listed_and_ended(world: World) -> None:
    hoa = await administrator(world)
    first, second = await world.enrolled("tam", "P1", role=Role.HEAD), await world.enrolled("thu", "P1", role=Role.HEAD)
    group = await world.bound_group("-100", first, second, "P1")
    await opened(hoa, "Nhóm chat", "Phòng Kế hoạch – telegram")
    assert "nhóm telegram nhận tình hình khai báo của Phòng Kế hoạch, do Tam đề nghị" in hoa.last
    await hoa.tap("Xác nhận")
    assert "✅ Nhóm không còn gắn với Phòng Kế hoạch." in hoa.last and "Chưa có nhóm chat nào" in hoa.last
    await world.clock_strikes("07:00")
    group.sees_not("Theo dõi khai báo")
    assert len(await audited(world, "unbound")) == 1


async def test_the_campaign_is_shown_in_words(world: World) -> None:
    hoa = await administrator(world)
    await opened(hoa, "Bộ câu hỏi")
    campaign = world.house.campaign
    assert campaign.title["vi"] in hoa.last and all(one.text["vi"] in hoa.last for one in campaign.questions)
    assert "Tiếp xúc gần với F0 trong 14 ngày qua (F1): cao" in hoa.last and len(hoa.last) < 4096


async def test_nobody_else_gets_a_code(world: World) -> None:
    await administrator(world)
    tam = await world.enrolled("tam", "P1", role=Role.HEAD)
    for verb in (
        "adm_lost:1",
        f"adm_invite:{await id_of(world, 'lan')}",
        "adm_all_ok_in:1",
        "adm_test_ok:2",
        "adm_groups:0",
    ):
        await tam.press(world.house.seal.button(verb, tam.address))
        assert "Nút này đã cũ" in tam.last
    assert await audited(world, "invited", "test_sent") == []
    assert await world.count(tables.invite, tables.invite.c.used_at.is_(None)) == 0
