"""A campaign folder is loaded whole or not at all, and every mistake is named."""

from __future__ import annotations

import shutil
from datetime import time
from pathlib import Path

import pytest

from domain.campaign import Campaign
from domain.campaign_file import CampaignError, Problem, available_campaigns, campaign_folder, load_campaign
from domain.chat import LANGUAGES

SHIPPED = available_campaigns()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(campaign_folder("covid19"), tmp_path / "covid19"))


def problems(folder: Path) -> list[Problem]:
    with pytest.raises(CampaignError) as raised:
        load_campaign(folder)
    assert str(raised.value).splitlines() == [str(problem) for problem in raised.value.problems]
    return raised.value.problems


def change(folder: Path, name: str, old: str, new: str) -> None:
    text = (folder / name).read_text("utf-8")
    assert old in text
    (folder / name).write_text(text.replace(old, new, 1), "utf-8")


def test_two_campaigns_are_shipped() -> None:
    assert SHIPPED == ["covid19", "flu-dengue"]


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_campaigns_are_whole(name: str) -> None:
    campaign = load_campaign(campaign_folder(name))
    assert campaign.key == name
    assert 1 <= len(campaign.questions) <= 5
    assert [schedule.kind for schedule in campaign.schedules] == ["morning", "risk", "afternoon"]
    for language in LANGUAGES:
        assert len(campaign.well_label[language]) <= 64
        assert campaign.statement[language]
    assert all(rule.reason.vi and rule.reason.en for rule in campaign.rules)


def test_the_shipped_campaigns_ask_and_judge_differently() -> None:
    covid, flu = (load_campaign(campaign_folder(name)) for name in SHIPPED)
    assert {rule.key for rule in covid.rules}.isdisjoint(rule.key for rule in flu.rules)
    assert covid.healthy_answers() != flu.healthy_answers()
    assert covid.workplace != flu.workplace


def test_the_day_of_covid19() -> None:
    morning, risk, afternoon = load_campaign(campaign_folder("covid19")).schedules
    assert (morning.opens, morning.closes, morning.missing_list) == (time(7), time(9), time(8, 30))
    assert morning.reminders == (time(7, 30), time(8, 15))
    assert morning.audience == "everyone"
    assert not morning.on_holidays
    assert morning.weekdays == afternoon.weekdays == ("mon", "tue", "wed", "thu", "fri")
    assert (afternoon.opens, afternoon.closes) == (time(16, 30), time(18, 30))
    assert afternoon.audience == "worked_today"
    assert (risk.opens, risk.closes, risk.audience) == (time(14), time(15), "units")
    assert risk.reminders == (time(14, 30), time(14, 50)) and risk.missing_list == time(14, 50)


def test_those_on_leave_or_in_isolation_have_not_worked() -> None:
    workplace = load_campaign(campaign_folder("covid19")).workplace
    assert workplace.worked == {"office", "home", "trip"}
    assert workplace.usual == "office"


def test_references_are_data() -> None:
    campaign = load_campaign(campaign_folder("covid19"))
    levels, index, contact = campaign.references
    assert [band.colour for band in levels.bands] == ["green", "yellow", "orange", "red"]
    assert [band.at_most for band in index.bands] == [15, 30, 50, 80, 100]
    assert contact.adopted.isoformat() == "2021-07-30"


def test_a_number_is_changed_in_one_place(folder: Path) -> None:
    change(folder, "rules.toml", "fever = 37.5", "fever = 38")
    campaign = load_campaign(folder)
    assert isinstance(campaign, Campaign)
    assert campaign.thresholds["fever"] == 38


def test_an_unknown_campaign_names_the_choices() -> None:
    for name in ("measles", "../tests", ""):
        with pytest.raises(CampaignError, match=r"expected one of covid19, flu-dengue"):
            campaign_folder(name)


