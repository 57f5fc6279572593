"""An event loop whose clock jumps to the next timer, and processes on it that can die without a word."""

from __future__ import annotations

import asyncio
import heapq
import traceback
from collections.abc import Coroutine
from contextvars import Context, ContextVar, copy_context
from dataclasses import dataclass, field
from typing import Any, NoReturn


@dataclass(slots=True, eq=False)
class Process:
    """Everything that runs in its context ends with it: a dead process's callbacks are never called again."""

    name: str
    alive: bool = True
    tasks: set[asyncio.Task[Any]] = field(default_factory=set)
    context: Context = field(default_factory=copy_context)

    def __post_init__(self) -> None:
        self.context.run(_PROCESS.set, self)

    def run(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Begin something inside this process."""
        return asyncio.get_running_loop().create_task(work, name=self.name, context=self.context)


_PROCESS: ContextVar[Process | None] = ContextVar("process", default=None)
_OURS: set[asyncio.Task[Any]] = set()


def this_process() -> Process | None:
    return _PROCESS.get()


async def never() -> NoReturn:
    """What the dead wait for."""
    while True:
        await asyncio.get_running_loop().create_future()


class NothingLeft(Exception):
    """No timer and nothing ready: whoever waits would wait for ever."""


class VirtualLoop(asyncio.BaseEventLoop):
    """asyncio's own loop without a selector. Nothing outside can wake it, so equal programs run equally.

    `failures` are what tasks raised that nobody waited for.
    """

    # Names of the base class, which its stubs do not have.
    _ready: Any
    _scheduled: Any

    def __init__(self) -> None:
        super().__init__()
        self.failures: list[str] = []
        self._now = 0.0
        self.set_task_factory(_kept)
        self.set_exception_handler(lambda loop, what: self.failures.append(_said(what)))

    def time(self) -> float:
        return self._now

    def _run_once(self) -> None:
        timers, ready = self._scheduled, self._ready
        while timers and timers[0]._cancelled:
            heapq.heappop(timers)._scheduled = False
        if not ready:
            if not timers:
                raise NothingLeft
            self._now = max(self._now, timers[0]._when)
        while timers and timers[0]._when <= self._now:
            timer = heapq.heappop(timers)
            timer._scheduled = False
            ready.append(timer)
        for _ in range(len(ready)):
            handle = ready.popleft()
            process = handle._context.get(_PROCESS)
            if not handle._cancelled and (process is None or process.alive):
                handle._run()

    def _process_events(self, event_list: object) -> None:
        """There are none."""

    def _write_to_self(self) -> None:
        """Nobody waits in a selector."""


def _kept(loop: asyncio.AbstractEventLoop, work: Any, *, context: Context | None = None) -> asyncio.Task[Any]:
    """Tasks are held until they end: one that a garbage collector closes would run its clean-up."""
    process = context.get(_PROCESS) if context else _PROCESS.get()
    held = process.tasks if process else _OURS
    task: asyncio.Task[Any] = asyncio.Task(work, loop=loop, context=context)
    held.add(task)
    task.add_done_callback(held.discard)
    return task


def _said(what: dict[str, Any]) -> str:
    problem = what.get("exception")
    where = traceback.extract_tb(problem.__traceback__)[-1] if problem else None
    return f"{what['message']}: {type(problem).__name__} {problem} at {where}"
