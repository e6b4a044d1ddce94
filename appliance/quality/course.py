"""How each joint angle goes through a movement: speed, halts, turns, trembling (ours).

FineRehab's smoothness asks for lag, jitter and acceleration of each part of the body; what is averaged over the body
cannot say which part it is.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter1d

from appliance.scoring.body import RATE_HZ, Floats

TRAITS = {"peak_speed": 5.0, "turns": 2.0, "tremble": 0.3, "detour": 1.0, "halts": 0.1}
"""Name: what is added to both before the logarithm of their ratio, a size that is hardly above noise."""
_SLOW = 0.15
"""Share of the peak speed under which an angle counts as halting."""
_LEAST_DEG_S = 3.0
_STEADY_S = 5.0 / 30.0
"""What is left of an angle that is smoothed so much is meant; the rest is trembling."""


def course_of(angles: Floats) -> dict[str, Floats]:
    """By `TRAITS`, (angles,) each; angles: (frames, angles) degrees at `RATE_HZ`.

    peak_speed: 95th percentile, degrees / s. turns: peaks of speed. tremble: degrees. detour: way over range. halts:
    share of the time between first and last motion that it is slow.
    """
    if len(angles) < 3:
        return {name: np.zeros(angles.shape[1]) for name in TRAITS}
    speed = np.abs(np.diff(angles, axis=0)) * RATE_HZ
    peak = np.percentile(speed, 95, axis=0)
    slow = np.maximum(_SLOW * peak, _LEAST_DEG_S)
    inner = speed[1:-1]
    moving = speed > slow
    begun = np.logical_or.accumulate(moving) & np.logical_or.accumulate(moving[::-1])[::-1]
    meant = gaussian_filter1d(angles, _STEADY_S * RATE_HZ, axis=0, mode="nearest")
    way = speed.sum(axis=0) / RATE_HZ
    return {
        "peak_speed": peak,
        "turns": ((inner > speed[:-2]) & (inner >= speed[2:]) & (inner > slow)).sum(axis=0).astype(np.float64),
        "tremble": np.asarray((angles - meant).std(axis=0)),
        "detour": way / (np.ptp(angles, axis=0) + _LEAST_DEG_S),
        "halts": (begun & ~moving).sum(axis=0) / np.maximum(begun.sum(axis=0), 1),
    }