MISTAKES = [
    # campaign.toml
    ("campaign.toml", 'key = "covid19"', 'key = "covid"', "key", 'the name of its folder, "covid19"'),
    ("campaign.toml", "version = 1", "version = 0", "version", "a whole number from 1"),
    ("campaign.toml", "version = 1", "version = true", "version", "found true"),
    ("campaign.toml", "version = 1", 'version = 1\ncolour = "red"', "colour", "unknown key"),
    ("campaign.toml", 'en = "COVID-19 health declaration"', "", "title.en", "missing, expected a text"),
    ("campaign.toml", 'en = "COVID-19 health declaration"', 'en = " "', "title.en", "found an empty one"),
    ("campaign.toml", 'en = "COVID-19 health declaration"', 'en = "a "', "title.en", "spaces around"),
    ("campaign.toml", 'en = "COVID-19 health declaration"', 'en = "a\\u0007"', "title.en", "control characters"),
    ("campaign.toml", 'en = "COVID-19 health declaration"', "en = 3", "title.en", "expected a text, found 3"),
    ("campaign.toml", 'en = "COVID-19 health declaration"', 'en = "a"\nfr = "b"', "title.fr", "unknown key"),
    ("campaign.toml", "I'm well, no", "I'm very, very well, no", "well_label.en", "at most 64 characters"),
    ("campaign.toml", "adopted = 2021-10-11", 'adopted = "2021"', "references[0].adopted", "a date such as"),
    ("campaign.toml", 'key = "close_contact"', 'key = "workplace_index"', "references[2].key", "stands above"),
    ("campaign.toml", "at_most = 30", "at_most = 15", "references[1].bands[1].at_most", "more than 15"),
    ("campaign.toml", 'colour = "red"', 'colour = "pink"', "references[0].bands[3].colour", "one of green, yellow"),
    ("campaign.toml", 'key = "f0"', 'key = "ill"', "incidents[1].key", '"ill" is taken'),
    ("campaign.toml", 'key = "f0"', 'key = "health"', "incidents[1].key", '"health" is taken'),
    ("campaign.toml", "Phát hiện ca F0", f"F0 {40 * 'x'}", "incidents[1].label.vi", "at most 40 characters"),
    # questions.toml
    ("questions.toml", '{ vi = "Ho", en = "Cough" }', '{ vi = "Ho" }', "questions[0].options[1].label.en", "missing"),
    ("questions.toml", '{ vi = "Ho", en = "Cough" }', '"Ho"', "questions[0].options[1].label", "in each language"),
    ("questions.toml", 'key = "cough"', 'key = "fever"', "questions[0].options[1].key", "also means option 1"),
    ("questions.toml", 'key = "cough"', 'key = "cough_and_more"', "questions[0].options[1].key", "at most 12"),
    ("questions.toml", 'key = "cough"', 'key = "họ"', "questions[0].options[1].key", "letters a-z"),
    ("questions.toml", 'key = "cough"', 'key = "skip"', "questions[0].options[1].key", "is taken"),
    ("questions.toml", 'vi = "Ho",', 'vi = "sot",', "questions[0].options[1].label.vi", "also means option 1"),
    ("questions.toml", 'vi = "Ho",', 'vi = "Bốn",', "questions[0].options[1].label.vi", "number of another option"),
    ("questions.toml", 'key = "contact"', 'key = "symptoms"', "questions[2].key", "stands above"),
    ("questions.toml", 'key = "contact"', 'key = "workplace"', "questions[2].key", "is the workplace"),
    ("questions.toml", 'kind = "several"', 'kind = "many"', "questions[0].kind", "one of choice, several, number"),
    ("questions.toml", 'well = ["none"]', "", "questions[0].well", "a healthy person declares"),
    ("questions.toml", 'well = ["none"]', 'well = ["nil"]', "questions[0].well[0]", 'found "nil"'),
    ("questions.toml", 'well = ["none"]', 'well = ["none", "none"]', "questions[0].well[1]", "each once"),
    ("questions.toml", 'well = ["none"]', 'well = ["none", "cough"]', "questions[0].well", "to stand alone"),
    ("questions.toml", "exclusive = true", 'exclusive = "yes"', "questions[0].options[7].exclusive", "true or false"),
    ("questions.toml", "exclusive = true", "exclsive = true", "questions[0].options[7].exclsive", "unknown key"),
    ("questions.toml", "max = 43", "max = 30", "questions[1].max", "more than min (34)"),
    ("questions.toml", "min = 34", 'min = "low"', "questions[1].min", 'a number, found "low"'),
    ("questions.toml", "min = 34", "min = 1", "questions[1].taps", "1 typed could be"),
    ("questions.toml", "36.5, 37.0", "36.5, 3.0", "questions[1].taps[1]", "a number from 34 to 43"),
    ("questions.toml", "36.5, 37.0", "36.5, 36.55", "questions[1].taps[1]", "at most 1 decimals"),
    ("questions.toml", "36.5, 37.0", "36.5, 36.5", "questions[1].taps[1]", "each once"),
    ("questions.toml", "36.5, 37.0", '36.5, "37"', "questions[1].taps[1]", 'a number, found "37"'),
    ("questions.toml", "decimals = 1", "decimals = 9", "questions[1].decimals", "from 0 to 2"),
    ("questions.toml", 'skip = { vi = "Không đo", en = "Not measured" }', "", "questions[1].skip", "always optional"),
    ("questions.toml", 'usual = "office"', 'usual = "moon"', "workplace.usual", 'found "moon"'),
    ("questions.toml", 'key = "home", works = true', 'key = "home"', "workplace.options[1].works", "true or false"),
    ("questions.toml", "[workplace]", "[workplaces]", "workplace", "missing, expected a table"),
    ("questions.toml", 'also = ["cơ quan", "office"]', "also = [1]", "workplace.options[0].also[0]", "found 1"),
    ("questions.toml", 'well = ["none"]', 'well = "none"', "questions[0].well", "a list of texts"),
    ("questions.toml", ', label = { vi = "Ho", en = "Cough" }', "", "questions[0].options[1].label", "missing"),
    # rules.toml
    ("rules.toml", 'level = "medium"', 'level = "unknown"', "rules[7].level", "one of low, medium, high, very_high"),
    ("rules.toml", 'key = "fever"', 'key = "contact_f0"', "rules[2].key", "is taken"),
    ("rules.toml", 'key = "fever"', 'key = "otherwise"', "rules[2].key", "is taken"),
    ("rules.toml", 'question = "test"', 'question = "tests"', "rules[0].when.question", 'found "tests"'),
    ("rules.toml", '["positive"]', '["negativ"]', "rules[0].when.chosen[0]", "one of positive, negative, none"),
    ("rules.toml", '["positive"]', "[]", "rules[0].when.chosen", "found none"),
    ("rules.toml", '["positive"]', '["positive", "positive"]', "rules[0].when.chosen[1]", "again"),
    ("rules.toml", 'question = "test", ', "", "rules[0].when", "just one of question, any, all, found none"),
    ("rules.toml", "at_most = 1", "at_most = 5", "rules[9].when.at_most", "a count from 1 to 4"),
    ("rules.toml", "at_most = 1", "at_least = 3, at_most = 2", "rules[9].when.at_most", "no less than at_least (3)"),
    ("rules.toml", "fever = 37.5", "fever = 50", "rules[2].when.any[1].at_least", "from 34 to 43"),
    ("rules.toml", 'at_least = "fever"', 'at_least = "heat"', "rules[2].when.any[1].at_least", "name of a threshold"),
    ("rules.toml", ', at_least = "fever"', "", "rules[2].when.any[1].at_least", "at_most or both"),
    ("rules.toml", "fever = 37.5", "fever = 37.5\nspare = 1", "thresholds.spare", "a rule that uses"),
    ("rules.toml", "fever = 37.5", 'fever = "37,5"', "thresholds.fever", "a number"),
    ("rules.toml", "otherwise = {", "otherwisely = {", "otherwise", "missing"),
    ("rules.toml", 'level = "medium"', "level = 3", "rules[7].level", "found 3"),
    ("rules.toml", "[thresholds]", "[threshold]", "threshold", "unknown key"),
    ("rules.toml", ', chosen = ["positive"]', "", "rules[0].when.chosen", "one or more of positive"),
    # schedules.toml
    ("schedules.toml", "on_holidays = false", 'on_holidays = "no"', "schedules[0].on_holidays", "true or false"),
    ("schedules.toml", 'opens = "07:00"', "", "schedules[0].opens", "a time such as"),
    ("schedules.toml", 'kind = "morning"', 'kind = "night"', "schedules[0].kind", "one of morning, risk, afternoon"),
    ("schedules.toml", 'kind = "afternoon"', 'kind = "morning"', "schedules[2].kind", "stands above"),
    ("schedules.toml", '"mon", ', '"monday", ', "schedules[0].weekdays[0]", "one of mon, tue"),
    ("schedules.toml", '"mon", ', '"tue", ', "schedules[0].weekdays[1]", "each once"),
    ("schedules.toml", '["mon", "tue", "wed", "thu", "fri"]', "[]", "schedules[0].weekdays", "found none"),
    ("schedules.toml", '["mon", "tue", "wed", "thu", "fri"]', "[0, 1]", "schedules[0].weekdays[0]", "found 0"),
    ("schedules.toml", 'opens = "07:00"', 'opens = "7h"', "schedules[0].opens", 'a time such as "07:30", found "7h"'),
    ("schedules.toml", 'opens = "07:00"', "opens = 07:00:00", "schedules[0].opens", "a time such as"),
    ("schedules.toml", 'opens = "07:00"', 'opens = "25:00"', "schedules[0].opens", "a time such as"),
    ("schedules.toml", 'closes = "09:00"', 'closes = "06:00"', "schedules[0].closes", "after opens (07:00)"),
    ("schedules.toml", '"07:30", "08:15"', '"08:15", "07:30"', "schedules[0].reminders[1]", "after the one before"),
    ("schedules.toml", '"07:30", ', '"06:30", ', "schedules[0].reminders[0]", "between 07:00 and 09:00"),
    ("schedules.toml", '"08:30"', '"09:30"', "schedules[0].missing_list", "between 07:00 and 09:00"),
    ("schedules.toml", '"worked_today"', '"all"', "schedules[2].audience", "one of everyone, worked_today"),
    ("schedules.toml", 'audience = "everyone"', 'audience = "worked_today"', "schedules", "expected a morning round"),
    ("schedules.toml", 'closes = "09:00"', 'closes = "17:00"', "schedules", "after the morning closes (17:00)"),
    (
        "schedules.toml",
        'audience = "units"',
        'audience = "everyone"',
        "schedules",
        "for the risk round alone",
    ),
    ("zones.toml", 'present = ["office"]', 'present = ["moon"]', "present[0]", "one of office, home"),
    ("zones.toml", 'zone = "orange"', 'zone = "green"', "conditions[2].zone", "one of yellow, orange, red"),
    ("zones.toml", "share = 0.05", "share = 5", "conditions[1].when.share", "a share between 0 and 1"),
    ("zones.toml", "unconfirmed = true", "unconfirmed = false", "conditions[5].when", "just one of level"),
    (
        "zones.toml",
        'level = "high", at_work = true',
        'level = "high", days = 3',
        "conditions[2].when.days",
        "at_work = true",
    ),
    ("zones.toml", 'key = "medium"', 'key = "completion"', "conditions[4].key", "a key of its own"),
    ("zones.toml", 'field = "unit_code"', 'field = "phone"', "map_columns[1].field", "one of day, unit_code"),
    ("schedules.toml", "on_holidays = false", "", "schedules[0].on_holidays", "missing, expected true or false"),
]


