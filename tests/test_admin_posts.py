"""Posts from a phone: seen, given, taken, confirmed; an administrator's takes two; nobody else has a menu."""

from __future__ import annotations

import pytest

from domain.policy import Role
from storage import posts, tables
from tests.console import administrator, audited, held, id_of, opened
from tests.phone import Phone
from tests.world import World


async def test_the_menu_says_what_is_set_up_now(world: World) -> None:
    hoa = await administrator(world)
    await hoa.type("/admin")
    assert "Quản trị – Sở Nông nghiệp" in hoa.last
    assert "Cán bộ liên lạc được qua bot: 1/5" in hoa.last
    assert "Đợt buổi sáng: 07:00 – 09:00" in hoa.last and "Đợt buổi chiều: 16:30 – 18:30" in hoa.last
    hoa.sees_not("Chờ quản trị thứ hai", "Chức trách chờ xác nhận")


@pytest.mark.parametrize("role", [None, Role.HEAD, Role.FOCAL, Role.GUARD, Role.COMMITTEE])
async def test_for_everybody_else_the_console_does_not_exist(world: World, role: Role | None) -> None:
    hoa = await administrator(world)
    tam = await world.enrolled("tam", "P1", role=role)
    await tam.type("/banana")
    unknown = tam.last
    await tam.type("/admin")
    assert tam.last == unknown and "admin" not in tam.last
    for verb in (
        "admin",
        "adm_posts:1",
        "adm_units:adm_posts:0",
        "adm_give_ok:1:committee:1",
        "adm_roster",
        "adm_plan:1",
    ):
        await tam.press(world.house.seal.button(verb, tam.address))
        assert tam.last == "Nút này đã cũ nên không dùng được nữa. Gõ /today để xem bản khai hiện tại."
    await hoa.type("/help")
    assert "/admin" in hoa.last


async def test_a_head_is_given_in_four_taps_and_a_name(each_world: World) -> None:
    world = each_world
    hoa = await administrator(world)
    await opened(hoa, "Đơn vị và chức trách", "Đơn vị khác", "Phòng Kế hoạch", "＋ thủ trưởng")
    await hoa.type("mính")
    await hoa.tap("Minh – Phòng Kế hoạch")
    assert "Hiện nay, thủ trưởng của Phòng Kế hoạch: chưa có ai" in hoa.last
    assert "Sẽ thêm: Minh (CB-minh, Phòng Kế hoạch)" in hoa.last
    assert await held(world, "minh") == []
    await hoa.tap("Xác nhận")
    assert "✅ Minh là thủ trưởng của Phòng Kế hoạch." in hoa.last and "thủ trưởng: Minh" in hoa.last
    assert [role for role, _ in await held(world, "minh")] == ["head"]
    given = await audited(world, "post_given")
    assert [(one["actor"], one["role"]) for one in given] == [(str(await id_of(world, "hoa")), "head")]
    await hoa.tap("Thôi giao")
    await hoa.tap("thủ trưởng: Minh")
    assert "Hiện nay, thủ trưởng của Phòng Kế hoạch: Minh" in hoa.last and "Sẽ là, thủ trưởng: chưa có ai" in hoa.last
    await hoa.tap("Xác nhận")
    assert await held(world, "minh") == [] and len(await audited(world, "post_ended")) == 1


@pytest.mark.parametrize(
    ("typed", "found"), [("CB-nam", ["Nam"]), ("cb-", ["Hoa", "Lan", "Minh", "Nam", "Oanh"]), ("ai đó", [])]
)
async def test_people_are_found_by_code_or_part_of_a_name(world: World, typed: str, found: list[str]) -> None:
    hoa = await administrator(world)
    await opened(hoa, "Đơn vị và chức trách", "＋ bảo vệ")
    await hoa.type(typed)
    shown = [one.label.split(" – ")[0] for row in hoa.messages[-1][1].keyboard for one in row]
    assert shown[:-1] == found
    assert ("Không tìm thấy ai" in hoa.last) is not bool(found)


async def test_what_is_held_already_is_said_in_plain_words(world: World) -> None:
    hoa = await administrator(world)
    await world.enrolled("tam", "P1", role=Role.FOCAL)
    await opened(hoa, "Đơn vị và chức trách", "Đơn vị khác", "Phòng Kế hoạch", "＋ đầu mối")
    await hoa.type("tam")
    await hoa.tap("Tam")
    await hoa.tap("Xác nhận")
    assert hoa.last == "CB-tam đã giữ vai trò đầu mối tại Phòng Kế hoạch."


