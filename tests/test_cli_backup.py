"""`vungxanh backup` and `vungxanh restore` as an operator types them, and what the running bot does with them."""

from __future__ import annotations

import asyncio
import json
import resource
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import asyncpg
import pytest
import sqlalchemy as sa

from bot import backups
from bot.settings import Settings
from domain.chat import Address
from domain.policy import Role
from domain.seal import Seal
from scheduler.backups import Backups
from storage import age, tables
from storage.database import Database
from storage.occupied import Occupied, occupied
from storage.snapshot import Damaged
from tests.office import Office, empty_office, office, started_store
from tests.storm import all_well, staff
from tests.world import KEY, World

__all__ = ["empty_office", "office", "started_store"]


@pytest.fixture
def answered(office: Office) -> Office:
    """An office where a round goes on."""
    office.lives(_morning)
    return office


async def _morning(world: World) -> None:
    people = await staff(world, "", 30)
    await world.clock_strikes("07:00")
    await all_well(world, people[:10])


def answers(file: Path) -> int:
    with closing(sqlite3.connect(file)) as store:
        return int(store.execute("SELECT count(*) FROM declaration").fetchone()[0])


def a_backup(office: Office) -> Path:
    office.does("backup")
    [newest] = sorted((office.folder / "var/backups").glob("*.age"))[-1:]
    return newest


def test_a_backup_says_what_it_holds_and_where_its_key_belongs(answered: Office) -> None:
    first, second = answered.does("backup").splitlines()
    assert first.startswith("var/backups/vungxanh-20261123-000000Z.age: ") and "rows restored and counted" in first
    assert second.startswith("Copy var/backup.key to another place and delete it here")
    assert (answered.folder / "var/backup.key").stat().st_mode & 0o077 == 0
    answered.now += timedelta(minutes=15)
    (answered.folder / "var/backup.key").unlink()  # the bot needs only the public half
    made = answered.does("backup", "--json")
    assert json.loads(made)["file"] == "var/backups/vungxanh-20261123-001500Z.age"
    listed = answered.does("backup", "--list").splitlines()
    assert [line[:20] for line in listed[1:]] == ["Mon 23/11/2026 07:00", "Mon 23/11/2026 07:15"]


def test_on_a_new_machine(answered: Office, tmp_path: Path) -> None:
    """Backup, key and settings are all there is; buttons sent before stop working, links go on."""
    backup = a_backup(answered)
    answered.now += timedelta(minutes=20)
    key = tmp_path / "usb"
    key.write_text(f"# typed from paper\n\n  {(answered.folder / 'var/backup.key').read_text().strip().lower()}\n")
    for lost in ("bot.db", "secret.key", "var/backup.key", "var/backup.pub"):
        (answered.folder / lost).unlink()
    said = answered.does("restore", str(backup), "--key", str(key))
    assert "Restored as of 07:00 on 23/11/2026" in said and "Next: 'vungxanh doctor'" in said
    assert answers(answered.folder / "bot.db") == 10
    chat, before, now = Address("telegram", "p1"), Seal(KEY), Seal((answered.folder / "secret.key").read_bytes())
    assert now.name_in("chat", before.link("chat", "x")) == "x"
    assert now.opened(before.button("well:1", chat), chat) is None
    assert (answered.folder / "secret.key").stat().st_mode & 0o777 == 0o600
    assert "sound" in answered.does("doctor")
    public = (answered.folder / "var/backup.pub").read_text().strip()
    assert public == age.public_half(backups.secret_half(key))  # further backups are sealed for the same key


def test_data_that_is_there_is_replaced_only_when_told(answered: Office) -> None:
    backup = a_backup(answered)
    answered.now += timedelta(minutes=20)
    with closing(sqlite3.connect(answered.folder / "bot.db")) as store, store:
        store.execute("DELETE FROM declaration WHERE id > 4")
    assert "--replace" in answered.fails(1, "restore", str(backup))
    assert answers(answered.folder / "bot.db") == 4
    said = answered.does("restore", str(backup), "--replace")
    assert answers(answered.folder / "bot.db") == 10
    [aside] = answered.folder.glob("bot.db.before-*")
    assert str(aside) in said and answers(aside) == 4


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("flipped", "cannot be restored: it is damaged or cut off; nothing was changed"),
        ("truncated", "cannot be restored: it is damaged or cut off; nothing was changed"),
        ("another key", "cannot be restored: it was sealed for another key, or is damaged; nothing was changed"),
        ("no key", "there is no key in var/backup.key; name the file with the backup key by --key"),
        ("mistyped", "var/backup.key holds no backup key, or it was mistyped"),
        ("no file", "there is no file"),
        ("running", "a bot is running on this database; stop it first"),
    ],
)
def test_what_cannot_be_restored_changes_nothing(answered: Office, wrong: str, said: str) -> None:
    backup, key = a_backup(answered), answered.folder / "var/backup.key"
    content = backup.read_bytes()
    if wrong == "flipped":
        backup.write_bytes(content[:5000] + bytes([content[5000] ^ 1]) + content[5001:])
    if wrong == "truncated":
        backup.write_bytes(content[:-100])
    if wrong in ("another key", "no key"):
        key.unlink()
    if wrong == "another key":
        (answered.folder / "var/backup.pub").unlink()
        backups.backup_key(key)
    if wrong == "mistyped":
        text = key.read_text().strip()
        key.write_text(text[:-1] + ("Q" if text[-1] == "P" else "P"))
    if wrong == "no file":
        backup.unlink()
    before = (answered.folder / "bot.db").read_bytes()

    def restore() -> str:
        return answered.fails(1, "restore", str(backup), "--replace")

    assert said in (asyncio.run(beside_a_bot(answered, restore)) if wrong == "running" else restore())
    assert (answered.folder / "bot.db").read_bytes() == before
    assert (answered.folder / "secret.key").read_bytes() == KEY
    assert not list(answered.folder.glob(".backup-*"))


