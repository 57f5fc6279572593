"""This process among those of other machines and of this one: its name, its seconds, and which others are gone."""

from __future__ import annotations

import os
import secrets
import socket
import time
from pathlib import Path

_PROC = Path("/proc")


def own_name() -> str:
    """Tells this process from every other, and from itself before it was started again: "machine pid chance"."""
    return f"{_machine()} {os.getpid()} {secrets.token_hex(4)}"


def is_gone(name: str) -> bool:
    """Whether that process ran on this machine (in this container) and is no more. False where that cannot be known."""
    machine, pid, _ = name.split()
    return machine == _machine() and (_PROC / "self").exists() and not (_PROC / pid).exists()


def seconds() -> float:
    """Seconds that go on while this process or the machine sleeps, whatever the clock is set to."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


def _machine() -> str:
    """Process numbers mean the same to all who share this: the machine since it was started, and the container."""
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text().strip()
        return f"{socket.gethostname()}/{boot}/{(_PROC / 'self/ns/pid').readlink()}"
    except OSError:
        return f"{socket.gethostname()}/unknown"
