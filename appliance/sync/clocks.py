"""One device's clock on the host's monotonic clock, fitted while the device delivers.

A packet arrives after it was stamped, by a delay that varies and has a floor: (arrival - stamp) scatters above a
straight line whose height is offset plus smallest delay and whose slope is the skew. That line is the lower envelope:
below all points, with the least sum of distances to them; it is the edge of their lower convex hull over the mean stamp
(Moon, Skelly & Towsley, INFOCOM 1999). However late a packet is, it cannot move it. Window, bounds, and what counts as
a jump: ours.

A jump begins a new epoch, with a line of its own: the device started anew, its counter wrapped, its clock was set, or
the host slept. The skew is the crystals' and is kept. The wall clock takes no part, so that setting it (NTP) changes
nothing; that NTP may also slew the monotonic clock is a skew like any other.
"""

from __future__ import annotations

import math
from collections import deque
from statistics import median

WINDOW_S = 60
"""A crystal's skew stays put for a minute; over so long a line, the floor's scatter of 1 ms is but 20 ppm."""
SKEW_AFTER_S = 10.0
"""Over a shorter span the scatter of delays says less about the skew than what is known already, or than "none"."""
USUAL_SKEW = 200e-6
"""Two crystals, each 100 ppm off."""
MOST_SKEW = USUAL_SKEW + 500e-6
"""... and the fastest that NTP slews the host's clock."""
EARLY_S = 0.02
"""A packet this much before the line is no scatter of delays: the floor was known to a millisecond or two."""
LATE_S = 0.15
"""Longer than packets are held up ..."""
LATE_FOR_S = 3
"""... when all of so many seconds are."""
_LEAST_RATE = 0.05
"""How slowly the host's time may advance, against the device's, while an estimate that was too late is taken back."""

_Point = tuple[float, float]


class DeviceClock:
    """Maps one device's stamps to the host's clock by offset and skew; constant memory, one thread.

    What stays unknown is the smallest delay between stamp and arrival: mapped times are late by that much, constantly.
    """

    def __init__(self) -> None:
        self._origin: tuple[int, int] | None = None  # of stamp and of arrival - stamp, so that floats stay exact
        self._newest_ns = 0
        self._lowest: deque[_Point] = deque(maxlen=WINDOW_S)  # of each second, by device time; s
        self._skew: float | None = None
        self._height_s = 0.0
        self._told: tuple[int, int] | None = None  # last stamp mapped in this epoch, and to what
        self._told_ns: int | None = None  # the latest time that any stamp was mapped to
        self._epochs = 0

    def update(self, stamp_ns: int, arrival_ns: int) -> None:
        """One packet was stamped so by the device and arrived then.

        A stamp that does not advance says nothing, unless it is so far back that the device must have begun anew.
        """
        if self._origin is None:
            self._begin(stamp_ns, arrival_ns)
        x, y = self._point(stamp_ns, arrival_ns)
        late_s = y - self._line(x)
        if late_s < -EARLY_S and len(self._lowest) > LATE_FOR_S:
            x, y = self._begin(stamp_ns, arrival_ns)
        elif self._lowest and stamp_ns <= self._newest_ns:
            if late_s < LATE_S:
                return
            x, y = self._begin(stamp_ns, arrival_ns)
        self._newest_ns = stamp_ns
        if not self._lowest or math.floor(x) > math.floor(self._lowest[-1][0]):
            if self._late_lately_s() > LATE_S:
                x, y = self._begin(stamp_ns, arrival_ns)
            self._lowest.append((x, y))
            while self._lowest[0][0] <= x - WINDOW_S:
                self._lowest.popleft()
        elif y < self._lowest[-1][1]:
            self._lowest[-1] = (x, y)
        else:
            return
        self._fit()

    def to_host_ns(self, stamp_ns: int) -> int:
        """When `stamp_ns` was, on the host's monotonic clock; the stamp of the newest packet, or of one near it.

        Strictly increasing over stamps asked for in order, whatever is learnt in between and however often the device
        starts anew; a stamp older than one asked for before is not put after it. Raises `ValueError` before the first
        `update`.
        """
        if self._origin is None:
            raise ValueError("a device clock has to be updated before it can map")
        since_s = (stamp_ns - self._origin[0]) / 1e9
        host_ns = stamp_ns + self._origin[1] + round(self._line(since_s) * 1e9)
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

    @property
    def skew_ppm(self) -> float:
        """How much faster the host's clock runs than the device's; 0 until it can be told."""
        return (self._skew or 0.0) * 1e6

    @property
    def epochs(self) -> int:
        """How often the device's time began: 1 for a device that never jumped."""
        return self._epochs

    @property
    def error_ms(self) -> float:
        """Estimated error of mapped times beyond the constant delay, on the safe side.

        By how much the promptest packet of a second is later than the line, usually or of late, whichever is more;
        while the skew is unknown, what it may have done since is added. Infinite within an epoch's first second.
        """
        if len(self._lowest) < 2:
            return math.inf
        late_s = median(y - self._line(x) for x, y in self._lowest)
        span_s = self._lowest[-1][0] - self._lowest[0][0]
        unknown_s = USUAL_SKEW * span_s if self._skew is None else 0.0
        return 1e3 * (max(late_s, self._late_lately_s()) + unknown_s)

    def _begin(self, stamp_ns: int, arrival_ns: int) -> _Point:
        """A new epoch; gives the packet's point in it."""
        self._origin = (stamp_ns, arrival_ns - stamp_ns)
        self._lowest.clear()
        self._height_s = 0.0
        self._told = None
        self._epochs += 1
        return 0.0, 0.0

    def _point(self, stamp_ns: int, arrival_ns: int) -> _Point:
        assert self._origin is not None
        return (stamp_ns - self._origin[0]) / 1e9, (arrival_ns - stamp_ns - self._origin[1]) / 1e9

    def _line(self, x: float) -> float:
        return self._height_s + (self._skew or 0.0) * x

    def _late_lately_s(self) -> float:
        """By how much the promptest packet of the last few seconds is later than the line; 0 while there are fewer."""
        if len(self._lowest) < LATE_FOR_S:
            return 0.0
        return min(y - self._line(x) for x, y in (self._lowest[-back] for back in range(1, LATE_FOR_S + 1)))

    def _fit(self) -> None:
        """Slope, once the span allows one, and height at 0 of the line under all points that is closest to them."""
        points = self._lowest
        if points[-1][0] - points[0][0] >= SKEW_AFTER_S:
            hull = _lower_hull(points)
            middle = sum(x for x, _ in points) / len(points)
            right = next(index for index, (x, _) in enumerate(hull) if x >= middle)
            (x0, y0), (x1, y1) = hull[right - 1], hull[right]
            self._skew = min(max((y1 - y0) / (x1 - x0), -MOST_SKEW), MOST_SKEW)
        slope = self._skew or 0.0
        self._height_s = min(y - slope * x for x, y in points)


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