@pytest.mark.parametrize(("name", "old", "new", "key", "expected"), MISTAKES)
def test_each_mistake_names_file_key_and_what_was_expected(
    folder: Path, name: str, old: str, new: str, key: str, expected: str
) -> None:
    change(folder, name, old, new)
    found = [problem for problem in problems(folder) if problem.key == key]
    assert [problem.file for problem in found][:1] == [f"covid19/{name}"]
    assert any(expected in problem.message for problem in found)
    assert found[0].line is not None or found[0].message.startswith("missing")


def test_the_line_at_fault_is_named(folder: Path) -> None:
    change(folder, "questions.toml", '{ vi = "Ho", en = "Cough" }', '{ vi = "Ho" }')
    lines = (folder / "questions.toml").read_text("utf-8").splitlines()
    at = next(number for number, line in enumerate(lines, start=1) if 'key = "cough"' in line)
    (found,) = problems(folder)
    assert str(found) == (f"covid19/questions.toml:{at}: questions[0].options[1].label.en: missing, expected a text")


def test_all_mistakes_are_told_at_once(folder: Path) -> None:
    change(folder, "campaign.toml", "version = 1", "version = -1")
    change(folder, "questions.toml", 'key = "cough"', 'key = "COUGH"')
    change(folder, "rules.toml", 'level = "high"', 'level = "higher"')
    change(folder, "schedules.toml", '"08:30"', '"8.30"')
    assert {problem.file for problem in problems(folder)} == {
        "covid19/campaign.toml",
        "covid19/questions.toml",
        "covid19/rules.toml",
        "covid19/schedules.toml",
    }


