"""The campaign in force, in words: what is asked and what the answers mean."""

from __future__ import annotations

from collections.abc import Sequence

from domain.campaign_file import available_campaigns
from domain.policy import Action
from handlers import screens
from handlers.admin_desk import Paths, home, on_tap, screen
from handlers.router import Router
from handlers.turn import Turn
from storage.outbox import Letter

router = Router()


@on_tap(router, "adm_campaign", Action.PLAN)
async def campaign(turn: Turn, paths: Paths, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """Title and version, the statement of the one tap, the questions and the rules. Switching is for the operator."""
    one, language = turn.house.campaign, turn.language
    lines = [turn.text("console.campaign_version", version=one.version), "", one.statement[language], ""]
    lines.append(turn.text("console.campaign_questions"))
    lines += [f"{number}. {each.text[language]}" for number, each in enumerate(one.questions, start=1)]
    lines += ["", turn.text("console.campaign_rules")]
    lines += [
        turn.text("console.count_line", what=rule.reason[language], n=screens.level_name(language, rule.level.value))
        for rule in one.rules
    ]
    others = ", ".join(name for name in available_campaigns() if name != one.key)
    lines += ["", turn.text("console.campaign_switch", others=others or "–")]
    return [screen(turn, one.title[language], lines, [home(turn)], message_id)]
