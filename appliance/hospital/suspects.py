"""Which message makes a broker end the connection: some do so, without a word, over one larger than they take.

Whatever was under way when two connections ended is sent alone and last from then on; what ends a connection alone is
held back for a while. Without this, one message would keep all others from the hospital.
"""

from __future__ import annotations

from time import monotonic

STRIKES = 2
"""Connections that ended; one alone is an ordinary outage."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 2.0, 3600.0
"""Before what ended a connection is tried again: doubling, from next to nothing, for it may have been the line."""


class Suspects:
    """Of one box, over its connections, by the outbox's ids."""

    def __init__(self) -> None:
        self._strikes: dict[int, int] = {}
        self._not_before: dict[int, float] = {}

    def held(self, queued_id: int) -> bool:
        """Whether it is sent alone."""
        return self._strikes.get(queued_id, 0) >= STRIKES

    def next(self) -> int | None:
        """Of those that may be tried now, the oldest of the least suspect."""
        now = monotonic()
        due = [one for one in self._strikes if self.held(one) and self._not_before.get(one, 0.0) <= now]
        return min(due, key=lambda one: (self._strikes[one], one), default=None)

    def ended(self, under_way: set[int]) -> int | None:
        """A connection ended otherwise than by our will; the message that ended it, where only that one can have."""
        for queued_id in under_way:
            self._strikes[queued_id] = self._strikes.get(queued_id, 0) + 1
        (only, *others) = under_way or {0}
        if others or self._strikes.get(only, 0) <= STRIKES:
            return None
        pause_s = FIRST_PAUSE_S * 2 ** min(self._strikes[only] - STRIKES - 1, 12)
        self._not_before[only] = monotonic() + min(pause_s, LONGEST_PAUSE_S)
        return only

    def clear(self, queued_id: int) -> None:
        """It arrived, or is not there any more."""
        self._strikes.pop(queued_id, None)
        self._not_before.pop(queued_id, None)
