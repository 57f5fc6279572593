"""The long poll: updates are stored first, and only then does Telegram hear that they arrived."""

from __future__ import annotations

import json
from collections.abc import Sequence

import msgspec

from channels.telegram.incoming import Arrival, Me, number_of, read_update
from channels.telegram.line import Line
from channels.telegram.request import NoAnswer, Refused
from channels.telegram.taps import TapAnswers
from domain.chat import Receive

_BATCH = 100


class _Batch(msgspec.Struct):
    ok: bool
    result: list[msgspec.Raw]


_batches = msgspec.json.Decoder(_Batch)


class Poller:
    """Takes updates for ever. The offset moves only after `receive` returned, so nothing is lost in between."""

    def __init__(self, line: Line, taps: TapAnswers, timeout: int) -> None:
        self._line = line
        self._taps = taps
        self._timeout = timeout
        self._offset: int | None = None
        self._limit = _BATCH
        self._me: Me | None = None

    async def run(self, receive: Receive) -> None:
        failures = 0
        while True:
            try:
                await self._take_batch(receive)
                failures = 0
            except Exception as error:  # noqa: BLE001 - whatever failed, hearing goes on; `recover` logs the kind
                failures += 1
                self._note(error)
                await self._line.recover(error, failures)

    async def _take_batch(self, receive: Receive) -> None:
        if self._me is None:
            self._me = await self._line.open(webhook=None)
        payload = await self._line.updates(self._offset, self._limit, self._timeout)
        raws = self._raw_updates(payload)
        self._line.problem = ""
        arrivals = [read_update(raw, self._line.name, self._me) for raw in raws]
        if arrivals:
            receipts = await receive([arrival.incoming for arrival in arrivals])
            self._confirm(arrivals)
            self._taps.answer(arrivals, receipts)

    def _raw_updates(self, payload: bytes) -> list[bytes]:
        """Each update's own bytes. An update that spoils the whole reply is fetched alone, then passed on unread."""
        try:
            raws = raw_updates(payload)
        except (ValueError, RecursionError):
            if number_of(payload) is None:
                raise NoAnswer("unreadable_updates") from None
            if self._limit == 1:
                self._limit = _BATCH
                return [payload]
            self._limit = 1
            return []
        self._limit = _BATCH
        return raws

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
    """The updates of a getUpdates reply, undecoded. Raises `ValueError` or `RecursionError`."""
    try:
        return [bytes(raw) for raw in _batches.decode(payload).result]
    except (msgspec.MsgspecError, UnicodeError):
        # msgspec refuses the reply for one bad character in one update; the standard library reads on.
        reply = json.loads(payload.decode("utf-8", "replace"))
    if not isinstance(reply, dict) or not isinstance(reply.get("result"), list):
        raise ValueError("not a list of updates")
    return [json.dumps(update).encode() for update in reply["result"]]
