"""Several processes on one PostgreSQL: everybody asked once, one of them at the wire, and any of them can go."""

from __future__ import annotations

import ast
import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import datetime, time, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.app import App, ProcessRole
from bot.settings import secret_key
from channels.webchat import WebChat
from domain.chat import Address, Channel, Incoming, Text
from scheduler.duties import Duties
from storage import schema, tables
from storage.database import Database
from storage.occupied import Occupied, occupied
from tests.office import Office, empty_office, office, started_store
from tests.several import several
from tests.storm import another, exception, prompts_to, staff
from tests.world import ZONE, World, build

__all__ = ["empty_office", "office", "started_store"]

VERSIONS = Path(schema.__file__).parent / "migrations" / "versions"
PROCESSES, UNITS, MORNINGS = 4, 10, 4


async def test_processes_that_open_each_round_in_the_same_second_ask_everybody_once(
    postgres_database: Database, postgres_url: str
) -> None:
    world = await build(postgres_database)
    people = []
    for number in range(UNITS):
        await world.unit(f"P{number}")
        people += await staff(world, f"P{number}", 2)
        await exception(world, f"P{number}")
    stores = [Database(postgres_url) for _ in range(PROCESSES)]
    apps = [another(world, store) for store in stores]
    mornings, day = 0, world.now.astimezone(ZONE).date()
    while mornings < MORNINGS:
        world.now = datetime.combine(day, time(7), ZONE)
        await asyncio.gather(*(app.tick() for app in apps))
        await asyncio.gather(*(delivery.drain() for app in apps for delivery in app.deliveries.values()))
        mornings = await world.count(tables.round_, tables.round_.c.kind == "morning") // (UNITS + 1)
        day += timedelta(days=1)
    assert prompts_to(world.telegram) == {f"p{n}": MORNINGS for n in people}
    assert max(Counter(key for key, _ in world.telegram.sent).values()) == 1
    for store in stores:
        await store.close()


async def test_any_of_four_processes_can_be_killed_stopped_or_frozen(postgres_url: str, tmp_path: Path) -> None:
    tally = await several("polling", PROCESSES, 3, 3, 2, seed=5, folder=tmp_path, url=postgres_url)
    assert tally.problems == []
    assert (tally.kills, tally.stops, tally.freezes, tally.lost, tally.twice) == (3, 3, 2, 0, 0)
    assert tally.prompts >= 60 and tally.taps > 20 and tally.versions > 0


@asynccontextmanager
async def running(world: World, hub: WebChat, *roles: ProcessRole) -> AsyncIterator[App]:
    """A process with these roles on the world's store, with pages of its own."""
    database = Database(world.database.url.render_as_string(hide_password=False))
    channels: dict[str, Channel] = {"telegram": world.telegram, "webchat": hub}
    now, sleep = lambda: world.now, world.app.sleep_until
    duties = Duties(database, "-".join(roles), asyncio.get_running_loop().time)
    app = App(database, world.house, channels, now, sleep, lambda _: None, frozenset(roles), duties, hub.changed)
    await app.start()
    yield app
    await app.stop()


async def test_a_page_in_one_process_hears_of_what_another_has_settled(postgres_database: Database) -> None:
    world, hub, here = await build(postgres_database), WebChat(), Address("webchat", "w1")
    async with running(world, hub, "web") as pages, running(world, WebChat(), "send"):
        with hub.watch(here.chat_id) as watch:
            await pages.receive([Incoming("1", here, here, Text("xin chào"), raw=b"{}")])
            async with asyncio.timeout(10):
                assert await watch.changed() == {here.chat_id}
    assert await world.count(tables.outbox, tables.outbox.c.state == "sent") == 1


