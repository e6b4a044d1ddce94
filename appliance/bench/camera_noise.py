"""Two families of a camera's errors: the one a method is tuned on, and another that it is tried on."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

Floats = NDArray[np.float64]
CameraNoise = Callable[[Floats, np.random.Generator], Floats]
"""Joints (frames, 17, 3) in metres at 30 Hz to the same with errors."""

_CAMERA = np.array([0.0, 1.0, 2.5])
"""Where it stands, stage axes."""


def white(joints: Floats, rng: np.random.Generator) -> Floats:
    """Gaussian, 1 cm, new in every frame: the one to tune on."""
    return joints + 0.01 * rng.standard_normal(joints.shape)


def unlike(joints: Floats, rng: np.random.Generator) -> Floats:
    """Correlated over 0.3 s, heavy-tailed, growing with the square of the distance, along the line of sight mostly, in
    steps of 4 mm: as depth cameras err."""
    keep = np.exp(-1.0 / (0.3 * 30.0))
    driving = rng.standard_t(3.0, joints.shape) / np.sqrt(3.0)
    slow = lfilter([np.sqrt(1.0 - keep**2)], [1.0, -keep], driving, axis=0)
    sight = joints - _CAMERA
    distance = np.linalg.norm(sight, axis=2, keepdims=True)
    sight = sight / distance
    depth = (slow * sight).sum(axis=2, keepdims=True) * sight
    error = 0.006 * (distance / 2.5) ** 2 * (slow + depth)
    error += 0.004 * rng.standard_t(3.0, joints.shape)
    return np.asarray(np.round((joints + error) / 0.004) * 0.004)
