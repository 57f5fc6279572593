"""An operator takes over the roster, confirms posts and hands out invitations."""

from __future__ import annotations

import asyncio
import csv
import io
import re
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pypdf
import pytest

from domain.policy import Role
from tests.office import Office, empty_office, office, started_store
from tests.servers.bot_api import BotApi
from tests.world import World

__all__ = ["empty_office", "office", "started_store"]


def mode(file: Path) -> int:
    return stat.S_IMODE(file.stat().st_mode)


def test_a_roster_is_shown_then_taken_over_then_taken_back(empty_office: Office) -> None:
    office = empty_office
    file, people = office.roster()
    shown = office.does("roster", "import", str(file), "--dry-run")
    assert f"{len(people)} people join" in shown
    assert all(one.staff_code in shown and one.name in shown for one in people)
    assert "head of van-phong-so" in shown
    assert "Nothing was changed (dry run)." in shown
    assert "Nobody holds a post." in office.does("post", "list")
    done = office.does("roster", "import", str(file))
    assert f"{len(people)} people join" in done
    number = re.search(r"--undo (\d+)", done)
    assert number
    assert "says what is known already" in office.does("roster", "import", str(file))
    undone = office.does("roster", "import", "--undo", number[1])
    assert f"joined {len(people)}" in undone
    assert "has been undone already" in office.fails(1, "roster", "import", "--undo", number[1])
    assert office.types("invites", "--json").json == []


def test_a_roster_with_errors_changes_nothing_and_says_where_they_are(empty_office: Office) -> None:
    file = empty_office.folder / "roster.csv"
    file.write_text("Mã CB,Họ và tên,Đơn vị\nA1,Lê Lan,Văn phòng\n,Vũ Minh,Văn phòng\nA1,Đỗ Hà,Văn phòng\n")
    ended = empty_office.types("roster", "import", str(file))
    assert ended.status == 1
    assert ended.err == "vungxanh: nothing was changed: the roster has 3 error(s)\n"
    assert "row 3, column Mã CB: The staff code is missing." in ended.out
    assert "row 2, column Mã CB: Staff code A1 is also in row 4." in ended.out
    assert empty_office.types("invites", "--json").json == []


def test_a_file_that_is_no_roster_is_one_line(empty_office: Office) -> None:
    file = empty_office.folder / "roster.xlsx"
    file.write_bytes(b"\x00\x01 not a workbook")
    assert empty_office.fails(1, "roster", "import", str(file)) == "The file is neither an XLSX nor a CSV spreadsheet."


def test_most_people_leave_only_when_it_is_insisted_on(empty_office: Office) -> None:
    file, _ = empty_office.roster(24)
    empty_office.does("roster", "import", str(file))
    empty_office.roster(6)
    ended = empty_office.types("roster", "import", str(file))
    assert (ended.status, ended.err.count("\n")) == (1, 1)
    assert "(--force)" in ended.err
    assert "18 people leave" in empty_office.does("roster", "import", str(file), "--force")


async def _lan_and_hoa(world: World) -> None:
    await world.unit("P1", "Phòng Kế hoạch")
    await world.unit("P2", "Phòng Tổ chức", "P1")
    await world.person("lan", "P1")
    await world.person("hoa", "P2")


def test_posts_of_a_roster_wait_for_a_yes(empty_office: Office) -> None:
    file, people = empty_office.roster()
    empty_office.does("roster", "import", str(file))
    waiting = empty_office.types("post", "list", "--waiting", "--json").json
    assert {tuple(one) for one in waiting} == {("id", "staff_code", "name", "role", "unit_code", "state")}
    assert len(waiting) == sum(bool(one.role) for one in people)
    assert {one["state"] for one in waiting} == {"waiting"}
    first, second, *rest = (str(one["id"]) for one in waiting)
    empty_office.fails(1, "post", "confirm", first, "999")
    assert len(empty_office.does("post", "confirm", first, second).splitlines()) == 2
    assert len(empty_office.does("post", "confirm", "--all").splitlines()) == len(rest)
    assert empty_office.does("post", "confirm", "--all") == "No post waits for confirmation.\n"
    assert empty_office.does("post", "list", "--waiting") == "No post waits for confirmation.\n"
    assert empty_office.does("post", "list").count("in force") == len(waiting)


def test_posts_are_given_and_taken_away(office: Office) -> None:
    office.lives(_lan_and_hoa)
    assert office.does("post", "appoint", "CB-lan", "head") == "CB-lan is head of Phòng Kế hoạch.\n"
    assert office.does("post", "appoint", "CB-lan", "head", "--unit", "P2") == "CB-lan is head of Phòng Tổ chức.\n"
    assert office.does("post", "appoint", "CB-hoa", "admin") == "CB-hoa is admin of Sở Nông nghiệp.\n"
    assert "CB-hoa is already admin" in office.fails(1, "post", "appoint", "CB-hoa", "admin")
    assert "several units (P1, P2)" in office.fails(2, "post", "end", "CB-lan", "head")
    assert "no longer head of Phòng Tổ chức" in office.does("post", "end", "CB-lan", "head", "--unit", "P2")
    assert "no longer head of Phòng Kế hoạch" in office.does("post", "end", "CB-lan", "head")
    assert "holds no such post as head" in office.fails(1, "post", "end", "CB-lan", "head")
    assert [one["role"] for one in office.types("post", "list", "--json").json] == [Role.ADMIN]
    assert "the chain is whole" in office.types("doctor").out


