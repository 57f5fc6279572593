"""The long poll: updates are stored first, and only then does Telegram hear that they arrived."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from channels.telegram.incoming import Arrival, Me, read_update
from channels.telegram.line import Line
from channels.telegram.request import NoAnswer, Refused
from channels.telegram.taps import TapAnswers
from domain.chat import May, Receive

_BATCH = 100


class _Batch(msgspec.Struct):
    ok: bool
    result: list[msgspec.Raw]


_batches = msgspec.json.Decoder(_Batch)
_BEGINS = re.compile(rb'\{\s*"update_id"\s*:')


class Poller:
    """Takes updates for ever. The offset moves only after `receive` returned, so nothing is lost in between."""

    def __init__(self, line: Line, taps: TapAnswers, timeout: int) -> None:
        self._line = line
        self._taps = taps
        self._timeout = timeout
        self._offset: int | None = None
        self._me: Me | None = None
        self._in_doubt = True  # then the next poll does not wait: its answer tells that we hear

    async def run(self, receive: Receive, may: May) -> None:
        failures = 0
        while may():
            try:
                await self._take_batch(receive)
                failures = 0
            except Exception as error:  # noqa: BLE001 - whatever failed, hearing goes on; `recover` logs the kind
                failures += 1
                self._in_doubt = True
                self._note(error)
                await self._line.recover(error, failures)

    async def _take_batch(self, receive: Receive) -> None:
        if self._me is None:
            self._me = await self._line.open(webhook=None)
            return
        wait = 0 if self._in_doubt else self._timeout
        raws = raw_updates(await self._line.updates(self._offset, _BATCH, wait))
        self._line.heard()
        self._in_doubt = False
        arrivals = [read_update(raw, self._line.name, self._me) for raw in raws]
        if arrivals:
            receipts = await receive([arrival.incoming for arrival in arrivals])
            self._confirm(arrivals)
            self._taps.answer(arrivals, receipts)

    def _confirm(self, arrivals: Sequence[Arrival]) -> None:
        known = [arrival.update_id for arrival in arrivals if arrival.update_id is not None]
        if not known:
            raise NoAnswer("updates_without_number")
        self._offset = max(known) + 1

    def _note(self, error: Exception) -> None:
        """A webhook set by somebody else stops polling until it is deleted again."""
        if isinstance(error, Refused) and error.status == 409 and "webhook" in error.description.lower():
            self._me = None


def raw_updates(payload: bytes) -> list[bytes]:
    """The updates of a getUpdates reply, undecoded. Raises `NoAnswer` if it is no such reply."""
    try:
        return [bytes(raw) for raw in _batches.decode(payload).result]
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        # For one bad byte in one update the whole reply cannot be decoded; the others must not wait for it.
        pieces = _pieces(payload)
    if not pieces:
        raise NoAnswer("unreadable_updates")
    return pieces


def _pieces(payload: bytes) -> list[bytes]:
    """A reply cut where its updates begin: inside of one no text looks like that, for its quotes are escaped.

    Of a reply that ends too early the last update is left for the next time, unless it is the only one.
    """
    starts = [found.start() for found in _BEGINS.finditer(payload)]
    body = payload.rstrip()
    ends = [*starts[1:], len(body) - 2 if body.endswith(b"]}") else len(body)]
    pieces = [payload[start:end].rstrip(b", \r\n\t") for start, end in zip(starts, ends, strict=True)]
    return pieces if body.endswith(b"]}") or len(pieces) == 1 else pieces[:-1]
