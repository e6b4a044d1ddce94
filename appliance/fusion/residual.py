"""What the camera saw of a bone beyond what the sensor felt of it, carried over the frames in which it saw nothing.

The difference is made of soft tissue, of a heading that is not quite right, of a joint that is not quite a hinge: it
stays alike for about a second and then wanders. So it is an Ornstein-Uhlenbeck process seen through the camera's noise,
and the best estimate of it, with its uncertainty, is a Kalman smoother's (Rauch, Tung & Striebel 1965). That it is such
a process, and its time constant, are ours.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

MEMORY_S = 1.0
_LATELY_S = 3.0


@dataclass(frozen=True, slots=True)
class Smoothed:
    """mean: (n, series, 3); variance: (n, series), of each coordinate."""

    mean: Floats
    variance: Floats


def size_around(times: Floats, seen: Floats, known: Bools) -> Floats:
    """(n, series) m: root mean square of a coordinate of seen (n, series, 3), where known (n, series), over the seconds
    before or after an instant, whichever is more; 0 where nothing is known yet."""
    squares = np.where(known, (np.where(known[..., None], seen, 0.0) ** 2).mean(axis=2), 0.0)
    fading = [1.0], [1.0, -np.exp(-float(np.median(np.diff(times))) / _LATELY_S)]

    def before(squares: Floats, known: Floats) -> Floats:
        count = lfilter(*fading, known, axis=0)
        return np.asarray(lfilter(*fading, squares, axis=0) / np.where(count > 0, count, 1.0))

    ones = known.astype(np.float64)
    return np.asarray(np.sqrt(np.maximum(before(squares, ones), before(squares[::-1], ones[::-1])[::-1])))


def smooth(times: Floats, seen: Floats, noise: Floats, spread: Floats, memory_s: float = MEMORY_S) -> Smoothed:
    """The process behind what was seen.

    times: (n,) s; seen: (n, series, 3) m, anything where not seen; noise: (n, series) m^2, variance of each coordinate,
    infinite where not seen; spread: (series,) m, how far the process strays from 0.
    """
    count = len(times)
    keep = np.exp(-np.diff(times, prepend=times[0]) / memory_s)
    stationary = spread**2
    seen = np.where(np.isfinite(noise)[..., None], seen, 0.0)
    ahead_mean, mean = np.zeros_like(seen), np.zeros_like(seen)
    ahead, variance = np.zeros_like(noise), np.zeros_like(noise)
    at, doubt = np.zeros_like(seen[0]), stationary
    for frame in range(count):
        ahead_mean[frame] = at = keep[frame] * at
        ahead[frame] = doubt = keep[frame] ** 2 * doubt + (1.0 - keep[frame] ** 2) * stationary
        gain = doubt / (doubt + noise[frame])
        mean[frame] = at = at + gain[:, None] * (seen[frame] - at)
        variance[frame] = doubt = (1.0 - gain) * doubt
    for frame in range(count - 2, -1, -1):
        back = variance[frame] * keep[frame + 1] / ahead[frame + 1]
        mean[frame] += back[:, None] * (mean[frame + 1] - ahead_mean[frame + 1])
        variance[frame] += back**2 * (variance[frame + 1] - ahead[frame + 1])
    return Smoothed(mean, variance)
