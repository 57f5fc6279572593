"""What must hold on every day, each guarantee by its number, worked out from what the outside saw and plain SQL."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from domain.seal import Seal
from tests.simulation import figures
from tests.simulation.department import CAST, TELEGRAM
from tests.simulation.records import Act, Attempt, Key, Shown
from tests.simulation.witness import Letter, Was
from tests.world import KEY

if TYPE_CHECKING:
    from tests.simulation.day import Day

Facts = dict[str, list[tuple[Any, ...]]]
RECEIPTS = ("Đã nhận khai báo", "Đã sửa khai báo")
ON_THE_WAY = 16.0
"""Seconds between the last look at the rules and the wire: a letter in hand longer than that goes back to the queue."""
ANSWERS = ("well", "send")
"""The taps that declare."""


def at_once(day: Day, shown: Shown) -> None:
    """Whenever something comes up on a screen."""
    for check in ON_A_SCREEN:
        check(day, shown)


def on_a_letter(day: Day, letter: Letter) -> None:
    """Whenever a letter is written, in the moment of the commit that wrote it."""
    c1_figures_are_those_of_the_store(day, letter)


def at_the_end(day: Day) -> None:
    """When the day is over and nothing has failed for a quarter of an hour."""
    for check in AT_THE_END:
        check(day)


# A. Answers are never lost


def a1_an_acknowledged_answer_is_stored(day: Day, shown: Shown) -> None:
    """Nobody is thanked for an answer that is not committed. That it stays is what the witness sees to."""
    key = shown.key("correct")
    if key and any(words in shown.text for words in RECEIPTS) and (int(key.args[0]), 1) not in day.witness.declared:
        day.wrong("A1", f"ask {key.args[0]} is acknowledged and not stored")


def a2_what_telegram_may_forget_is_stored(day: Day) -> None:
    """The offset has never moved past an update that was not committed."""
    seen = {
        row["update_key"] for row in day.witness.rows("SELECT update_key FROM seen_update WHERE channel = ?", TELEGRAM)
    }
    waiting = {str(update.id) for update in day.service.pending}
    for number in range(1000, day.service._next_update):
        if str(number) not in seen | waiting:
            day.wrong("A2", f"update {number} was confirmed and is not stored")


def a3_a_repeated_update_changes_nothing(day: Day, before: Facts, after: Facts) -> None:
    for table, rows in before.items():
        if rows != after[table]:
            changed = set(after[table]) ^ set(rows)
            day.wrong("A3", f"{len(changed)} rows of {table} changed when everything came again")


def a6_every_version_is_there(day: Day) -> None:
    """Versions count up from one, and the ask says what the last of them does."""
    for ask, found in _versions(day).items():
        if sorted(found) != list(range(1, len(found) + 1)):
            day.wrong("A6", f"ask {ask} has versions {sorted(found)}")
        last, row = day.witness.declared[ask, max(found)], day.witness.asks[ask]
        if (row["state"], row["level"]) != ("answered", last["level"]):
            day.wrong("A6", f"ask {ask} does not say what its last declaration says")


def a8_an_answer_is_credited_to_the_round_of_its_button(day: Day) -> None:
    """Whoever has a declaration for an ask tapped a button of that very ask before, in a chat of theirs."""
    tapped: dict[int, float] = {}
    for act, key in _taps(day, *ANSWERS):
        tapped.setdefault(int(key.args[0]), act.at)
    for (ask, version), at in day.witness.declared_at.items():
        if tapped.get(ask, at + 1) > at:
            day.wrong("A8", f"version {version} for ask {ask}, whose button nobody had tapped")


def a8_a_late_answer_is_marked(day: Day) -> None:
    for (ask, version), row in day.witness.declared.items():
        closes_at = day.witness.asks[ask]["closes_at"]
        if version == 1 and not day.has_stepped and bool(row["late"]) != (row["answered_at"] >= closes_at):
            day.wrong("A8", f"the answer to ask {ask} at {row['answered_at']} is {'' if row['late'] else 'not '}late")


# B. People are asked once, and nobody is forgotten


def b1_nobody_is_asked_twice(day: Day) -> None:
    """A second copy only after an attempt whose end nobody could know; never a third."""
    by_letter: dict[str, list[Attempt]] = defaultdict(list)
    for attempt in day.records.attempts:
        if not attempt.is_edit:
            by_letter[attempt.letter].append(attempt)
    for letter, attempts in by_letter.items():
        copies = [one for one in attempts if one.shown]
        if len(copies) > 2:
            day.wrong("B1", f"{letter} appeared {len(copies)} times")
        elif len(copies) == 2 and not _was_unknown(day, copies[0]):
            day.wrong("B1", f"{letter} appeared twice, and nothing was unknown")


def b1_nobody_reachable_is_left_out(day: Day) -> None:
    """Whoever was due in a round that asked, and could be written to, has seen its question."""
    asked = {(one.chat.chat_id, key.args[0]) for one in day.records.shown for key in one.keys if key.verb == "well"}
    chats: dict[int, set[str]] = defaultdict(set)
    for row in day.witness.rows("SELECT person_id, chat_id FROM address"):
        chats[row["person_id"]].add(row["chat_id"])
    for ask in day.witness.asks.values():
        is_owed = ask["state"] == "missed" and not ask["not_asked"] and ask["reach"] in ("waiting", "delivered")
        was_seen = any((chat, str(ask["id"])) in asked for chat in chats[ask["person_id"]])
        if is_owed and not was_seen and (ask["reach"] == "delivered" or day.weather.is_calm):
            day.wrong("B1", f"ask {ask['id']} is {ask['reach']} and was never seen")


def b2_one_ask_a_round(day: Day) -> None:
    query = (
        "SELECT day, kind, person_id FROM ask JOIN round ON round.id = round_id GROUP BY 1, 2, 3 HAVING count(*) > 1"
    )
    for row in day.witness.rows(query):
        day.wrong("B2", f"person {row['person_id']} is asked twice in the {row['kind']} of {row['day']}")


def b3_every_round_of_the_day_is_there(day: Day) -> None:
    """Whatever was down and when: each round exists, with everybody on the roster in it."""
    for kind in day.kinds:
        found = [ask for ask in day.witness.asks.values() if ask["kind"] == kind and ask["day"] == _today(day)]
        if len(found) != len(CAST):
            day.wrong("B3", f"{len(found)} of {len(CAST)} people stand in the round of the {kind}")


def b4_everybody_due_is_answered_excused_or_named(day: Day) -> None:
    """What is not answered and not excused stands as missing with a reason, and heads were told by name in time."""
    for letter in day.witness.letters.values():
        if letter.row["kind"] != "missing_list":
            continue
        round_id = int(letter.row["dedupe_key"].split(":")[1])
        for ask in day.witness.asks.values():
            mine = ask["round_id"] == round_id and _is_below(ask["unit_id"], letter.row["unit_id"])
            was_missing = mine and not _held(day.witness.answered.get(ask["id"]), letter.began)
            if was_missing and ask["state"] in ("due", "missed") and _name(ask["person_id"]) not in letter.row["text"]:
                day.wrong("B4", f"{letter.row['dedupe_key']} does not name person {ask['person_id']}")


def b5_what_was_refused_for_good_is_left_alone(day: Day) -> None:
    """A refusal of one letter ends that letter, and only that."""
    refused: dict[str, float] = {}
    for attempt in day.records.attempts:
        if attempt.letter in refused and attempt.by.alive and attempt.began > refused[attempt.letter] + 1:
            day.wrong("B5", f"{attempt.letter} was tried again after it had been refused")
        if attempt.told == "rejected" and attempt.ended is not None:
            refused.setdefault(attempt.letter, attempt.ended)


def b6_no_reminder_of_what_is_confirmed(day: Day, shown: Shown) -> None:
    row = _row(day, shown, "risk_reminder")
    if row and _held(day.witness.confirmed.get(row["risk_update_id"]), shown.began - ON_THE_WAY):
        day.wrong("B6", f"{shown.letter} came after the confirmation")


def b7_no_reminder_of_what_is_answered(day: Day, shown: Shown) -> None:
    row = _row(day, shown, "prompt", "reminder")
    if row and _held(day.witness.answered.get(row["ask_id"]), shown.began - ON_THE_WAY):
        day.wrong("B7", f"{shown.letter} came after the answer")


def b8_every_queue_is_empty(day: Day) -> None:
    now = f"{day.wall():%Y-%m-%d %H:%M:%S.%f}"
    for row in day.witness.rows(
        "SELECT dedupe_key, state FROM outbox WHERE state = 'sending' OR (state = 'waiting' AND due_at <= ?)", now
    ):
        day.wrong("B8", f"{row['dedupe_key']} is still {row['state']}")
    if day.service.pending:
        day.wrong("B8", f"{len(day.service.pending)} updates wait")
    for row in day.witness.rows("SELECT kind, round_id FROM round_step WHERE done_at IS NULL AND due_at <= ?", now):
        day.wrong("B8", f"the step {row['kind']} of round {row['round_id']} is not done")


# C. What is reported is true


def c1_figures_are_those_of_the_store(day: Day, letter: Letter) -> None:
    """Boards and summaries say what the store says in the moment in which they are written; C2: silence is missing."""
    if letter.row["kind"] not in ("summary", "board"):
        return
    round_id = int(letter.row["dedupe_key"].split(":")[1])
    kinds = {ask["kind"] for ask in day.witness.asks.values() if ask["round_id"] == round_id}
    days = {ask["day"] for ask in day.witness.asks.values() if ask["round_id"] == round_id}
    mine = [one for one in day.witness.asks.values() if one["kind"] in kinds and one["day"] in days]
    should = figures.counted(one for one in mine if _is_below(one["unit_id"], _unit_of(day, letter)))
    if figures.said(letter.row["text"]) != should:
        day.wrong("C1", f"{letter.row['dedupe_key']} says {dict(figures.said(letter.row['text']))}, not {dict(should)}")


# D. The right chat, and only that chat


def d1_only_who_may_see_it(day: Day, shown: Shown) -> None:
    """A chat sees its person's letters; a group those of its binding; lists and drafts go to who holds the post."""
    letter = _letter(day, shown)
    if letter is None or shown.is_edit:
        return
    row, since = letter.row, shown.began - ON_THE_WAY
    if row["binding_id"] and not _in_force(day.witness.bound.get((row["binding_id"], shown.chat.chat_id)), since):
        day.wrong("D1", f"{shown.letter} came to a group that is not bound")
    if row["person_id"] and not row["to_group"] and shown.chat.chat_id not in _chats(day, row["person_id"]):
        day.wrong("D1", f"{shown.letter} came to somebody else")
    if (
        row["unit_id"]
        and row["person_id"]
        and not any(
            _in_force(was, since)
            for post, was in day.witness.posts.values()
            if post["person_id"] == row["person_id"] and _is_below(row["unit_id"], post["unit_id"])
        )
    ):
        day.wrong("D1", f"{shown.letter} came to somebody without the post")


