"""Backups hold everything, open with the key alone, and restore to a store that does nothing twice."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from domain.chat import Address, Outgoing
from domain.policy import Role
from storage import age, backup, backup_folder, gone, outbox, restoring, snapshot, tables
from storage.age import NotReadable
from storage.backup import Backup
from storage.database import Database
from storage.outbox import Kind, Letter
from storage.restoring import Mended
from storage.snapshot import Damaged
from tests.backups_under_load import under_load
from tests.storm import all_well, prompts_to, staff
from tests.world import KEY, World, build

KEY_OF_BACKUPS = age.new_key()


async def made(world: World, folder: Path) -> Backup:
    """A backup of what is there now."""
    folder.mkdir(exist_ok=True)
    return await backup.make(world.database, folder, folder, age.public_half(KEY_OF_BACKUPS), KEY, world.now)


async def listed(world: World, folder: Path) -> None:
    """The list of what has ended by now, as it is kept beside the backups."""
    async with world.database.reading() as session:
        gone.write(folder, await gone.listed(session, KEY, world.now))


async def restored(world: World, file: Path, into: Database) -> tuple[World, Mended]:
    """A bot that has not begun yet, on the store of this backup, at the world's present time."""
    with backup.scratch(file.parent) as room:
        unpacked = backup.unpack(file, KEY_OF_BACKUPS, room)
        backup.require_whole(unpacked)
        beside = gone.read(file.parent)
        kept = timedelta(days=90)
        forget = (world.house.today(world.now) - kept, world.now - kept)
        mended = await restoring.mend(unpacked, [(beside, KEY)] if beside else [], forget, world.now, "cli")
        await restoring.place(into, unpacked, world.now)
    return await build(into, now=world.now), mended


@pytest.fixture
def elsewhere(each_database: Database, request: pytest.FixtureRequest, tmp_path: Path) -> Database:
    """An empty place to restore into, of the other engine: one form serves both."""
    if each_database.is_sqlite:
        found: Database = request.getfixturevalue("postgres_database")
        return found
    return Database(f"sqlite:///{tmp_path}/restored.db")


async def test_everything_comes_back_also_on_the_other_engine(
    each_world: World, elsewhere: Database, tmp_path: Path
) -> None:
    await each_world.unit("P1")
    await each_world.unit("P2", parent="P1")
    people = await staff(each_world, "P2", 20)
    await each_world.clock_strikes("07:00")
    await all_well(each_world, people[:12])
    await each_world.settle()
    before = await each_world.facts()

    there, _ = await restored(each_world, (await made(each_world, tmp_path / "backups")).file, elsewhere)

    after = await there.facts()
    assert [line.action for line in after["audit"]][len(before["audit"]) :] == ["restored"]
    after["audit"].pop()
    assert after == before
    await there.unit("P3")  # numbers go on where they stopped
    await elsewhere.close()


async def test_backups_under_load_hold_what_was_acknowledged_before(each_world: World, tmp_path: Path) -> None:
    number = 10 if each_world.database.is_sqlite else 5
    report = await under_load(each_world, tmp_path, number)
    assert (report.backups, report.missing) == (number, 0)
    assert report.during > 10


async def test_nothing_of_it_can_be_read_without_the_key(world: World, tmp_path: Path) -> None:
    lan = await world.enrolled("lan")
    await lan.type("Tôi bị sốt")
    folder = tmp_path / "backups"
    file = (await made(world, folder)).file
    await listed(world, folder)

    assert {one.name for one in folder.iterdir()} == {file.name, gone.FILE}
    everything = b"".join(one.read_bytes() for one in folder.iterdir())
    private = ("CB-lan", "Lan", "sốt", "SQLite format", "staff_code", "secret.key")
    assert not [word for word in private if word.encode() in everything]
    assert all(one.stat().st_mode & 0o077 == 0 for one in folder.iterdir())


async def test_a_backup_that_was_changed_cut_off_or_sealed_for_another_is_refused(world: World, tmp_path: Path) -> None:
    await staff(world, "", 50)
    file = (await made(world, tmp_path / "backups")).file
    whole, chance = file.read_bytes(), random.Random(5)
    broken = [bytes(changed(whole, chance)) for _ in range(20)]
    for content in broken + [whole[: chance.randrange(len(whole))] for _ in range(20)]:
        file.write_bytes(content)
        with pytest.raises(NotReadable):
            backup.unpack(file, KEY_OF_BACKUPS, tmp_path)
    file.write_bytes(whole)
    with pytest.raises(NotReadable):
        backup.unpack(file, age.new_key(), tmp_path)
    assert backup.unpack(file, KEY_OF_BACKUPS, tmp_path).manifest.rows["person"] == 50


def changed(whole: bytes, chance: random.Random) -> bytearray:
    found = bytearray(whole)
    found[chance.randrange(len(whole))] ^= 1 << chance.randrange(8)
    return found


