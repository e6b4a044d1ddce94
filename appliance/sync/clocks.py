"""One device's clock on the host's monotonic clock, fitted while the device delivers.

A packet arrives after it was stamped, by a delay that varies and has a floor: (arrival - stamp) scatters above a
straight line whose height is offset plus smallest delay and whose slope is the skew. That line is the lower envelope:
below all points, with the least sum of distances to them; it is the edge of their lower convex hull over the mean stamp
(Moon, Skelly & Towsley, INFOCOM 1999). However late a packet is, it cannot move it. Window and bounds: ours.
"""

from __future__ import annotations

import math
from collections import deque
from statistics import median

WINDOW_S = 60
"""A crystal's skew stays put for a minute; over so long a line, the floor's scatter of 1 ms is but 20 ppm."""
SKEW_AFTER_S = 10.0
"""Over a shorter span the scatter of delays says less about the skew than "none" does."""
MOST_SKEW = 300e-6
"""Beyond any two crystals."""
_LEAST_RATE = 0.5
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
        self._skew = 0.0
        self._height_s = 0.0
        self._told: tuple[int, int] | None = None  # last stamp mapped, and to what

    def update(self, stamp_ns: int, arrival_ns: int) -> None:
        """One packet was stamped so by the device and arrived then. A stamp that does not advance says nothing."""
        if self._origin is None:
            self._origin = (stamp_ns, arrival_ns - stamp_ns)
        elif stamp_ns <= self._newest_ns:
            return
        self._newest_ns = stamp_ns
        point = ((stamp_ns - self._origin[0]) / 1e9, (arrival_ns - stamp_ns - self._origin[1]) / 1e9)
        if not self._lowest or math.floor(point[0]) > math.floor(self._lowest[-1][0]):
            self._lowest.append(point)
        elif point[1] < self._lowest[-1][1]:
            self._lowest[-1] = point
        else:
            return
        self._skew, self._height_s = _envelope(self._lowest)

    def to_host_ns(self, stamp_ns: int) -> int:
        """When `stamp_ns` was, on the host's monotonic clock.

        Strictly increasing over stamps asked for in order, whatever is learnt in between; a stamp older than one asked
        for before is not put after it. Raises `ValueError` before the first `update`.
        """
        if self._origin is None:
            raise ValueError("a device clock has to be updated before it can map")
        since_s = (stamp_ns - self._origin[0]) / 1e9
        host_ns = stamp_ns + self._origin[1] + round((self._height_s + self._skew * since_s) * 1e9)
        if self._told is not None:
            told_stamp_ns, told_ns = self._told
            if stamp_ns <= told_stamp_ns:
                return min(host_ns, told_ns)
            host_ns = max(host_ns, told_ns + math.ceil((stamp_ns - told_stamp_ns) * _LEAST_RATE))
        self._told = (stamp_ns, host_ns)
        return host_ns

    def to_host_s(self, stamp_ns: int) -> float:
        """As `to_host_ns`, in seconds."""
        return self.to_host_ns(stamp_ns) / 1e9

    @property
    def skew_ppm(self) -> float:
        """How much faster the host's clock runs than the device's; 0 until it can be told."""
        return self._skew * 1e6

    @property
    def error_ms(self) -> float:
        """Estimated error of mapped times beyond the constant delay, on the safe side.

        By how much the promptest packet of a second is later than the line; while the skew is unknown, what it may have
        done since is added. Infinite within the first second.
        """
        if len(self._lowest) < 2:
            return math.inf
        late_s = median(y - self._skew * x - self._height_s for x, y in self._lowest)
        span_s = self._lowest[-1][0] - self._lowest[0][0]
        return 1e3 * (late_s + (MOST_SKEW * span_s if span_s < SKEW_AFTER_S else 0.0))


def _envelope(points: deque[_Point]) -> tuple[float, float]:
    """Slope and height at 0 of the line under all points that is closest to them; no slope over a short span."""
    slope = 0.0
    if points[-1][0] - points[0][0] >= SKEW_AFTER_S:
        hull = _lower_hull(points)
        middle = sum(x for x, _ in points) / len(points)
        right = next(index for index, (x, _) in enumerate(hull) if x >= middle)
        (x0, y0), (x1, y1) = hull[right - 1], hull[right]
        slope = min(max((y1 - y0) / (x1 - x0), -MOST_SKEW), MOST_SKEW)
    return slope, min(y - slope * x for x, y in points)


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
