"""One line of stamps and counters across a device's restarts.

A device that is opened anew begins its clock and its counter anew. Those who read it were promised that both increase,
so the new ones are shifted: the first stamp after the gap is put where the device's old clock would have been, read off
the host's clock at its arrival. That is late by how much that one packet was slower than the promptest of those before,
a few milliseconds, which the box's fit of the device's clock takes back with the next packets (ours).
"""

from __future__ import annotations

from collections import deque

_REMEMBERED = 64
"""Packets; the promptest of so many tells how far host and device are apart."""


class Timeline:
    """Of one source: a camera, or one sensor."""

    def __init__(self, rate_hz: float) -> None:
        """rate_hz: nominal; 0 where there is none, then a gap counts as one sample."""
        self.lost = 0
        """Samples that gaps in the counter prove missing; those of a restart by its duration."""
        self._rate_hz = rate_hz
        self._shift_ns = self._shift = 0
        self._last: tuple[int, int] | None = None
        self._restarted = False
        self._delays: deque[int] = deque(maxlen=_REMEMBERED)

    def restart(self) -> None:
        """What is placed next comes from a new clock and a new counter."""
        self._restarted = True

    def place(self, counter: int, stamp_ns: int, arrival_ns: int) -> tuple[int, int]:
        """Counter and stamp on the line."""
        if self._restarted and self._last is not None:
            last, last_ns = self._last
            period_ns = round(1e9 / self._rate_hz) if self._rate_hz else 1
            due_ns = max(arrival_ns - min(self._delays), last_ns + period_ns)
            self._shift_ns = due_ns - stamp_ns
            self._shift = last + max(1, round((due_ns - last_ns) * self._rate_hz / 1e9)) - counter
            self._delays.clear()
        self._restarted = False
        counter, stamp_ns = counter + self._shift, stamp_ns + self._shift_ns
        if self._last is not None:
            self.lost += max(0, counter - self._last[0] - 1)
        self._last = counter, stamp_ns
        self._delays.append(arrival_ns - stamp_ns)
        return counter, stamp_ns


class Timelines:
    """Those of all sources of one device."""

    def __init__(self) -> None:
        self.lost = 0
        """Samples of all sources that gaps prove missing, those of lines that were given up too."""
        self._lines: dict[str, Timeline] = {}

    @property
    def sources(self) -> frozenset[str]:
        """Heard since the beginning."""
        return frozenset(self._lines)

    def begin(self) -> None:
        """What comes next has nothing to do with what came before."""
        self._lines.clear()

    def restart(self) -> None:
        """See `Timeline.restart`."""
        for line in self._lines.values():
            line.restart()

    def place(self, source: str, rate_hz: float, counter: int, stamp_ns: int, arrival_ns: int) -> tuple[int, int]:
        """Counter and stamp on the source's line."""
        line = self._lines.get(source)
        if line is None:
            line = self._lines[source] = Timeline(rate_hz)
        before = line.lost
        placed = line.place(counter, stamp_ns, arrival_ns)
        self.lost += line.lost - before
        return placed
