"""Carries the outbox over one connection, deleting only what the broker accepted.

A result stays for a while after the broker confirmed it (`outbox.keep_s`). Where the connection breaks meanwhile it is
sent again: a broker that died may have lost what it confirmed and had not passed on.

Two lanes: what is put while the connection stands goes out at once and in order; what waited before it did, and what
was refused, follows at a limited rate, so that a ward's boxes do not flood a broker that is back, and takes half of the
window at most, so that no new result waits behind an old queue.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from time import monotonic

from appliance.errors import OutboxError
from appliance.hospital.connection import Connection
from appliance.hospital.outbox import Outbox
from appliance.hospital.outbox_rows import Queued
from appliance.hospital.settings import OutboxSettings
from appliance.hospital.suspects import Suspects
from appliance.messages.result import as_historical
from appliance.messages.topics import address_of

WINDOW = 16
"""Messages on their way at once; below the 20 that brokers take by default."""
LATE_WINDOW = WINDOW // 2

FIRST_RETRY_S = 5.0
LONGEST_RETRY_S = 60.0
"""A refused message is offered again, after twice as long each time: somebody may have listened, or changed a rule."""

IDLE_S = 60.0
"""Nothing to do; what is put or answered wakes the owner before."""


class Delivery:
    """`send` whenever something was put or answered. Raises `OutboxError` as the outbox does."""

    def __init__(
        self,
        outbox: Outbox,
        connection: Connection,
        settings: OutboxSettings,
        suspects: Suspects,
        on_refused: Callable[[str, str], None],
        on_accepted: Callable[[str], None],
    ) -> None:
        """on_refused: with topic and reason, each time; on_accepted: with the topic of what the broker took."""
        self._outbox, self._connection, self._settings, self._suspects = outbox, connection, settings, suspects
        self._on_refused, self._on_accepted = on_refused, on_accepted
        self._under_way: dict[int, str] = {}
        """Topic by id."""
        self._alone: int | None = None
        """The suspect under way: nothing else is sent meanwhile."""
        self._accepted: dict[int, float] = {}
        """The broker has them, and they leave the outbox at that time of the monotonic clock."""
        self._refused: set[int] = set()
        self._retry_s, self._retry_at = FIRST_RETRY_S, 0.0
        self._late_at = 0.0
        self._late_after = self._late_until = self._new_after = self._generation = 0
        self._begin()

    def send(self) -> float:
        """Sends what may go now; seconds until there may be more to send."""
        self._let_go(monotonic())
        if self._outbox.generation != self._generation:
            self._begin()
        if self._refused and monotonic() >= self._retry_at:
            self._late_after = min(self._late_after, min(self._refused) - 1)
            self._late_until = max(self._late_until, *self._refused)
            self._refused.clear()
            self._retry_s = min(2 * self._retry_s, LONGEST_RETRY_S)
        if self._alone is not None:
            return IDLE_S
        self._send_new()
        wait_s = self._send_late()
        if not self._under_way:
            self._send_suspect()
        return min(wait_s, self._retry_at - monotonic()) if self._refused else wait_s

    def finish(self) -> None:
        """To be called before the connection ends by our will: the broker is well, and keeps what it confirmed."""
        with suppress(OutboxError):  # then they are sent again
            self._let_go(math.inf)

    def ended(self) -> None:
        """To be called when the connection ended otherwise: what was confirmed just before is sent again."""
        guilty = self._suspects.ended(set(self._under_way))
        if guilty is not None:
            self._on_refused(self._under_way[guilty], "it ends the connection over a message there")
            with suppress(OutboxError):
                self._outbox.refused()

    def _begin(self) -> None:
        """All that is there by now waited, or was confirmed over a connection that broke."""
        self._outbox.begin_connection()
        self._generation = self._outbox.generation
        self._late_after, self._late_until = 0, self._outbox.last_id
        self._new_after = self._late_until

    def _send_new(self) -> None:
        while room := WINDOW - len(self._under_way):
            batch = self._outbox.pending(self._new_after, room)
            if not batch:
                return
            for queued in batch:
                self._new_after = queued.id
                self._publish(queued, queued.payload)

    def _send_late(self) -> float:
        while len(self._under_way) < LATE_WINDOW:
            wait_s = self._late_at - monotonic()
            if wait_s > 0:
                return wait_s
            batch = self._outbox.pending(self._late_after, 1, self._late_until)
            if not batch:
                return IDLE_S
            (queued,) = batch
            self._late_after = queued.id
            if self._publish(queued, _late(queued)):
                self._late_at = max(self._late_at, monotonic() - 1.0) + 1.0 / self._settings.late_per_s
        return IDLE_S

    def _send_suspect(self) -> None:
        while (suspect := self._suspects.next()) is not None and self._alone is None:
            for queued in self._outbox.pending(suspect - 1, 1, suspect):
                self._alone = queued.id
                self._publish(queued, _late(queued), suspect=True)
            if self._alone is None:
                self._suspects.clear(suspect)

    def _publish(self, queued: Queued, payload: bytes, *, suspect: bool = False) -> bool:
        """Whether it was sent."""
        held = self._suspects.held(queued.id) and not suspect
        if held or queued.id in self._under_way or queued.id in self._accepted:
            return False
        self._under_way[queued.id] = queued.topic
        address = address_of(queued.topic)
        needs_listener = self._settings.needs_listener and address is not None and address.kind == "result"
        self._connection.publish(
            queued.topic,
            payload,
            partial(self._answered, queued),
            correlation=queued.correlation,
            needs_listener=needs_listener,
        )
        return True

    def _answered(self, queued: Queued, refusal: str | None) -> None:
        self._under_way.pop(queued.id, None)
        self._suspects.clear(queued.id)
        if self._alone == queued.id:
            self._alone = None
        if refusal is None:
            kept_s = 0.0 if queued.sequence is None else self._settings.keep_s
            self._accepted[queued.id] = monotonic() + kept_s
            self._outbox.confirmed(queued.id)
            self._on_accepted(queued.topic)
            return
        if not self._refused:
            self._retry_at = monotonic() + self._retry_s
        self._refused.add(queued.id)
        self._on_refused(queued.topic, refusal)
        with suppress(OutboxError):
            self._outbox.refused()

    def _let_go(self, now: float) -> None:
        """A disk that refuses that is tried again; the broker's answer is remembered until then."""
        over = [queued_id for queued_id, until in self._accepted.items() if until <= now]
        if over:
            self._outbox.delivered(*over)
            for queued_id in over:
                del self._accepted[queued_id]


def _late(queued: Queued) -> bytes:
    """The payload of a message that waited."""
    return queued.payload if queued.sequence is None else as_historical(queued.payload)
