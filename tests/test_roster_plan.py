"""What a roster would change: people by code, units by code or by name and place, roles that wait, and when not to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import astuple, replace
from datetime import UTC, datetime

import pytest

import texts
from domain.policy import Role
from domain.roster import Entry, ParsedRoster, Problem, Unit
from domain.roster_match import StoredUnit
from domain.roster_plan import Join, Leave, Move, Plan, PostAsked, Return, Stored, StoredPerson, StoredPost, compare

LONG_AGO = datetime(2026, 1, 5, tzinfo=UTC)
ORG = StoredUnit(1, "ORG", "Sở Nông nghiệp")
OFFICE = StoredUnit(2, "van-phong", "Văn phòng", 1)
INSPECTORS = StoredUnit(3, "TT", "Thanh tra", 1)
TEAM = StoredUnit(4, "to-1", "Tổ 1", 2)
LAN = StoredPerson(10, "CB01", "Lê Thị Lan", "+84381590830", "Kế toán", 2)
MINH = StoredPerson(11, "CB02", "Bùi Minh", "", "Lái xe", 3)
CHI = StoredPerson(12, "CB03", "Vũ Chi", "", "Văn thư", 4)
TREE = (ORG, OFFICE, INSPECTORS, TEAM)
ALL = Stored((LAN, MINH, CHI), TREE)
SAID_UNITS = (
    Unit("van-phong", "Văn phòng", made=True), Unit("TT", "Thanh tra"), Unit("to-1", "Tổ 1", "van-phong", made=True),
)  # fmt: skip


def entry(code: str, name: str, unit: str, phone: str = "", title: str = "", *roles: str) -> Entry:
    return Entry(code, name, unit, 2, phone or None, title, frozenset(roles))


SAID_LAN = entry("CB01", "Lê Thị Lan", "van-phong", "+84381590830", "Kế toán")
SAID_MINH = entry("CB02", "Bùi Minh", "TT", "", "Lái xe")
SAID_CHI = entry("CB03", "Vũ Chi", "to-1", "", "Văn thư")


def plan_of(*entries: Entry, units: Iterable[Unit] = SAID_UNITS, stored: Stored = ALL, force: bool = False) -> Plan:
    return compare(stored, ParsedRoster(entries, list(units)), force=force)


def said_again(*units: Unit, stored: Iterable[StoredUnit] = TREE) -> Plan:
    """A file of the same people in other words for the units."""
    return compare(Stored(units=list(stored)), ParsedRoster((), units))


def test_the_same_list_changes_nothing() -> None:
    plan = plan_of(SAID_LAN, SAID_MINH, SAID_CHI)
    assert plan.is_empty and plan.is_applicable and not plan.problems
    assert set(plan.counts.values()) == {0}


def test_joins_leaves_moves_changes_and_returns() -> None:
    gone = replace(CHI, left_at=LONG_AGO)
    plan = plan_of(
        replace(SAID_LAN, unit="TT", name="Lê Thị Lan Anh"), SAID_CHI, entry("CB04", "Hồ Nam", "TT"),
        stored=replace(ALL, people=(LAN, MINH, gone)), force=True,
    )  # fmt: skip
    assert plan.joins == [Join("CB04", "Hồ Nam", "", "", "TT")]
    assert plan.leaves == [Leave(11, "CB02", "Bùi Minh", "TT")]
    assert plan.moves == [Move(10, "CB01", "Lê Thị Lan Anh", "van-phong", "TT")]
    assert [astuple(one)[3:] for one in plan.changes] == [("name", "Lê Thị Lan", "Lê Thị Lan Anh")]
    assert plan.returns == [Return(12, "CB03", "Vũ Chi", "", "Văn thư", "to-1")]


def test_a_staff_code_in_other_letters_is_the_same_person() -> None:
    plan = plan_of(replace(SAID_LAN, staff_code="cb01"), SAID_MINH, SAID_CHI)
    assert plan.is_empty


@pytest.mark.parametrize(
    ("said", "changes"),
    [
        ((replace(SAID_LAN, phone=None), SAID_MINH, SAID_CHI), []),
        ((replace(SAID_LAN, phone=None), replace(SAID_MINH, phone="+84900000001"), SAID_CHI), ["phone", "phone"]),
        ((replace(SAID_LAN, title=""), replace(SAID_MINH, title=""), replace(SAID_CHI, title="")), []),
        ((replace(SAID_LAN, title=""), SAID_MINH, SAID_CHI), ["title"]),
    ],
)
def test_a_list_without_such_a_column_leaves_phones_and_titles_alone(
    said: tuple[Entry, ...], changes: list[str]
) -> None:
    assert [change.field for change in plan_of(*said).changes] == changes


@pytest.mark.parametrize(("leaving", "refused"), [(0, False), (3, False), (4, True), (10, True)])
def test_a_partial_list_is_refused_unless_it_is_insisted_on(leaving: int, refused: bool) -> None:
    stored = Stored([replace(MINH, id=n, staff_code=f"CB{n}") for n in range(10)], TREE)
    said = [replace(SAID_MINH, staff_code=f"CB{n}") for n in range(leaving, 10)]
    plan = plan_of(*said, stored=stored)
    assert (plan.is_applicable, plan.needs_force) == (not refused, refused)
    assert plan_of(*said, stored=stored, force=True).is_applicable
    if refused:
        assert f"{leaving} trong 10" in texts.text("vi", plan.errors[0].key, **plan.errors[0].values)


def test_a_list_with_errors_is_not_applied_even_with_force() -> None:
    wrong = Problem(5, "Mã CB", "error", "roster.code_missing")
    plan = compare(ALL, ParsedRoster((SAID_LAN, SAID_MINH, SAID_CHI), SAID_UNITS, [wrong]), force=True)
    assert plan.errors == [wrong] and not plan.is_applicable and not plan.needs_force


def test_only_wishes_to_be_head_or_focal_person_become_waiting_posts() -> None:
    plan = plan_of(replace(SAID_LAN, roles=frozenset({"head", "focal", "admin"})), SAID_MINH, SAID_CHI)
    assert plan.posts_asked == [
        PostAsked("CB01", "Lê Thị Lan", "van-phong", Role.FOCAL),
        PostAsked("CB01", "Lê Thị Lan", "van-phong", Role.HEAD),
    ]


def test_posts_from_an_earlier_list_end_and_those_an_administrator_gave_stay() -> None:
    posts = (
        StoredPost(20, 10, 2, "head", "roster"), StoredPost(21, 10, 2, "focal", "admin"),
        StoredPost(22, 11, 3, "head", "roster"),
    )  # fmt: skip
    head = frozenset({"head"})
    plan = plan_of(SAID_LAN, replace(SAID_MINH, roles=head), SAID_CHI, stored=replace(ALL, posts=posts))
    assert [one.post_id for one in plan.posts_no_longer_asked] == [20]
    assert plan.posts_asked == []


def test_a_list_without_roles_ends_only_the_posts_of_those_who_move() -> None:
    posts = (StoredPost(20, 10, 2, "head", "roster"), StoredPost(22, 11, 3, "head", "roster"))
    plan = plan_of(replace(SAID_LAN, unit="TT"), SAID_MINH, SAID_CHI, stored=replace(ALL, posts=posts))
    assert [one.post_id for one in plan.posts_no_longer_asked] == [20]


def test_whoever_leaves_with_a_post_of_an_administrator_is_pointed_out() -> None:
    posts = (StoredPost(20, 10, 1, "admin", "admin"), StoredPost(21, 11, 3, "head", "roster"))
    plan = plan_of(SAID_CHI, stored=replace(ALL, posts=posts), force=True)
    assert [(one.key, dict(one.values)) for one in plan.problems][1:] == [
        ("roster_plan.leaver_has_post", {"code": "CB01"})
    ]


def test_a_unit_code_in_other_letters_is_the_same_unit() -> None:
    plan = said_again(SAID_UNITS[0], Unit("tt", "Thanh tra"), SAID_UNITS[2])
    assert plan.is_empty


def test_units_new_moved_renamed_closed_and_back() -> None:
    closed = StoredUnit(5, "TY", "Thú y", 1, LONG_AGO)
    plan = said_again(
        Unit("TT", "Thanh tra Sở"), Unit("TY", "Thú y"), Unit("to-1", "Tổ 1", "TT", made=True),
        Unit("KL", "Kiểm lâm", "TY"), stored=[*TREE, closed],
    )  # fmt: skip
    assert [astuple(one) for one in plan.new_units] == [("KL", "Kiểm lâm", "TY")]
    assert [astuple(one) for one in plan.moved_units] == [(4, "to-1", "Tổ 1", "van-phong", "TT")]
    assert [astuple(one) for one in plan.renamed_units] == [(3, "TT", "TT", "Thanh tra", "Thanh tra Sở")]
    assert [astuple(one) for one in plan.closed_units] == [(2, "van-phong", "Văn phòng")]
    assert [astuple(one) for one in plan.reopened_units] == [(5, "TY", "Thú y")]


def test_a_made_code_that_comes_out_differently_still_finds_the_unit_by_name_and_place() -> None:
    plan = said_again(
        *SAID_UNITS[:2], Unit("van-phong.to-1", "TỔ 1", "van-phong", made=True),
        Unit("tt.to-1", "Tổ 1", "TT", made=True),
    )  # fmt: skip
    assert [one.code for one in plan.new_units] == ["tt.to-1"]
    assert [(one.code, one.after) for one in plan.renamed_units] == [("to-1", "TỔ 1")]
    assert not plan.moved_units and not plan.closed_units


def test_a_list_that_begins_to_use_codes_gives_them_to_the_units_it_finds_by_name() -> None:
    plan = said_again(Unit("VP", "Văn phòng"), Unit("TT", "Thanh tra"), Unit("VP1", "Tổ 1", "VP"))
    assert [astuple(one) for one in plan.renamed_units] == [
        (2, "van-phong", "VP", "Văn phòng", "Văn phòng"),
        (4, "to-1", "VP1", "Tổ 1", "Tổ 1"),
    ]
    assert not (plan.new_units or plan.moved_units or plan.closed_units)


@pytest.mark.parametrize("top", [Unit("so", "SỞ NÔNG NGHIỆP", made=True), Unit("org", "Sở")])
def test_the_organisation_itself_is_never_closed_moved_or_renamed(top: Unit) -> None:
    below = [replace(one, parent=one.parent or top.code) for one in SAID_UNITS]
    assert said_again(top, *below).is_empty


def test_a_made_code_never_takes_one_that_is_in_use() -> None:
    closed = StoredUnit(5, "thu-y", "Thú y", 3, LONG_AGO)
    plan = said_again(*SAID_UNITS, Unit("thu-y", "Thú y", made=True), stored=[*TREE, closed])
    assert [astuple(one) for one in plan.new_units] == [("org.thu-y", "Thú y", "ORG")]
    taken = StoredUnit(6, "org.thu-y", "Kho", 3, LONG_AGO)
    plan = said_again(*SAID_UNITS, Unit("thu-y", "Thú y", made=True), stored=[*TREE, closed, taken])
    assert [one.code for one in plan.new_units] == ["org.thu-y-2"]


def test_units_whose_parent_is_missing_or_that_stand_in_a_circle_hang_below_the_organisation() -> None:
    plan = said_again(Unit("A", "Phòng A", "B"), Unit("B", "Phòng B", "A"), Unit("C", "Phòng C", "Z"))
    assert {one.code: one.parent for one in plan.new_units} == {"A": "ORG", "B": "ORG", "C": "ORG"}
