"""Plain kinematic features of one repetition, made by hand, without any reference; all of them ours."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from appliance.scoring.body import RATE_HZ, angles_of
from models.training.baselines.samples import FRAMES

Floats = NDArray[np.float64]
_LEAST = 1e-3
"""Trunk lengths per second and the like: logarithms start here, so that stillness is no minus infinity."""


def features_of(positions: Floats) -> NDArray[np.float32]:
    """(k,) float32: how far joints and angles go, how fast, how smoothly, and how long all of it takes.

    positions: (frames, 17, 3), at least two frames, normalised, without NaN, at the rate of `Body`.
    """
    angles = angles_of(positions)
    velocity = np.gradient(positions, axis=0) * RATE_HZ
    jerk = np.gradient(np.gradient(velocity, axis=0), axis=0) * RATE_HZ**2
    speed, jolt = np.linalg.norm(velocity, axis=2), np.linalg.norm(jerk, axis=2)
    parts = [
        angles.min(axis=0),
        angles.max(axis=0),
        angles.mean(axis=0),
        angles.std(axis=0),
        positions.mean(axis=0).ravel(),
        np.ptp(positions, axis=0).ravel(),
        np.log(speed.mean(axis=0) + _LEAST),
        np.log(speed.max(axis=0) + _LEAST),
        np.log(jolt.mean(axis=0) + _LEAST),
        [len(positions) / RATE_HZ],
    ]
    return np.asarray(np.concatenate(parts), np.float32)


def course_of(positions: Floats) -> NDArray[np.float16]:
    """(FRAMES, 17, 3) float16: the same repetition at so many evenly spaced moments, whatever time it took."""
    at = np.linspace(0.0, len(positions) - 1.0, FRAMES)
    before = np.minimum(at.astype(int), len(positions) - 2)
    share = (at - before)[:, None, None]
    return np.asarray((1.0 - share) * positions[before] + share * positions[before + 1], np.float16)
