"""What a person has declared, as it stands on record."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from handlers import looking, privacy, screens
from handlers.router import Router
from handlers.turn import Turn, reply, say
from storage import asks
from storage.asks import Ask
from storage.outbox import Letter

router = Router()
DAYS = 14


@router.command("history", before_consent=True)
async def history(turn: Turn, args: str) -> Sequence[Letter]:
    """One's own last two weeks, newest first, and who has looked at it; also for those who have withdrawn."""
    if not turn.staff.consent:
        return await privacy.notice(turn)
    known = await asks.current(turn.session, turn.staff.id, turn.today - timedelta(days=DAYS))
    mine = [ask for ask in known if not ask.is_drill]
    if not mine:
        return [say(turn, "history.empty")]
    lines = [_line(turn, ask) for ask in mine]
    lines += await looking.who_looked(turn, DAYS)
    return [reply(turn, "\n".join(lines), title=turn.text("history.title", days=DAYS))]


def _line(turn: Turn, ask: Ask) -> str:
    key = "history.late" if ask.state == "answered" and ask.late else f"history.{ask.state}"
    key = "history.proxy" if ask.proxy else key
    if ask.state == "excused":
        what = turn.text(key, reason=turn.text(f"leave.{ask.reason}"))
    elif ask.answered_at:
        what = turn.text(key, at=turn.clock(ask.answered_at), level=screens.level_name(turn.language, ask.level))
    else:
        what = turn.text(key)
    return f"{ask.day:%d/%m} {screens.kind_name(turn.language, ask.kind)}: {what}"
