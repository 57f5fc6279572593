"""Updates of every kind that there is, mutilated, among good ones: nothing crashes, and the good ones do not wait.

`python -m tests.hostile_updates 100000` prints what was measured and exits 1 if anything is off.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields
from functools import cache
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from structlog.testing import capture_logs

from channels.telegram import TelegramAccount, Webhook
from domain.chat import Incoming, Receipt
from storage import schema, tables
from storage.database import Database
from tests.servers.bot_api import BotApi
from tests.servers.telegram_bench import account_at
from tests.storm import staff
from tests.world import World, build

CANARY = "zuliquandor"
"""In every text that is made up here; no line of a log may have it."""
SECRET = "made-up-secret"
AT_ONCE, GOOD = 30, 3
"""Hostile updates in one go, and the good ones among them."""
PEOPLE = 40
PART = 2_500
MOST = ("slowest_good", "longest_line", "reasons")
"""Of these a sum of reports has the most."""
DEEPEST = 3
LONGEST_LINE = 300
_TYPES = Path(__file__).parent / "servers" / "bot-api-updates.json"
_WORDS = ("/start", "/today", "/leave 1/3", "/help@vung_xanh_bot", "2", "chào", CANARY, "Tôi khỏe", "/incident", "/xoa")


@cache
def types() -> dict[str, Any]:
    """Everything that can arrive, type by type."""
    found: dict[str, Any] = json.loads(_TYPES.read_text(encoding="utf-8"))["types"]
    return found


def kinds() -> list[str]:
    """Every kind of update."""
    return [name for name in types()["Update"] if name != "update_id"]


def made_up(chance: random.Random, kind: str) -> dict[str, Any]:
    """A valid update of this kind, without its number."""
    update = {kind: _value(chance, types()["Update"][kind].split()[0], 0)}
    if kind == "message" and chance.random() < 0.7:
        update[kind] |= _said(chance)
    return update


def _said(chance: random.Random) -> dict[str, Any]:
    """What people really send: a text in a private chat or a group."""
    user = chance.randint(1, 99)
    private = {"id": user, "type": "private", "first_name": CANARY}
    chat = private if chance.random() < 0.7 else {"id": -500, "type": "supergroup", "title": CANARY}
    return {"from": {"id": user, "is_bot": False, "first_name": CANARY}, "chat": chat, "text": chance.choice(_WORDS)}


def _value(chance: random.Random, names: str, depth: int) -> Any:
    name = chance.choice(names.split("|"))
    if name.startswith("["):
        return [_value(chance, name[1:-1], depth + 1) for _ in range(chance.randint(0, 2))]
    of = types().get(name)
    if isinstance(of, str):
        return _value(chance, of, depth)
    if isinstance(of, dict):
        return _object(chance, of, depth + 1)
    made: dict[str, Callable[[], Any]] = {
        "Integer": lambda: chance.choice((0, 1, 7, 2026, -100500, 10**12)),
        "Float": lambda: chance.uniform(-180, 180),
        "Boolean": lambda: chance.random() < 0.5,
        "True": lambda: True,
        "String": lambda: chance.choice(_WORDS),
    }
    return made[name]()


def _object(chance: random.Random, fields: dict[str, str], depth: int) -> dict[str, Any]:
    found = {}
    for name, text in fields.items():
        words = text.split()
        if not text.endswith("!") and (depth > DEEPEST or chance.random() > 0.2):
            continue
        word = next((one[1:] for one in words if one.startswith("=")), None)
        found[name] = word if word is not None else _value(chance, words[0], depth) if depth < 9 else None
    return found


# --- how they are mutilated ---


def hostile(chance: random.Random, number: int) -> bytes:
    """An update of any kind, changed in its structure, in its bytes, or in both. Its number is the service's own."""
    update = made_up(chance, chance.choice(kinds()))
    for _ in range(chance.randint(0, 3)):
        _mutate(chance, update)
    content = json.dumps(update, ensure_ascii=chance.random() < 0.5).encode("utf-8", "surrogatepass")[1:]
    for _ in range(chance.choice((0, 0, 0, 1, 1, 5))):
        content = _bitten(chance, content)
    return b'{"update_id":%d,' % number + content


def _mutate(chance: random.Random, update: dict[str, Any]) -> None:
    """Put something else in the place of any one part."""
    places = list(_places(update))
    if not places:
        return
    where, key = chance.choice(places)
    match chance.randrange(6):
        case 0:
            del where[key]
        case 1:
            other, at = chance.choice(places)
            where[key] = other[at] if other is not where[key] and not _holds(other[at], where) else None
        case 2 if isinstance(where, dict):
            where[f"{key}{chance.choice(('', ' ', CANARY))}"] = where[key]
        case _:
            where[key] = chance.choice(_ODD)(chance)


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    for key, inner in list(value.items()) if isinstance(value, dict) else list(enumerate(value)):
        yield value, key
        if isinstance(inner, dict | list):
            yield from _places(inner)


def _holds(value: Any, sought: Any) -> bool:
    return value is sought or any(inner[key] is sought for inner, key in _places_of(value))


