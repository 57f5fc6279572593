"""The list of staff from a phone: a file sent in the chat, shown before it is taken over, and taken back if need be."""

from __future__ import annotations

from collections.abc import Sequence

from domain.chat import Button, File
from domain.policy import Action
from domain.roster_undo import UNDO_WITHIN
from handlers.admin_desk import NotTheirs, Paths, home, on_file, on_tap, screen, tree_of, wait_for, whole, yes_no
from handlers.roster_file import MAX_BYTES
from handlers.router import Router
from handlers.turn import Turn, button, reply
from storage import audit, dialogues, enrolled, people, roster, roster_files
from storage.dialogues import Dialogue
from storage.outbox import Letter
from storage.roster import Imported

router = Router()
TOPIC = "adm_roster"


@on_tap(router, "adm_roster", Action.IMPORT_ROSTER)
async def roster_now(turn: Turn, paths: Paths, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """How many there are, the last file taken over, and a file is waited for."""
    await _require_whole(turn, paths)
    await wait_for(turn, TOPIC, "file")
    return [await _roster(turn, paths, message_id)]


async def _roster(turn: Turn, paths: Paths, message_id: str | None, done: str = "") -> Letter:
    tree = await tree_of(turn, paths)
    _, everybody = await enrolled.reached(turn.session, tree[0].path)
    lines = [f"{done}\n"] if done else []
    lines.append(turn.text("console.roster_now", people=everybody, units=len(tree)))
    rows: list[tuple[Button, ...]] = []
    last = await roster.newest(turn.session)
    if last:
        lines.append(await _taken_over(turn, last))
        if turn.now - last.applied_at <= UNDO_WITHIN:
            rows.append((button(turn, "console.roster_undo", f"adm_ros_undo:{last.id}"),))
    lines += ["", turn.text("console.roster_how")]
    return screen(turn, turn.text("console.roster"), lines, [*rows, home(turn)], message_id)


async def _taken_over(turn: Turn, last: Imported) -> str:
    giver = await people.by_id(turn.session, int(last.given_by)) if last.given_by.isdecimal() else None
    at = f"{last.applied_at.astimezone(turn.house.zone):%H:%M %d/%m/%Y}"
    by = giver.name if giver else last.given_by
    return turn.text("console.roster_last", id=last.id, file=last.filename, at=at, by=by)


@on_file(router, TOPIC, Action.IMPORT_ROSTER)
async def sent(turn: Turn, paths: Paths, waiting: Dialogue, file: File) -> Sequence[Letter] | None:
    """Keep it to be read outside of this turn: a large or hostile file must not hold anybody's tap."""
    await _require_whole(turn, paths)
    content = file.content or b""
    if len(content) > MAX_BYTES:
        return [reply(turn, turn.text("roster.too_big", most=MAX_BYTES // 1024 // 1024))]
    name = file.name or turn.text("console.roster_unnamed")
    number = await roster_files.add(turn.session, turn.staff.id, turn.chat, name, content, turn.now)
    await audit.record(turn.session, turn.now, str(turn.staff.id), "roster_sent", str(number), size=len(content))
    await wait_for(turn, TOPIC, "file")
    return [reply(turn, turn.text("console.roster_reading", file=name))]


@on_tap(router, "adm_ros_ok", Action.IMPORT_ROSTER)
async def accept(turn: Turn, paths: Paths, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """Take over exactly what was shown."""
    await _decide(turn, paths, args, "accepted")
    await dialogues.drop(turn.session, turn.chat)
    return [reply(turn, turn.text("console.roster_applying"), replaces=message_id)]


@on_tap(router, "adm_ros_force", Action.IMPORT_ROSTER)
async def insist(turn: Turn, paths: Paths, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    """So many leave indeed: shown once more, and then it can be taken over."""
    await _decide(turn, paths, args, "sent", force=True)
    return [reply(turn, turn.text("console.roster_again"), replaces=message_id)]


@on_tap(router, "adm_ros_no", Action.IMPORT_ROSTER)
async def drop(turn: Turn, paths: Paths, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    await _decide(turn, paths, args, "dropped")
    return [await _roster(turn, paths, message_id, turn.text("console.roster_dropped"))]


@on_tap(router, "adm_ros_undo", Action.IMPORT_ROSTER)
async def confirm_undoing(turn: Turn, paths: Paths, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    await _require_whole(turn, paths)
    last = await roster.newest(turn.session)
    if last is None or str(last.id) != args[0]:
        raise NotTheirs
    lines = [
        await _taken_over(turn, last),
        turn.text("console.roster_undo_means", joined=last.counts.get("joins", 0), left=last.counts.get("leaves", 0)),
    ]
    return [screen(turn, "", lines, yes_no(turn, f"adm_ros_back:{last.id}", "adm_roster"), message_id)]


@on_tap(router, "adm_ros_back", Action.IMPORT_ROSTER)
async def undo(turn: Turn, paths: Paths, args: Sequence[str], message_id: str) -> Sequence[Letter]:
    await _require_whole(turn, paths)
    await roster.undo(turn.session, int(args[0]), str(turn.staff.id), turn.now)
    return [await _roster(turn, paths, message_id, turn.text("roster.undone", id=args[0]))]


async def _require_whole(turn: Turn, paths: Paths) -> None:
    """The roster is the whole organisation's. Raises NotTheirs for an administrator of a part of it."""
    if not whole(paths, (await tree_of(turn, paths))[0]):
        raise NotTheirs


async def _decide(
    turn: Turn, paths: Paths, args: Sequence[str], state: roster_files.State, *, force: bool = False
) -> None:
    await _require_whole(turn, paths)
    file_id, shown = int(args[0]), args[1]
    mine = await roster_files.by_id(turn.session, file_id, turn.staff.id)
    if mine is None or not await roster_files.decide(turn.session, file_id, shown, state, force=force):
        raise NotTheirs
