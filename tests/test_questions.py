"""The conversation's pure part: next question, accepted answers, ticks, and the last screen."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.answering import Accepted, AskBack, accept, answer_text, next_question, summary_lines, toggle
from domain.campaign_file import available_campaigns, campaign_folder, load_campaign
from domain.questions import SKIP, Answer, Question, choices, fits, is_answered

COVID = load_campaign(campaign_folder("covid19"))
FLU = load_campaign(campaign_folder("flu-dengue"))


def question(key: str) -> Question:
    found = COVID.question(key)
    assert found is not None
    return found


SYMPTOMS, TEMPERATURE, CONTACT = question("symptoms"), question("temperature"), question("contact")


@pytest.mark.parametrize(
    ("key", "reply", "answer"),
    [
        ("contact", "f0", "f0"),
        ("contact", "F1", "f1"),
        ("contact", "2", "f1"),
        ("contact", "hai", "f1"),
        ("contact", "có, với f0", "f0"),
        ("contact", "khong tiep xuc", "none"),
        ("contact", "Không", "none"),
        ("contact", "No contact", "none"),
        ("symptoms", "fever", ["fever"]),
        ("symptoms", "1,3", ["fever", "throat"]),
        ("symptoms", "ho, sốt", ["fever", "cough"]),
        ("symptoms", "mất mùi và khó thở", ["breathing", "taste"]),
        ("symptoms", "8", ["none"]),
        ("symptoms", "không", ["none"]),
        ("temperature", "36.5", 36.5),
        ("temperature", "37,8 độ", 37.8),
        ("temperature", "2", 37.0),
        ("temperature", "2.", 37.0),
        ("temperature", "5", None),
        ("temperature", "không đo", None),
        ("temperature", "bỏ qua", None),
        ("temperature", SKIP, None),
        ("areas", "cấp 3", "level3"),
        ("areas", "vung do", "level4"),
        ("test", "duong tinh", "positive"),
        ("workplace", "ở nhà", "home"),
        ("workplace", "5", "isolation"),
    ],
)
def test_replies_that_answer(key: str, reply: str, answer: Answer) -> None:
    assert accept(question(key), reply) == Accepted(answer)


@pytest.mark.parametrize(
    ("key", "reply", "why"),
    [
        ("contact", "4", "not_an_option"),
        ("contact", "có", "not_an_option"),
        ("contact", "1,2", "not_an_option"),
        ("contact", "chắc là không", "not_an_option"),
        ("contact", "skip", "not_an_option"),
        ("symptoms", "1, 8", "contradiction"),
        ("symptoms", "đau", "not_an_option"),
        ("symptoms", "ho, gì đó", "not_an_option"),
        ("temperature", "7", "out_of_range"),
        ("temperature", "378", "out_of_range"),
        ("temperature", "100.4", "out_of_range"),
        ("temperature", "37,85", "too_precise"),
        ("temperature", "nóng", "not_a_number"),
        ("temperature", "37-38", "not_a_number"),
    ],
)
def test_replies_that_are_asked_back(key: str, reply: str, why: str) -> None:
    assert accept(question(key), reply) == AskBack(why)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", available_campaigns())
@pytest.mark.parametrize("language", ["vi", "en"])
def test_every_choice_is_understood_by_key_number_and_label(name: str, language: str) -> None:
    campaign = load_campaign(campaign_folder(name))
    for each in (campaign.workplace.question, *campaign.questions):
        shown = choices(each, "vi" if language == "vi" else "en")
        for number, choice in enumerate(shown, start=1):
            replies = {choice.key, str(number), f"{number}.", choice.label, choice.label.upper()}
            accepted = {repr(accept(each, reply)) for reply in replies}
            assert len(accepted) == 1
            assert "Accepted" in accepted.pop()


@given(st.sampled_from([*COVID.questions, *FLU.questions]), st.text(max_size=30))
def test_whatever_is_accepted_fits(asked: Question, reply: str) -> None:
    found = accept(asked, reply)
    assert isinstance(found, AskBack) or fits(asked, found.answer)


def test_questions_come_in_order_until_all_are_answered() -> None:
    answers: dict[str, Answer] = {}
    asked = []
    while (following := next_question(COVID, answers)) is not None:
        asked.append(following.key)
        answers[following.key] = following.well_answer
    assert asked == ["symptoms", "temperature", "contact", "areas", "test"]
    assert answers == COVID.healthy_answers()


def test_a_question_whose_stored_option_has_gone_is_asked_again() -> None:
    answers: dict[str, Answer] = COVID.healthy_answers() | {"contact": "f3"}
    following = next_question(COVID, answers)
    assert following is not None
    assert following.key == "contact"
    assert not is_answered(CONTACT, answers)


@given(st.lists(st.sampled_from([option.key for option in SYMPTOMS.options]), max_size=12))
def test_ticks_never_contradict_and_keep_the_order_of_the_question(taps: list[str]) -> None:
    chosen: list[str] = []
    for tap in taps:
        before, chosen = chosen, toggle(SYMPTOMS, chosen, tap)
        assert (tap in chosen) != (tap in before)
        assert not chosen or fits(SYMPTOMS, chosen)
        assert chosen == [option.key for option in SYMPTOMS.options if option.key in chosen]


def test_ticks_ignore_an_option_that_is_not_there() -> None:
    assert toggle(SYMPTOMS, ["fever"], "gone") == ["fever"]
    assert toggle(SYMPTOMS, ["fever", "cough"], "none") == ["none"]
    assert toggle(SYMPTOMS, ["none"], "cough") == ["cough"]


def test_the_last_screen_shows_everything_in_both_languages() -> None:
    answers: dict[str, Answer] = {
        "workplace": "home",
        "symptoms": ["fever", "cough"],
        "temperature": 37.8,
        "contact": "f1",
        "areas": "none",
        "test": "negative",
    }
    assert summary_lines(COVID, answers, "vi") == [
        ("Nơi làm việc", "Làm việc tại nhà"),
        ("Triệu chứng", "Sốt, Ho"),
        ("Nhiệt độ", "37,8 °C"),
        ("Tiếp xúc", "Có, với F1"),
        ("Nơi đã đến", "Không đến các vùng này"),
        ("Xét nghiệm", "Âm tính, hoặc đã khỏi bệnh"),
    ]
    assert summary_lines(COVID, answers, "en")[2] == ("Temperature", "37.8 °C")
    assert summary_lines(COVID, {"temperature": None}, "en") == [("Temperature", "Not measured")]
    assert answer_text(CONTACT, None, "vi") == "—"
    assert answer_text(CONTACT, "gone", "vi") == "gone"


def test_quick_taps_read_as_people_write_them() -> None:
    assert [choice.label for choice in choices(TEMPERATURE, "vi")] == [
        "36,5 °C",
        "37,0 °C",
        "37,5 °C",
        "38,0 °C",
        "Không đo",
    ]
    assert [choice.key for choice in choices(TEMPERATURE, "en")] == ["36.5", "37.0", "37.5", "38.0", SKIP]


def test_an_unknown_question_is_none() -> None:
    assert COVID.question("gone") is None