def d1_a_button_works_in_its_own_chat(day: Day, shown: Shown) -> None:
    seal = Seal(KEY)
    for key in shown.keys:
        if key.data and seal.opened(key.data, shown.chat) is None:
            day.wrong("D1", f"a button of {shown.letter} is sealed for another chat")


def d1_no_names_in_groups(day: Day, shown: Shown) -> None:
    if shown.chat.chat_id.startswith("-") and shown.kind in ("board", "summary"):
        for member in CAST:
            if member.name.title() in shown.text.split():
                day.wrong("D1", f"{shown.letter} names {member.name} in a group")


def d3_a_group_that_moved_is_bound_once(day: Day) -> None:
    """Under its new id, and only there; a group that removed the bot is bound no more."""
    bound = Counter(chat for (_, chat), was in day.witness.bound.items() if was.until is None)
    for chat in day.service.chats.values():
        name = str(chat.id)
        if chat.id < 0 and (chat.moved_to or chat.refusal) and bound[name]:
            day.wrong("D3", f"group {name} is still bound")
        if bound[name] > 1:
            day.wrong("D3", f"group {name} is bound twice")
        if chat.moved_to and not bound[str(chat.moved_to)] and not day.service.chats[chat.moved_to].refusal:
            day.wrong("D3", f"group {name} moved and lost its binding")