def _places_of(value: Any) -> Iterator[tuple[Any, Any]]:
    return _places(value) if isinstance(value, dict | list) else iter(())


def _nested(deep: int) -> Any:
    nest: Any = CANARY
    for _ in range(deep):
        nest = [nest]
    return nest


_ODD: tuple[Callable[[random.Random], Any], ...] = (
    lambda chance: None,
    lambda chance: chance.choice((True, [], {}, "", [[]], {"": {}})),
    lambda chance: chance.choice((0, -1, 2**31, 2**53, -(2**53), 2**63, 10**40, -0.0, 1e308, 0.1)),
    lambda chance: float(chance.choice(("nan", "inf", "-inf"))),
    lambda chance: CANARY * chance.choice((1, 100, 5000)),
    lambda chance: chance.choice(("\0", "\ud800", "\udfff" + CANARY, "\u202e" + CANARY, "\ufeff", "'; DROP TABLE ask")),
    lambda chance: chance.choice(("{0}", "%s%n", "{person.phone}", "../../etc/passwd", "=1+1", "<b>", "/" * 5000)),
    lambda chance: _nested(chance.choice((3, 60, 200))),
    lambda chance: {"id": chance.randint(-(10**6), 10**6), "type": "private", "first_name": CANARY},
)  # fmt: skip


def _bitten(chance: random.Random, content: bytes) -> bytes:
    """A few bytes flipped, cut, doubled or put in."""
    at = chance.randrange(len(content) + 1)
    to = min(len(content), at + chance.randint(1, 12))
    match chance.randrange(6):
        case 0:
            return content[:at]
        case 5:
            return content[:at] + chance.choice((b"[", b"{", b'{"a":')) * 3000 + content[at:]
        case 1:
            return content[:at] + content[to:]
        case 2:
            return content[:to] + content[at:]
        case 3:
            return content[:at] + bytes(chance.randrange(256) for _ in range(3)) + content[at:]
        case _:
            return content[:at] + bytes(byte ^ (1 << chance.randrange(8)) for byte in content[at:to]) + content[to:]


# --- what the bot makes of them ---


