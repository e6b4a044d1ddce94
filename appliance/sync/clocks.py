"""One device's clock on the host's monotonic clock, fitted while the device delivers.

A packet arrives after it was stamped, by a delay that varies and has a floor: (arrival - stamp) scatters above a
straight line whose height is offset plus smallest delay and whose slope is the skew. That line is the lower envelope:
below all points, with the least sum of distances to them; it is the edge of their lower convex hull over the mean stamp
(Moon, Skelly & Towsley, INFOCOM 1999). However late a packet is, it cannot move it. The promptest of n packets is
still late, by an n-th of the mean if delays are exponential: that much is taken off. Window, bounds, and what counts as
a jump: ours.

A jump begins a new epoch, with a line of its own: the device started anew, its clock was set, or the host slept. The
skew is the crystals' and is kept, and so is what is known of the delays. A 32-bit counter that wraps, of one of the
usual tick lengths, is no jump. The wall clock takes no part, so that setting it (NTP) changes nothing; that NTP may
also slew the monotonic clock is a skew like any other.

A line is known better some seconds later, above all an epoch's first one: what is over is mapped by `settled_ns`.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from statistics import median
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

WINDOW_S = 60
"""A crystal's skew stays put for a minute; over so long a line, the floor's scatter of 1 ms is but 20 ppm."""
SKEW_AFTER_S = 10.0
"""Over a shorter span the scatter of delays says less about the skew than what is known already, or than "none"."""
USUAL_SKEW = 200e-6
"""Two crystals, each 100 ppm off."""
MOST_SKEW = USUAL_SKEW + 500e-6
"""... and the fastest that NTP slews the host's clock."""
EARLY_S, EARLY_SCATTERS = 0.005, 10.0
"""A packet this much before the line, and by so many times the scatter of the seconds' promptest packets, is no
scatter: the floor was known to a millisecond or two."""
LATE_S = 0.15
"""Longer than packets are held up ..."""
LATE_FOR_S = 3
"""... when all of so many seconds are."""
JUMP_S = 1.0
"""A stamp that is back by less came out of order; one that is ahead by more is another clock's, however young the line.
"""
WRAPS_NS = tuple(round(2**32 * 1e9 / hz) for hz in (1e6, 90e3, 32768.0, 10e3, 1e3))
"""After how long 32-bit counters of the usual ticks begin at 0 again: 1 us, a video clock's, a watch crystal's, 0.1 ms
(Xsens), 1 ms."""
_LONGEST_DELAY_S = 0.1
"""What is later counts so much in the mean delay."""
_MEMORY = 1000
"""Packets over which the mean delay is averaged."""
_FEW = 200
"""In an epoch's first packets each adds to what is known of the line's height."""
_LATELY = range(1, LATE_FOR_S + 1)
_LEAST_RATE = 0.05
"""How slowly the host's time may advance, against the device's, while an estimate that was too late is taken back."""
_SETTLED_S = 10.0
"""A line so much younger than a packet is known as well as it ever will be."""

_Point = tuple[float, float]


class Line(NamedTuple):
    """host time = stamp + behind_ns + height_s + skew (stamp - stamp_ns), in one epoch."""

    epoch: int
    stamp_ns: int
    behind_ns: int
    height_s: float
    skew: float

    def host_ns(self, stamp_ns: int) -> int:
        late_s = self.height_s + self.skew * ((stamp_ns - self.stamp_ns) / 1e9)
        return stamp_ns + self.behind_ns + round(late_s * 1e9)


class Placed(NamedTuple):
    """A stamp, counted on over wraps, and the line by which it was mapped when its packet came."""

    stamp_ns: int
    line: Line


def settled_ns(placed: Sequence[Placed]) -> NDArray[np.int64]:
    """(n,) host times of one device's stamps, in the order they came, by the line of 10 s later or their epoch's last.

    Strictly increasing with the stamps, and from epoch to epoch.
    """
    if not placed:
        return np.zeros(0, np.int64)
    stamps = np.array([place.stamp_ns for place in placed], np.int64)
    epochs = np.array([place.line.epoch for place in placed])
    later = np.empty(len(placed), np.intp)
    for epoch in np.unique(epochs).tolist():
        own = np.flatnonzero(epochs == epoch)
        newest = np.maximum.accumulate(stamps[own])
        after = np.searchsorted(newest, stamps[own] + round(_SETTLED_S * 1e9))
        later[own] = own[np.minimum(after, len(own) - 1)]
    times = [placed[index].line.host_ns(place.stamp_ns) for place, index in zip(placed, later.tolist(), strict=True)]
    order = np.lexsort((stamps, epochs))
    settled = np.empty(len(placed), np.int64)
    least_step_ns = np.arange(len(placed))
    settled[order] = np.maximum.accumulate(np.array(times, np.int64)[order] - least_step_ns) + least_step_ns
    return settled


