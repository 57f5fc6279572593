"""An operator plans rounds, holds one by hand, reads how the units stand and exports what was declared."""

from __future__ import annotations

import csv
import io
import json
import stat

import pytest
from python_calamine import CalamineWorkbook

from domain.chat import Tap
from storage import tables
from tests.office import Office, empty_office, office, started_store
from tests.world import World

__all__ = ["empty_office", "office", "started_store"]

ROUND = ("kind", "opens_at", "closes_at", "state", "due", "answered", "late", "excused", "missed", "units")
UNIT = ("code", "name", "due", "answered", "late", "excused", "zone")
ANSWER = ("staff_code", "day", "kind", "version", "level", "answers", "given_by", "channel", "answered_at", "late")
SATURDAY = "2026-11-28"
MONDAY = ("--from", "2026-11-23", "--to", "2026-11-23")


async def _two_units(world: World) -> None:
    await world.unit("P1", "Phòng Kế hoạch")
    await world.unit("P2", "Phòng Tổ chức")


async def _staff(world: World) -> None:
    await _two_units(world)
    await world.enrolled("lan", "P1")
    await world.enrolled("minh", "P1", on="webchat")
    await world.person("hoa", "P2")


async def _morning(world: World) -> None:
    """Lan is well in time; Minh corrects nothing and is late; Hoa is not enrolled."""
    await _staff(world)
    await world.clock_strikes("07:00")
    await world.phone("lan").tap("Tôi khỏe")
    await world.clock_strikes("09:30")
    await world.phone("minh", "webchat").tap("Tôi khỏe")


@pytest.fixture
def busy(office: Office) -> Office:
    office.lives(_morning)
    return office


# --- status ---


def test_status_has_the_keys_that_scripts_read(busy: Office) -> None:
    found = busy.types("status", "--json").json
    assert tuple(found) == ("day", "at", "rounds")
    assert (found["day"], found["at"]) == ("2026-11-23", "2026-11-23T09:30:00+07:00")
    assert [tuple(one) for one in found["rounds"]] == [ROUND, ROUND, ROUND]
    morning, _, afternoon = found["rounds"]
    assert {tuple(one) for one in morning["units"]} == {UNIT}
    assert morning["opens_at"] == "2026-11-23T07:00:00+07:00"
    assert morning["closes_at"] == "2026-11-23T09:00:00+07:00"
    assert {key: morning[key] for key in ROUND[3:9]} == {
        "state": "closed", "due": 3, "answered": 2, "late": 1, "excused": 0, "missed": 1,
    }  # fmt: skip
    assert [tuple(one.values()) for one in morning["units"]] == [
        ("ORG", "Sở Nông nghiệp", 3, 2, 1, 0, "yellow"),
        ("P1", "Phòng Kế hoạch", 2, 2, 1, 0, None),
        ("P2", "Phòng Tổ chức", 1, 0, 0, 0, "yellow"),
    ]
    assert (afternoon["kind"], afternoon["state"], afternoon["units"]) == ("afternoon", "planned", [])
    assert afternoon["opens_at"] == "2026-11-23T16:30:00+07:00"


def test_status_of_one_unit_and_in_words(busy: Office) -> None:
    one = busy.types("status", "--json", "--unit", "P2").json["rounds"][0]
    assert (one["due"], one["answered"], one["missed"]) == (1, 0, 1)
    assert [unit["code"] for unit in one["units"]] == ["P2"]
    said = busy.does("status")
    assert "Monday, 23/11/2026, as of 09:30 on 23/11/2026" in said
    assert "due 3, answered 2 (late 1), excused 0, missed 1" in said
    assert "afternoon: planned, 16:30 to 18:30" in said
    assert "No rounds on this day." in busy.does("status", "--day", "2026-11-22")


