"""The bots that are measured, each a process of its own that keeps to one core."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import sqlite3
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import asyncpg
import sqlalchemy as sa

from bench.organisation import KEY
from bench.telegram import SECRET, TOKEN

Name = Literal["ours", "ptb", "aiogram"]
Mode = Literal["webhook", "polling"]
Store = Literal["sqlite", "postgres"]
TITLES: Mapping[Name, str] = {"ours": "Vùng Xanh", "ptb": "python-telegram-bot", "aiogram": "aiogram"}
COUNTED = {"ours": "declaration", "ptb": "tap", "aiogram": "tap"}
CORES = sorted(os.sched_getaffinity(0))
THEIRS, OURS = CORES[0], CORES[-1]
"""The core of the bot that is measured, and the one of whatever talks to it (PostgreSQL's processes among them)."""
TICKS = os.sysconf("SC_CLK_TCK")
PEERS = Path(sys.prefix) / "peers/bin/python"
"""Their libraries are in an environment of their own; see bench/peers/requirements.in."""
PATIENCE = 180
"""Seconds that a bot may take to begin; only a busy machine needs that many."""


@dataclass(slots=True)
class Subject:
    """One running bot. `url` is its database's."""

    name: Name
    url: str
    port: int
    process: asyncio.subprocess.Process

    @property
    def cpu_seconds(self) -> float:
        """Processor time that it has used so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    @property
    def memory(self) -> float:
        """The most memory it has had so far, in MB."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1]) / 1024
        raise LookupError("no memory figure")

    async def stored(self) -> int:
        """How many taps are in its database, as somebody else sees it."""
        query = f"SELECT count(*) FROM {COUNTED[self.name]}"  # noqa: S608 - one of our own table names
        if self.url.startswith("sqlite"):
            with sqlite3.connect(self.url.removeprefix("sqlite:///"), timeout=30) as store:
                found: int = store.execute(query).fetchone()[0]
            store.close()
            return found
        store = await asyncpg.connect(self.url)
        found = await store.fetchval(query)
        await store.close()
        return found

    async def stop(self) -> None:
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()


async def start(name: Name, mode: Mode, url: str, api_url: str, folder: Path) -> Subject:
    """Start the bot on this database and wait until its port answers."""
    port = free_port()
    if name == "ours":
        command = [sys.executable, "-m", "bot.cli", "run"]
        environment = settings(mode, url, api_url, port, folder)
    else:
        command = [str(PEERS), "-m", f"bench.peers.{name}_bot", mode, url, api_url, str(port)]
        environment = dict(os.environ)
    with (folder / f"{name}.log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(*command, env=environment, stdout=log, stderr=log)
    os.sched_setaffinity(process.pid, {THEIRS})
    subject = Subject(name, url, port, process)
    try:
        await _listens(subject, folder)
    except BaseException:
        await subject.stop()
        raise
    return subject


def settings(mode: Mode, url: str, api_url: str, port: int, folder: Path) -> dict[str, str]:
    key = folder / "secret.key"
    if not key.exists():
        key.touch(mode=0o600)
        key.write_bytes(KEY)
    mine = {
        "DATABASE_URL": url,
        "SECRET_KEY_FILE": str(key),
        "WEB_PORT": str(port),
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
        "TELEGRAM_TOKEN": TOKEN,
        "TELEGRAM_API_BASE": api_url,
        "TELEGRAM_MODE": mode,
        "TELEGRAM_WEBHOOK_SECRET": SECRET,
        "QUIET_HOURS": "00:00-00:00",
    }
    return dict(os.environ) | {f"VUNGXANH_{name}": value for name, value in mine.items()}


def path_of(name: Name) -> str:
    """Where the webhook listens."""
    return "/telegram/telegram" if name == "ours" else "/tap"


async def _listens(subject: Subject, folder: Path) -> None:
    async with asyncio.timeout(PATIENCE):
        while True:
            if subject.process.returncode is not None:
                said = (folder / f"{subject.name}.log").read_text()[-2000:]
                raise RuntimeError(f"{subject.name} has ended by itself:\n{said}")
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", subject.port)
            except OSError:
                await asyncio.sleep(0.02)
            else:
                writer.close()
                return


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


@dataclass(slots=True)
class Stores:
    """A fresh database for each measurement, copied from one that was filled once."""

    folder: Path
    server: str
    """URL of a PostgreSQL server of our own."""
    _number: int = 0
    _made: list[str] = field(default_factory=list)

    def template(self, store: Store) -> str:
        """The URL of the database that `fresh` copies."""
        if store == "sqlite":
            return f"sqlite:///{self.folder / 'template.db'}"
        return self._url("bench_template")

    async def fresh(self, store: Store, *, filled: bool) -> str:
        """The URL of a new database: our organisation if `filled`, else empty."""
        self._number += 1
        name = f"bench_{self._number}"
        if store == "sqlite":
            path = self.folder / f"{name}.db"
            if filled:
                await asyncio.to_thread(shutil.copy, self.folder / "template.db", path)
            return f"sqlite:///{path}"
        admin = await asyncpg.connect(self.server)
        await admin.execute(f"CREATE DATABASE {name}" + (" TEMPLATE bench_template" if filled else ""))
        await admin.close()
        return self._url(name)

    async def drop(self, url: str) -> None:
        if url.startswith("sqlite"):
            for path in self.folder.glob(f"{Path(url.removeprefix('sqlite:///')).name}*"):
                path.unlink()
            return
        admin = await asyncpg.connect(self.server)
        await admin.execute(f"DROP DATABASE {sa.make_url(url).database} WITH (FORCE)")
        await admin.close()

    def _url(self, name: str) -> str:
        return sa.make_url(self.server).set(database=name).render_as_string(hide_password=False)
