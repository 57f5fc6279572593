"""What is due at a time: rounds open, remind, list the missing and close; each item in its own transaction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import structlog

from domain import plan
from domain.campaign import AFTERNOON, MORNING
from handlers import opening
from handlers.turn import House
from scheduler.boards import Boards
from storage import budget, rounds, schedules, units, updates
from storage.database import Database, Session
from storage.rounds import DueStep, Round, Step
from storage.schedules import Schedule
from summaries import post

log = structlog.get_logger(__name__)

LOOK_BACK = timedelta(days=7)
"""How far back a round that never opened is still made, to say that nobody was asked."""
KEEP_UPDATES = timedelta(days=7)


@dataclass(slots=True)
class Ticks:
    """Does what is due. Safe to run in several processes: unique keys and conditional updates decide."""

    database: Database
    house: House

    async def tick(self, now: datetime) -> int:
        """Do everything due at `now`; how many things were done. Running it again at once does nothing."""
        done = await self._open_rounds(now)
        async with self.database.reading() as session:
            due = await rounds.due_steps(session, now)
        for step in due:
            done += await self._do(step, now)
        done += await Boards(self.database, self.house).refresh(now)
        return done

    async def tidy(self, now: datetime) -> None:
        """Forget what is past its time; once a day is enough."""
        async with self.database.transaction() as session:
            await updates.forget(session, now - KEEP_UPDATES)
            await budget.forget_idle(session, now - timedelta(hours=1))

    async def next_due(self, now: datetime) -> tuple[datetime, str] | None:
        """The next thing that will happen by itself, and what: a round's kind, or the kind of its step."""
        async with self.database.reading() as session:
            step = await rounds.next_due(session)
            found = [step] if step else []
            today = self.house.today(now)
            planned = await self._planned(session, today, today + timedelta(days=14))
        for schedule, day in planned:
            opens = plan.window(schedule, day, self.house.zone)[0]
            if opens > now:
                found.append((opens, schedule.kind))
        return min(found, default=None)

    async def _open_rounds(self, now: datetime) -> int:
        today = self.house.today(now)
        async with self.database.reading() as session:
            had = await rounds.since(session, today - LOOK_BACK)
            planned = await self._planned(session, today - LOOK_BACK, today)
        opened = 0
        for schedule, day in planned:
            if (schedule.id, day) not in had and plan.window(schedule, day, self.house.zone)[0] <= now:
                opened += await self._open(schedule, day, now)
        return opened

    async def _planned(self, session: Session, first: date, last: date) -> list[tuple[Schedule, date]]:
        """Every schedule with each of these days on which it has a round, in the order of opening."""
        everything = await schedules.in_force(session)
        pauses = await schedules.pauses(session, first, last)
        overrides = await schedules.overrides(session, first, last)
        days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
        found = [(one, day) for day in days for one in everything if plan.happens(one, day, pauses, overrides)]
        return sorted(found, key=lambda each: plan.window(each[0], each[1], self.house.zone)[0])

    async def _open(self, schedule: Schedule, day: date, now: datetime) -> int:
        """Open one round: asks for everybody due and their prompts, all or nothing.

        If its whole window has passed, it is made as one in which nobody was asked, and closed by its own step.
        """
        opens_at, closes_at = plan.window(schedule, day, self.house.zone)
        steps = [Step(one.what, one.number, one.at) for one in plan.moments(schedule, day, self.house.zone)]
        async with self.database.transaction() as session:
            of = await rounds.open_once(
                session,
                schedule,
                day,
                self.house.campaign.key,
                opens_at,
                closes_at,
                steps,
                now,
                not_asked=now >= closes_at,
            )
            if of is None:
                return 0
            everything = await schedules.in_force(session)
            tree = await units.tree(session)
            mine = [unit.id for unit in tree if plan.responsible(everything, schedule, unit.path)]
            await rounds.ask_everyone(session, of, mine, now)
            if schedule.audience == "worked_today":
                await self._excuse_absent(session, of, now)
            prompts = 0 if of.not_asked else await opening.prompt_all(session, self.house, of, now)
        log.info("round_opened", kind=of.kind, round=of.id, prompts=prompts, not_asked=of.not_asked)
        return 1

    async def _excuse_absent(self, session: Session, of: Round, now: datetime) -> None:
        place = self.house.campaign.workplace
        away = [option.key for option in place.question.options if option.key not in place.worked]
        if of.kind == AFTERNOON:
            await rounds.excuse_absent_in(session, of, MORNING, away, now)

    async def _do(self, step: DueStep, now: datetime) -> int:
        async with self.database.transaction() as session:
            of = await rounds.by_id(session, step.round_id)
            if of is None:
                return 0
            skipped = step.kind != "close" and (of.closed_at is not None or await self._is_past(session, step, of, now))
            if not await rounds.claim_step(session, step.id, "skipped" if skipped else "done", now):
                return 0
            written = 0 if skipped else await self._carry_out(session, step, of, now)
        log.info("round_step", kind=step.kind, round=of.id, skipped=skipped, letters=written)
        return 1

    async def _is_past(self, session: Session, step: DueStep, of: Round, now: datetime) -> bool:
        """Too late to be of use: the round is over, or the next reminder is due as well."""
        if now >= of.closes_at:
            return True
        if step.kind != "remind":
            return False
        later = await rounds.due_steps(session, now)
        return any(
            one.round_id == of.id and one.kind == "remind" and one.number > step.number for one in later
        )

    async def _carry_out(self, session: Session, step: DueStep, of: Round, now: datetime) -> int:
        if step.kind == "remind":
            return await opening.remind_silent(session, self.house, of, step.number, now)
        if step.kind == "missing_list":
            return await post.missing_lists(session, self.house.zone, of, now)
        await rounds.close(session, of.id, now)
        return await post.summaries(session, self.house.zone, of, now)
