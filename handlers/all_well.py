"""The morning's storm: many people who tap "I am well" at once, each answered as if they had tapped alone."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from domain.risk import assess
from handlers import alarm, behalf, control, sealing
from handlers.router import Router, Tapped
from handlers.sealing import Made
from storage import asks, declarations, posted
from storage.asks import Ask
from storage.outbox import Letter
from storage.posted import Copy

router = Router()


@router.crowd("well")
async def declare_well(taps: Sequence[Tapped]) -> Sequence[Sequence[Letter] | None]:
    """As `declaration.declare_well`, for those whose first word it is on an ask of their own; None for the others."""
    session, house, now = taps[0].turn.session, taps[0].turn.house, taps[0].turn.now
    healthy = house.campaign.healthy_answers()
    result = assess(house.campaign, healthy)
    if result.level.value in alarm.SERIOUS_LEVELS:
        return [None] * len(taps)
    owners = {int(tap.args[0]): tap.turn.staff.id for tap in taps}
    await asks.lock(session, *sorted(owners))
    found = await asks.of_people(session, owners)
    begun = await declarations.begun(session, owners)
    copies = await posted.copies(session, owners)
    made: dict[int, Made] = {}
    answers: list[Sequence[Letter] | None] = []
    for tap in taps:
        turn, ask = tap.turn, found.get(int(tap.args[0]))
        if ask is None or ask.id in begun or ask.id in made or not _is_plain(tap, ask, copies[ask.id]):
            answers.append(None)
            continue
        place = sealing.said_place(turn, ask, declarations.NO_DRAFT, tap.args[1:])
        made[ask.id] = one = sealing.make(turn, ask, healthy, result, place)
        closing = behalf.closings(turn, ask, tap.message_id, 1, copies[ask.id], {})
        answers.append([sealing.receipt(turn, one, tap.message_id), *closing, *control.question(turn, ask)])
    await sealing.store(session, list(made.values()), now)
    return answers


def _is_plain(tap: Tapped, ask: Ask, copies: Collection[Copy]) -> bool:
    """Whether nobody else has to do with this ask, and it can be answered for the first time."""
    return ask.is_open and ask.state != "answered" and {one.person_id for one in copies} <= {tap.turn.staff.id, None}
