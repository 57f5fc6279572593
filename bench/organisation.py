"""A made-up department in the store: units with their supervisor chats, staff, and a morning round that waits for them.

Person n has the ask n, writes from the chat `FIRST_CHAT + n`, and has the prompt on the screen as message 1.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from domain.chat import Address
from domain.seal import Seal
from storage import schedules, schema, tables, units
from storage.database import Database, Session
from storage.units import Unit

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
UNITS = 50
FIRST_CHAT = 1_000_000_000
FIRST_CALLBACK = 100_000_000_000_000
KEY = bytes(range(32))
AT_ONCE = 5_000
FAR = timedelta(days=365)
Prompts = Literal["sent", "waiting", "none"]


async def furnish(database: Database, people: int, now: datetime, prompts: Prompts = "sent") -> None:
    """Everybody has agreed and is due in a round that has just opened; no schedule opens another one."""
    await schema.migrate(database)
    async with database.transaction() as session:
        root = await units.ensure_root(session, "Sở Nông nghiệp")
        made = [await units.add(session, f"U{number:02}", f"Đơn vị {number}", root) for number in range(UNITS)]
        round_id = await _round(session, root, now)
        await _staff(session, made, people, now)
        await _fill(session, tables.ask, (_ask(n, round_id, made, now) for n in range(1, people + 1)))
        if prompts != "none":
            state = (
                {"state": "sent", "message_id": "1", "settled_at": now} if prompts == "sent" else {"state": "waiting"}
            )
            await _fill(session, tables.outbox, (_prompt(n, round_id, now) | state for n in range(1, people + 1)))
        await _fill(session, tables.binding, (_binding(n, unit, now) for n, unit in enumerate(made, 1)))
        if session.dialect.name == "postgresql":
            for table in ("person", "ask"):
                await session.execute(sa.text(f"SELECT setval('{table}_id_seq', {people})"))
    if not database.is_sqlite:
        async with database.engine.connect() as session:
            await session.execution_options(isolation_level="AUTOCOMMIT")
            await session.execute(sa.text("ANALYZE"))


async def answer_yesterday(database: Database, people: int, now: datetime) -> date:
    """Give everybody an answered round of the day before; that day."""
    before = now - timedelta(days=1)
    async with database.transaction() as session:
        root = await units.root(session)
        made = await units.tree(session)
        assert root
        round_id = await _round(session, root, before, is_closed=True)
        asks = (
            _ask(n, round_id, made, before)
            | {"id": people + n, "state": "answered", "level": "low", "answered_at": before}
            for n in range(1, people + 1)
        )
        await _fill(session, tables.ask, asks)
        await _fill(session, tables.declaration, (_answer(n, people + n, before) for n in range(1, people + 1)))
    return before.astimezone(ZONE).date()


def _answer(n: int, ask_id: int, now: datetime) -> dict[str, Any]:
    answers = {"symptoms": ["none"], "temperature": None, "contact": "none", "areas": "none", "test": "none"}
    return {
        "ask_id": ask_id, "answers": answers, "workplace": "office", "level": "low", "reasons": ["otherwise"],
        "given_by_id": n, "channel": "telegram", "answered_at": now,
    }  # fmt: skip


async def _fill(session: Session, table: sa.Table, rows: Iterator[dict[str, Any]]) -> None:
    while some := [row for _, row in zip(range(AT_ONCE), rows, strict=False)]:
        await session.execute(table.insert(), some)


async def _round(session: Session, root: Unit, now: datetime, *, is_closed: bool = False) -> int:
    if is_closed:
        known = (await schedules.in_force(session))[0].id
        return await _opened(session, root, known, now, closed_at=now)
    schedule: dict[str, Any] = {
        "kind": "morning", "unit_id": root.id, "opens": now.time(), "closes": now.time(),
        "reminders": [], "weekdays": [], "since_day": date.max - FAR,
    }  # fmt: skip
    made = await session.execute(tables.schedule.insert().values(schedule).returning(tables.schedule.c.id))
    round_id = await _opened(session, root, made.scalar_one(), now)
    for kind in ("afternoon", "risk"):
        await session.execute(tables.schedule.insert().values(schedule | {"kind": kind}))
    assert len(await schedules.in_force(session)) == 3
    return round_id


async def _opened(session: Session, root: Unit, schedule_id: int, now: datetime, **more: Any) -> int:
    of = {
        "schedule_id": schedule_id, "day": now.astimezone(ZONE).date(), "kind": "morning", "unit_id": root.id,
        "campaign": "covid19", "opens_at": now, "closes_at": now + timedelta(hours=4), "opened_at": now,
    }  # fmt: skip
    opened = await session.execute(tables.round_.insert().values(of | more).returning(tables.round_.c.id))
    round_id: int = opened.scalar_one()
    return round_id


async def _staff(session: Session, made: Sequence[Unit], people: int, now: datetime) -> None:
    numbers = range(1, people + 1)
    await _fill(
        session,
        tables.person,
        (
            {
                "id": n, "staff_code": f"CB{n}", "name": f"Nguyễn Thị Người {n}", "unit_id": made[n % UNITS].id,
                "language": "vi", "consent": "agreed", "workplace": "office", "joined_at": now,
            }
            for n in numbers
        ),
    )  # fmt: skip
    await _fill(
        session,
        tables.address,
        (
            {
                "channel": "telegram", "chat_id": str(FIRST_CHAT + n), "person_id": n,
                "verified_at": now, "used_at": now,
            }
            for n in numbers
        ),
    )  # fmt: skip


def _ask(n: int, round_id: int, made: Sequence[Unit], now: datetime) -> dict[str, Any]:
    return {
        "id": n, "round_id": round_id, "person_id": n, "unit_id": made[n % UNITS].id,
        "reach": "delivered", "changed_at": now,
    }  # fmt: skip


def _prompt(n: int, round_id: int, now: datetime) -> dict[str, Any]:
    return {
        "dedupe_key": f"prompt:{round_id}:{n}", "kind": "prompt", "lane": 3, "channel": "telegram",
        "chat_id": str(FIRST_CHAT + n), "person_id": n, "ask_id": n, "text": "Hôm nay tôi khỏe mạnh.",
        "keyboard": [[{"label": "Tôi khỏe", "data": button(n)}]], "created_at": now, "due_at": now,
    }  # fmt: skip


def _binding(n: int, unit: Unit, now: datetime) -> dict[str, Any]:
    return {
        "channel": "telegram", "chat_id": str(-FIRST_CHAT - n), "unit_id": unit.id,
        "requested_by_id": 1, "requested_at": now, "confirmed_by_id": 2, "confirmed_at": now,
    }  # fmt: skip


def button(n: int) -> str:
    """What the button "I am well" of person n sends."""
    return Seal(KEY).button(f"well:{n}:office", Address("telegram", str(FIRST_CHAT + n)))


def tap(n: int, data: str) -> bytes:
    """The update of person n who taps a button with this data, as long as Telegram's own."""
    chat = FIRST_CHAT + n
    return _TAP % (n, FIRST_CALLBACK + n, chat, chat, data.encode(), data.encode())


_TAP = (
    '{"update_id":%d,"callback_query":{"id":"%d","from":{"id":%d,"is_bot":false,"first_name":"Lan",'
    '"language_code":"vi"},"message":{"message_id":1,"from":{"id":7000001,"is_bot":true,"first_name":"Bench",'
    '"username":"bench_bot"},"chat":{"id":%d,"first_name":"Lan","type":"private"},"date":1795300000,'
    '"text":"Khai báo sức khỏe buổi sáng Thứ Hai, 23/11/2026\\n\\nHôm nay tôi khỏe mạnh, không sốt, không ho, không '
    'tiếp xúc với người bệnh.\\n\\nNơi làm việc: Tại cơ quan","entities":[{"offset":0,"length":47,"type":"bold"}],'
    '"reply_markup":{"inline_keyboard":[[{"text":"Tôi khỏe","callback_data":"%s"}]]}},'
    '"chat_instance":"4711","data":"%s"}}'
).encode()
