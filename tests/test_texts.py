"""The catalogues are complete in both languages, and hold exactly what the code says."""

from __future__ import annotations

import ast
import re
import tomllib
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from string import Formatter
from typing import get_args

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po

import texts
from domain.answering import Unclear
from domain.chat import LANGUAGES
from domain.incident import OUTCOMES
from domain.policy import GRANTS, Action
from domain.risk import Level
from handlers import help as help_
from storage import absences

ROOT = Path(__file__).parent.parent
CODE = ("bot", "domain", "handlers", "scheduler", "summaries", "web")
SUBJECTS = sorted(path.stem for path in (ROOT / "texts" / "vi").glob("*.po"))
KEY = re.compile(rf"(?:{'|'.join(SUBJECTS)})\.[a-z0-9_]+")
PREFIX = re.compile(rf"(?:{'|'.join(SUBJECTS)})\.[a-z0-9_]*")
FILE_ENDINGS = {"csv", "css", "db", "html", "js", "json", "pdf", "png", "po", "py", "svg", "toml", "txt", "typ", "xlsx"}
SPEAKERS = {"text", "say", "button", "_button", "plural"}
"""Functions that take a key and fill its placeholders; `plural` fills `n` too."""
OTHER_ARGUMENTS = {"style", "keyboard", "replaces"}
SIGNS = re.compile(r"\{[^}]*\}|/[a-z]+")
BARE_WORDS = re.compile(
    r"\b(?:khong|duoc|nguoi|khai bao|vui long|xin chao|don vi|dang ky|lua chon|thoi gian|bam|cua|den)\b", re.IGNORECASE
)


def _kinds_of_round() -> set[str]:
    plans = [tomllib.loads(path.read_text("utf-8")) for path in ROOT.glob("campaigns/*/schedules.toml")]
    return {entry["kind"] for plan in plans for entry in next(iter(plan.values()))}


def _workplaces() -> set[str]:
    campaigns = [tomllib.loads(path.read_text("utf-8")) for path in ROOT.glob("campaigns/*/questions.toml")]
    return {option["key"] for campaign in campaigns for option in campaign["workplace"]["options"]}


REASONS = {*absences.KINDS, *_workplaces(), "left"}
REACHES = {
    *("not_enrolled", "undecided", "declined", "blocked", "failed", "unknown"),
    *("waiting", "delivered", "contested", "enough", "not_asked"),
}
FAMILIES = {
    "declaration.": {*_kinds_of_round(), "drill", *get_args(Unclear), "tick_one", "prompt", "reminder"},
    "declaration.level_": {level.value for level in Level},
    "history.": {"due", "answered", "late", "excused", "missed", "proxy"},
    "leave.": REASONS,
    "summary.reason_": REASONS,
    "summary.reach_": REACHES,
    "commands.": {
        *help_.FOR_STAFF,
        *help_.FOR_HEADS,
        *help_.FOR_COMMITTEE,
        *help_.FOR_GROUPS,
        *help_.FOR_ADMINS,
        "start",
    },
    "help.language_": set(LANGUAGES),
    "incident.outcome_": set(OUTCOMES),
    "incident.post_": {role for role, granted in GRANTS.items() if Action.ANSWER_INCIDENT in granted} | {"none"},
}
"""Keys that code puts together, with every ending they can have. Other endings in code match by their prefix."""


@cache
def catalogue(language: str, subject: str) -> Catalog:
    with (ROOT / "texts" / language / f"{subject}.po").open("rb") as source:
        return read_po(source, abort_invalid=True)


def entries(language: str, subject: str) -> dict[str, Message]:
    found = [entry for entry in catalogue(language, subject) if entry.id]
    return {entry.id if isinstance(entry.id, str) else entry.id[0]: entry for entry in found}


def forms(entry: Message) -> list[str]:
    return [entry.string] if isinstance(entry.string, str) else list(entry.string or ())


def placeholders(form: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(form) if name is not None}


def every_form(language: str) -> Iterator[tuple[str, str]]:
    for subject in SUBJECTS:
        for msgid, entry in entries(language, subject).items():
            for form in forms(entry):
                yield f"{subject}.{msgid}", form


@dataclass(frozen=True)
class Call:
    """A place in the code that says a key and fills these placeholders; None where they are not written out."""

    key: str
    values: frozenset[str] | None
    place: str
    is_button: bool


