"""The doctor says what is wrong, each in one line, and changes nothing."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from domain.chat import Address, Outgoing
from storage import outbox, tables
from storage.outbox import Letter
from tests.office import Office, empty_office, office, started_store
from tests.world import World

__all__ = ["empty_office", "office", "started_store"]


def findings(office: Office, status: int) -> dict[str, tuple[bool, str]]:
    ended = office.types("doctor", "--json")
    assert (ended.status, ended.err) == (status, "")
    assert tuple(ended.json) == ("ok", "checks")
    assert ended.json["ok"] == (status == 0)
    return {one["name"]: (one["ok"], one["detail"]) for one in ended.json["checks"]}


def test_a_healthy_installation(office: Office) -> None:
    found = findings(office, 0)
    assert list(found) == [
        "settings", "time zone", "secret key", "campaign", "backups", "telegram", "disk", "database", "durability",
        "integrity", "schema", "audit", "outbox", "updates", "enrolment",
    ]  # fmt: skip
    assert found["time zone"][1] == "Asia/Ho_Chi_Minh; the clock there shows 06:00 on 23/11/2026"
    assert found["enrolment"][1] == "0 of 0 people have no working chat"
    assert found["durability"][1].startswith(("journal WAL, synchronous FULL", "journal TRUNCATE, synchronous EXTRA"))
    said = office.does("doctor").splitlines()
    assert said[-1] == "Everything is as it should be."
    assert all(line.startswith("ok ") for line in said[:-1])


def test_before_the_first_start_the_missing_store_is_named(empty_office: Office) -> None:
    found = findings(empty_office, 1)
    assert found["database"] == (
        False, f"there is no file {empty_office.folder}/bot.db; 'vungxanh roster import' or 'run' makes it"
    )  # fmt: skip
    assert not (empty_office.folder / "bot.db").exists()


@pytest.mark.parametrize(
    ("name", "value", "check", "said"),
    [
        (
            "VUNGXANH_ZONE",
            "Mars",
            "settings",
            "VUNGXANH_ZONE: not a time zone; expected a name such as Asia/Ho_Chi_Minh",
        ),
        ("VUNGXANH_CAMPAIGN", "measles", "campaign", "measles"),
        ("VUNGXANH_SECRET_KEY_FILE", "bot.db", "secret key", "can be read by others"),
        ("VUNGXANH_DATABASE_URL", "postgresql://u:hush@127.0.0.1:9/n", "database", ""),
        ("VUNGXANH_DATABASE_URL", "sqlite:///secret.key", "database", "file is not a database"),
    ],
)
def test_each_wrong_part_is_one_finding(
    office: Office, monkeypatch: pytest.MonkeyPatch, name: str, value: str, check: str, said: str
) -> None:
    monkeypatch.setenv(name, value)
    wrong = {one: detail for one, (ok, detail) in findings(office, 1).items() if not ok}
    assert list(wrong) == [check]
    assert said in wrong[check]
    assert "hush" not in wrong[check]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"TELEGRAM_API_BASE": "http://127.0.0.1:9"}, "no answer to the token (no_contact_ClientConnectorError)"),
        ({"TELEGRAM_MODE": "webhook"}, "needs VUNGXANH_TELEGRAM_WEBHOOK_SECRET"),
        ({"TELEGRAM_MODE": "webhook", "PUBLIC_URL": "http://here"}, "VUNGXANH_PUBLIC_URL to begin with https://"),
    ],
)
def test_a_telegram_that_cannot_work_is_one_finding_without_the_token(
    office: Office, monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], said: str
) -> None:
    monkeypatch.setenv("VUNGXANH_TELEGRAM_TOKEN", "7000001:made-up-token-for-tests-only-000000")
    for name, value in settings.items():
        monkeypatch.setenv(f"VUNGXANH_{name}", value)
    ok, detail = findings(office, 1)["telegram"]
    assert not ok
    assert said in detail
    assert "made-up" not in detail


def test_an_altered_audit_a_stuck_outbox_and_updates_set_aside_are_found(office: Office) -> None:
    async def trouble(world: World) -> None:
        lan = await world.enrolled("lan")
        await world.person("hoa")
        lost = Outgoing(Address("telegram", "1000"), "…")
        async with world.transaction() as session:
            await outbox.enqueue(session, [Letter("k", "notice", lost)], world.now - timedelta(minutes=11))
            await session.execute(tables.audit.update().values(actor="somebody"))
            await session.execute(
                tables.quarantine.insert().values(
                    channel="telegram", update_key="1", raw=b"{}", reason="KeyError", set_aside_at=world.now
                )
            )
        lan.sees("")

    office.lives(trouble)
    found = findings(office, 1)
    assert found["audit"] == (False, "line 1 was altered")
    assert found["outbox"] == (False, "telegram: 1 waiting, the oldest for 11 min; is the bot running?")
    assert found["updates"] == (False, "1 set aside because they could not be handled")
    assert found["enrolment"] == (True, "1 of 2 people have no working chat")
    assert office.types("doctor").out.splitlines()[-1] == "3 of 15 checks found something wrong."


def test_on_postgresql_from_nothing_to_invitations(
    empty_office: Office, postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def make() -> None:
        admin = await asyncpg.connect(postgres)
        await admin.execute("CREATE DATABASE office_of_the_cli")
        await admin.close()

    asyncio.run(make())
    url = urlunsplit(urlsplit(postgres)._replace(path="/office_of_the_cli"))
    monkeypatch.setenv("VUNGXANH_DATABASE_URL", url)
    file, people = empty_office.roster()
    assert "there is no store in the database" in empty_office.fails(1, "status")
    empty_office.does("roster", "import", str(file))
    empty_office.does("post", "confirm", "--all")
    assert len(empty_office.types("invites", "--json").json) == len(people)
    empty_office.does("schedule", "set", "morning", "--opens", "06:50")
    assert f"{len(people)} due, 0 prompted" in empty_office.does("round", "open", "morning")
    assert empty_office.types("status", "--json").json["rounds"][0]["due"] == len(people)
    assert empty_office.does("export", "answers", "--from", "2026-11-23", "--to", "2026-11-23", "--format", "csv")
    found = findings(empty_office, 0)
    assert found["database"][1].startswith("PostgreSQL ")
    assert found["durability"] == (True, "fsync is on, full_page_writes is on, synchronous_commit is on")


def test_a_store_of_another_version_is_left_alone(office: Office) -> None:
    async def older(world: World) -> None:
        async with world.transaction() as session:
            await session.exec_driver_sql("UPDATE alembic_version SET version_num = '0000'")

    office.lives(older)
    ok, detail = findings(office, 1)["schema"]
    assert not ok
    assert detail.startswith("version 0000, this program works with ")
    assert "the store has schema 0000" in office.fails(1, "status")
    assert "the store has schema 0000" in office.fails(1, "schedule", "set", "morning", "--off")


def test_backups_are_looked_at(office: Office) -> None:
    assert findings(office, 0)["backups"][1].startswith("none yet in ")
    office.does("backup")
    key = office.folder / "var/backup.key"
    assert findings(office, 1)["backups"] == (False, f"{key} is still here: keep it elsewhere, and delete it here")
    key.unlink()
    assert findings(office, 0)["backups"] == (True, "the newest is of 06:00 on 23/11/2026")
    office.clock_shows("06:40")
    assert findings(office, 1)["backups"] == (False, "the newest is of 06:00 on 23/11/2026; is the bot running?")
