"""One turn: forged buttons do nothing, a failing turn takes nobody with it, a refusing store is never thanked for."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import texts
from bot.app import ROUTER
from domain.chat import Command, Ignored, NotStored, Tap, Text, Unreadable
from domain.policy import Role
from handlers.dispatch import Dispatcher
from handlers.intake import Intake
from handlers.router import Router, joined
from handlers.turn import Turn, reply
from storage import tables
from storage.database import Database
from storage.outbox import Letter
from tests.phone import Phone
from tests.world import World, build

SORRY = texts.text("vi", "help.not_saved")


async def a_busy_morning(world: World) -> list[Phone]:
    """People of every kind with every kind of button on their screens."""
    await world.unit("P1", "Phòng Kế hoạch")
    chief = await world.enrolled("hoa", "P1", role=Role.HEAD)
    deputy = await world.enrolled("nam", "P1", role=Role.HEAD)
    lan = await world.enrolled("lan", "P1")
    minh = await world.enrolled("minh", "P1", on="webchat")
    await world.enrolled("new", "P1", agrees=False)
    await chief.in_group("-9").type("/bind")
    await world.clock_strikes("07:00")
    for label in ("Tôi có điều", "Ho", "Tiếp tục"):
        await lan.tap(label)
    await minh.tap("Tôi khỏe")
    await deputy.tap("Đổi nơi làm việc")
    for said in ("/leave", "/language", "/privacy"):
        await minh.type(said)
    return list(world.phones.values())


async def test_no_button_works_for_anybody_but_its_own_chat(world: World) -> None:
    phones = await a_busy_morning(world)
    stranger = world.phone("stranger")
    issued = {
        (message.to, one.data, at)
        for messenger in (world.telegram, world.webchat)
        for shown in messenger.screens.values()
        for at, message in shown.items()
        for row in message.keyboard
        for one in row
    }
    assert len({data.split(".")[1].split(":")[0] for _, data, _ in issued}) >= 10
    before = await world.facts()
    batch = [
        phone.update(Tap(data, at), key=f"{phone.name} {number} {group}")
        for number, (to, data, at) in enumerate(sorted(issued, key=str))
        for group in (None, "-9", "-10")
        for phone in (one.in_group(group) if group else one for one in [*phones, stranger])
        if (phone.messenger.name, group or phone.chat_id) != (to.channel, to.chat_id)
    ]
    for start in range(0, len(batch), 200):
        await world.receive(batch[start : start + 200])
    assert await world.facts() == before
    stranger.sees_not("Tôi khỏe")


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, 63), letter=st.characters(codec="utf-8"), which=st.integers(0, 30))
async def test_no_altered_button_works(world: World, place: int, letter: str, which: int) -> None:
    phones = list(world.phones.values()) or await a_busy_morning(world)
    phone = phones[which % len(phones)]
    at, button = phone.buttons[which % len(phone.buttons)]
    altered = button.data[: place % len(button.data)] + letter + button.data[place % len(button.data) + 1 :]
    before = await world.facts()
    await phone.press(altered, at)
    assert altered == button.data or await world.facts() == before


async def test_an_ask_of_somebody_else_is_like_one_that_never_was(world: World) -> None:
    phones = {phone.name: phone for phone in await a_busy_morning(world)}
    nam = phones["nam"]
    before = await world.facts()
    asks = await world.rows(sa.select(tables.ask.c.id, tables.ask.c.person_id))
    own = (await world.rows(sa.select(tables.person.c.id).where(tables.person.c.name == "Nam")))[0][0]
    answers = set()
    for ask_id in [one.id for one in asks if one.person_id != own] + [999_999]:
        for data in ("well", "unwell", "next", "back", "send", "correct", "keep", "place", "change"):
            sealed = world.house.seal.button(f"{data}:{ask_id}", nam.address)
            await nam.press(sealed)
            answers.add(nam.last)
    assert answers == {texts.text("vi", "help.stale_button")}
    assert await world.facts() == before


def failing() -> Router:
    """The real conversations and one that breaks after it has written something."""
    mine = Router()

    @mine.command("break", groups=True)
    async def stumble(turn: Turn, args: str) -> Sequence[Letter]:
        await turn.session.execute(tables.person.update().values(name="broken"))
        raise RuntimeError(f"secret {args}")

    @mine.command("hello")
    async def greet(turn: Turn, args: str) -> Sequence[Letter]:
        return [reply(turn, f"hello {args}")]

    return joined(ROUTER, mine)


def with_router(world: World, router: Router) -> Intake:
    deliver = world.app.deliveries["telegram"].hand_over
    return Intake(world.database, Dispatcher(world.house, router), lambda: world.now, deliver)


async def test_a_failing_turn_is_set_aside_and_the_others_of_its_batch_go_on(
    each_world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world = each_world
    lan, minh = await world.enrolled("lan"), await world.enrolled("minh")
    intake = with_router(world, failing())
    batch = [
        lan.update(Command("hello", "one")),
        lan.update(Command("break", "nguyen van a")),
        lan.in_group("-3").update(Command("break")),
        minh.update(Unreadable("no sender")),
        minh.update(Ignored()),
        minh.update(Command("hello", "two")),
        lan.update(Text("chào")),
    ]
    receipts = await intake.receive(batch)
    await world.settle()
    assert [one.saved for one in receipts] == [True, False, False, True, True, True, True]
    assert [one.notice for one in receipts if not one.saved] == [SORRY, SORRY]
    lan.sees("hello one", SORRY, "/history")
    minh.sees("hello two")
    assert lan.in_group("-3").screen == "(nothing)"
    assert await world.count(tables.person, tables.person.c.name == "broken") == 0
    kept = tables.quarantine.c
    aside = await world.rows(sa.select(kept.reason, kept.raw).order_by(kept.id))
    assert [one.reason.partition(":")[0] for one in aside] == ["RuntimeError at stumble"] * 2 + ["no sender"]
    assert "secret" not in str(aside) and "nguyen van a" not in capsys.readouterr().out
    again = await intake.receive([batch[1]])
    assert again[0].saved and await world.count(tables.quarantine) == 3


async def test_two_conversations_cannot_claim_the_same_word() -> None:
    with pytest.raises(ValueError, match="hello"):
        joined(failing(), failing())


async def test_a_store_that_refuses_gives_no_receipt_and_no_thanks(tmp_path: Path, empty_store: Path) -> None:
    path = shutil.copy(empty_store, tmp_path / "bot.db")
    database = Database(f"sqlite:///{path}")
    world = await build(database)
    lan = await world.enrolled("lan")
    await world.clock_strikes("07:00")
    said, before = len(world.telegram.sent), await world.facts()
    at, well = lan.button("Tôi khỏe")
    await database.close()
    refusing = Database(f"sqlite:///file:{path}?mode=ro&uri=true")
    world.app.intake.database = refusing
    with pytest.raises(NotStored):
        await world.receive([lan.update(Tap(well.data, at)), lan.update(Text("chào"))])
    await refusing.close()
    assert len(world.telegram.sent) == said
    world.app.intake.database = database
    assert await world.facts() == before
    await lan.says(Tap(well.data, at))
    lan.sees("✅ Đã nhận khai báo")
    await database.close()


async def test_a_full_store_in_the_middle_of_a_turn_is_not_thanked_for(world: World) -> None:
    lan = await world.enrolled("lan")
    await world.clock_strikes("07:00")
    at, well = lan.button("Tôi khỏe")
    said = len(world.telegram.sent)
    full = Database(world.database.url.render_as_string())

    def no_room(connection: sa.Connection) -> None:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")

    sa.event.listen(full.engine.sync_engine, "begin", no_room)
    intake = with_router(world, ROUTER)
    intake.database = full
    refused = 0
    for number in range(40):
        try:
            await intake.receive([lan.update(Text("x" * 500), key=f"filler {number}")])
        except NotStored:
            refused += 1
    with pytest.raises(NotStored):
        await intake.receive([lan.update(Tap(well.data, at))])
    await full.close()
    assert refused
    await world.settle()
    assert not [one for _, one in world.telegram.sent[said:] if "Đã nhận" in one.title]
    assert await world.count(tables.declaration) == 0
    await lan.says(Tap(well.data, at))
    lan.sees("✅ Đã nhận khai báo")