@dataclass(frozen=True)
class Said:
    """What the code names: whole keys, prefixes (with their suffix), and calls."""

    keys: dict[str, str]
    prefixes: dict[tuple[str, str], str]
    calls: list[Call]


@cache
def said() -> Said:
    found = Said({}, {}, [])
    for package in CODE:
        for path in sorted((ROOT / package).rglob("*.py")):
            _read(ast.parse(path.read_text("utf-8")), str(path.relative_to(ROOT)), found)
        for path in sorted((ROOT / package).rglob("*.html")):
            for key in re.findall(rf"[\"']({KEY.pattern})[\"']", path.read_text("utf-8")):
                _note(key, str(path.relative_to(ROOT)), found)
    return found


def _read(tree: ast.Module, file: str, found: Said) -> None:
    parts = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        place = f"{file}:{getattr(node, 'lineno', 0)}"
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in parts:
            _note(node.value, place, found)
        elif isinstance(node, ast.JoinedStr) and node.values and isinstance(node.values[0], ast.Constant):
            prefix, last = str(node.values[0].value), node.values[-1]
            if PREFIX.fullmatch(prefix):
                suffix = str(last.value) if isinstance(last, ast.Constant) else ""
                found.prefixes.setdefault((prefix, suffix), place)
        elif isinstance(node, ast.Call):
            found.calls.extend(_calls(node, place))


def _note(value: str, place: str, found: Said) -> None:
    """A whole key, or the beginning of one that something is added to."""
    if PREFIX.fullmatch(value) and value.endswith("_"):
        found.prefixes.setdefault((value, ""), place)
    elif _is_key(value):
        found.keys.setdefault(value, place)


def _is_key(value: object) -> bool:
    if not isinstance(value, str) or not KEY.fullmatch(value):
        return False
    subject, _, name = value.partition(".")
    is_module = (ROOT / subject / f"{name}.py").exists() and value not in known()
    return name not in FILE_ENDINGS and not is_module


def _calls(node: ast.Call, place: str) -> Iterator[Call]:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if name not in SPEAKERS:
        return
    given = frozenset(one.arg for one in node.keywords if one.arg and one.arg not in OTHER_ARGUMENTS)
    written_out = all(one.arg for one in node.keywords)
    values = given | {"n"} if name == "plural" else given
    for argument in node.args:
        branches = [argument.body, argument.orelse] if isinstance(argument, ast.IfExp) else [argument]
        for branch in branches:
            if isinstance(branch, ast.Constant) and _is_key(branch.value):
                yield Call(str(branch.value), values if written_out else None, place, "button" in name)


@cache
def known() -> set[str]:
    return {key for key, _ in every_form("vi")}


def test_every_subject_exists_in_both_languages() -> None:
    assert {path.stem for path in (ROOT / "texts" / "en").glob("*.po")} == set(SUBJECTS)


@pytest.mark.parametrize("subject", SUBJECTS)
def test_both_languages_say_the_same_things_in_the_same_order(subject: str) -> None:
    assert list(entries("vi", subject)) == list(entries("en", subject))


@pytest.mark.parametrize("subject", SUBJECTS)
def test_both_languages_have_the_same_placeholders(subject: str) -> None:
    vietnamese, english = entries("vi", subject), entries("en", subject)
    differing = {
        msgid: [sorted(placeholders(form)) for form in (*forms(entry), *forms(english[msgid]))]
        for msgid, entry in vietnamese.items()
        if len({frozenset(placeholders(form)) for form in (*forms(entry), *forms(english[msgid]))}) > 1
    }
    assert differing == {}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("subject", SUBJECTS)
