"""A few of the operations that `make failures` lets fail one by one."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.nth_failure import KINDS, Kind, day_with, operations, template

SHARE = {"full": 6, "io_error": 6, "busy": 6, "unsure": 4, "crash": 8, "crash_after": 5}
"""So many operations of each kind, spread over the day."""


@pytest.fixture(scope="module")
def morning(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("morning") / "morning.db"
    asyncio.run(template(path))
    return path


@pytest.mark.parametrize("kind", KINDS)
def test_whatever_operation_fails_nothing_false_is_said_and_the_day_ends_as_any_other(
    morning: Path, kind: Kind
) -> None:
    all_of_them = operations(morning, kind)
    for part in range(SHARE[kind]):
        number = 1 + (part * all_of_them + all_of_them // 2) // SHARE[kind]
        day = day_with(morning, kind, number)
        assert day.fault.met
        assert (number, day.problems) == (number, [])