async def waiting_heads(world: World, *names: str) -> None:
    """Posts that a roster has asked for."""
    async with world.transaction() as session:
        for name in names:
            person = (await session.execute(tables.person.select().where(tables.person.c.name == name.title()))).one()
            await posts.appoint(
                session, person.id, person.unit_id, Role.HEAD, world.now, source="roster", confirmed=False
            )


async def test_posts_from_the_roster_one_by_one_and_all(world: World) -> None:
    hoa = await administrator(world)
    await waiting_heads(world, "lan", "minh", "nam", "oanh")
    await hoa.type("/admin")
    assert "⏳ Chức trách chờ xác nhận: 4" in hoa.last
    for label in ("Đơn vị và chức trách", "Chờ xác nhận (4)", "thủ trưởng: Lan – Phòng Kế hoạch"):
        await hoa.tap(label)
    assert "Lan: thủ trưởng của Phòng Kế hoạch, đang chờ → có hiệu lực" in hoa.last
    await hoa.tap("✓ Xác nhận")
    await hoa.tap("thủ trưởng: Minh")
    await hoa.tap("Không giao")
    await hoa.tap("Xác nhận cả 2")
    assert "• Nam: thủ trưởng, Phòng Tổ chức" in hoa.last and "• Oanh" in hoa.last
    at, yes = hoa.button("✓ Xác nhận")
    await waiting_heads(world, "hoa")
    await hoa.press(yes.data, at)
    assert "✅ Đã xác nhận 2 chức trách." in hoa.last, "one's own is not among them"
    assert [await held(world, name) != [] for name in ("lan", "minh", "nam", "oanh")] == [True, False, True, True]
    assert [role for role, _ in await held(world, "hoa")] == ["admin"]


async def test_all_means_those_that_were_shown(world: World) -> None:
    hoa = await administrator(world)
    await waiting_heads(world, "lan", "minh")
    await opened(hoa, "Đơn vị và chức trách", "Chờ xác nhận", "Xác nhận cả 2")
    at, yes = hoa.button("✓ Xác nhận")
    await waiting_heads(world, "nam")
    await hoa.press(yes.data, at)
    assert "3 chức trách sau sẽ có hiệu lực ngay" in hoa.last and await held(world, "lan") == []


async def asked_for(hoa: Phone, name: str, role: str = "quản trị") -> None:
    await opened(hoa, "Đơn vị và chức trách", f"＋ {role}")
    await hoa.type(name)
    await hoa.tap(name.title())
    await hoa.tap("Xác nhận")


async def test_a_new_administrator_takes_two(each_world: World) -> None:
    world = each_world
    hoa, binh = await administrator(world), await administrator(world, "binh")
    await asked_for(hoa, "lan")
    assert "Đã gửi đề nghị tới 1 quản trị khác" in hoa.last and await held(world, "lan") == []
    at, yes = binh.button("Tôi đồng ý")
    assert "Hoa đề nghị giao vai trò quản trị của Sở Nông nghiệp cho Lan (CB-lan)." in binh.last
    await hoa.press(world.house.seal.button("adm_yes:1", hoa.address))
    assert "Đây là đề nghị của chính anh/chị" in hoa.last and await held(world, "lan") == []
    await binh.tap("Tôi đồng ý")
    assert "✅ Đã đồng ý và thực hiện." in binh.last and "✅ Binh đã đồng ý về Lan" in hoa.last
    assert [role for role, _ in await held(world, "lan")] == ["admin"]
    await binh.press(yes.data, at)
    assert "Nút này đã cũ" in binh.last
    lines = await audited(world, "approval_asked", "approval_given", "post_given")
    assert [one["action"] for one in lines] == ["approval_asked", "approval_given", "post_given"]


async def test_an_administrator_is_removed_by_two_or_not_at_all(world: World) -> None:
    hoa, binh, chi = [await administrator(world, name) for name in ("hoa", "binh", "chi")]
    await opened(hoa, "Đơn vị và chức trách", "Thôi giao", "quản trị: Chi", "Xác nhận")
    await binh.tap("Không đồng ý")
    assert "Binh không đồng ý về Chi" in hoa.last and await held(world, "chi")
    await chi.tap("Tôi đồng ý")
    assert "Nút này đã cũ" in chi.last and await held(world, "chi")


async def test_the_only_administrator_is_sent_to_the_command_line(world: World) -> None:
    hoa = await administrator(world)
    await asked_for(hoa, "lan")
    assert "hiện chỉ có mình anh/chị" in hoa.last and "vungxanh post" in hoa.last
    assert await held(world, "lan") == []


