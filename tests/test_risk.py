"""A person's risk level by the shipped rules: tables of answers, and what must hold for all answers."""

from __future__ import annotations

from itertools import chain, combinations, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.campaign import Campaign
from domain.campaign_file import campaign_folder, load_campaign
from domain.questions import Answer, Answers, Question
from domain.risk import KNOWN_LEVELS, Level, assess

COVID = load_campaign(campaign_folder("covid19"))
FLU = load_campaign(campaign_folder("flu-dengue"))


def outcome(campaign: Campaign, **said: Answer) -> tuple[str, list[str]]:
    found = assess(campaign, campaign.healthy_answers() | said)
    return found.level.value, [reason.rule for reason in found.reasons]


@pytest.mark.parametrize(
    ("said", "level", "rules"),
    [
        ({}, "low", ["otherwise"]),
        ({"test": "negative"}, "low", ["otherwise"]),
        ({"test": "positive"}, "very_high", ["positive_test"]),
        ({"contact": "f0"}, "high", ["contact_f0"]),
        ({"contact": "f1"}, "medium", ["contact_f1"]),
        ({"temperature": 37.4}, "low", ["otherwise"]),
        ({"temperature": 37.5}, "high", ["fever"]),
        ({"temperature": 38}, "high", ["fever"]),
        ({"symptoms": ["fever"]}, "high", ["fever"]),
        ({"symptoms": ["fever"], "temperature": 36.5}, "high", ["fever"]),
        ({"symptoms": ["taste"]}, "high", ["taste_or_smell"]),
        ({"symptoms": ["breathing"]}, "high", ["breathing"]),
        ({"symptoms": ["cough"]}, "medium", ["one_symptom"]),
        ({"symptoms": ["other"]}, "medium", ["one_symptom"]),
        ({"symptoms": ["cough", "throat"]}, "high", ["many_symptoms"]),
        ({"symptoms": ["cough", "throat", "fatigue", "other"]}, "high", ["many_symptoms"]),
        ({"areas": "level4"}, "high", ["area_level4"]),
        ({"areas": "level3"}, "medium", ["area_level3"]),
        ({"contact": "f1", "symptoms": ["fever", "cough"]}, "high", ["fever", "contact_f1", "one_symptom"]),
        ({"contact": "f1", "test": "positive"}, "very_high", ["positive_test", "contact_f1"]),
    ],
)
def test_covid19_levels(said: dict[str, Answer], level: str, rules: list[str]) -> None:
    assert outcome(COVID, **said) == (level, rules)


@pytest.mark.parametrize(
    ("said", "level", "rules"),
    [
        ({}, "low", ["otherwise"]),
        ({"fever": "days1"}, "medium", ["short_fever"]),
        ({"fever": "days3"}, "high", ["long_fever"]),
        ({"fever": "days8", "test": "dengue"}, "very_high", ["dengue_critical", "dengue_positive", "long_fever"]),
        ({"test": "dengue"}, "high", ["dengue_positive"]),
        ({"test": "flu"}, "high", ["flu_positive"]),
        ({"symptoms": ["rash"]}, "medium", ["symptom"]),
        ({"symptoms": ["rash", "eyes"]}, "medium", ["symptom"]),
        ({"symptoms": ["rash", "eyes"], "fever": "days1"}, "high", ["suspected_dengue", "short_fever", "symptom"]),
        ({"symptoms": ["cough"], "fever": "days1"}, "high", ["suspected_flu", "short_fever", "symptom"]),
        ({"warning": ["bleeding"]}, "very_high", ["warning_sign"]),
        ({"around": ["flu_case"]}, "medium", ["flu_contact"]),
        ({"around": ["larvae"]}, "medium", ["dengue_nearby"]),
    ],
)
def test_flu_and_dengue_levels(said: dict[str, Answer], level: str, rules: list[str]) -> None:
    assert outcome(FLU, **said) == (level, rules)


def test_every_rule_is_exercised_above() -> None:
    for campaign, tables in ((COVID, test_covid19_levels), (FLU, test_flu_and_dengue_levels)):
        cases = tables.pytestmark[0].args[1]  # type: ignore[attr-defined]
        assert {rule.key for rule in campaign.rules} == set(chain.from_iterable(case[2] for case in cases)) - {
            "otherwise"
        }


def every_answer(question: Question) -> list[Answer]:
    keys = [option.key for option in question.options]
    if question.measure:
        return [None, question.measure.low, *question.measure.taps, question.measure.high]
    if question.kind == "choice":
        return [*keys]
    ticks = [option.key for option in question.options if not option.exclusive]
    sets = chain.from_iterable(combinations(ticks, size) for size in (1, len(ticks)))
    return [*(list(each) for each in sets), *([option.key] for option in question.options if option.exclusive)]


@pytest.mark.parametrize("campaign", [COVID, FLU], ids=lambda campaign: campaign.key)
def test_only_the_healthy_and_harmless_come_out_low(campaign: Campaign) -> None:
    harmless: dict[str, list[Answer]] = {"temperature": [36.5, 37.0, 34.0, None], "test": ["negative", "none"]}
    for values in product(*map(every_answer, campaign.questions)):
        answers: dict[str, Answer] = dict(zip((question.key for question in campaign.questions), values, strict=True))
        healthy = all(
            answers[question.key] in harmless.get(question.key, [question.well_answer])
            for question in campaign.questions
        )
        found = assess(campaign, answers)
        assert (found.level is Level.LOW) == healthy
        assert found.level is max((reason.level for reason in found.reasons), key=lambda level: level.rank)


@pytest.mark.parametrize("campaign", [COVID, FLU], ids=lambda campaign: campaign.key)
@pytest.mark.parametrize("answers", [None, {}])
def test_silence_is_unknown(campaign: Campaign, answers: Answers | None) -> None:
    found = assess(campaign, answers)
    assert found.level is Level.UNKNOWN
    assert [reason.rule for reason in found.reasons] == ["undeclared"]
    assert found.reasons[0].text == campaign.undeclared
    assert found.rule_version == campaign.version


@given(data=st.data())
@settings(max_examples=60)
def test_a_missing_or_unreadable_answer_is_never_low(data: st.DataObject) -> None:
    required = [question.key for question in COVID.questions if not question.optional]
    broken = data.draw(st.sampled_from(required))
    answers: dict[str, Answer] = COVID.healthy_answers()
    garbage = data.draw(st.sampled_from([None, "", "gone", [], ["gone"], 37.0, ["none", "none"], ["none", "cough"]]))
    if data.draw(st.booleans()):
        del answers[broken]
    else:
        answers[broken] = garbage
    assert assess(COVID, answers).level is not Level.LOW


def test_a_temperature_may_be_left_out_but_not_impossible() -> None:
    answers = COVID.healthy_answers()
    del answers["temperature"]
    assert assess(COVID, answers).level is Level.LOW
    unreadable: tuple[Answer, ...] = (float("nan"), 20.0, True, "36.5")
    for temperature in unreadable:
        assert assess(COVID, answers | {"temperature": temperature}).level is Level.UNKNOWN


def test_a_known_risk_counts_even_if_another_answer_is_missing() -> None:
    assert assess(COVID, {"test": "positive"}).level is Level.VERY_HIGH


def test_levels_rise_and_unknown_is_not_among_them() -> None:
    assert [level.rank for level in KNOWN_LEVELS] == [1, 2, 3, 4]
    assert Level.UNKNOWN not in KNOWN_LEVELS