def test_a_catalogue_is_finished(language: str, subject: str) -> None:
    assert f'"Language: {language}\\n"' in (ROOT / "texts" / language / f"{subject}.po").read_text("utf-8")
    assert catalogue(language, subject).num_plurals == {"vi": 1, "en": 2}[language]
    assert not catalogue(language, subject).obsolete
    for msgid, entry in entries(language, subject).items():
        assert not entry.fuzzy, msgid
        assert all(form.strip() for form in forms(entry)), msgid
        wanted = 1 if isinstance(entry.id, str) else catalogue(language, subject).num_plurals
        assert len(forms(entry)) == wanted, msgid


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("subject", SUBJECTS)
def test_no_key_is_written_twice(language: str, subject: str) -> None:
    source = (ROOT / "texts" / language / f"{subject}.po").read_text("utf-8")
    msgids = re.findall(r'^msgid "(.+)"$', source, re.MULTILINE)
    assert sorted(set(msgids)) == sorted(msgids)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_key_can_be_said(language: str) -> None:
    for subject in SUBJECTS:
        for msgid, entry in entries(language, subject).items():
            values = dict.fromkeys(placeholders(forms(entry)[0]) - {"n"}, "x")
            if isinstance(entry.id, str):
                assert texts.text(language, f"{subject}.{msgid}", **values, n=2)
            else:
                assert texts.plural(language, f"{subject}.{msgid}", 2, **values)


@pytest.mark.parametrize("language", LANGUAGES)
def test_texts_are_plain_composed_and_tidy(language: str) -> None:
    for key, form in every_form(language):
        assert form == unicodedata.normalize("NFC", form), key
        assert form == form.strip(), key
        assert "  " not in form, key
        assert all(re.fullmatch(r"[a-z_]+", name) for name in placeholders(form)), key
        assert all(not spec and not conversion for _, name, spec, conversion in Formatter().parse(form) if name), key


def test_vietnamese_has_its_diacritics() -> None:
    for key, form in every_form("vi"):
        words = SIGNS.sub(" ", form)
        if sum(letter.isalpha() for letter in words) >= 12 and key != "help.language_en":
            assert not words.isascii(), key
        assert not BARE_WORDS.search(words), key


def test_english_is_english() -> None:
    bilingual = {"help.language_vi", "commands.language", "web.other_language"}
    for key, form in every_form("en"):
        letters = unicodedata.normalize("NFD", form.replace("Vùng Xanh", ""))
        vietnamese = [letter for letter in letters if unicodedata.combining(letter) or letter in "đĐ"]
        assert key in bilingual or not vietnamese, key


def test_a_language_is_offered_in_its_own_words() -> None:
    for key in ("help.language_vi", "help.language_en"):
        assert texts.text("vi", key) == texts.text("en", key)


def test_every_key_in_the_code_is_written() -> None:
    missing = {key: place for key, place in said().keys.items() if key not in known()}
    assert missing == {}


def test_every_member_of_a_family_is_written() -> None:
    expected = {prefix + ending for prefix, endings in FAMILIES.items() for ending in endings}
    assert expected - known() == set()


def test_every_prefix_in_the_code_leads_to_a_key() -> None:
    nowhere = {
        prefix + "…" + suffix: place
        for (prefix, suffix), place in said().prefixes.items()
        if prefix not in FAMILIES and not any(key.startswith(prefix) and key.endswith(suffix) for key in known())
    }
    assert nowhere == {}


def test_every_call_fills_exactly_the_placeholders() -> None:
    fields = {key: placeholders(form) for key, form in every_form("vi")}
    differing = {
        f"{call.place} {call.key}": (sorted(call.values), sorted(fields[call.key]))
        for call in said().calls
        if call.values is not None and call.key in fields and call.values != fields[call.key]
    }
    assert differing == {}


def test_no_text_is_left_over() -> None:
    whole = set(said().keys) | {prefix + ending for prefix, endings in FAMILIES.items() for ending in endings}
    loose = [one for one in said().prefixes if one[0] not in FAMILIES]
    unused = {
        key
        for key in known() - whole
        if not any(key.startswith(prefix) and key.endswith(suffix) for prefix, suffix in loose)
    }
    assert unused == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_labels_fit_a_button_and_a_menu(language: str) -> None:
    shown = dict(every_form(language))
    buttons = {call.key for call in said().calls if call.is_button} | {f"leave.{kind}" for kind in absences.KINDS}
    assert {key for key in buttons if len(shown[key]) > 40} == set()
    assert {key for key in shown if key.startswith("commands.") and len(shown[key]) > 60} == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_privacy_notice_is_short(language: str) -> None:
    organisation = "Sở Nông nghiệp và Phát triển nông thôn"
    assert len(texts.text(language, "privacy.notice", organisation=organisation, days=90)) <= 900