async def test_a_second_administrator_without_a_chat_is_to_be_invited(world: World) -> None:
    hoa = await administrator(world)
    await world.person("binh", role=Role.ADMIN)
    await asked_for(hoa, "lan")
    assert "chưa quản trị nào khác dùng bot" in hoa.last
    binh = world.phone("binh")
    await binh.type(f"/start {await world.code_for(await id_of(world, 'binh'))}")
    await opened(binh, "Chờ quản trị thứ hai", "Lan: quản trị", "Tôi đồng ý")
    assert [role for role, _ in await held(world, "lan")] == ["admin"], "also before any choice about health data"


async def test_nobody_gives_themselves_a_right_alone(world: World) -> None:
    hoa, binh = await administrator(world), await administrator(world, "binh")
    await asked_for(hoa, "hoa", "ban chỉ đạo")
    assert [role for role, _ in await held(world, "hoa")] == ["admin"]
    await binh.tap("Tôi đồng ý")
    assert sorted(role for role, _ in await held(world, "hoa")) == ["admin", "committee"]


async def test_a_request_is_past_after_a_day_and_void_without_its_asker(world: World) -> None:
    hoa, binh = await administrator(world), await administrator(world, "binh")
    await asked_for(hoa, "lan")
    await asked_for(hoa, "lan")
    assert "đã được đề nghị và đang chờ" in hoa.last
    await world.clock_strikes("06:30", days=1)
    await binh.tap("Tôi đồng ý")
    assert "Nút này đã cũ" in binh.last and await held(world, "lan") == []
    await asked_for(hoa, "nam")
    chi = await world.enrolled("chi", "P1", role=Role.ADMIN)
    await chi.type("/admin")
    assert "Chờ quản trị thứ hai" not in chi.last, "it is not about her unit"
    await opened(binh, "Chờ quản trị thứ hai", "Nam: quản trị")
    async with world.transaction() as session:
        await session.execute(
            tables.post.update().where(tables.post.c.person_id == await id_of(world, "hoa")).values(until_at=world.now)
        )
    await binh.tap("Tôi đồng ý")
    assert "Người đề nghị không còn là quản trị" in binh.last and await held(world, "nam") == []


async def test_the_post_is_lost_between_screen_and_tap(world: World) -> None:
    hoa = await administrator(world)
    await opened(hoa, "Đơn vị và chức trách", "＋ đầu mối")
    await hoa.type("lan")
    await hoa.tap("Lan")
    async with world.transaction() as session:
        await session.execute(tables.post.update().values(until_at=world.now))
    await hoa.tap("Xác nhận")
    assert "Nút này đã cũ" in hoa.last and await held(world, "lan") == []
    await hoa.type("minh")
    assert "/history" in hoa.last, "words are no longer taken either"


async def test_an_administrator_of_a_part_sees_that_part(world: World) -> None:
    await administrator(world)
    chi = await world.enrolled("chi", "P1", role=Role.ADMIN)
    await opened(chi, "Đơn vị và chức trách")
    assert "Chức trách – Phòng Kế hoạch" in chi.last and "quản trị:" not in chi.last
    await chi.tap("Đơn vị khác")
    chi.sees_not("Phòng Tổ chức")
    await chi.tap("Phòng Kế hoạch")
    await chi.tap("＋ bảo vệ")
    await chi.type("oanh")
    assert "Không tìm thấy ai" in chi.last
    for verb in ("adm_posts:1", "adm_give_ok:2:committee:1", "adm_roster", "adm_plan:1", "adm_lost:1"):
        await chi.press(world.house.seal.button(verb, chi.address))
        assert "Nút này đã cũ" in chi.last, verb


async def test_in_english(world: World) -> None:
    hoa, binh = await administrator(world, language="en"), await administrator(world, "binh")
    await opened(hoa, "Units and posts", "administrator")
    await hoa.type("lan")
    await hoa.tap("Lan")
    await hoa.tap("Confirm")
    assert "Other administrators asked: 1" in hoa.last and "Hoa đề nghị giao vai trò quản trị" in binh.last


async def test_many_units_come_by_the_page(world: World) -> None:
    hoa = await administrator(world)
    for number in range(10, 20):
        await world.unit(f"Q{number}", f"Trạm số {number}")
    await opened(hoa, "Đơn vị và chức trách", "Đơn vị khác", "2/2 ›")
    assert "Trạm số 19" in hoa.last and "Phòng Kế hoạch" not in hoa.last
    await hoa.tap("‹ 1/2")
    assert "Phòng Kế hoạch" in hoa.last
