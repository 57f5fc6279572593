"""Buttons and links: only what was issued, to whom it was issued, and only unaltered."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domain.chat import Address
from domain.seal import MOST_BYTES, Choice, Seal, _mac

KEY, OTHER = bytes(range(32)), bytes(range(1, 33))
SEAL = Seal(KEY)
CHAT = Address("telegram", "1001")
ISSUED = SEAL.button("answer:123456789:temperature:37.5", CHAT)


def test_a_button_says_what_was_sealed_and_fits() -> None:
    assert SEAL.opened(ISSUED, CHAT) == Choice("answer", ("123456789", "temperature", "37.5"))
    assert len(ISSUED.encode()) <= MOST_BYTES


@pytest.mark.parametrize("chat", [Address("telegram", "1002"), Address("webchat", "1001"), Address("telegram1", "001")])
def test_a_button_means_nothing_in_another_chat(chat: Address) -> None:
    assert SEAL.opened(ISSUED, chat) is None


def test_channel_and_chat_do_not_run_into_each_other() -> None:
    assert SEAL.opened(SEAL.button("well:1", Address("a", "bc")), Address("ab", "c")) is None


@given(st.integers(0, len(ISSUED) - 1), st.characters())
def test_no_altered_letter_is_accepted(place: int, letter: str) -> None:
    altered = ISSUED[:place] + letter + ISSUED[place + 1 :]
    assert altered == ISSUED or SEAL.opened(altered, CHAT) is None


@given(st.one_of(st.text(max_size=70), st.binary(max_size=64).map(lambda data: data.decode("latin-1"))))
@example("")
@example("1.well:1.")
@example("..")
@example("\ud800")
@example(ISSUED + "=")
@example(ISSUED.swapcase())
def test_nothing_made_up_is_accepted(data: str) -> None:
    assert SEAL.opened(data, CHAT) is None


@given(st.lists(st.integers(0, len(ISSUED)), min_size=1, max_size=4))
def test_nothing_cut_or_doubled_is_accepted(cuts: list[int]) -> None:
    for cut in cuts:
        head, tail = ISSUED[:cut], ISSUED[cut:]
        for altered in (head, tail, head + tail + head[:1], tail + head, head + head + tail):
            assert altered == ISSUED or SEAL.opened(altered, CHAT) is None


def test_an_older_key_still_opens_and_a_foreign_one_does_not() -> None:
    assert Seal(OTHER, KEY).opened(ISSUED, CHAT) is not None
    assert Seal(OTHER).opened(ISSUED, CHAT) is None
    assert Seal(OTHER, KEY).button("well:1", CHAT) == Seal(OTHER).button("well:1", CHAT)


def test_a_format_of_another_time_is_not_guessed_at() -> None:
    newer = f"2.well:1.{_mac(KEY, 'button', '2.well:1', CHAT.channel, CHAT.chat_id)}"
    assert SEAL.opened(newer, CHAT) is None


def test_a_short_key_and_an_overlong_button_are_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Seal(b"short")
    with pytest.raises(ValueError, match="bytes"):
        SEAL.button("x" * 52, CHAT)
    assert len(SEAL.button("x" * 49, CHAT)) == MOST_BYTES


def test_a_link_holds_for_its_purpose_only() -> None:
    link = SEAL.link("chat", "abc.def")
    assert SEAL.name_in("chat", link) == "abc.def"
    for offered in (link[:-1], "abc.def", "", ISSUED):
        assert SEAL.name_in("chat", offered) is None
    assert SEAL.name_in("group", link) is None
