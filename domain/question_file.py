"""Reads and checks `questions.toml`: the workplace and the questions of a campaign."""

from __future__ import annotations

from collections.abc import Iterable

from domain.campaign import MOST_QUESTIONS, WORKPLACE, Workplace
from domain.chat import LANGUAGES
from domain.names import folded
from domain.questions import SKIP, Kind, Measure, Option, Question, Words, choices
from domain.toml_reader import Section
from domain.typed import match_option

LONGEST_LABEL = 64
_LONGEST_TITLE, _LONGEST_TEXT = 40, 400
_MOST_OPTIONS = 10
_MOST_DECIMALS = 2
_EVERY_KIND = ("choice", "several", "number")


def read_questions(file: Section) -> tuple[Question, ...]:
    found: list[Question] = []
    for section in file.sections("questions", 1, MOST_QUESTIONS):
        question = _question(section)
        if question.key == WORKPLACE:
            section.fault("key", f'expected another key, "{WORKPLACE}" is the workplace')
        elif question.key and question.key in {each.key for each in found}:
            section.fault("key", f'expected a key of its own, "{question.key}" stands above')
        found.append(question)
    return tuple(found)


def read_workplace(file: Section) -> Workplace:
    section = file.section("workplace")
    if section is None:
        nothing = Words("", "")
        return Workplace(Question(WORKPLACE, "choice", nothing, nothing), frozenset(), "")
    title, text = section.words("title", _LONGEST_TITLE), section.words("text", _LONGEST_TEXT)
    entries = section.sections("options", 2, _MOST_OPTIONS)
    options = tuple(_option(entry, may_exclude=False, finish=False) for entry in entries)
    worked = frozenset(option.key for option, entry in zip(options, entries, strict=True) if _works(entry))
    question = Question(WORKPLACE, "choice", title, text, options)
    _check_names(section, question)
    usual = section.key("usual")
    if usual and usual not in {option.key for option in options}:
        section.fault("usual", f'expected the key of an option above, found "{usual}"')
    if options and not worked:
        section.fault(
            "options", "expected works = true for one option at least, nobody would be asked in the afternoon"
        )
    section.finish()
    return Workplace(question, worked, usual)


def _works(entry: Section) -> bool:
    works = entry.flag("works")
    entry.finish()
    return works


def _question(section: Section) -> Question:
    key = section.key("key")
    kind = section.one_of("kind", _EVERY_KIND)
    title, text = section.words("title", _LONGEST_TITLE), section.words("text", _LONGEST_TEXT)
    skip = section.words("skip", LONGEST_LABEL) if section.has("skip") else None
    photo = section.flag("photo", default=False)
    if kind == "number":
        question = Question(key, "number", title, text, measure=_measure(section), skip=skip, photo=photo)
        _check_number(section, question)
    else:
        several = kind == "several"
        entries = section.sections("options", 2, _MOST_OPTIONS)
        options = tuple(_option(entry, may_exclude=several) for entry in entries)
        well = section.texts("well", LONGEST_LABEL)
        shape: Kind = "several" if several else "choice"
        question = Question(key, shape, title, text, options, skip=skip, well=well, photo=photo)
        _check_well(section, question)
    _check_names(section, question)
    section.finish()
    return question


def _option(entry: Section, *, may_exclude: bool, finish: bool = True) -> Option:
    key = entry.key("key")
    if key == SKIP:
        entry.fault("key", f'expected another key, "{SKIP}" is taken')
    label = entry.words("label", LONGEST_LABEL)
    exclusive = entry.flag("exclusive", default=False) if may_exclude else False
    also = entry.texts("also", LONGEST_LABEL)
    if finish:
        entry.finish()
    return Option(key, label, exclusive, also)


def _measure(section: Section) -> Measure:
    unit = section.words("unit", 12)
    low, high = section.number("min"), section.number("max")
    decimals = section.whole("decimals", 0, _MOST_DECIMALS)
    taps = section.numbers("taps")
    unit_words = section.texts("unit_words", 20)
    if low >= high and "min" in section and "max" in section:
        section.fault("max", f"expected more than min ({low:g}), found {high:g}")
    for index, tap in enumerate(taps):
        if not low <= tap <= high:
            section.fault(f"taps[{index}]", f"expected a number from {low:g} to {high:g}, found {tap:g}")
        elif round(tap, decimals) != tap:
            section.fault(f"taps[{index}]", f"expected at most {decimals} decimals, found {tap:g}")
        elif tap in taps[:index]:
            section.fault(f"taps[{index}]", f"expected each once, found {tap:g} again")
    return Measure(unit, low, high, decimals, taps, unit_words)


def _check_number(section: Section, question: Question) -> None:
    """A well person measures nothing, and "2" typed must not be both a value and the second tap."""
    if not question.optional:
        section.fault("skip", "missing, expected a text in each language: a number is always optional")
    if question.measure is None:
        return
    measure = question.measure
    for position, choice in enumerate(choices(question, "vi"), start=1):
        is_same = choice.key != SKIP and float(choice.key) == position
        if measure.low <= position <= measure.high and not is_same:
            section.fault(
                "taps", f"expected no taps, because {position} typed could be a value or the tap of that number"
            )
            return


def _check_well(section: Section, question: Question) -> None:
    """What the healthy declare must itself be an answer."""
    keys = [option.key for option in question.options]
    for index, key in enumerate(question.well):
        if key not in keys:
            section.fault(f"well[{index}]", f'expected one of {", ".join(keys)}, found "{key}"')
        elif key in question.well[:index]:
            section.fault(f"well[{index}]", f'expected each once, found "{key}" again')
    if not question.well and not question.optional:
        section.fault("well", "expected the option that a healthy person declares, found none")
    if question.kind == "choice" and len(question.well) > 1:
        section.fault("well", f"expected one option, found {len(question.well)}")
    alone = {option.key for option in question.options if option.exclusive}
    if len(question.well) > 1 and alone.intersection(question.well):
        section.fault("well", "expected an exclusive option to stand alone")


def _check_names(section: Section, question: Question) -> None:
    """Each typed word must mean one option: no name twice, and none that is the number of another."""
    taken: dict[str, int] = {}
    total = len(choices(question, "vi"))
    for index, option in enumerate(question.options):
        for place, name in _named(option):
            where = f"options[{index}].{place}"
            word = folded(name)
            if not word:
                continue
            if taken.setdefault(word, index) != index:
                section.fault(where, f'expected a name of its own, "{name}" also means option {taken[word] + 1}')
            position = match_option([""] * total, name)
            if position not in {None, index}:
                section.fault(where, f'expected a name that is no number, "{name}" is the number of another option')


def _named(option: Option) -> Iterable[tuple[str, str]]:
    yield "key", option.key
    for language in LANGUAGES:
        yield f"label.{language}", option.label[language]
    for index, word in enumerate(option.also):
        yield f"also[{index}]", word