def test_more_than_five_questions_are_too_many(folder: Path) -> None:
    more = '[[questions]]\nkey = "sixth"\nkind = "choice"\nwell = ["no"]\n'
    more += 'title = { vi = "a", en = "a" }\ntext = { vi = "a", en = "a" }\n'
    more += (
        'options = [{ key = "no", label = { vi = "b", en = "b" } }, { key = "yes", label = { vi = "c", en = "c" } }]\n'
    )
    with (folder / "questions.toml").open("a", encoding="utf-8") as file:
        file.write(more)
    assert [str(problem.message) for problem in problems(folder)] == ["expected 1 to 5, found 6"]


def test_a_choice_has_one_healthy_answer_and_somebody_works(folder: Path) -> None:
    text = (folder / "questions.toml").read_text("utf-8").replace("works = true", "works = false")
    contact = text.index('key = "contact"')
    text = text[:contact] + text[contact:].replace('well = ["none"]', 'well = ["none", "f1"]', 1)
    (folder / "questions.toml").write_text(text, "utf-8")
    assert {problem.key for problem in problems(folder)} == {"workplace.options", "questions[2].well"}


@pytest.mark.parametrize("name", ["campaign.toml", "questions.toml", "rules.toml", "schedules.toml"])
def test_values_of_the_wrong_kind_are_all_named(folder: Path, name: str) -> None:
    keys = [line.split(" = ")[0] for line in (folder / name).read_text("utf-8").splitlines() if " = " in line]
    top = "\n".join(f"{key} = [1]" for key in dict.fromkeys(keys) if key.isidentifier())
    (folder / name).write_text(f"{top}\nquestions = 1\nworkplace = 1\nrules = [1]\nschedules = {{}}\nreferences = 2\n")
    assert len(problems(folder)) > 3


