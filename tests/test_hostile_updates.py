"""Mutilated updates in small; `make hostile` sends 100,000."""

from __future__ import annotations

import json
import random

import pytest

from storage.database import Database
from tests.hostile_updates import besieged, hostile, kinds, made_up


@pytest.mark.parametrize("webhook", [False, True], ids=["polling", "webhook"])
async def test_no_update_however_mutilated_ends_anything_or_holds_up_a_good_one(
    each_database: Database, *, webhook: bool
) -> None:
    report = await besieged(600, 11, each_database, webhook=webhook)
    assert report.problems == []
    assert report.hostile >= 600 and report.set_aside + report.refused_at_the_door > 100
    assert report.understood > 100 and report.failed_turns == 0


def test_every_kind_of_update_is_made_and_mutilated() -> None:
    chance = random.Random(2)
    assert len(kinds()) == 27
    for kind in kinds():
        update = made_up(chance, kind)
        assert json.loads(json.dumps(update)) == update
    bodies = [hostile(chance, number) for number in range(400)]
    readable = sum(_is_json(body) for body in bodies)
    assert 100 < readable < 300


def _is_json(body: bytes) -> bool:
    try:
        json.loads(body)
    except (ValueError, RecursionError):
        return False
    return True