def in_order(placed: Sequence[Placed]) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """By `settled_ns`: (m,) s, host clock, increasing; and which m <= n stamps: one that came twice counts once."""
    first = {(place.line.epoch, place.stamp_ns): index for index, place in reversed([*enumerate(placed)])}
    once = np.array(sorted(first.values()), np.intp)
    times = settled_ns([placed[index] for index in once.tolist()]) / 1e9
    order = np.argsort(times, kind="stable")
    return times[order], once[order]


class DeviceClock:
    """Maps one device's stamps to the host's clock by offset and skew; constant memory, one thread.

    What stays unknown is the smallest delay between stamp and arrival: mapped times are late by that much, constantly.
    """

    def __init__(self) -> None:
        self._line: Line | None = None
        self._newest_ns = 0
        self._wrapped_ns = self._wrap_ns = 0  # by all wraps of this epoch; by the last of them
        self._lowest: deque[_Point] = deque(maxlen=WINDOW_S)  # of each second, by device time; s
        self._scatter_s = 0.0  # median lateness of the seconds' lowest
        self._skew: float | None = None
        self._packets = self._all_packets = 0  # of this epoch, of all
        self._mean_delay_s = 0.0  # above the floor
        self._told: tuple[int, int] | None = None  # last stamp mapped in this epoch, and to what
        self._told_ns: int | None = None  # the latest time that any stamp was mapped to

    def update(self, stamp_ns: int, arrival_ns: int) -> None:
        """One packet was stamped so by the device and arrived then.

        A stamp that does not advance says nothing, unless it is so far back that the counter wrapped or the device must
        have begun anew.
        """
        raw_ns, stamp_ns = stamp_ns, self._unwrapped(stamp_ns)
        line = self._line or self._begin(raw_ns, arrival_ns)
        late_s = _late_s(line, stamp_ns, arrival_ns)
        if self._lowest and stamp_ns <= self._newest_ns:
            if late_s < JUMP_S:
                return
            wrap_ns = next((wrap for wrap in WRAPS_NS if _may_be(line, stamp_ns + wrap, arrival_ns)), 0)
            if wrap_ns:
                self._wrapped_ns, self._wrap_ns = self._wrapped_ns + wrap_ns, wrap_ns
                stamp_ns += wrap_ns
            else:
                stamp_ns, line = raw_ns, self._begin(raw_ns, arrival_ns)
        elif late_s < -self._most_early_s() or (
            self._opens_second((stamp_ns - line.stamp_ns) / 1e9) and self._late_lately_s() > LATE_S
        ):
            stamp_ns, line = raw_ns, self._begin(raw_ns, arrival_ns)
        self._newest_ns = stamp_ns
        self._learn((stamp_ns - line.stamp_ns) / 1e9, (arrival_ns - stamp_ns - line.behind_ns) / 1e9)

    def to_host_ns(self, stamp_ns: int) -> int:
        """When `stamp_ns` was, on the host's monotonic clock; the stamp of the newest packet, or of one near it.

        Strictly increasing over stamps asked for in order, whatever is learnt in between and however often the device
        starts anew; a stamp older than one asked for before is not put after it. Raises `ValueError` before the first
        `update`.
        """
        stamp_ns, line = self.placed(stamp_ns)
        host_ns = line.host_ns(stamp_ns)
        if self._told is not None:
            told_stamp_ns, told_ns = self._told
            if stamp_ns <= told_stamp_ns:
                return min(host_ns, told_ns)
            host_ns = max(host_ns, told_ns + math.ceil((stamp_ns - told_stamp_ns) * _LEAST_RATE))
        elif self._told_ns is not None:
            host_ns = max(host_ns, self._told_ns + 1)
        self._told = (stamp_ns, host_ns)
        self._told_ns = host_ns
        return host_ns

    def to_host_s(self, stamp_ns: int) -> float:
        """As `to_host_ns`, in seconds."""
        return self.to_host_ns(stamp_ns) / 1e9

    def placed(self, stamp_ns: int) -> Placed:
        """The stamp of the newest packet, or of one near it, to be mapped by `settled_ns` when more is known.

        Raises `ValueError` before the first `update`.
        """
        if self._line is None:
            raise ValueError("a device clock has to be updated before it can map")
        return Placed(self._unwrapped(stamp_ns), self._line)

    @property
    def skew_ppm(self) -> float:
        """How much faster the host's clock runs than the device's; 0 until it can be told."""
        return (self._skew or 0.0) * 1e6

    @property
    def epochs(self) -> int:
        """How often the device's time began: 1 for a device that never jumped."""
        return self._line.epoch if self._line else 0

    @property
    def error_ms(self) -> float:
        """Estimated error of mapped times beyond the constant delay, on the safe side.

        By how much the promptest packet of a second is later than the line, usually or of late, whichever is more;
        while the skew is unknown, what it may have done since is added. Infinite within an epoch's first second.
        """
        if len(self._lowest) < 2:
            return math.inf
        span_s = self._lowest[-1][0] - self._lowest[0][0]
        unknown_s = USUAL_SKEW * span_s if self._skew is None else 0.0
        return 1e3 * (max(self._scatter_s, self._late_lately_s()) + unknown_s)

    def _begin(self, stamp_ns: int, arrival_ns: int) -> Line:
        """A new epoch, and its line through one packet."""
        self._lowest.clear()
        self._wrapped_ns = self._wrap_ns = self._packets = 0
        self._told = None
        self._line = Line(self.epochs + 1, stamp_ns, arrival_ns - stamp_ns, 0.0, self._skew or 0.0)
        return self._line

    def _unwrapped(self, stamp_ns: int) -> int:
        """With all wraps so far, or with all but the last for a stamp from before it."""
        stamp_ns += self._wrapped_ns
        return stamp_ns - self._wrap_ns if stamp_ns - self._newest_ns > self._wrap_ns / 2 else stamp_ns

    def _opens_second(self, x: float) -> bool:
        return not self._lowest or math.floor(x) > math.floor(self._lowest[-1][0])

    def _most_early_s(self) -> float:
        """By how much a packet may be before the line without being another clock's."""
        if len(self._lowest) <= LATE_FOR_S:
            return JUMP_S
        return EARLY_S + EARLY_SCATTERS * self._scatter_s

    def _late_lately_s(self) -> float:
        """By how much the promptest packet of the last few seconds is later than the line; 0 while there are fewer."""
        if self._line is None or len(self._lowest) < LATE_FOR_S:
            return 0.0
        line = self._line
        return min(y - line.height_s - line.skew * x for x, y in (self._lowest[-back] for back in _LATELY))

    def _learn(self, x: float, y: float) -> None:
        """A packet of this epoch, x s after its first, and by y s later behind its stamp."""
        assert self._line is not None
        delay_s = min(max(y - self._line.height_s - self._line.skew * x, 0.0), _LONGEST_DELAY_S)
        self._packets += 1
        self._all_packets = min(self._all_packets + 1, _MEMORY)
        self._mean_delay_s += (delay_s - self._mean_delay_s) / self._all_packets
        if self._opens_second(x):
            self._lowest.append((x, y))
            while self._lowest[0][0] <= x - WINDOW_S:
                self._lowest.popleft()
        elif y < self._lowest[-1][1]:
            self._lowest[-1] = (x, y)
        elif self._packets > _FEW:
            return
        self._fit()

    def _fit(self) -> None:
        """Slope, once the span allows one, and height at 0 of the line under all points that is closest to them."""
        assert self._line is not None
        points = self._lowest
        if points[-1][0] - points[0][0] >= SKEW_AFTER_S:
            hull = _lower_hull(points)
            middle = sum(x for x, _ in points) / len(points)
            right = next(index for index, (x, _) in enumerate(hull) if x >= middle)
            (x0, y0), (x1, y1) = hull[right - 1], hull[right]
            self._skew = min(max((y1 - y0) / (x1 - x0), -MOST_SKEW), MOST_SKEW)
        slope = self._skew or 0.0
        lowest = min(y - slope * x for x, y in points)
        self._scatter_s = median(y - slope * x for x, y in points) - lowest
        self._line = self._line._replace(height_s=lowest - self._mean_delay_s / self._packets, skew=slope)


def _late_s(line: Line, stamp_ns: int, arrival_ns: int) -> float:
    return (arrival_ns - line.host_ns(stamp_ns)) / 1e9


def _may_be(line: Line, stamp_ns: int, arrival_ns: int) -> bool:
    """Whether a packet of that stamp, neither too early nor held up for long, would be on the line."""
    return -EARLY_S < _late_s(line, stamp_ns, arrival_ns) < 2.0 * LATE_S


def _lower_hull(points: deque[_Point]) -> list[_Point]:
    """The points, left to right, on which a line from below can rest (Andrew's monotone chain)."""
    hull: list[_Point] = []
    for x, y in points:
        while len(hull) > 1:
            (x0, y0), (x1, y1) = hull[-2:]
            if (x1 - x0) * (y - y0) > (y1 - y0) * (x - x0):
                break
            hull.pop()
        hull.append((x, y))
    return hull
