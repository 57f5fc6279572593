"""Who may do what, against a table written independently of the one in force, and what loss of a post means."""

from __future__ import annotations

import itertools

import pytest
import sqlalchemy as sa

from domain.policy import FROM_ROSTER, GRANTS, Action, Post, Role, may, scope
from storage import posts, tables
from tests.world import World

ALLOWED = """
              head focal committee guard admin
see_figures     x    x       x       .     .
see_missing     x    x       x       .     .
remind          x    x       x       .     .
answer_for      x    x       x       .     .
see_answer      x    .       x       .     .
update_risk     x    x       x       .     .
override_zone   x    .       x       .     .
answer_incident x    x       x       .     .
see_quality     .    .       x       .     .
bind_chat       x    .       x       .     x
plan            .    .       .       .     x
import_roster   .    .       .       .     x
confirm_post    .    .       .       .     x
invite          .    .       .       .     x
"""
PATHS = {"above": "/1/", "own": "/1/7/", "below": "/1/7/12/", "beside": "/1/8/", "look-alike": "/1/70/"}


def expected() -> dict[tuple[str, str], bool]:
    head, *lines = (line.split() for line in ALLOWED.strip().splitlines())
    return {(role, line[0]): mark == "x" for line in lines for role, mark in zip(head, line[1:], strict=True)}


def test_the_table_names_every_role_and_action() -> None:
    assert set(expected()) == {(role.value, action.value) for role, action in itertools.product(Role, Action)}
    assert set(GRANTS) == set(Role)
    assert {Role.HEAD, Role.FOCAL} == FROM_ROSTER


@pytest.mark.parametrize("where", PATHS)
@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize("role", Role)
def test_a_role_over_a_unit(role: Role, action: Action, where: str) -> None:
    allowed = expected()[role.value, action.value] and where in ("own", "below")
    assert may([Post(role, "/1/7/")], action, PATHS[where]) is allowed


@pytest.mark.parametrize("action", Action)
def test_without_a_post_nothing_is_allowed(action: Action) -> None:
    assert scope([], action) == [] and not may([], action, "/1/")


def test_two_posts_add_up_each_over_its_own_unit() -> None:
    held = [Post(Role.HEAD, "/1/7/"), Post(Role.ADMIN, "/1/8/"), Post(Role.FOCAL, "/1/7/12/")]
    assert scope(held, Action.SEE_FIGURES) == ["/1/7/"]
    assert scope(held, Action.BIND_CHAT) == ["/1/7/", "/1/8/"]
    assert not may(held, Action.SEE_MISSING, "/1/8/")


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("change", ["ended", "unconfirmed"])
async def test_a_post_that_is_not_in_force_gives_no_right_from_that_moment(
    world: World, role: Role, change: str
) -> None:
    lan = await world.enrolled("lan", role=role)
    await world.clock_strikes("07:00")
    await lan.type("/status")
    could = "Không có số liệu" not in lan.last
    assert could is expected()[role.value, "see_figures"]
    column = "until_at" if change == "ended" else "confirmed_at"
    async with world.transaction() as session:
        await session.execute(tables.post.update().values({column: world.now if change == "ended" else None}))
        person_id = (await session.execute(sa.select(tables.person.c.id))).scalar_one()
        assert await posts.held_by(session, person_id) == []
        assert [await posts.holders(session, action) for action in Action] == [[]] * len(Action)
    await lan.type("/status")
    assert "Không có số liệu để xem ở đây" in lan.last
    before = len(lan.messages)
    await world.clock_strikes("09:00")
    assert not [one for _, one in lan.messages[before:] if "Tổng hợp" in one.title or "Chưa khai báo" in one.title]