def test_while_a_round_is_open_missed_counts_whoever_has_not_answered_yet(office: Office) -> None:
    office.lives(_staff)

    async def opens(world: World) -> None:
        await world.clock_strikes("07:00")

    office.lives(opens)
    one = office.types("status", "--json").json["rounds"][0]
    assert (one["state"], one["due"], one["answered"], one["missed"]) == ("open", 3, 0, 3)


# --- schedules ---


def schedules(office: Office) -> list[dict[str, object]]:
    found: list[dict[str, object]] = office.types("schedule", "list", "--json").json["schedules"]
    return found


def test_the_campaigns_schedules_are_listed(office: Office) -> None:
    assert schedules(office)[0] == {
        "kind": "morning", "unit_code": "ORG", "opens": "07:00", "reminders": ["07:30", "08:15"],
        "missing_list": "08:30", "closes": "09:00", "weekdays": ["mon", "tue", "wed", "thu", "fri"],
        "on_holidays": False, "off": False, "once_on": None, "since": "2026-11-23",
    }  # fmt: skip
    assert "07:30,08:15" in office.does("schedule", "list")


def test_a_unit_has_its_own_hours_and_everything_else_as_before(office: Office) -> None:
    office.lives(_two_units)
    said = office.does("schedule", "set", "morning", "--unit", "P1", "--opens", "06:45", "--weekdays", "mon-sat")
    assert said == "morning in Phòng Kế hoạch: 06:45 to 09:00, mon,tue,wed,thu,fri,sat, from 2026-11-23.\n"
    own = next(one for one in schedules(office) if one["unit_code"] == "P1")
    assert (own["opens"], own["reminders"], own["missing_list"]) == ("06:45", ["07:30", "08:15"], "08:30")
    office.does("schedule", "set", "morning", "--unit", "P1", "--reminders", "none", "--missing-list", "none")
    own = next(one for one in schedules(office) if one["unit_code"] == "P1")
    assert (own["opens"], own["reminders"], own["missing_list"]) == ("06:45", [], None)
    office.does("schedule", "set", "morning", "--unit", "P1", "--off")
    assert "nobody is asked" in office.does("schedule", "set", "morning", "--unit", "P1", "--off")
    office.does("schedule", "reset", "morning", "--unit", "P1")
    assert {one["unit_code"] for one in schedules(office)} == {"ORG"}
    assert "no morning schedule of its own" in office.fails(1, "schedule", "reset", "morning", "--unit", "P1")


@pytest.mark.parametrize(
    ("clock", "opens", "since", "drops"),
    [
        ("06:00", "06:30", "2026-11-23", False),
        ("06:30", "06:30", "2026-11-24", True),
        ("06:30", "06:15", "2026-11-24", True),
        ("06:59", "07:10", "2026-11-23", False),
    ],
)
def test_new_hours_count_from_today_unless_they_have_struck(
    office: Office, clock: str, opens: str, since: str, drops: bool
) -> None:
    office.clock_shows(clock)
    said = office.does("schedule", "set", "morning", "--opens", opens)
    assert f"from {since}." in said
    assert ("does not take place" in said) == drops


def test_new_hours_count_from_tomorrow_when_todays_round_has_opened(busy: Office) -> None:
    busy.clock_shows("07:20")
    said = busy.does("schedule", "set", "morning", "--opens", "07:25")
    assert said == "morning in Sở Nông nghiệp: 07:25 to 09:00, mon,tue,wed,thu,fri, from 2026-11-24.\n"