async def test_a_reply_of_a_process_that_does_not_send_is_sent_by_the_one_that_does(
    postgres_database: Database,
) -> None:
    world, here = await build(postgres_database), Address("telegram", "p1")
    async with running(world, WebChat(), "web") as pages, running(world, WebChat(), "send") as sender:
        await pages.receive([Incoming("1", here, here, Text("xin chào"), raw=b"{}")])
        async with asyncio.timeout(10):
            while not world.telegram.sent:
                await asyncio.sleep(0.01)
        assert pages.standing_by() == {f"{what} {name}" for what in ("listen", "send") for name in pages.channels}
        assert sender.standing_by() == {"listen telegram", "listen webchat"}


async def test_what_a_stopping_process_has_in_hand_is_sent_or_goes_back_at_once(postgres_database: Database) -> None:
    world = await build(postgres_database)
    async with running(world, WebChat(), "send") as app:
        async with asyncio.timeout(10):
            while "send telegram" in app.standing_by():
                await asyncio.sleep(0.01)
        chats = [Address("telegram", f"p{n}") for n in range(40)]
        heard = [Incoming(f"{n}", chat, chat, Text("xin chào"), raw=b"{}") for n, chat in enumerate(chats)]
        receiving = asyncio.create_task(app.receive(heard))
        await asyncio.sleep(0)
    await receiving
    state = tables.outbox.c.state
    assert await world.count(tables.outbox) == 40
    assert await world.count(tables.outbox, state == "sent") == len(world.telegram.sent)
    assert await world.count(tables.outbox, state == "sending") == 0


# One store, several programs


async def test_one_process_at_a_time_runs_on_a_sqlite_file(database: Database, postgres_database: Database) -> None:
    async with occupied(database, alone=True):
        with pytest.raises(Occupied):
            async with occupied(Database(str(database.url)), alone=True, wait=0.2):
                raise AssertionError("two at once")
    async with occupied(database, alone=True), occupied(postgres_database), occupied(postgres_database):
        pass


def test_roles_are_refused_in_one_line_where_they_cannot_be(office: Office) -> None:
    assert "--roles" in office.fails(2, "run", "--roles", "listen,sned")
    assert "PostgreSQL" in office.fails(1, "run", "--roles", "listen")


def test_processes_that_start_together_agree_on_the_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as many:
        keys = set(many.map(lambda _: secret_key(tmp_path / "var" / "secret.key"), range(8)))
    assert len(keys) == 1
    assert [one.name for one in (tmp_path / "var").iterdir()] == ["secret.key"]


async def test_many_that_start_on_an_empty_store_make_it_once(postgres_database: Database, postgres_url: str) -> None:
    world = await build(postgres_database)
    async with postgres_database.transaction() as session:
        await session.execute(sa.text("DROP SCHEMA public CASCADE"))
        await session.execute(sa.text("CREATE SCHEMA public"))
    stores = [Database(postgres_url) for _ in range(PROCESSES)]
    await asyncio.gather(*(another(world, store).prepare() for store in stores))
    assert await world.count(tables.unit) == 1
    assert await world.count(tables.schedule) == len(world.house.campaign.schedules)
    for store in stores:
        await store.close()


async def test_a_program_goes_on_with_the_schema_of_a_newer_one(each_world: World) -> None:
    async with each_world.transaction() as session:
        await session.execute(sa.text("UPDATE alembic_version SET version_num = 'newer'"))
    await each_world.restart()
    assert (await schema.versions(each_world.database))[0] == "newer"
    phone = await each_world.enrolled("lan")
    phone.sees("Lan")


@pytest.mark.parametrize("path", sorted(VERSIONS.glob("*.py"))[2:], ids=lambda path: path.stem)
def test_a_migration_only_adds_so_that_the_version_before_goes_on(path: Path) -> None:
    """What an older program does not write must have a default or may be missing."""
    adds = {"create_table", "create_index", "add_column", "batch_alter_table", "f"}
    for call in (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)):
        if isinstance(call.func, ast.Attribute) and ast.unparse(call.func.value) in ("op", "batch_op"):
            assert call.func.attr in adds, ast.unparse(call)
        if isinstance(call.func, ast.Attribute) and call.func.attr == "add_column":
            column = ast.unparse(call.args[-1])
            assert "nullable=True" in column or "server_default" in column, column
