"""An operator at a terminal: a store of their own, a clock that stands, and every command as it is typed."""

from __future__ import annotations

import asyncio
import json
import logging
import shutil
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import pytest
import structlog

from bot.cli import main
from storage.database import Database
from tests.rosters import MadeUp, as_csv, made_up
from tests.world import KEY, MONDAY, World, build

T = TypeVar("T")
SIX_ON_MONDAY = MONDAY.astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Ended:
    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(slots=True)
class Office:
    folder: Path
    capture: pytest.CaptureFixture[str]
    now: datetime = SIX_ON_MONDAY

    @property
    def url(self) -> str:
        return f"sqlite:///{self.folder}/bot.db"

    def types(self, *arguments: str) -> Ended:
        """What the command printed and its exit status; nothing may look like a traceback."""
        self.capture.readouterr()
        status = main(arguments, clock=lambda: self.now)
        found = self.capture.readouterr()
        assert "Traceback" not in found.out + found.err
        return Ended(status, found.out, found.err)

    def does(self, *arguments: str) -> str:
        """What a command printed that must succeed and say nothing on standard error."""
        ended = self.types(*arguments)
        assert (ended.status, ended.err) == (0, ""), ended
        return ended.out

    def fails(self, status: int, *arguments: str) -> str:
        """The one line with which a command must end."""
        ended = self.types(*arguments)
        assert ended.status == status, ended
        lines = ended.err.splitlines()
        assert len(lines) == 1, ended
        return lines[0].removeprefix("vungxanh: ")

    def clock_shows(self, at: str, day: str = "2026-11-23") -> None:
        self.now = datetime.fromisoformat(f"{day}T{at}:00+07:00").astimezone(UTC)

    def lives(self, scene: Callable[[World], Awaitable[T]]) -> T:
        """What happens in the bot itself, at the office's time; its clock is where the scene leaves it."""

        async def play() -> T:
            database = Database(self.url)
            try:
                world = await build(database, now=self.now)
                result = await scene(world)
                self.now = world.now
                return result
            finally:
                await database.close()

        return asyncio.run(play())

    def roster(self, count: int = 24, seed: int = 1) -> tuple[Path, list[MadeUp]]:
        people = made_up(count, seed)
        file = self.folder / "roster.csv"
        file.write_text(as_csv(people), encoding="utf-8")
        return file, people


@pytest.fixture
def empty_office(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Office]:
    """No store yet."""
    key = tmp_path / "secret.key"
    key.write_bytes(KEY)
    key.chmod(0o600)
    monkeypatch.chdir(tmp_path)
    for name, value in {
        "VUNGXANH_DATABASE_URL": f"sqlite:///{tmp_path}/bot.db",
        "VUNGXANH_SECRET_KEY_FILE": str(key),
        "VUNGXANH_ORGANISATION": "Sở Nông nghiệp",
        "VUNGXANH_PUBLIC_URL": "https://khaibao.example",
    }.items():
        monkeypatch.setenv(name, value)
    logging_before = list(logging.getLogger().handlers)
    yield Office(tmp_path, capsys)
    structlog.reset_defaults()
    logging.getLogger().handlers = logging_before


@pytest.fixture(scope="session")
def started_store(tmp_path_factory: pytest.TempPathFactory, empty_store: Path) -> Path:
    """A store that the bot has started on once, with nobody in it."""
    path = tmp_path_factory.mktemp("started") / "bot.db"
    shutil.copy(empty_store, path)

    async def start() -> None:
        database = Database(f"sqlite:///{path}")
        await build(database)
        await database.close()

    asyncio.run(start())
    return path


@pytest.fixture
def office(empty_office: Office, started_store: Path) -> Office:
    shutil.copy(started_store, empty_office.folder / "bot.db")
    return empty_office