def test_the_preview_says_what_happens_and_why_not(office: Office) -> None:
    office.lives(_two_units)
    office.does("schedule", "pause", "afternoon", "--from", "2026-11-23", "--to", "2026-11-23", "--reason", "họp")
    office.does("schedule", "calendar", "--day", "2026-11-28", "--working", "--unit", "P1", "--note", "làm bù")
    office.does("schedule", "calendar", "--day", "2026-11-25", "--free")
    office.does("schedule", "set", "afternoon", "--unit", "P2", "--off")
    lines = [line.split() for line in office.does("schedule", "preview", "--days", "7").splitlines()[1:]]
    said = {(day, kind, unit): " ".join(words) for _, day, kind, unit, *words in lines}
    assert said["2026-11-23", "morning", "ORG"].startswith(
        "opens 07:00, reminds 07:30, reminds 08:15, lists the missing"
    )
    assert said["2026-11-23", "afternoon", "ORG"] == "no round: paused"
    assert said["2026-11-24", "morning", "ORG"] == "no round: public holiday (Vietnam Cultural Day)"
    assert said["2026-11-25", "morning", "ORG"] == "no round: declared free"
    assert said["2026-11-26", "afternoon", "P2"] == "no round: switched off"
    assert said["2026-11-28", "morning", "ORG"] == "no round: not a weekday of the schedule"
    assert said["2026-11-28", "morning", "P1"].startswith("opens 07:00")
    assert ("2026-11-26", "morning", "P1") not in said
    only = office.does("schedule", "preview", "--days", "1", "--unit", "P1").splitlines()
    assert [line.split()[3] for line in only[1:]] == ["P1", "P1", "P1"]


def test_a_pause_is_listed_and_ended(office: Office) -> None:
    office.does("schedule", "pause", "--from", "2026-11-24", "--to", "2026-11-30")
    assert "Paused: every kind in ORG, 2026-11-24 to 2026-11-30" in office.does("schedule", "list")
    assert office.does("schedule", "resume") == "Sở Nông nghiệp: 1 pause(s) ended.\n"
    assert "Paused" not in office.does("schedule", "list")


# --- rounds by hand ---


def test_a_round_is_held_by_hand(office: Office) -> None:
    office.lives(_staff)
    office.clock_shows("18:15", SATURDAY)
    said = office.does("round", "open", "morning", "--unit", "P1", "--closes", "19:00")
    assert said == "morning round of Phòng Kế hoạch: open until 19:00, 2 due, 2 prompted.\n"
    assert "already has a morning round" in office.fails(1, "round", "open", "morning", "--unit", "P1")

    async def answer(world: World) -> None:
        await world.settle()
        lan = world.phone("lan")
        at, well = next(each for each in lan.buttons if "Tôi khỏe" in each[1].label)
        await lan.says(Tap(well.data, at), key="a tap of that evening")

    office.lives(answer)
    assert "No morning round is open" in office.fails(1, "round", "close", "morning", "--unit", "P2")
    said = office.does("round", "close", "morning")
    assert said == ("morning round of Sở Nông nghiệp: closed. Due 2, answered 1 (late 0), excused 0, missed 1.\n")
    assert "No morning round is open today" in office.fails(1, "round", "close", "morning")


@pytest.mark.parametrize(("clock", "closes"), [("20:15", "22:15"), ("22:30", "23:59"), ("05:00", "07:00")])
def test_a_round_by_hand_lasts_two_hours_but_not_into_the_next_day(office: Office, clock: str, closes: str) -> None:
    office.lives(_staff)
    office.clock_shows(clock, SATURDAY)
    assert f"open until {closes}, 3 due, 2 prompted" in office.does("round", "open", "morning")


def test_no_round_by_hand_during_a_pause(office: Office) -> None:
    office.lives(_staff)
    office.does("schedule", "pause", "--from", "2026-11-23", "--to", "2026-11-23", "--unit", "P1")
    assert "Phòng Kế hoạch is paused today" in office.fails(1, "round", "open", "morning", "--unit", "P1")


def test_the_organisations_round_is_not_closed_for_one_unit_alone(office: Office) -> None:
    office.lives(_staff)
    office.does("round", "open", "morning")
    assert "is not that of Phòng Tổ chức alone" in office.fails(1, "round", "close", "morning", "--unit", "P2")


# --- export ---


