"""The command line as a whole: help for everything, one line for every mistake, exit status 0, 1 or 2."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
import typer

from bot import cli
from bot.settings import Settings
from tests.office import Office, empty_office, office, started_store

__all__ = ["empty_office", "office", "started_store"]

ROOT = Path(__file__).parent.parent


def commands() -> Iterator[tuple[str, ...]]:
    """Every command and group, as it is typed."""
    root = typer.main.get_command(cli.app)
    yield ()
    for name, command in root.commands.items():  # type: ignore[attr-defined]
        yield (name,)
        for part in getattr(command, "commands", {}):
            yield (name, part)


def parameters(path: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    command = typer.main.get_command(cli.app)
    for name in path:
        command = command.commands[name]  # type: ignore[attr-defined]
    for one in command.params:
        yield one.name or "", getattr(one, "help", "") or ""


def test_the_contract_has_these_commands() -> None:
    assert {" ".join(path) for path in commands()} >= {
        "run", "demo", "settings", "doctor", "status", "invites", "export", "roster import",
        "post list", "post confirm", "post appoint", "post end",
        "schedule list", "schedule set", "schedule reset", "schedule pause", "schedule resume",
        "schedule calendar", "schedule preview", "round open", "round close",
    }  # fmt: skip


@pytest.mark.parametrize("path", list(commands()), ids=" ".join)
def test_everything_has_help(empty_office: Office, path: tuple[str, ...]) -> None:
    shown = empty_office.does(*path, "--help")
    assert shown.startswith(f"Usage: {' '.join(['vungxanh', *path])}")
    assert all(said for _, said in parameters(path)), path


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ((), "Missing command"),
        (("nope",), "No such command 'nope'"),
        (("schedule",), "Missing command"),
        (("schedule", "nope"), "No such command"),
        (("status", "--nope"), "No such option"),
        (("status", "extra"), "unexpected extra argument"),
        (("status", "--day", "23/11"), "--day: '23/11' is not a day"),
        (("status", "--day", "2026-02-30"), "is not a day"),
        (("status", "--unit", "NOPE"), "no unit with the code “NOPE”"),
        (("status", "--unit", ""), "no unit with the code “”"),
        (("invites", "--unit", "NOPE"), "no unit"),
        (("invites", "--pdf", "nowhere/sheets.pdf"), "there is no folder nowhere"),
        (("invites", "--csv", "nowhere/list.csv"), "there is no folder nowhere"),
        (("roster",), "Missing command"),
        (("roster", "import"), "name a roster file"),
        (("roster", "import", "nowhere.xlsx"), "nowhere.xlsx: No such file"),
        (("roster", "import", "."), "Is a directory"),
        (("roster", "import", "a.xlsx", "--undo", "1"), "name a roster file, or"),
        (("roster", "import", "--undo", "1", "--dry-run"), "--undo goes with no other option"),
        (("roster", "import", "--undo", "x"), "integer"),
        (("post", "confirm"), "name the ids of posts, or --all"),
        (("post", "confirm", "1", "--all"), "name the ids of posts, or --all"),
        (("post", "confirm", "one"), "integer"),
        (("post", "appoint", "NOBODY", "head"), "nobody on the roster"),
        (("post", "appoint", "NOBODY", "king"), "'king' is not a role; roles are head, focal"),
        (("post", "end", "NOBODY", "head"), "nobody on the roster"),
        (("schedule", "set", "morning"), "say what to change"),
        (("schedule", "set", "evening", "--opens", "07:00"), "“evening” is not a kind of round"),
        (("schedule", "set", "morning", "--opens", "25:00"), "--opens: '25:00' is not a time of day"),
        (("schedule", "set", "morning", "--opens", "09:30"), "would open at 09:30 and close at 09:00"),
        (("schedule", "set", "morning", "--opens", "07:45"), "reminder at 07:30 is not between"),
        (("schedule", "set", "morning", "--reminders", "08:15,07:30"), "must follow one another"),
        (("schedule", "set", "morning", "--reminders", "08:15,soon"), "--reminders: 'soon'"),
        (("schedule", "set", "morning", "--missing-list", "09:00"), "list of the missing at 09:00"),
        (("schedule", "set", "morning", "--weekdays", "1-5"), "names no weekdays"),
        (("schedule", "set", "morning", "--closes", "17:00"), "after the afternoon round opens"),
        (("schedule", "set", "morning", "--unit", "NOPE", "--off"), "no unit"),
        (("schedule", "reset", "morning"), "Missing option '--unit'"),
        (("schedule", "reset", "morning", "--unit", "ORG"), "can be changed or switched off"),
        (("schedule", "pause"), "Missing option '--from'"),
        (("schedule", "pause", "--from", "2026-11-27", "--to", "2026-11-23"), "the last day is before the first"),
        (("schedule", "pause", "--from", "2026-11-01", "--to", "2026-11-02"), "2026-11-02 is past"),
        (("schedule", "pause", "evening", "--from", "2026-12-01", "--to", "2026-12-02"), "not a kind of round"),
        (("schedule", "calendar", "--day", "2026-12-01"), "Missing option '--working'"),
        (("schedule", "calendar", "--day", "2026-11-01", "--free"), "2026-11-01 is past"),
        (("schedule", "preview", "--days", "0"), "1"),
        (("round", "open", "evening"), "not a kind of round"),
        (("round", "open", "morning", "--closes", "05:00"), "would open at 06:00 and close at 05:00"),
        (("round", "open", "morning", "--closes", "late"), "--closes: 'late'"),
        (("round", "close", "evening"), "not a kind of round"),
        (("export", "answers"), "Missing option"),
        (("export", "names", "--from", "2026-11-23", "--to", "2026-11-23", "--format", "json"), "cannot be exported"),
        (("export", "answers", "--from", "2026-11-23", "--to", "2026-11-22", "--format", "json"), "before the first"),
        (("export", "answers", "--from", "2026-11-23", "--to", "2026-11-23", "--format", "xml"), "not a format"),
        (("export", "answers", "--from", "2026-11-23", "--to", "2026-11-23", "--format", "pdf"), "not available"),
        (("export", "answers", "--from", "2026-11-23", "--to", "2026-11-23", "--format", "docx"), "not available"),
        (("export", "answers", "--from", "2026-11-23", "--to", "2026-11-23", "--format", "xlsx"), "needs --output"),
        (("demo", "--port", "0"), "1"),
    ],
)
def test_wrong_input_is_one_line_and_status_2(office: Office, typed: tuple[str, ...], said: str) -> None:
    assert said in office.fails(2, *typed)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (("post", "confirm", "5"), "do not wait for confirmation: 5"),
        (("schedule", "resume"), "Nothing is paused for Sở Nông nghiệp"),
        (("round", "open", "morning"), "Everybody in Sở Nông nghiệp already has a morning round today"),
        (("round", "close", "morning"), "No morning round is open today"),
        (("roster", "import", "--undo", "7"), "There is no import 7."),
    ],
)
def test_what_cannot_be_done_is_one_line_and_status_1(office: Office, typed: tuple[str, ...], said: str) -> None:
    assert said in office.fails(1, *typed)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("VUNGXANH_ZONE", "Mars/Olympus", "VUNGXANH_ZONE: not a time zone"),
        ("VUNGXANH_WEB_PORT", "eighty", "VUNGXANH_WEB_PORT: Input should be a valid integer"),
        ("VUNGXANH_DATABASE_URL", "mysql://u:secret@h/n", "VUNGXANH_DATABASE_URL: expected sqlite:///PATH"),
        ("VUNGXANH_TELEGRAM_MODE", "pigeon", "VUNGXANH_TELEGRAM_MODE: Input should be 'polling' or 'webhook'"),
    ],
)
def test_a_wrong_setting_is_named_without_its_value(
    empty_office: Office, monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    monkeypatch.setenv(name, value)
    line = empty_office.fails(2, "status")
    assert said in line
    assert value not in line


def test_without_a_store_reading_makes_none(empty_office: Office) -> None:
    for typed in (("status",), ("post", "list"), ("invites",), ("schedule", "list"), ("round", "open", "morning")):
        assert "there is no store in" in empty_office.fails(1, *typed)
    assert not (empty_office.folder / "bot.db").exists()


def test_a_file_that_is_no_store_is_refused_in_one_line(empty_office: Office) -> None:
    (empty_office.folder / "bot.db").write_bytes(b"not a database at all" * 500)
    assert "file is not a database" in empty_office.fails(1, "status")


def test_a_key_that_others_can_read_is_refused(empty_office: Office) -> None:
    (empty_office.folder / "secret.key").chmod(0o644)
    roster, _ = empty_office.roster()
    assert "set its mode to 600" in empty_office.fails(1, "roster", "import", str(roster))


def test_a_campaign_at_fault_is_one_line(empty_office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VUNGXANH_CAMPAIGN", "measles")
    roster, _ = empty_office.roster()
    assert "covid19" in empty_office.fails(1, "roster", "import", str(roster))


def test_settings_are_all_shown_without_secrets(empty_office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VUNGXANH_TELEGRAM_TOKEN", "7000001:made-up-token-for-tests-only-000000")
    monkeypatch.setenv("VUNGXANH_DATABASE_URL", "postgresql://bot:pa@ss@db.example/vx?sslpassword=hidden")
    shown = empty_office.does("settings")
    for name, field in Settings.model_fields.items():
        assert f"VUNGXANH_{name.upper()} = " in shown
        assert str(field.description) in shown
    assert "VUNGXANH_TELEGRAM_TOKEN = set" in shown
    assert "VUNGXANH_TELEGRAM_WEBHOOK_SECRET = unset" in shown
    assert "VUNGXANH_DATABASE_URL = postgresql://bot:…@db.example/vx" in shown
    assert not any(secret in shown for secret in ("made-up", "pa@ss", "ss@db", "hidden"))


def test_as_a_program_it_reads_the_machines_clock_and_ends_with_the_status(empty_office: Office) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "bot", "status", "--unit", "X"],
        cwd=ROOT, env=os.environ | {"LC_ALL": "C"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (ended.returncode, ended.stdout, len(ended.stderr.splitlines())) == (1, "", 1)


def test_what_nobody_expected_is_one_line_and_an_event_without_its_words(
    office: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken() -> datetime:
        raise RuntimeError("Lan is ill")

    assert cli.main(["status"], clock=broken) == 1
    event, line = capsys.readouterr().err.splitlines()
    assert "command_failed" in event and "RuntimeError" in event and "test_cli_usage.py" in event
    assert line == "vungxanh: an unexpected problem (RuntimeError); nothing more was done"
    assert "Lan" not in event


def test_a_reader_that_stops_reading_is_no_problem(office: Office) -> None:
    line = f"{sys.executable} -m bot schedule preview --days 366 | head -1; exit ${{PIPESTATUS[0]}}"
    ended = subprocess.run(["bash", "-c", line], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.stdout.startswith("day ")
    assert ended.stderr == ""
