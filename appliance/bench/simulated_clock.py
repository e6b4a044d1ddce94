"""A device with a clock of its own on a bad USB line, and the truth beside it: what a device clock has to cope with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

TICK_NS = 1000
"""32-bit ticks of a microsecond wrap every 72 minutes."""
_WRAP = 2**32


@dataclass(frozen=True, slots=True)
class Line:
    """delay_s: mean of the exponential delay; stall_s: how long nothing comes, about every five seconds; loss: share of
    packets; most_offset_s, most_skew: of the clocks, to either side; restart_s: how long a device is gone meanwhile."""

    delay_s: float = 0.008
    stall_s: float = 0.1
    loss: float = 0.02
    most_offset_s: float = 2.0
    most_skew: float = 100e-6
    restart_s: float = 0.2


@dataclass(frozen=True, slots=True)
class Packets:
    """stamp_ns, arrival_ns: (n,) int64, as a driver gives them. true_s: (n,) when each was really stamped."""

    stamp_ns: NDArray[np.int64]
    arrival_ns: NDArray[np.int64]
    true_s: NDArray[np.float64]


def simulated_packets(
    rng: np.random.Generator, seconds: float, rate_hz: float, line: Line | None = None, *, restart: bool = True
) -> Packets:
    """A device whose tick counter wraps after a third of the time and which starts anew half way, its ticks at zero."""
    line = line or Line()
    skew = rng.uniform(-line.most_skew, line.most_skew)
    true = 1000.0 + np.arange(int(seconds * rate_hz)) / rate_hz + rng.normal(0.0, 2e-4, int(seconds * rate_hz))
    own = (true - 1000.0) / (1.0 + skew) + rng.uniform(-line.most_offset_s, line.most_offset_s)
    ticks = (own * 1e9 / TICK_NS).astype(np.int64) + _WRAP - int(seconds / 3 * 1e9 / TICK_NS)
    gone = np.zeros(len(true), bool)
    if restart:
        half = 1000.0 + seconds / 2
        gone = (true > half) & (true < half + line.restart_s)
        after = true >= half + line.restart_s
        ticks[after] -= ticks[after][0]
    arrival = true + rng.exponential(line.delay_s, len(true))
    for begins in rng.uniform(true[0], true[-1], int(seconds / 5)):
        stalled = (arrival >= begins) & (arrival < begins + line.stall_s)
        arrival[stalled] = begins + line.stall_s
    arrival = np.maximum.accumulate(arrival)
    kept = ~gone & (rng.random(len(true)) >= line.loss)
    return Packets(ticks[kept] % _WRAP * TICK_NS, (arrival[kept] * 1e9).astype(np.int64), true[kept])