async def test_a_damaged_store_makes_no_backup(world: World, tmp_path: Path) -> None:
    await staff(world, "", 400)
    await world.database.close()
    file = Path(world.database.url.database or "")
    content = bytearray(file.read_bytes())
    with closing(sqlite3.connect(file)) as store:
        at = store.execute("SELECT rootpage FROM sqlite_master WHERE name = 'address'").fetchone()[0] * 4096 - 4096
    content[at : at + 100] = bytes(100)
    file.write_bytes(content)
    with pytest.raises(Damaged):
        await made(world, tmp_path / "backups")
    assert list((tmp_path / "backups").iterdir()) == []


async def test_damage_to_the_structure_is_noticed_and_other_damage_costs_no_row(database: Database) -> None:
    """One byte at each of 100 places. SQLite keeps no checksums: within a value a byte can change unnoticed."""
    world = await build(database)
    await staff(world, "", 400)
    await world.clock_strikes("07:00")
    await database.close()
    file, chance = Path(database.url.database or ""), random.Random(6)
    whole, counts = file.read_bytes(), snapshot.rows_of(file)
    with closing(sqlite3.connect(file)) as store:
        roots = [row[0] for row in store.execute("SELECT rootpage FROM sqlite_master WHERE rootpage > 1")]
    headers = [(page - 1) * 4096 + at for page in chance.sample(roots, 25) for at in (0, 3)]
    anywhere = [chance.randrange(len(whole)) for _ in range(50)]
    for at in headers + anywhere:
        file.write_bytes(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :])
        damaged = Database(str(database.url))
        if at in headers:
            assert await damaged.check(quick=True), at
        elif not await damaged.check():
            assert snapshot.rows_of(file) == counts, at
        await damaged.close()


WAITING: list[tuple[Kind, str]] = [
    ("reply", "given up"),
    ("summary", "given up"),
    ("board", "given up"),
    ("missing_list", "given up"),
    ("prompt", "once more"),
    ("reminder", "once more"),
]


@pytest.mark.parametrize(("kind", "becomes"), WAITING)
@pytest.mark.parametrize("state", ["waiting", "sending"])
async def test_what_was_on_its_way_then(world: World, tmp_path: Path, kind: Kind, becomes: str, state: str) -> None:
    """A round is open, the letter may have left since: only what still asks for an answer is sent, once."""
    [person] = await staff(world, "", 1)
    await world.clock_strikes("07:00")
    chat = Address("telegram", f"p{person}")
    the_ask = (await world.rows(sa.select(tables.ask.c.id)))[0][0]
    letter = Letter("the-letter", kind, Outgoing(chat, "?"), person_id=person, ask_id=the_ask)
    async with world.transaction() as session:
        await outbox.enqueue(session, [letter], world.now)
        that = tables.outbox.c.dedupe_key == "the-letter"
        await session.execute(tables.outbox.update().where(that).values(state=state))
    file = (await made(world, tmp_path / "backups")).file
    world.now += timedelta(minutes=20)
    there, mended = await restored(world, file, Database(f"sqlite:///{tmp_path}/restored.db"))

    assert (mended.held, mended.again) == ((1, 0) if becomes == "given up" else (0, 1))
    there.now += timedelta(minutes=1)
    await there.settle()
    sent = [key for key, _ in there.telegram.sent].count("the-letter")
    assert sent == (0 if becomes == "given up" else 1)
    await there.database.close()


@pytest.mark.parametrize(("acknowledged", "again"), [(False, 1), (True, 0)])
async def test_an_incident_that_nobody_acknowledged_is_told_once_more(
    world: World, tmp_path: Path, *, acknowledged: bool, again: int
) -> None:
    [person] = await staff(world, "", 1)
    async with world.transaction() as session:
        happened = tables.incident.insert().values(
            unit_id=1, kind="fire", reported_by_id=person, channel="telegram", reported_at=world.now,
            acknowledged_at=world.now if acknowledged else None,
        )  # fmt: skip
        number = (await session.execute(happened.returning(tables.incident.c.id))).scalar_one()
        message = Outgoing(Address("telegram", f"p{person}"), "!")
        told = Letter("told", "incident", message, person_id=person, incident_id=number)
        await outbox.enqueue(session, [told], world.now)
    file = (await made(world, tmp_path / "backups")).file
    there, mended = await restored(world, file, Database(f"sqlite:///{tmp_path}/restored.db"))
    assert (mended.held, mended.again) == (1 - again, again)
    await there.database.close()


async def test_a_letter_for_later_is_still_sent_then(world: World, tmp_path: Path) -> None:
    [person] = await staff(world, "", 1)
    later = Letter(
        "later", "notice", Outgoing(Address("telegram", f"p{person}"), "!"), person_id=person,
        not_before=world.now + timedelta(hours=2),
    )  # fmt: skip
    async with world.transaction() as session:
        await outbox.enqueue(session, [later], world.now)
    file = (await made(world, tmp_path / "backups")).file
    world.now += timedelta(minutes=20)
    there, mended = await restored(world, file, Database(f"sqlite:///{tmp_path}/restored.db"))
    assert (mended.held, mended.again) == (0, 0)
    await there.clock_strikes("09:00")
    assert [key for key, _ in there.telegram.sent].count("later") == 1
    await there.database.close()


