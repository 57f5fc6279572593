"""Defects that a day must bring to light. Each is planted in a simulation's own process, which production cannot reach.

A mutant replaces one function or table of the product by a plausible mistake.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import cache
from typing import Any

import sqlalchemy as sa

from bot import app as program
from bot.app import App
from channels.telegram.outcomes import OutcomeRules
from channels.telegram.polling import Poller
from channels.telegram.request import NoAnswer
from domain import plan
from domain.chat import Receipt, RetryLater, Sent
from handlers import behalf, opening, people_list, sealing
from handlers.intake import Intake
from scheduler import ticks
from scheduler.delivery import Delivery
from storage import asks, bindings, budget, database, declarations, outbox, settlement, tables, updates
from storage.tables import declaration
from storage.tables import outbox as letters
from summaries.status import Standing
from tests.simulation import bot as running
from tests.simulation.loop import this_process

Plant = Callable[[], None]
MUTANTS: dict[str, Plant] = {}


def mutant(plant: Plant) -> Plant:
    MUTANTS[plant.__name__] = plant
    return plant


@cache
def plant(name: str) -> None:
    """Let this process have the defect."""
    MUTANTS[name]()


def _put(where: Any, name: str, what: object) -> None:
    if isinstance(where, type):
        setattr(where, name, what)
    else:
        assert name in vars(where), f"{where.__name__} has no {name}"
        vars(where)[name] = what


@mutant
def repeated_updates_count_as_new() -> None:
    note = updates.are_new

    async def are_new(session: Any, batch: Sequence[Any], now: Any) -> list[bool]:
        await note(session, batch, now)
        return [True] * len(batch)

    _put(updates, "are_new", are_new)


@mutant
def acknowledged_before_the_commit() -> None:
    filed = outbox.enqueue_leased

    async def at_once(*arguments: Any) -> list[Any]:
        replies = await filed(*arguments)
        running.PROCESSES[this_process()].app._hand_over(replies)
        return []

    _put(outbox, "enqueue_leased", at_once)


@mutant
def unknown_ends_are_tried_for_ever() -> None:
    _put(settlement, "MOST_UNKNOWN", 1000)


@mutant
def nothing_is_checked_before_the_wire() -> None:
    """What a chat may see is not looked at again when a letter leaves."""
    due = (
        sa.select(letters, sa.literal("").label("refusal"))
        .where(
            letters.c.channel == sa.bindparam("channel"),
            letters.c.state == "waiting",
            letters.c.due_at <= sa.bindparam("horizon", type_=database.Instant),
            sa.bindparam("now", type_=database.Instant).is_not(None),
        )
        .order_by(letters.c.lane, letters.c.due_at, letters.c.id)
        .limit(sa.bindparam("most", type_=sa.Integer))
    )
    _put(outbox, "_DUE", due)


@mutant
def the_offset_moves_before_the_commit() -> None:
    take = Poller._take_batch

    async def take_batch(self: Poller, receive: Any) -> None:
        async def confirmed_first(batch: Any) -> Any:
            self._offset = max((int(one.update_key) for one in batch if one.update_key.isdigit()), default=0) + 1
            return await receive(batch)

        await take(self, confirmed_first)

    _put(Poller, "_take_batch", take_batch)


@mutant
def a_refusing_store_is_hidden() -> None:
    """Updates that could not be stored are confirmed as if they had been."""

    async def set_aside_alone(self: Intake, one: Any, problem: Exception) -> None:
        one.tell(Receipt(saved=True))

    _put(Intake, "_set_aside_alone", set_aside_alone)


@mutant
def transactions_begin_deferred() -> None:
    _put(database, "_begin_sqlite", lambda connection: connection.exec_driver_sql("BEGIN"))
    one_writer = database.Database.__init__

    def many_writers(self: database.Database, url: str) -> None:
        one_writer(self, url)
        self._one_writer = _NoTurns()  # type: ignore[assignment]

    _put(database.Database, "__init__", many_writers)


class _NoTurns:
    async def __aenter__(self) -> None:
        """Whoever comes, writes."""

    async def __aexit__(self, *what: object) -> None:
        """Nobody waited."""


@mutant
def a_lease_without_fencing() -> None:
    async def update(session: Any, letter: Any, **values: Any) -> bool:
        changed = letters.update().where(letters.c.id == letter.id).values(leased_until=None, **values)
        return bool((await session.execute(changed)).rowcount)

    _put(settlement, "_update", update)


@mutant
def late_answers_are_not_marked() -> None:
    make = sealing.make

    def in_time(*arguments: Any, **values: Any) -> sealing.Made:
        made = make(*arguments, **values)
        return replace(made, ask=replace(made.ask, late=False), new=replace(made.new, late=False))

    _put(sealing, "make", in_time)


@mutant
def old_buttons_count_for_the_newest_round() -> None:
    async def ask_of(turn: Any, ask_id: int) -> Any:
        return next(iter(await asks.current(turn.session, turn.staff.id, turn.today)), None)

    _put(behalf, "ask_of", ask_of)
    program.ROUTER.crowds.clear()


@mutant
def waits_are_forgotten_over_a_restart() -> None:
    prepare = App.prepare

    async def forgetful(self: App) -> None:
        await prepare(self)
        async with self.database.transaction() as session:
            await session.execute(tables.budget.delete())

    _put(App, "prepare", forgetful)


@mutant
def waits_are_not_written_down() -> None:
    async def block(*arguments: object) -> None:
        """Who cares."""

    _put(budget, "block", block)
    _put(Delivery, "_must_wait", lambda self, letter: False)


@mutant
def silence_counts_as_an_answer() -> None:
    add = Standing.add

    def kind_add(self: Standing, group: Any) -> None:
        is_silent = group.state == "missed"
        add(self, replace(group, state="answered", level="low") if is_silent else group)

    _put(Standing, "add", kind_add)


@mutant
def everybody_is_asked_again_elsewhere() -> None:
    async def prompt_elsewhere(session: Any, house: Any, of: Any, now: Any) -> int:
        silent = await asks.to_prompt(session, [of.id], ("blocked", "delivered", "waiting"))
        return await opening._write(
            session, silent, lambda to, chat: opening._prompt(house, of, to, chat, again=True), now
        )

    _put(opening, "prompt_elsewhere", prompt_elsewhere)


@mutant
def no_answer_counts_as_sent() -> None:
    judge = OutcomeRules.outcome

    def outcome(self: OutcomeRules, error: Any, chat_id: int) -> Any:
        return Sent("0") if isinstance(error, NoAnswer) else judge(self, error, chat_id)

    _put(OutcomeRules, "outcome", outcome)


@mutant
def a_lost_group_stays_bound() -> None:
    async def lost(*arguments: object) -> None:
        """It may come back."""

    _put(bindings, "lost", lost)


@mutant
def a_group_that_moves_is_not_followed() -> None:
    async def moved(*arguments: object) -> None:
        """It keeps its old id here."""

    _put(bindings, "moved", moved)


@mutant
def a_correction_overwrites() -> None:
    keep = declarations.seal

    async def seal(session: Any, new: Sequence[Any]) -> None:
        ask_ids = [one.ask_id for one in new]
        await session.execute(declaration.delete().where(declaration.c.ask_id.in_(ask_ids)))
        await keep(session, new)

    _put(declarations, "seal", seal)


@mutant
def lists_leave_somebody_out() -> None:
    page = people_list._first_page
    _put(people_list, "_first_page", lambda everybody, path: page(everybody, path)[1:] or page(everybody, path))


@mutant
def a_round_missed_is_not_made() -> None:
    """Only what opens within the last minutes is looked for."""
    to_open = ticks.Ticks._to_open

    async def just_now(self: ticks.Ticks, now: Any) -> list[Any]:
        found = await to_open(self, now)
        windows = [(one, day, plan.window(one, day, self.house.zone)[0]) for one, day in found]
        return [(one, day) for one, day, opens in windows if now - opens < timedelta(minutes=10)]

    _put(ticks.Ticks, "_to_open", just_now)


@mutant
def orphaned_letters_are_not_reclaimed() -> None:
    async def reclaim(*arguments: object, **options: object) -> int:
        return 0

    _put(settlement, "reclaim", reclaim)


@mutant
def a_wait_holds_up_the_whole_account_for_ever() -> None:
    retry = settlement._retry

    async def for_ever(session: Any, letter: Any, wait: RetryLater, now: Any) -> None:
        await retry(session, letter, replace(wait, after=wait.after + 90_000, whole_account=True), now)

    _put(settlement, "_retry", for_ever)
