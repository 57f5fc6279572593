"""The page of guarantees tells of tests that exist and figures that were measured."""

from __future__ import annotations

from tests import guarantees


def test_every_test_it_names_exists() -> None:
    assert guarantees.missing_tests(guarantees.listed()) == []


def test_the_page_is_up_to_date() -> None:
    assert guarantees.PAGE.read_text(encoding="utf-8") == guarantees.page(guarantees.listed()), (
        "run python -m tests.guarantees"
    )