# H. Running


def h7_waits_are_kept(day: Day) -> None:
    """After an order to wait that was written down, nothing is sent to that chat before it is over."""
    waits: dict[str, tuple[float, float]] = {}
    for attempt in sorted(day.records.attempts, key=lambda one: one.began):
        if attempt.chat.channel != TELEGRAM:
            continue
        noted, until = waits.get(attempt.chat.chat_id, (0.0, 0.0))
        if noted + ON_THE_WAY < attempt.began < until and not day.has_stepped:
            day.wrong("H7", f"{attempt.letter} was sent {until - attempt.began:.1f} s before the wait was over")
        if attempt.told == "flood" and attempt.ended is not None and attempt.by.alive:
            waits[attempt.chat.chat_id] = (attempt.ended, max(until, attempt.ended + attempt.wait))


def h7_nobody_is_flooded(day: Day) -> None:
    """In no minute does a group get more than its limit, in no second the account more than 30."""
    by_group: dict[str, list[float]] = defaultdict(list)
    every = sorted(one.at for one in day.records.shown if one.chat.channel == TELEGRAM)
    for one in day.records.shown:
        if one.chat.chat_id.startswith("-"):
            by_group[one.chat.chat_id].append(one.at)
    if _busiest(every, 1.0) > 30 or any(_busiest(times, 60.0) > 20 for times in by_group.values()):
        day.wrong("H7", "more messages than the service allows")


