"""Time as a synthetic device has it: its own clock, samples it takes by it, and a link that delivers them late."""

from __future__ import annotations

import threading
import time

import numpy as np

from hal.errors import DeviceLostError

_SECOND_NS = 1_000_000_000
_KEPT_NS = _SECOND_NS
"""A device keeps what nobody reads for a second and then drops the oldest, like a driver's queue."""


class DeviceClock:
    """Ticks at rate_hz by a clock that began at offset_s and runs fast by skew_ppm; tick 0 is at opening."""

    def __init__(self, rate_hz: float, offset_s: float, skew_ppm: float) -> None:
        self._period_ns = _SECOND_NS / rate_hz
        self._offset_ns = round(offset_s * _SECOND_NS)
        self._fast = 1.0 + skew_ppm * 1e-6
        self._opened_ns = time.monotonic_ns()

    def stamp_ns(self, tick: int) -> int:
        """What the device writes on that tick."""
        return self._offset_ns + round(tick * self._period_ns)

    def host_ns(self, tick: int) -> int:
        """When that tick truly is, host monotonic."""
        return self._opened_ns + round(tick * self._period_ns / self._fast)

    def first_kept(self, tick: int) -> int:
        """That tick, or the first one that is not yet dropped where it is too long ago."""
        oldest_ns = (time.monotonic_ns() - _KEPT_NS - self._opened_ns) * self._fast
        return max(tick, int(np.ceil(oldest_ns / self._period_ns)))


class Link:
    """Delivers in order, each after a delay of its own: exponential, with the given mean. `close` ends every wait."""

    def __init__(self, name: str, delay_ms: float, rng: np.random.Generator) -> None:
        self._name = name
        self._delay_ns = delay_ms * 1e6
        self._rng = rng
        self._last_ns = 0
        self._closed = threading.Event()

    def arrival_ns(self, sent_ns: int) -> int:
        """When something sent at that host time comes in."""
        self._last_ns = max(self._last_ns, sent_ns + round(self._rng.exponential(self._delay_ns)))
        return self._last_ns

    def wait(self, until_ns: int, timeout_s: float) -> bool:
        """Sleeps until that host time; False where it is past the timeout, or the device was closed meanwhile."""
        left_s = (until_ns - time.monotonic_ns()) / _SECOND_NS
        if left_s > timeout_s:
            self._closed.wait(timeout_s)
            return False
        return not self._closed.wait(max(left_s, 0.0))

    def close(self) -> None:
        self._closed.set()


def opened(link: Link | None, name: str) -> Link:
    """The link of an open device. Raises `DeviceLostError` for one that is not open."""
    if link is None:
        raise DeviceLostError(f"{name}: not open; call open() before read()")
    return link