def test_one_tap_of_the_healthy_must_come_out_low(folder: Path) -> None:
    change(folder, "questions.toml", 'well = ["none"]', 'well = ["cough"]')
    (found,) = problems(folder)
    assert "a healthy person" in found.message
    assert "one_symptom" in found.message


@pytest.mark.parametrize("name", ["campaign.toml", "questions.toml", "rules.toml", "schedules.toml"])
@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (None, "a readable file"),
        (b"\xff\xfe", "UTF-8 text"),
        (b"key = = 1\n", "expected TOML"),
        (b"a = " + b"[" * 100_000, "expected TOML"),
        (b"#" * 1_000_001, "more than 1 MB"),
    ],
)
def test_a_file_that_cannot_be_read_is_the_only_problem(
    folder: Path, name: str, content: bytes | None, expected: str
) -> None:
    (folder / name).unlink()
    if content is not None:
        (folder / name).write_bytes(content)
    (found,) = problems(folder)
    assert found.file == f"covid19/{name}"
    assert expected in found.message


def test_broken_toml_names_the_line(folder: Path) -> None:
    (folder / "rules.toml").write_text('a = 1\nb = = "x"\n')
    (found,) = problems(folder)
    assert found.line == 2
    assert "\n" not in str(found)


def test_a_missing_folder_lists_every_file(tmp_path: Path) -> None:
    assert len(problems(tmp_path / "nowhere")) == 5


def test_a_stray_file_is_a_mistake(folder: Path) -> None:
    (folder / "question.toml").write_text("")
    (found,) = problems(folder)
    assert found.file == "covid19/question.toml"


def test_a_file_saved_by_a_windows_editor_is_read(folder: Path) -> None:
    for path in folder.glob("*.toml"):
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert load_campaign(folder) == load_campaign(campaign_folder("covid19"))


def test_conditions_may_be_nested_but_not_without_end(folder: Path) -> None:
    inner = '{ question = "test", chosen = ["positive"] }'
    for word in ("all", "any"):
        inner = f"{{ {word} = [{inner}] }}"
    original = '{ question = "test", chosen = ["positive"] }'
    change(folder, "rules.toml", original, inner)
    load_campaign(folder)
    for _ in range(6):
        inner = f"{{ all = [{inner}] }}"
    change(
        folder,
        "rules.toml",
        "[thresholds]",
        f'[[rules]]\nkey="deep"\nlevel="low"\nreason={{vi="a",en="b"}}\nwhen={inner}\n[thresholds]',
    )
    assert "at most 5 levels" in problems(folder)[0].message
