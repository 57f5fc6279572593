"""Whole files: spreadsheets and text in every encoding, of any size allowed, read in a limited child process."""

from __future__ import annotations

import asyncio
import gc
import resource
import time
from datetime import date
from pathlib import Path

import pytest

from domain.roster import ParsedRoster
from handlers.roster_child import parsed
from handlers.roster_file import read_roster_file
from tests.rosters import MadeUp, as_csv, as_xlsx, grid_xlsx, made_up

TODAY = date(2026, 3, 2)
ROLES = {"thủ trưởng": {"head"}, "đầu mối": {"focal"}, "": set()}


def as_read(roster: ParsedRoster) -> list[tuple[object, ...]]:
    names = {unit.code: unit.name for unit in roster.units}
    return [
        (entry.staff_code, entry.name, entry.phone, names[entry.unit], entry.title, entry.roles, entry.birth_date)
        for entry in roster.entries
    ]


def as_made(people: list[MadeUp]) -> list[tuple[object, ...]]:
    return [(it.staff_code, it.name, it.phone, it.unit, it.title, ROLES[it.role], it.birth_date) for it in people]


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_a_messy_workbook_is_read_person_by_person(seed: int) -> None:
    people = made_up(300, seed)
    roster = await read_roster_file(as_xlsx(people, seed), TODAY)
    assert roster.problems == []
    assert as_read(roster) == as_made(people)
    assert [entry.row for entry in roster.entries] == list(range(5, 305))


@pytest.mark.parametrize(
    ("encoding", "separator"),
    [("utf-8", ","), ("utf-8-sig", ";"), ("utf-16", "\t"), ("utf-16-le", ";"), ("utf-16-be", ","), ("utf-8", "|")],
)
async def test_text_in_any_encoding_with_any_separator(encoding: str, separator: str) -> None:
    people = made_up(60)
    content = as_csv(people, separator=separator).encode(encoding)
    roster = await read_roster_file(content, TODAY)
    assert parsed(content, TODAY) == roster
    assert roster.problems == []
    assert as_read(roster) == as_made(people)


async def test_the_old_vietnamese_code_page_and_a_separator_line() -> None:
    # Windows-1258 writes a tone after its letter.
    lines = "sep=;\r\nMã CB;Họ và tên;Đơn vị\r\nA1;Trâ\u0300n Thi\u0323 Hươ\u0300ng;Văn pho\u0300ng\r\n"
    content = lines.replace("ọ", "o\u0323").replace("à", "a\u0300").replace("ị", "i\u0323").replace("ã", "a\u0303")
    roster = await read_roster_file(content.encode("cp1258"), TODAY)
    assert parsed(content.encode("cp1258"), TODAY) == roster
    assert [(entry.name, entry.unit) for entry in roster.entries] == [("Trần Thị Hường", "van-phong")]


async def test_formulas_count_as_what_they_show_and_hidden_or_other_sheets_are_passed_over() -> None:
    formula = '=HYPERLINK("http://x","y")'
    rows = [["Mã CB", "Họ tên", "Đơn vị"], ["A1", "Lê Lan", "Văn phòng"], ["A2", formula, "T"]]
    content = grid_xlsx(("DS", rows), ("Ghi chú", [["Cập nhật tháng 3"]]))
    roster = await read_roster_file(content, TODAY)
    assert parsed(content, TODAY) == roster
    assert [entry.staff_code for entry in roster.entries] == ["A1"]
    assert [(problem.row, problem.key) for problem in roster.problems] == [(3, "roster.name_unreadable")]


async def test_twenty_thousand_people_within_the_time_and_without_holding_the_loop() -> None:
    people = made_up(20_000)
    content = await asyncio.to_thread(as_xlsx, people)
    gc.freeze()  # what other tests have left is no work of the bot's
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    reading = asyncio.create_task(read_roster_file(content, TODAY))
    longest, last = 0.0, time.process_time()
    while not reading.done():
        await asyncio.sleep(0.01)
        now = time.process_time()  # processor time, so that a busy machine does not count against the bot
        longest, last = max(longest, now - last), now
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 5
    assert longest < 0.5
    gc.unfreeze()
    roster = reading.result()
    assert roster.problems == []
    assert as_read(roster) == as_made(people)


async def test_it_is_read_from_any_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    (tmp_path / "domain.py").write_text("raise SystemExit(7)")
    roster = await read_roster_file(as_xlsx(made_up(5)), TODAY)
    assert len(roster.entries) == 5