async def test_rounds_of_days_gone_by_ask_nobody_and_blame_nobody(each_world: World, tmp_path: Path) -> None:
    """Restored on Wednesday at 06:30 from a backup of Monday morning."""
    people = await staff(each_world, "", 5)
    await each_world.clock_strikes("07:00")
    await all_well(each_world, people[:2])
    file = (await made(each_world, tmp_path / "backups")).file
    await each_world.down_until("06:30", days=2)

    there, _ = await restored(each_world, file, each_world.database)
    await there.settle()

    assert sum(prompts_to(there.telegram).values()) == 0
    past = await there.rows(sa.select(tables.round_.c.not_asked).where(tables.round_.c.kind == "afternoon"))
    assert [row.not_asked for row in past] == [True]  # Monday's; Tuesday is a holiday
    await there.clock_strikes("07:00")
    assert set(prompts_to(there.telegram).values()) == {1}


async def test_who_left_withdrew_or_lost_a_right_does_not_come_back(each_world: World, tmp_path: Path) -> None:
    await each_world.unit("P1")
    lan = await each_world.enrolled("lan", "P1")
    minh = await each_world.enrolled("minh", "P1")
    chief = await each_world.enrolled("chief", "P1", role=Role.HEAD)
    boss = await each_world.enrolled("boss", "", role=Role.HEAD)
    await each_world.bound_group("-7", chief, boss)
    file = (await made(each_world, tmp_path / "backups")).file
    each_world.now += timedelta(minutes=5)
    await minh.type("/privacy")
    await minh.tap("Rút lại đồng ý")
    async with each_world.transaction() as session:
        leaver = tables.person.c.staff_code == "CB-lan"
        await session.execute(tables.person.update().where(leaver).values(left_at=each_world.now))
        await session.execute(tables.binding.update().values(ended_at=each_world.now, ended_why="unbound"))
        head = sa.select(tables.person.c.id).where(tables.person.c.staff_code == "CB-chief").scalar_subquery()
        await session.execute(
            tables.post.update().where(tables.post.c.person_id == head).values(until_at=each_world.now)
        )
    await listed(each_world, tmp_path / "backups")

    there, mended = await restored(each_world, file, each_world.database)

    assert (mended.replayed.left, mended.replayed.withdrew) == (1, 1)
    assert (mended.replayed.posts, mended.replayed.groups) == (1, 1)
    await there.clock_strikes("07:00")
    assert set(prompts_to(there.telegram)) == {chief.chat_id, boss.chat_id}
    assert lan.chat_id not in prompts_to(there.telegram)
    in_force = await there.rows(sa.select(tables.post.c.id).where(tables.post.c.until_at.is_(None)))
    assert len(in_force) == 1
    assert not [one for _, one in there.telegram.sent if one.to.chat_id == "-7"]


async def test_a_restored_store_holds_no_trace_of_what_was_past_its_time(world: World, tmp_path: Path) -> None:
    [person] = await staff(world, "", 1)
    await world.clock_strikes("07:00")
    await all_well(world, [person])
    async with world.transaction() as session:
        await session.execute(tables.declaration.update().values(answers={"note": "CANARY-SYMPTOM"}))
    file = (await made(world, tmp_path / "backups")).file
    world.now += timedelta(days=91)
    there, _ = await restored(world, file, Database(f"sqlite:///{tmp_path}/restored.db"))
    await there.database.close()
    assert b"CANARY-SYMPTOM" in Path(world.database.url.database or "").read_bytes()
    assert b"CANARY-SYMPTOM" not in (tmp_path / "restored.db").read_bytes()


async def test_a_journal_that_was_left_is_not_rolled_back_into_what_was_restored(world: World, tmp_path: Path) -> None:
    file = (await made(world, tmp_path / "backups")).file
    target = tmp_path / "target.db"
    target.write_bytes(b"damaged beyond recognition")
    for ending in ("-journal", "-wal", "-shm"):
        target.with_name(target.name + ending).write_bytes(b"of the old file")
    there, _ = await restored(world, file, Database(f"sqlite:///{target}"))
    assert await there.database.check() == []
    await there.database.close()
    aside = sorted(tmp_path.glob("target.db.before-*"))
    assert [one.name[len("target.db.before-20261123-000000") :] for one in aside] == ["", "-journal", "-shm", "-wal"]


def test_only_one_backup_is_made_at_a_time(tmp_path: Path) -> None:
    with backup_folder.alone(tmp_path):
        (tmp_path / ".vungxanh-20261123-000000Z.age.part").touch()
        with pytest.raises(backup_folder.Busy), backup_folder.alone(tmp_path):
            raise AssertionError
    with backup_folder.alone(tmp_path):
        assert list(tmp_path.glob(".*.part")) == []  # what a killed one left behind