async def _lan_enrolled(world: World) -> None:
    await _lan_and_hoa(world)
    await world.enrolled("minh", "P1")


def test_invitations_are_for_those_without_a_chat_and_work_once(office: Office) -> None:
    office.lives(_lan_enrolled)
    first = office.types("invites", "--json").json
    assert [one["staff_code"] for one in first] == ["CB-lan", "CB-hoa"]
    assert [tuple(one) for one in first] == [("staff_code", "name", "unit_code", "code", "telegram", "web")] * 2
    assert first[1]["name"] == "Hoa"
    assert first[1]["unit_code"] == "P2"
    assert first[1]["telegram"] is None
    assert first[1]["web"] == f"https://khaibao.example/chat/join/{first[1]['code']}"
    again = office.types("invites", "--json", "--unit", "P2").json
    assert [one["staff_code"] for one in again] == ["CB-hoa"]
    assert len(office.types("invites", "--json", "--all").json) == 3
    code = again[0]["code"]

    async def use(world: World) -> str:
        phone = world.phone("hoa")
        await phone.type(f"/start {code}")
        return phone.screen

    assert "Hoa" not in office.lives(use)  # asking for everybody's codes ended this one
    fresh = office.types("invites", "--json", "--unit", "P2").json[0]["code"]

    async def use_fresh(world: World) -> None:
        phone = world.phone("hoa", "webchat")
        await phone.type(f"/start {fresh}")
        phone.sees("Hoa")

    office.lives(use_fresh)
    assert office.types("invites", "--json", "--unit", "P2").json == []


def test_a_new_phone_gets_a_new_code_for_one_person_alone(office: Office) -> None:
    office.lives(_lan_enrolled)
    waiting = {one["staff_code"]: one["code"] for one in office.types("invites", "--json").json}
    (invited,) = office.types("invites", "--json", "--person", "CB-minh").json
    assert invited["staff_code"] == "CB-minh"
    assert "--person means one person alone" in office.fails(2, "invites", "--person", "CB-minh", "--all")
    assert "CB-nobody" in office.fails(2, "invites", "--person", "CB-nobody")

    async def use(world: World) -> None:
        for name, code in (("minh", invited["code"]), ("lan", waiting["CB-lan"])):
            phone = world.phone(f"new phone of {name}", "webchat")
            await phone.type(f"/start {code}")
            phone.sees(f"Xin chào anh/chị {name.title()}")

    office.lives(use)


def test_invitations_as_table_csv_and_printed_sheets(office: Office) -> None:
    office.lives(_lan_and_hoa)
    table = office.does("invites")
    assert "CB-lan" in table and "2 invitation(s), to be used within 24 hours." in table
    sheet, list_, folder = office.folder / "sheets.pdf", office.folder / "list.csv", office.folder / "sheets"
    folder.mkdir()
    said = office.does("invites", "--pdf", str(sheet), "--csv", str(list_))
    assert said == "2 invitation(s), to be used within 24 hours.\n"
    assert (mode(sheet), mode(list_)) == (0o600, 0o600)
    assert len(pypdf.PdfReader(sheet).pages) == 2
    rows = list(csv.DictReader(io.StringIO(list_.read_text(encoding="utf-8-sig"))))
    assert [row["staff_code"] for row in rows] == ["CB-lan", "CB-hoa"]
    office.does("invites", "--pdf", str(folder))
    assert sorted(file.name for file in folder.iterdir()) == ["001-P1.pdf", "002-P2.pdf"]


def test_a_name_never_becomes_a_formula(office: Office) -> None:
    async def hostile(world: World) -> None:
        await world.person('=hyperlink("http://x")')

    office.lives(hostile)
    file = office.folder / "list.csv"
    office.does("invites", "--csv", str(file))
    row = next(csv.DictReader(io.StringIO(file.read_text(encoding="utf-8-sig"))))
    assert row["name"].startswith("'=")


@pytest.fixture
def bot_api() -> Iterator[BotApi]:
    """A Bot API server beside the command, which has an event loop of its own."""
    server, loop = BotApi(), asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    asyncio.run_coroutine_threadsafe(server.start(), loop).result()
    yield server
    asyncio.run_coroutine_threadsafe(server.stop(), loop).result()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


def test_with_a_token_there_are_telegram_links_and_updates_go_on_as_they_came(
    office: Office, monkeypatch: pytest.MonkeyPatch, bot_api: BotApi
) -> None:
    monkeypatch.setenv("VUNGXANH_TELEGRAM_TOKEN", bot_api.token)
    monkeypatch.setenv("VUNGXANH_TELEGRAM_API_BASE", bot_api.base)
    office.lives(_lan_and_hoa)
    invited = office.types("invites", "--json").json
    assert re.fullmatch(r"https://t\.me/\w+\?start=" + invited[0]["code"], invited[0]["telegram"])
    assert bot_api.calls == ["getMe"]


def test_when_telegram_does_not_answer_links_are_left_out_and_the_token_is_not_shown(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VUNGXANH_TELEGRAM_TOKEN", "7000001:made-up-token-for-tests-only-000000")
    monkeypatch.setenv("VUNGXANH_TELEGRAM_API_BASE", "http://127.0.0.1:9")
    office.lives(_lan_and_hoa)
    ended = office.types("invites")
    assert ended.status == 0
    assert "Without Telegram links: Telegram did not answer" in ended.out
    assert "made-up" not in ended.out + ended.err
    assert office.types("invites", "--json").json[0]["telegram"] is None
