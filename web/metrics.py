"""Counts for Prometheus: what came in, what went out, what waits. Numbers only, never whose."""

from __future__ import annotations

from collections.abc import Sequence

from aiohttp import web
from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from domain.chat import Incoming, NotStored, Receipt, Receive
from storage.settlement import Settled
from web.health import Health, Reading


class Metrics:
    """Counters that `bot` hangs where things pass: around `receive`, and behind delivery's settling."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._updates = Counter(
            "vungxanh_updates", "Updates received, by what was said", ["channel", "said"], registry=self.registry
        )
        self._not_saved = Counter(
            "vungxanh_updates_not_saved",
            "Updates set aside, or refused by the store and offered again",
            ["channel", "why"],
            registry=self.registry,
        )
        self._letters = Counter(
            "vungxanh_letters", "Attempts to send, by outcome", ["channel", "kind", "outcome"], registry=self.registry
        )
        self._ok = self._gauge("vungxanh_healthy", "1 if /healthz says 200")
        self._store = self._gauge("vungxanh_database_up", "1 if the store answers")
        self._waiting = self._gauge("vungxanh_letters_waiting", "Letters due and not yet taken", "channel")
        self._oldest = self._gauge("vungxanh_oldest_letter_seconds", "How long the oldest has been due", "channel")
        self._hearing = self._gauge("vungxanh_hearing", "1 unless nothing has come in for five minutes", "channel")
        self._heard = self._gauge("vungxanh_heard_seconds", "Since the way in was last seen open", "channel")
        self._pulse = self._gauge("vungxanh_part_seconds", "Since a part of the program last worked", "part")

    def _gauge(self, name: str, what: str, *labels: str) -> Gauge:
        return Gauge(name, what, labels, registry=self.registry)

    def counted(self, receive: Receive) -> Receive:
        """The same `receive`, counting what passes through it."""

        async def counting(batch: Sequence[Incoming]) -> Sequence[Receipt]:
            try:
                receipts = await receive(batch)
            except NotStored:
                for update in batch:
                    self._not_saved.labels(update.sender.channel, "not_stored").inc()
                raise
            for update, receipt in zip(batch, receipts, strict=True):
                self._updates.labels(update.sender.channel, type(update.said).__name__.lower()).inc()
                if not receipt.saved:
                    self._not_saved.labels(update.sender.channel, "set_aside").inc()
            return receipts

        return counting

    def settled(self, results: Sequence[Settled]) -> None:
        """Count what became of these letters."""
        for one in results:
            outcome = type(one.outcome).__name__.lower()
            self._letters.labels(one.letter.message.to.channel, one.letter.kind, outcome).inc()

    def text(self, reading: Reading) -> bytes:
        """The page that Prometheus reads, with the present state of health."""
        self._ok.set(reading.ok)
        self._store.set(reading.database)
        for name, channel in reading.channels.items():
            self._waiting.labels(name).set(channel.waiting)
            self._oldest.labels(name).set(channel.oldest_waiting)
            self._hearing.labels(name).set(channel.hearing)
            if channel.heard_age is not None:
                self._heard.labels(name).set(channel.heard_age)
        for part, age in reading.pulses.items():
            if age is not None:
                self._pulse.labels(part).set(age)
        return generate_latest(self.registry)


def routes(metrics: Metrics, health: Health) -> list[web.RouteDef]:
    async def page(request: web.Request) -> web.Response:
        body = metrics.text(await health.read())
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})

    return [web.get("/metrics", page)]