@dataclass(slots=True)
class Report:
    """What was seen; `problems` is empty if everything held."""

    hostile: int = 0
    good: int = 0
    slowest_good: float = 0.0
    understood: int = 0
    set_aside: int = 0
    failed_turns: int = 0
    refused_at_the_door: int = 0
    log_lines: int = 0
    longest_line: int = 0
    seconds: float = 0.0
    reasons: dict[str, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def must(self, holds: bool, what: str) -> None:
        if not holds:
            self.problems.append(what)

    def __add__(self, other: Report) -> Report:
        added = {
            one.name: getattr(self, one.name) + getattr(other, one.name) for one in fields(self) if one.name not in MOST
        }
        most = {name: max(getattr(self, name), getattr(other, name)) for name in MOST if name != "reasons"}
        reasons = Counter(self.reasons) + Counter(other.reasons)
        return Report(**added, **most, reasons=dict(reasons.most_common(12)))


class Mail:
    """Hands updates to the real intake and notes when each was stored."""

    def __init__(self, world: World) -> None:
        self.intake, self.stored = world.app.intake, dict[str, float]()
        self.intake.hand_over = lambda letters: None  # nobody waits for the answers here

    async def receive(self, batch: Sequence[Incoming]) -> Sequence[Receipt]:
        receipts = await self.intake.receive(batch)
        self.stored |= {one.update_key: time.monotonic() for one in batch}
        return receipts


async def besieged(number: int, seed: int, database: Database, *, webhook: bool) -> Report:
    """So many hostile updates and the good ones among them, through the real account into the real store."""
    report, chance, began = Report(), random.Random(seed), time.monotonic()
    world = await build(database)
    people = await staff(world, "", PEOPLE)
    await _give_numbers(world, people)
    mail = Mail(world)
    async with BotApi() as server:
        for person in people:
            server.user(person)
        account = account_at(server, webhook=Webhook("http://127.0.0.1:9/", SECRET) if webhook else None)
        with capture_logs() as log, _no_task_fails(report):
            if webhook:
                await account.start()
                await _posted(number, chance, account, mail, people, report)
            else:
                await _polled(number, chance, account, server, mail, people, report)
        await account.close()
    _judge_the_log(log, report)
    await _count(world, report)
    report.seconds = round(time.monotonic() - began, 1)
    return report


async def _polled(
    number: int,
    chance: random.Random,
    account: TelegramAccount,
    server: BotApi,
    mail: Mail,
    people: Sequence[int],
    report: Report,
) -> None:
    listening = asyncio.create_task(account.listen(mail.receive))
    await server.until(lambda: account.heard_at)
    while report.hostile < number:
        offered: dict[str, float] = {}
        for place in range(AT_ONCE):
            if place % (AT_ONCE // GOOD) == 0:
                key = await server.says(people[report.good % len(people)], "/today")
                offered[str(key)] = time.monotonic()
                report.good += 1
            server.offer_raw(hostile(chance, server.next_number))
            report.hostile += 1
        await server.until(lambda: not server.pending, timeout=60)
        await _note_good(offered, mail, report)
        report.must(not listening.done(), "the hearing ended")
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)


async def _posted(
    number: int, chance: random.Random, account: TelegramAccount, mail: Mail, people: Sequence[int], report: Report
) -> None:
    update = 5_000_000

    async def post(body: bytes) -> None:
        status, _ = await account.take(body, SECRET, mail.receive)
        report.refused_at_the_door += status == 400
        report.must(status in (200, 400), f"a post was answered with {status}")

    while report.hostile < number:
        bodies, offered = [], {}
        for place in range(AT_ONCE):
            update += 2
            if place % (AT_ONCE // GOOD) == 0:
                bodies.append(_good(update, people[report.good % len(people)]))
                offered[str(update)] = time.monotonic()
                report.good += 1
            bodies.append(hostile(chance, update + 1))
            report.hostile += 1
        await asyncio.gather(*(post(body) for body in bodies))
        await _note_good(offered, mail, report)


def _good(update: int, person: int) -> bytes:
    user = {"id": person, "is_bot": False, "first_name": CANARY}
    chat = {"id": person, "type": "private", "first_name": CANARY}
    message = {"message_id": update, "date": 1, "chat": chat, "from": user, "text": "/today"}
    return json.dumps({"update_id": update, "message": message}).encode()


async def _note_good(offered: dict[str, float], mail: Mail, report: Report) -> None:
    missing = [key for key in offered if key not in mail.stored]
    report.must(not missing, f"{len(missing)} good updates were lost")
    waits = [mail.stored[key] - at for key, at in offered.items() if key in mail.stored]
    report.slowest_good = round(max([report.slowest_good, *waits]), 3)
    mail.stored.clear()


@contextmanager
def _no_task_fails(report: Report) -> Iterator[None]:
    """Whatever a task raises that nobody asks for is a crash."""
    loop = asyncio.get_running_loop()
    usual = loop.get_exception_handler()
    loop.set_exception_handler(lambda _, context: report.problems.append(f"crashed: {context['message']}"))
    try:
        yield
    finally:
        loop.set_exception_handler(usual)


def _judge_the_log(log: Sequence[Any], report: Report) -> None:
    """At most one short line for each, and nothing that anybody wrote."""
    lines = [json.dumps(entry, ensure_ascii=False, default=str) for entry in log]
    report.log_lines, report.longest_line = len(lines), max(map(len, lines), default=0)
    report.must(len(lines) <= report.hostile, "more than one line of the log for each")
    report.must(report.longest_line <= LONGEST_LINE, "a long line in the log")
    report.must(not any(CANARY in line for line in lines), "the log says what somebody wrote")
    for entry in log:
        if entry["event"] in ("batch_not_stored", "telegram_webhook_failed"):
            report.must(False, f"{entry['event']}: {entry.get('problem')}")


async def _count(world: World, report: Report) -> None:
    aside = tables.quarantine.c
    rows = await world.rows(sa.select(aside.reason, sa.func.count()).group_by(aside.reason))
    report.set_aside = sum(row[1] for row in rows)
    report.understood = report.hostile - report.set_aside - report.refused_at_the_door
    failed = {row[0]: row[1] for row in rows if " at " in row[0] and row[0].split(" at ")[0].isidentifier()}
    report.failed_turns = sum(failed.values())
    report.reasons = dict(Counter({row[0]: row[1] for row in rows}).most_common(12)) | failed
    for reason, number in failed.items():
        report.must(False, f"{number} turns failed: {reason}")


async def _give_numbers(world: World, people: Sequence[int]) -> None:
    """People who write from chats numbered as on Telegram."""
    async with world.transaction() as session:
        chat = tables.address.c
        for person in people:
            await session.execute(tables.address.update().where(chat.person_id == person).values(chat_id=str(person)))


async def _besieged(number: int, seed: int) -> AsyncIterator[Report]:
    """Part by part, each on a store of its own, by long poll and by webhook in turn."""
    for part in range(-(-number // PART)):
        with tempfile.TemporaryDirectory() as folder:
            database = Database(f"sqlite:///{folder}/bot.db")
            await schema.migrate(database)
            yield await besieged(min(PART, number), seed + part, database, webhook=part % 2 == 1)
            await database.close()


async def _measured(number: int, seed: int) -> Report:
    """The sum of all parts, told as they end."""
    total = Report()
    async for report in _besieged(number, seed):
        total += report
        print(
            f"hostile {total.hostile}, slowest good {total.slowest_good} s, {len(total.problems)} problems", flush=True
        )
    return total


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("number", type=int, nargs="?", default=100_000, help="half by long poll, half by webhook")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    report = asyncio.run(_measured(chosen.number, chosen.seed))
    report.must(report.slowest_good < 1, f"a good update waited {report.slowest_good} s")
    print(json.dumps(asdict(report), ensure_ascii=False, indent=1))
    sys.exit(bool(report.problems))


if __name__ == "__main__":
    main()