def _busiest(times: list[float], span: float) -> int:
    return max((sum(at < one + span for at in times[n:]) for n, one in enumerate(times)), default=0)


# What the guarantees are worked out from


def _versions(day: Day) -> dict[int, list[int]]:
    found: dict[int, list[int]] = defaultdict(list)
    for ask, version in day.witness.declared:
        found[ask].append(version)
    return found


def _taps(day: Day, *verbs: str) -> Iterator[tuple[Act, Key]]:
    for act in day.records.acts:
        key = Key("", act.said)
        if act.what == "tap" and key.verb in verbs:
            yield act, key


def b1_one_question_a_chat(day: Day) -> None:
    """However many letters there are: no chat is asked the same thing by more than one of them."""
    asked: dict[tuple[str, str], set[str]] = defaultdict(set)
    for shown in day.records.shown:
        letter = _letter(day, shown)
        if letter and letter.row["kind"] == "prompt" and not shown.is_edit:
            asked[shown.chat.chat_id, str(letter.row["ask_id"])].add(shown.letter)
    for (chat, ask), letters in asked.items():
        if len(letters) > 1:
            day.wrong("B1", f"ask {ask} was put to {chat} by {len(letters)} letters")


def _was_unknown(day: Day, attempt: Attempt) -> bool:
    """The sender heard nothing certain, or ended before it had written down what it heard."""
    return attempt.is_unknown or not attempt.by.alive


def _letter(day: Day, shown: Shown) -> Letter | None:
    return day.witness.by_key.get(shown.letter)


def _row(day: Day, shown: Shown, *kinds: str) -> Any:
    """The letter's row, if it is new on the screen and of one of these kinds."""
    letter = _letter(day, shown)
    return letter.row if letter and letter.row["kind"] in kinds and not shown.is_edit else None


def _held(since: float | None, at: float) -> bool:
    return since is not None and since <= at


def _in_force(was: Was | None, at: float) -> bool:
    """Whether it held at this time or later."""
    return was is not None and (was.until is None or was.until >= at)


def _unit_of(day: Day, letter: Letter) -> int:
    row = letter.row
    if row["unit_id"]:
        return int(row["unit_id"])
    return int(day.witness.rows("SELECT unit_id FROM binding WHERE id = ?", row["binding_id"])[0]["unit_id"])


def _is_below(unit_id: int, top: int) -> bool:
    """The organisation is unit 1; the others lie directly below it."""
    return top in (1, unit_id)


def _chats(day: Day, person_id: int) -> set[str]:
    return day.people[CAST[person_id - 1].name].chats


def _name(person_id: int) -> str:
    return CAST[person_id - 1].name.title()


def _today(day: Day) -> str:
    return f"{day.now().astimezone(day.house.zone):%Y-%m-%d}"


ON_A_SCREEN = (
    a1_an_acknowledged_answer_is_stored,
    b6_no_reminder_of_what_is_confirmed,
    b7_no_reminder_of_what_is_answered,
    d1_only_who_may_see_it,
    d1_a_button_works_in_its_own_chat,
    d1_no_names_in_groups,
)
AT_THE_END = (
    a2_what_telegram_may_forget_is_stored,
    a6_every_version_is_there,
    a8_an_answer_is_credited_to_the_round_of_its_button,
    a8_a_late_answer_is_marked,
    b1_nobody_is_asked_twice,
    b1_one_question_a_chat,
    b1_nobody_reachable_is_left_out,
    b2_one_ask_a_round,
    b3_every_round_of_the_day_is_there,
    b4_everybody_due_is_answered_excused_or_named,
    b5_what_was_refused_for_good_is_left_alone,
    b8_every_queue_is_empty,
    d3_a_group_that_moved_is_bound_once,
    h7_waits_are_kept,
    h7_nobody_is_flooded,
)
