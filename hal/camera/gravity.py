"""Which way is up, from the accelerometer inside a camera. Ours."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from hal.types import MotionSample

_SETTLE_S = 1.0
_G = 9.81
_SHAKEN = 1.0
"""m/s^2 off gravity: then the camera is being carried or bumped, and its accelerometer tells nothing about up."""


class UpTracker:
    """Smooths the accelerometer over about a second; the camera may be turned while it runs."""

    def __init__(self) -> None:
        self._mean: NDArray[np.float64] | None = None
        self._stamp_ns = 0

    def update(self, samples: Iterable[MotionSample]) -> NDArray[np.float64] | None:
        """(3,) unit vector against gravity, in the samples' axes; None until a sample at rest has come."""
        for sample in samples:
            if abs(float(np.linalg.norm(sample.acceleration)) - _G) > _SHAKEN:
                continue
            if self._mean is None:
                self._mean = sample.acceleration
            else:
                passed_s = max(0, sample.acceleration_stamp_ns - self._stamp_ns) / 1e9
                self._mean = self._mean + (1 - math.exp(-passed_s / _SETTLE_S)) * (sample.acceleration - self._mean)
            self._stamp_ns = sample.acceleration_stamp_ns
        return None if self._mean is None else self._mean / np.linalg.norm(self._mean)