async def beside_a_bot(office: Office, command: object) -> str:
    """What is printed while a bot has the store."""
    database = Database(office.url)
    async with occupied(database):
        assert callable(command)
        said: str = await asyncio.to_thread(command)
    await database.close()
    return said


async def test_a_bot_and_a_restore_keep_each_other_out(each_database: Database) -> None:
    again = Database(each_database.url.render_as_string(hide_password=False))
    async with occupied(each_database):
        with pytest.raises(Occupied):
            await occupied(again, alone=True).__aenter__()
    async with occupied(again, alone=True):
        with pytest.raises(Occupied):
            await occupied(each_database).__aenter__()
    async with occupied(each_database), occupied(again):
        pass
    await again.close()


def test_on_postgresql(answered: Office, postgres: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """From SQLite over, back to before, and what was replaced is kept as a backup of its own."""
    backup = a_backup(answered)
    url = sa.make_url(postgres).set(database="moved").render_as_string(hide_password=False)
    asyncio.run(_create(postgres, "moved"))
    monkeypatch.setenv("VUNGXANH_DATABASE_URL", url)
    answered.does("restore", str(backup))
    answered.now += timedelta(minutes=20)
    said = answered.does("restore", str(backup), "--replace")
    [line] = [line for line in said.splitlines() if line.startswith("What is replaced is kept in ")]
    kept = answered.folder / line.removeprefix("What is replaced is kept in ").rstrip(".")
    monkeypatch.setenv("VUNGXANH_DATABASE_URL", answered.url)
    answered.does("restore", str(kept), "--replace")
    assert answers(answered.folder / "bot.db") == 10
    assert "sound" in answered.types("doctor").out


async def _create(postgres: str, name: str) -> None:
    admin = await asyncpg.connect(postgres)
    await admin.execute(f"CREATE DATABASE {name}")
    await admin.close()


def test_a_store_that_is_damaged_is_not_backed_up_and_the_newest_good_backup_is_named(answered: Office) -> None:
    good = a_backup(answered)
    answered.now += timedelta(minutes=15)
    damage(answered.folder / "bot.db")
    said = answered.fails(3, "backup")
    assert said.startswith("the database is damaged (")
    assert f"vungxanh restore {good.absolute()} --replace --key" in said
    assert answered.fails(3, "backup", "--check") == said
    assert sorted((answered.folder / "var/backups").glob("*.age")) == [good]


def damage(file: Path) -> None:
    """A table's first page is no longer one."""
    with closing(sqlite3.connect(file)) as store:
        page = store.execute("SELECT rootpage FROM sqlite_master WHERE name = 'address'").fetchone()[0]
    content = bytearray(file.read_bytes())
    content[(page - 1) * 4096 : (page - 1) * 4096 + 8] = bytes(8)
    file.write_bytes(content)


def test_a_disk_that_is_full_leaves_nothing_behind(answered: Office) -> None:
    """No file may grow beyond 200 kB: neither the copy nor the backup has room."""
    ended = subprocess.run(
        [sys.executable, "-m", "bot", "backup"],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (1, "vungxanh: the store refused: disk I/O error\n")
    assert not list((answered.folder / "var/backups").glob("*.age"))
    assert not list((answered.folder / "var/backups").glob(".*.part"))
    assert not list(answered.folder.glob(".backup-*"))
    answered.lives(_the_rest_answer)
    assert answers(answered.folder / "bot.db") == 30


async def _the_rest_answer(world: World) -> None:
    rows = await world.rows(sa.select(tables.ask.c.person_id).where(tables.ask.c.state == "due"))
    async with world.transaction() as session:
        await session.execute(tables.outbox.update().where(tables.outbox.c.kind == "prompt").values(state="waiting"))
    await world.settle()
    await all_well(world, [row[0] for row in rows])


# --- beside the running bot ---


class Watch:
    """A clock that moves only when somebody sleeps, and ends the sleeping after so many turns."""

    def __init__(self, now: datetime, turns: int) -> None:
        self.now, self.turns = now, turns
        self.slept: list[datetime] = []

    async def sleep_until(self, at: datetime) -> None:
        self.slept.append(at)
        if len(self.slept) > self.turns:
            raise asyncio.CancelledError
        self.now = max(self.now, at)


def making(world: World, watch: Watch, program: Sequence[str], good_at: datetime | None = None) -> Backups:
    return Backups(
        program, timedelta(minutes=15), timedelta(minutes=35), good_at, world.database, world.house,
        lambda: watch.now, watch.sleep_until, lambda: None,
    )  # fmt: skip


async def test_a_backup_every_quarter_of_an_hour(world: World) -> None:
    start = world.now
    watch = Watch(start, 3)
    fine = making(world, watch, ["true"], good_at=start - timedelta(minutes=10))
    with pytest.raises(asyncio.CancelledError):
        await fine.run()
    assert [int((at - start).total_seconds() / 60) for at in watch.slept] == [5, 20, 35, 50]
    assert fine.good_at == start + timedelta(minutes=35)


async def test_after_a_start_what_waits_comes_first_and_a_clock_set_back_puts_nothing_off(world: World) -> None:
    watch = Watch(world.now, 0)
    with pytest.raises(asyncio.CancelledError):
        await making(world, watch, ["true"], good_at=world.now - timedelta(days=1)).run()
    with pytest.raises(asyncio.CancelledError):
        await making(world, watch, ["true"], good_at=world.now + timedelta(days=1)).run()
    assert [at - world.now for at in watch.slept] == [timedelta(minutes=1), timedelta(minutes=15)]


async def test_administrators_hear_once_a_day_that_there_is_no_backup(world: World) -> None:
    hoa = await world.enrolled("hoa", role=Role.ADMIN)
    watch = Watch(world.now, 5)
    failing = making(world, watch, ["sh", "-c", "echo 'vungxanh: no room' >&2; exit 1"])
    with pytest.raises(asyncio.CancelledError):
        await failing.run()
    world.now = watch.now
    await world.settle()
    told = [message for _, message in world.telegram.sent if "bản sao lưu" in message.text]
    assert len(told) == 1 and told[0].to == hoa.address
    assert failing.last_good() == watch.now - timedelta(minutes=61)


@pytest.mark.parametrize(("program", "problem"), [("exit 1", 1), ("kill -9 $$", -9), ("", None)])
async def test_a_backup_that_fails_in_any_way_ends_nothing_else(
    world: World, program: str, problem: int | None, log_file: Path
) -> None:
    failing = making(world, Watch(world.now, 1), ["sh", "-c", program] if program else ["/nowhere/vungxanh"])
    assert not await failing.make()
    assert not failing.found_damage.is_set()
    last = json.loads(log_file.read_text().splitlines()[-1])
    assert (last["event"], last["status"]) == ("backup_failed", problem)


async def test_damage_found_beside_the_running_bot_ends_it(world: World) -> None:
    watch = Watch(world.now, 5)
    found = making(world, watch, ["sh", "-c", "exit 3"])
    assert not await found.make()
    assert found.found_damage.is_set()


@pytest.mark.parametrize("is_large", [False, True])
async def test_a_damaged_store_is_not_started_on(
    answered: Office, monkeypatch: pytest.MonkeyPatch, *, is_large: bool
) -> None:
    monkeypatch.setattr(backups, "CHECKED_IN_FULL", 0 if is_large else 10**9)
    await asyncio.to_thread(shutil.copy, answered.folder / "bot.db", answered.folder / "sound.db")
    settings = Settings.model_validate({})
    database = Database(answered.url)
    await backups.refuse_unsafe(database, settings)
    await database.close()
    damage(answered.folder / "bot.db")
    database = Database(answered.url)
    with pytest.raises(Damaged, match="there is no backup in"):
        await backups.refuse_unsafe(database, settings)
    await database.close()


async def test_after_damage_was_found_the_next_start_looks_closely(answered: Office) -> None:
    settings, database = Settings.model_validate({}), Database(answered.url)
    assert "there is no backup in" in str(backups.note_damage(database, settings))
    assert (answered.folder / "bot.db.damaged").exists()
    await backups.refuse_unsafe(database, settings)
    assert not (answered.folder / "bot.db.damaged").exists()  # it is sound after all
    await database.close()


async def test_a_store_that_would_not_keep_what_is_committed_is_refused(
    answered: Office, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    @sa.event.listens_for(database.engine.sync_engine, "checkout")
    def careless(connection: object, *rest: object) -> None:
        connection.cursor().execute("PRAGMA synchronous = NORMAL")  # type: ignore[attr-defined]

    with pytest.raises(Damaged, match="what is committed could be lost: synchronous is 1"):
        await backups.refuse_unsafe(database, Settings.model_validate({}))
