"""Roster imports in the store: all or nothing, what becomes of people's chats and asks, and taking it back."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import texts
from domain.policy import Action, Role
from domain.roster import Entry, ParsedRoster, Sheet, Unit, parse_roster
from domain.roster_plan import ImportRefused, Plan
from domain.roster_undo import UndoRefused
from storage import audit, invites, posts, roster, units
from storage.database import Database, Session
from storage.tables import address, ask, invite, person, post, roster_import, unit
from tests.world import World

NOW = datetime(2026, 11, 23, 1, tzinfo=UTC)
SOON = NOW + timedelta(hours=1)
LATER = NOW + timedelta(hours=2)
HEADER = ["Mã CB", "Họ và tên", "Số điện thoại", "Mã đơn vị", "Phòng ban", "Tổ", "Chức vụ", "Vai trò"]


class PulledPlug(Exception):
    """The store fails in the middle."""


def listed(*rows: Sequence[str], with_codes: bool = False) -> ParsedRoster:
    """What a file with these rows says: code, name, phone, unit code, office, team, title, role."""
    columns = [place for place in range(len(HEADER)) if with_codes or place != 3]
    parsed = parse_roster([Sheet("DS", [[row[place] for place in columns] for row in (HEADER, *rows)])], NOW.date())
    assert not parsed.errors, parsed.errors
    return parsed


LAN = ("CB01", "Lê Thị Lan", "0381590830", "", "Văn phòng", "", "Chuyên viên", "thủ trưởng")
MINH = ("CB02", "Bùi Minh", "0898700221", "", "Văn phòng", "Tổ 1", "Lái xe", "")
CHI = ("CB03", "Vũ Chi", "0912345678", "", "Thanh tra", "", "Văn thư", "đầu mối")
NAM = ("CB04", "Hồ Nam", "0912345679", "", "Kiểm lâm", "", "Lái xe", "")


async def imported(session: Session, parsed: ParsedRoster, now: datetime = NOW) -> int:
    plan = await roster.plan_import(session, parsed, force=True)
    return await roster.apply(session, plan, filename="ds.xlsx", digest="d1", by="cli", now=now)


async def organised(database: Database) -> Database:
    async with database.transaction() as session:
        await units.ensure_root(session, "Sở Nông nghiệp")
    return database


@pytest.fixture
async def office(each_database: Database) -> Database:
    """A store with the organisation and nobody in it."""
    return await organised(each_database)


async def rows(session: Session, query: sa.Select[Any]) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in (await session.execute(query)).all()]


async def dump(session: Session) -> dict[str, list[tuple[Any, ...]]]:
    """Every column of units and people, and of the posts that have not ended."""
    return {
        "units": await rows(session, sa.select(unit).order_by(unit.c.id)),
        "people": await rows(session, sa.select(person).order_by(person.c.id)),
        "posts": await rows(session, sa.select(post).where(post.c.until_at.is_(None)).order_by(post.c.id)),
    }


async def standing(session: Session) -> tuple[list[Any], list[Any], list[Any]]:
    """The staff, the posts and the open units, each unit as the names from the top down to it."""
    everything = {one.id: one for one in await units.everything(session)}

    def chain(unit_id: int) -> tuple[str, ...]:
        return tuple(everything[int(number)].name for number in everything[unit_id].path.strip("/").split("/")[1:])

    for one in everything.values():
        above = everything[one.parent_id].path if one.parent_id else "/"
        assert one.path == f"{above}{one.id}/"
    staff = sa.select(person.c.staff_code, person.c.name, person.c.phone, person.c.title, person.c.unit_id)
    held = sa.select(person.c.staff_code, post.c.role, post.c.unit_id).join_from(post, person)
    people = await rows(session, staff.where(person.c.left_at.is_(None)))
    in_force = await rows(session, held.where(post.c.until_at.is_(None)))
    return (
        sorted((*one[:4], chain(one[4])) for one in people),
        sorted((code, role, chain(unit_id)) for code, role, unit_id in in_force),
        sorted(chain(one.id) for one in everything.values() if one.is_open),
    )


def meant(parsed: ParsedRoster) -> tuple[list[Any], list[Any], list[Any]]:
    """The same, as the file says it."""
    said = {one.code: one for one in parsed.units}

    def chain(code: str) -> tuple[str, ...]:
        parent = said[code].parent
        return (*(chain(parent) if parent else ()), said[code].name)

    return (
        sorted((one.staff_code, one.name, one.phone or "", one.title, chain(one.unit)) for one in parsed.entries),
        sorted((one.staff_code, role, chain(one.unit)) for one in parsed.entries for role in one.roles),
        sorted([(), *(chain(one.code) for one in parsed.units)]),
    )


async def test_an_import_makes_what_the_file_says_and_again_it_changes_nothing(office: Database) -> None:
    parsed = listed(LAN, MINH, CHI)
    async with office.transaction() as session:
        import_id = await imported(session, parsed)
    async with office.transaction() as session:
        assert await standing(session) == meant(parsed)
        assert (await roster.plan_import(session, parsed)).is_empty
        assert await audit.first_broken(session) is None
        row = (await session.execute(sa.select(roster_import).where(roster_import.c.id == import_id))).one()
        new = (await session.execute(sa.select(person.c.language, person.c.consent, person.c.joined_at))).all()
    assert (row.filename, row.digest, row.given_by) == ("ds.xlsx", "d1", "cli")
    assert (row.applied_at, row.undone_at) == (NOW, None)
    assert {kind: n for kind, n in row.counts.items() if n} == {"joins": 3, "posts_asked": 2, "new_units": 3}
    assert [tuple(one) for one in new] == [("vi", "", NOW)] * 3


async def test_roles_from_a_roster_give_no_right_until_an_administrator_says_yes(office: Database) -> None:
    async with office.transaction() as session:
        await imported(session, listed(LAN, MINH, CHI))
        assert await posts.holders(session, Action.SEE_FIGURES) == []
        waiting = await posts.waiting(session)
        assert sorted((one.person_name, one.role) for one in waiting) == [
            ("Lê Thị Lan", Role.HEAD), ("Vũ Chi", Role.FOCAL),
        ]  # fmt: skip
        await posts.confirm(session, [one.id for one in waiting], SOON)
        held = [one.role for one in await posts.holders(session, Action.SEE_FIGURES)]
        assert sorted(held) == [Role.FOCAL, Role.HEAD]
        await imported(session, listed((*LAN[:7], ""), MINH, CHI), LATER)
        assert [one.role for one in await posts.holders(session, Action.SEE_FIGURES)] == [Role.FOCAL]


async def test_a_moved_unit_takes_everything_below_it_along(office: Database) -> None:
    team = ParsedRoster(
        [Entry("CB01", "Lê Thị Lan", "T", 2)], [Unit("A", "Phòng A"), Unit("B", "Phòng B"), Unit("T", "Tổ", "A")]
    )
    turned = dataclasses.replace(team, units=[Unit("A", "Phòng A", "B"), Unit("B", "Phòng B"), Unit("T", "Tổ", "A")])
    async with office.transaction() as session:
        await imported(session, team)
        before = await dump(session)
        import_id = await imported(session, turned, SOON)
        assert await standing(session) == meant(turned)
        await roster.undo(session, import_id, "cli", LATER)
        assert await dump(session) == before


async def test_a_plan_with_errors_or_made_of_other_data_is_refused(office: Database) -> None:
    async with office.transaction() as session:
        await imported(session, listed(LAN, MINH, CHI))
    async with office.transaction() as session:
        partial = await roster.plan_import(session, listed(LAN))
        stale = await roster.plan_import(session, listed(LAN, MINH, CHI, NAM))
        assert partial.needs_force
        assert await refused(session, partial) == "roster_plan.has_errors"
        await session.execute(person.update().where(person.c.staff_code == "CB02").values(title="Thủ kho"))
        assert await refused(session, stale) == "roster_plan.outdated"


async def refused(session: Session, plan: Plan) -> str:
    with pytest.raises(ImportRefused) as caught:
        await roster.apply(session, plan, filename="", digest="", by="cli", now=NOW)
    assert texts.text("vi", caught.value.key, **caught.value.values)
    return caught.value.key


async def test_a_store_without_the_organisation_takes_no_roster(database: Database) -> None:
    async with database.transaction() as session:
        with pytest.raises(LookupError):
            await roster.plan_import(session, listed(LAN))


@contextmanager
def failing(database: Database, at: int) -> Iterator[list[str]]:
    """The plug is pulled before statement number `at`; the statements that were sent."""
    sent: list[str] = []

    def count(*call: Any) -> None:
        sent.append(call[2])
        if len(sent) == at:
            raise PulledPlug

    sa.event.listen(database.engine.sync_engine, "before_cursor_execute", count)
    try:
        yield sent
    finally:
        sa.event.remove(database.engine.sync_engine, "before_cursor_execute", count)


async def test_whichever_statement_fails_nothing_of_the_import_or_its_undo_stays(office: Database) -> None:
    second = listed(("CB01", *LAN[1:4], "Kiểm lâm", *LAN[5:]), ("CB02", "Bùi Văn Minh", *MINH[2:]), NAM)
    async with office.transaction() as session:
        await imported(session, listed(LAN, MINH, CHI))
        before = await dump(session)

    async def change() -> None:
        async with office.transaction() as session:
            import_id = await imported(session, second, SOON)
            await roster.undo(session, import_id, "cli", LATER)
            raise PulledPlug

    with failing(office, -1) as sent, suppress(PulledPlug):
        await change()
    assert len(sent) > 25
    for at in range(1, len(sent) + 1):
        with failing(office, at), suppress(PulledPlug):
            await change()
        async with office.transaction() as session:
            assert await dump(session) == before


async def test_an_undo_is_refused_when_unknown_too_old_not_the_newest_or_done_already(office: Database) -> None:
    async def why_not(import_id: int, now: datetime) -> str:
        async with office.transaction() as session:
            with pytest.raises(UndoRefused) as caught:
                await roster.undo(session, import_id, "cli", now)
        assert texts.text("en", caught.value.key, **caught.value.values)
        return caught.value.key.removeprefix("roster_plan.undo_")

    async with office.transaction() as session:
        first = await imported(session, listed(LAN, MINH))
        second = await imported(session, listed(LAN, MINH, CHI), SOON)
    assert await why_not(99, LATER) == "unknown"
    assert await why_not(first, LATER) == "not_newest"
    assert await why_not(second, SOON + timedelta(days=7, seconds=1)) == "too_old"
    async with office.transaction() as session:
        counts = await roster.undo(session, second, "cli", SOON + timedelta(days=7))
    assert {kind: n for kind, n in counts.items() if n} == {"joined": 1, "posts": 1, "units": 1}
    assert await why_not(second, LATER) == "already"
    async with office.transaction() as session:
        await roster.undo(session, first, "cli", LATER)
        assert (await standing(session))[0] == []
        assert await audit.first_broken(session) is None


async def test_an_undo_keeps_a_post_that_was_given_anew(office: Database) -> None:
    async with office.transaction() as session:
        await imported(session, listed(LAN, MINH, CHI))
        second = await imported(session, listed((*LAN[:7], ""), MINH, CHI), SOON)
        who = sa.select(person.c.id, person.c.unit_id).where(person.c.staff_code == "CB01")
        lan, office_id = (await rows(session, who))[0]
        await posts.appoint(session, lan, office_id, Role.HEAD, SOON, source="admin", confirmed=True)
        await roster.undo(session, second, "cli", LATER)
        query = sa.select(post.c.source).where(post.c.person_id == lan, post.c.until_at.is_(None))
        assert await rows(session, query) == [("admin",)]


# --- a working day ---


def as_stored(*names: str, unit_code: str = "P1") -> ParsedRoster:
    """A list of people the world already has, all in one unit."""
    entries = [Entry(f"CB-{name}", name.title(), unit_code, place) for place, name in enumerate(names, start=2)]
    return ParsedRoster(entries, [Unit("P1", "Phòng P1"), Unit("P2", "Phòng P2")])


async def asks_of(world: World, name: str) -> list[tuple[str, str]]:
    query = sa.select(ask.c.state, ask.c.reason).join_from(ask, person, person.c.id == ask.c.person_id)
    return [tuple(row) for row in await world.rows(query.where(person.c.staff_code == f"CB-{name}").order_by(ask.c.id))]


async def take(world: World, parsed: ParsedRoster) -> int:
    async with world.transaction() as session:
        return await imported(session, parsed, world.now)


async def take_back(world: World, import_id: int) -> None:
    async with world.transaction() as session:
        await roster.undo(session, import_id, "cli", world.now)


async def morning(world: World) -> tuple[Any, Any]:
    """Two people of one unit, prompted at seven."""
    await world.unit("P1")
    lan, minh = await world.enrolled("lan", "P1"), await world.enrolled("minh", "P1")
    await world.clock_strikes("07:00")
    await world.clock_strikes("07:10")
    return lan, minh


async def test_who_leaves_is_a_stranger_at_once_and_no_longer_waited_for(each_world: World) -> None:
    world = each_world
    _, minh = await morning(world)
    async with world.transaction() as session:
        who = (await rows(session, sa.select(person.c.id).where(person.c.staff_code == "CB-minh")))[0][0]
        codes = await invites.issue(session, [who], world.now, timedelta(hours=24), lambda: "a-code")
    await take(world, as_stored("lan"))
    assert await asks_of(world, "minh") == [("excused", "left")]
    assert await asks_of(world, "lan") == [("due", "")]
    prompts = len(minh.messages)
    await world.clock_strikes("08:15")
    assert len(minh.messages) == prompts
    await minh.type("/today")
    minh.sees("Nếu có mã mời")
    async with world.transaction() as session:
        assert await invites.redeem(session, codes[who], world.now) is None
    assert await world.count(address) == 2


async def test_an_undo_within_the_round_waits_for_them_again(each_world: World) -> None:
    world = each_world
    _, minh = await morning(world)
    async with world.transaction() as session:
        who = (await rows(session, sa.select(person.c.id).where(person.c.staff_code == "CB-minh")))[0][0]
        await invites.issue(session, [who], world.now, timedelta(hours=24), lambda: "a-code")
    import_id = await take(world, as_stored("lan"))
    await world.clock_strikes("07:20")
    await take_back(world, import_id)
    assert await asks_of(world, "minh") == [("due", "")]
    assert await world.count(invite, invite.c.revoked_at.is_not(None)) == 0
    await minh.tap("Tôi khỏe")
    assert await asks_of(world, "minh") == [("answered", "")]


async def test_an_undo_after_the_round_blames_nobody(world: World) -> None:
    await morning(world)
    import_id = await take(world, as_stored("lan"))
    await world.clock_strikes("09:00")
    await take_back(world, import_id)
    assert await asks_of(world, "minh") == [("excused", "left")]


async def test_who_comes_back_is_waited_for_in_a_round_they_had_left(world: World) -> None:
    _, minh = await morning(world)
    await take(world, as_stored("lan"))
    await world.clock_strikes("07:20")
    import_id = await take(world, as_stored("lan", "minh"))
    assert await asks_of(world, "minh") == [("due", "")]
    await take_back(world, import_id)
    assert await asks_of(world, "minh") == [("excused", "left")]
    await minh.type("/today")
    minh.sees("Nếu có mã mời")


async def test_who_joins_while_a_round_is_open_is_asked_from_the_next_one_on(world: World) -> None:
    await morning(world)
    await take(world, as_stored("lan", "minh", "nam"))
    await world.clock_strikes("08:00")
    assert await asks_of(world, "nam") == []
    await world.clock_strikes("16:30")
    assert await asks_of(world, "nam") == [("due", "")]


async def test_a_move_does_not_rewrite_the_round_that_is_open(world: World) -> None:
    await world.unit("P2")
    await morning(world)
    before = await world.rows(sa.select(ask.c.id, ask.c.unit_id))
    await take(world, as_stored("lan", "minh", unit_code="P2"))
    assert await world.rows(sa.select(ask.c.id, ask.c.unit_id)) == before
    query = sa.select(unit.c.code).join_from(person, unit)
    assert [tuple(row) for row in await world.rows(query)] == [("P2",), ("P2",)]


# --- any list after any other ---

OFFICES = ("Văn phòng", "Thanh tra", "Kiểm lâm")
TEAMS = ("", "Tổ 1", "Tổ 2")


@st.composite
def lists(draw: st.DrawFn) -> ParsedRoster:
    """Up to eight people in a tree of offices and teams, with or without unit codes that may change hands."""
    codes = draw(st.permutations([f"D{number}" for number in range(len(OFFICES) * len(TEAMS))]))
    places = [(office, team) for office in OFFICES for team in TEAMS]
    someone = st.tuples(st.integers(2, 9), st.sampled_from(places))
    chosen = draw(st.lists(someone, unique_by=lambda it: it[0], max_size=7))
    table = [LAN]
    for number, (office, team) in chosen:
        name = draw(st.sampled_from(("Bùi Minh", "Vũ Chi")))
        phone = draw(st.sampled_from(("0912345678", "0912345679", "")))
        role = draw(st.sampled_from(("thủ trưởng", "đầu mối", "")))
        table.append((f"CB0{number}", name, phone, codes[places.index((office, team))], office, team, "Lái xe", role))
    if not draw(st.booleans()):
        return listed(*table)
    return listed(("CB01", *LAN[1:3], codes[places.index((LAN[4], LAN[5]))], *LAN[4:]), *table[1:], with_codes=True)


class Over(Exception):
    """Rolls an example back."""


def as_it_was(before: dict[str, list[Any]], after: dict[str, list[Any]]) -> None:
    """Whatever was there is there, byte for byte; what else there is has left or is closed."""
    assert after["posts"] == before["posts"]
    for kind, table, ended in (("units", unit, "closed_at"), ("people", person, "left_at")):
        known = {row[0] for row in before[kind]}
        assert [row for row in after[kind] if row[0] in known] == before[kind]
        place = list(table.c.keys()).index(ended)
        assert all(row[place] for row in after[kind] if row[0] not in known)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=lists(), second=lists())
async def test_any_list_after_any_other_and_back(office: Database, first: ParsedRoster, second: ParsedRoster) -> None:
    with suppress(Over):
        async with office.transaction() as session:
            await imported(session, first)
            assert await standing(session) == meant(first)
            before = await dump(session)
            import_id = await imported(session, second, SOON)
            assert await standing(session) == meant(second)
            assert (await roster.plan_import(session, second)).is_empty
            await roster.undo(session, import_id, "cli", LATER)
            as_it_was(before, await dump(session))
            assert (await roster.plan_import(session, first)).is_empty
            await imported(session, second, LATER)
            assert await standing(session) == meant(second)
            raise Over
