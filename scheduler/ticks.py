"""What is due at a time: rounds open, remind, list the missing and close; each item in its own transaction."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import structlog

from domain import plan
from domain.campaign import AFTERNOON, MORNING, RISK
from handlers import alarm, binding, opening, people_list, risk_map, risk_round, risk_table
from handlers.turn import House
from scheduler.boards import Boards
from scheduler.zones import ZoneRecord
from storage import bindings, budget, downloads, incidents, planned, retention, roster_files, rounds, units, updates
from storage.bindings import Binding
from storage.database import Database, Session
from storage.incidents import Incident
from storage.rounds import DueStep, Round, Step
from storage.schedules import Schedule
from summaries import post

log = structlog.get_logger(__name__)

LOOK_BACK = timedelta(days=7)
"""How far back a round that never opened is still made, to say that nobody was asked."""
KEEP_UPDATES = timedelta(days=7)
KEEP_ROSTERS = timedelta(days=1)
"""A list of staff that nobody has decided about by then is not kept."""


@dataclass(slots=True)
class Ticks:
    """Does what is due. Safe to run in several processes: unique keys and conditional updates decide."""

    database: Database
    house: House

    async def tick(self, now: datetime) -> int:
        """Do everything due at `now`; how many things were done. Running it again at once does nothing.

        What fails keeps nothing else from being done; the first failure is raised when all the rest is.
        """
        failures: list[Exception] = []
        done = await _all((self._open(one, day, now) for one, day in await self._to_open(now)), failures)
        async with self.database.reading() as session:
            due = await rounds.due_steps(session, now)
            lost = await bindings.lost_untold(session)
            climbing = await incidents.due(session, now)
        done += await _all((self._climb(one, now) for one in climbing), failures)
        done += await _all((self._do(step, now) for step in due), failures)
        done += await _all((self._tell_of_loss(one, now) for one in lost), failures)
        done += await _all([ZoneRecord(self.database, self.house).refresh(now)], failures)
        done += await _all([Boards(self.database, self.house).refresh(now)], failures)
        if failures:
            raise failures[0]
        return done

    async def tidy(self, now: datetime) -> None:
        """Forget what is past its time; once a day is enough."""
        async with self.database.transaction() as session:
            await updates.forget(session, now - KEEP_UPDATES)
            await downloads.forget(session, now - KEEP_UPDATES)
            await budget.forget_idle(session, now - timedelta(hours=1))
            await roster_files.forget(session, now - KEEP_ROSTERS)
            kept = timedelta(days=self.house.keeps_days)
            await retention.forget_answers(session, self.house.today(now) - kept, now - kept)

    async def next_due(self, now: datetime) -> tuple[datetime, str] | None:
        """The next thing that will happen by itself, and what it is: a round's kind, or a step."""
        async with self.database.reading() as session:
            step = await rounds.next_due(session)
            found = [step] if step else []
            if climbs_at := await incidents.next_climb(session):
                found.append((climbs_at, "incident"))
            today = self.house.today(now)
            foreseen = await self._planned(session, today, today + timedelta(days=14), set())
        for schedule, day in foreseen:
            opens = plan.window(schedule, day, self.house.zone)[0]
            if opens > now:
                found.append((opens, schedule.kind))
        return min(found, default=None)

    async def _to_open(self, now: datetime) -> list[tuple[Schedule, date]]:
        """Rounds whose time has come, whatever has kept them, and that are not there yet."""
        today = self.house.today(now)
        async with self.database.reading() as session:
            had = await rounds.since(session, today - LOOK_BACK)
            due = await self._planned(session, today - LOOK_BACK, today, had)
        return [(one, day) for one, day in due if plan.window(one, day, self.house.zone)[0] <= now]

    async def _planned(
        self, session: Session, first: date, last: date, had: set[tuple[int, date]]
    ) -> list[tuple[Schedule, date]]:
        """Every schedule with each of these days on which it has a round, in the order of opening."""
        plans = await planned.between(session, first, last)
        paths = [unit.path for unit in await units.tree(session)]
        days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
        found = [
            (one, day)
            for day in days
            for one in plans.schedules
            if (one.id, day) not in had and plans.has_round(one, day, paths)
        ]
        return sorted(found, key=lambda each: plan.window(each[0], each[1], self.house.zone)[0])

    async def _open(self, schedule: Schedule, day: date, now: datetime) -> int:
        """Open one round: asks for everybody due and their prompts, all or nothing.

        If its whole window has passed, it is made as one in which nobody was asked, and closed by its own step.
        A round in which nobody is due is only noted, so that it is not looked at again.
        """
        async with self.database.transaction() as session:
            plans = await planned.between(session, day, day)
            mine = [unit.id for unit in await units.tree(session) if plans.is_asked(schedule, unit.path, day)]
            window = plan.window(schedule, day, self.house.zone)
            of = await rounds.open_once(session, schedule, day, self.house.campaign.key, window, now)
            if of is None:
                return 0
            if of.kind == RISK:
                return await self._open_risk(session, schedule, of, mine, now)
            due = await rounds.ask_everyone(session, of, mine, now)
            if not due:
                await rounds.close(session, of.id, now)
                return 0
            moments = plan.moments(schedule, day, self.house.zone)
            await rounds.add_steps(session, of.id, [Step(one.what, one.number, one.at) for one in moments])
            if schedule.audience == "worked_today":
                await self._excuse_absent(session, of, now)
            prompts = 0 if of.not_asked else await opening.prompt_all(session, self.house, of, now)
        log.info("round_opened", kind=of.kind, round=of.id, due=due, prompts=prompts, not_asked=of.not_asked)
        return 1

    async def _open_risk(
        self, session: Session, schedule: Schedule, of: Round, unit_ids: Sequence[int], now: datetime
    ) -> int:
        """Ask for the risk updates of the day; those of a day that is over are not asked for any more."""
        mine = [schedule.unit_id] if schedule.audience == "unit" else unit_ids
        is_over = of.day != self.house.today(now)
        drafts = 0 if is_over else await risk_round.open_round(session, self.house, of, mine, now)
        if not drafts:
            await rounds.close(session, of.id, now)
            return 0
        moments = plan.moments(schedule, of.day, self.house.zone)
        await rounds.add_steps(session, of.id, [Step(one.what, one.number, one.at) for one in moments])
        log.info("risk_round_opened", round=of.id, drafts=drafts)
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
            skipped = await self._is_past(session, step, of, now)
            if not await rounds.claim_step(session, step.id, "skipped" if skipped else "done", now):
                return 0
            written = 0 if skipped else await self._carry_out(session, step, of, now)
        log.info("round_step", kind=step.kind, round=of.id, skipped=skipped, letters=written)
        return 1

    async def _climb(self, of: Incident, now: datetime) -> int:
        async with self.database.transaction() as session:
            letters = await alarm.climb(session, self.house, of, now)
        if letters is None:
            return 0
        log.info("incident_climbed", incident=of.id, letters=letters)
        return 1

    async def _tell_of_loss(self, lost: Binding, now: datetime) -> int:
        async with self.database.transaction() as session:
            if not await bindings.told_of_loss(session, lost.id):
                return 0
            return await binding.tell_of_loss(session, lost, now)

    async def _is_past(self, session: Session, step: DueStep, of: Round, now: datetime) -> bool:
        """Too late, or too early after all, to be of use.

        A reminder: the round is over, opened later than that, or is reminded again just now. A list of the missing
        comes late rather than never, unless nobody was asked.
        """
        if step.kind == "missing_list":
            return of.not_asked or (of.closed_at is not None and of.closed_at < step.due_at)
        if step.kind not in ("remind", "elsewhere"):
            return False
        if now >= of.closes_at or of.closed_at is not None:
            return True
        if step.kind == "elsewhere":
            return False
        return step.due_at <= of.opened_at or await rounds.reminds_again(session, step, now)

    async def _carry_out(self, session: Session, step: DueStep, of: Round, now: datetime) -> int:
        if of.kind == RISK:
            return await self._carry_out_risk(session, step, of, now)
        match step.kind:
            case "remind":
                return await opening.remind_silent(session, self.house, of, step.number, now)
            case "elsewhere":
                return await opening.prompt_elsewhere(session, self.house, of, now)
            case "missing_list":
                return await people_list.send_all(session, self.house, of, now)
            case "close":
                await rounds.close(session, of.id, now)
        return await post.summaries(session, self.house.campaign, self.house.zone, of, now)

    async def _carry_out_risk(self, session: Session, step: DueStep, of: Round, now: datetime) -> int:
        match step.kind:
            case "remind":
                return await risk_round.remind(session, self.house, of, step.number, now)
            case "missing_list":
                return await risk_round.tell_heads(session, self.house, of, now)
            case "map":
                return await risk_map.remind(session, self.house, of, step.number, now)
            case "close":
                return await risk_round.close_round(session, self.house, of, now)
        return await risk_table.send(session, self.house, of, now)


async def _all(things: Iterable[Awaitable[int]], failures: list[Exception]) -> int:
    """Do each; what it raises is noted and the others go on."""
    done = 0
    for thing in things:
        try:
            done += await thing
        except Exception as problem:  # noqa: BLE001 - raised by `tick` once the others have had their turn
            log.error("tick_item_failed", problem=type(problem).__name__)
            failures.append(problem)
    return done