def test_answers_as_json_have_the_keys_that_scripts_read(busy: Office) -> None:
    found = busy.types("export", "answers", *MONDAY, "--format", "json").json
    assert [tuple(one) for one in found] == [ANSWER, ANSWER]
    lan, minh = found
    assert {key: lan[key] for key in ANSWER if key != "answers"} == {
        "staff_code": "CB-lan", "day": "2026-11-23", "kind": "morning", "version": 1, "level": "low",
        "given_by": "CB-lan", "channel": "telegram", "answered_at": "2026-11-23T07:00:00+07:00", "late": False,
    }  # fmt: skip
    assert lan["answers"]["workplace"] == "office"
    assert lan["answers"]["symptoms"] == ["none"]
    assert (minh["staff_code"], minh["channel"], minh["late"]) == ("CB-minh", "webchat", True)
    assert busy.types("export", "answers", "--from", "2026-11-01", "--to", "2026-11-22", "--format", "json").json == []


def test_answers_in_files_for_their_owner_only_and_every_cell_is_text(busy: Office) -> None:
    names = {form: busy.folder / f"answers.{form}" for form in ("json", "csv", "xlsx")}
    for form, file in names.items():
        assert busy.does("export", "answers", *MONDAY, "--format", form, "--output", str(file)) == ""
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(json.loads(names["json"].read_text())) == 2
    table = list(csv.reader(io.StringIO(names["csv"].read_text(encoding="utf-8-sig"))))
    assert table[0][:6] == ["staff_code", "day", "kind", "version", "level", "workplace"]
    assert table[1][:6] == ["CB-lan", "2026-11-23", "morning", "1", "low", "office"]
    assert table[1][-2:] == ["2026-11-23T07:00:00+07:00", "no"]
    sheet = CalamineWorkbook.from_path(str(names["xlsx"])).get_sheet_by_index(0).to_python()
    assert sheet == table
    assert sorted(file.name for file in busy.folder.iterdir() if file.name.startswith(".")) == []


def test_a_staff_code_never_becomes_a_formula(office: Office) -> None:
    async def hostile(world: World) -> None:
        await world.enrolled("lan")
        async with world.database.transaction() as session:
            await session.execute(tables.person.update().values(staff_code="=1+1"))
        await world.clock_strikes("07:00")
        await world.phone("lan").tap("Tôi khỏe")

    office.lives(hostile)
    assert "'=1+1," in office.does("export", "answers", *MONDAY, "--format", "csv")
    file = office.folder / "answers.xlsx"
    office.does("export", "answers", *MONDAY, "--format", "xlsx", "--output", str(file))
    assert CalamineWorkbook.from_path(str(file)).get_sheet_by_index(0).to_python()[1][0] == "=1+1"


def test_every_export_and_change_is_in_the_audit(busy: Office) -> None:
    busy.does("export", "answers", *MONDAY, "--format", "csv")
    busy.does("schedule", "set", "morning", "--opens", "07:25")
    busy.does("invites")

    async def lines(world: World) -> list[tuple[str, str]]:
        rows = await world.rows(tables.audit.select().order_by(tables.audit.c.id))
        return [(row.actor, row.action) for row in rows]

    assert busy.lives(lines)[-3:] == [("cli", "exported"), ("cli", "schedule_set"), ("cli", "invited")]


def test_after_an_outage_what_was_missed_comes_first(office: Office) -> None:
    office.lives(_staff)
    office.clock_shows("20:15")
    office.does("status")
    said = office.does("round", "open", "morning", "--unit", "P1", "--closes", "21:00")
    assert said == "morning round of Phòng Kế hoạch: open until 21:00, 2 due, 2 prompted.\n"
    assert "already has a morning round today" in office.fails(1, "round", "open", "morning", "--unit", "P1")
    rounds = {one["kind"]: one for one in office.types("status", "--json").json["rounds"]}
    assert (rounds["morning"]["state"], rounds["afternoon"]["state"]) == ("open", "closed")
    assert (rounds["morning"]["due"], rounds["morning"]["missed"]) == (3, 3), "each of the three counts once"
