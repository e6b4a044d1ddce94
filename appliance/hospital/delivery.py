"""Carries the outbox over one connection: in order, a few at a time, deleting only what the broker accepted."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from time import monotonic

from appliance.hospital.connection import Connection
from appliance.hospital.outbox import Outbox, Queued

WINDOW = 16
"""Messages on their way at once; below the 20 that brokers take by default."""

RETRY_REFUSED_S = 60.0
"""A refused message is offered again after this: the broker's rules may have been corrected."""


class Delivery:
    """`send` whenever something was put or answered. Raises `OutboxError` as the outbox does."""

    def __init__(self, outbox: Outbox, connection: Connection, on_refused: Callable[[str, str], None]) -> None:
        self._outbox = outbox
        self._connection = connection
        self._on_refused = on_refused
        self._after = 0
        self._under_way: set[int] = set()
        self._refused: set[int] = set()
        self._retry_at = 0.0

    def send(self) -> None:
        if self._refused and monotonic() >= self._retry_at:
            self._after = min(self._refused) - 1
            self._refused.clear()
        while room := WINDOW - len(self._under_way):
            batch = self._outbox.pending(self._after, room)
            if not batch:
                return
            for queued in batch:
                self._after = queued.id
                if queued.id not in self._under_way:
                    self._under_way.add(queued.id)
                    self._connection.publish(
                        queued.topic,
                        queued.payload,
                        partial(self._answered, queued),
                        correlation=queued.correlation,
                    )

    def _answered(self, queued: Queued, refusal: str | None) -> None:
        self._under_way.discard(queued.id)
        if refusal is None:
            self._outbox.delivered(queued.id)
            return
        self._refused.add(queued.id)
        self._retry_at = monotonic() + RETRY_REFUSED_S
        self._on_refused(queued.topic, refusal)
