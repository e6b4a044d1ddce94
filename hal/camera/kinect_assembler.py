"""Puts together what one exposure left in a recording's separate tracks."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from hal.camera.kinect_frames import KinectCapture, KinectImu

_WAITING = 8
"""Pictures kept at most until their depth and the sensor's samples turn up; a file holds its tracks almost in order."""


class Assembler:
    """Colour and depth belong together if they lie within half a frame (as the maker's own reader has it).

    Stamps are device time in ns; each queue is filled in order of time.
    """

    def __init__(self, rate_hz: float, has_depth: bool, has_imu: bool) -> None:
        self.colors: deque[tuple[int, bytes]] = deque()
        self.depths: deque[tuple[int, NDArray[np.uint16]]] = deque()
        self.samples: deque[KinectImu] = deque()
        self._half_ns = int(0.5e9 / (rate_hz or 30))
        self._has_depth, self._has_imu = has_depth, has_imu

    def ready(self, last: bool = False) -> Iterator[KinectCapture]:
        """What is complete, or has waited long enough; everything left if `last`."""
        while self.colors:
            stamp_ns, color = self.colors[0]
            while self.depths and self.depths[0][0] < stamp_ns - self._half_ns:
                self.depths.popleft()
            waited = last or len(self.colors) > _WAITING
            depth_known = bool(self.depths) or not self._has_depth
            samples_known = not self._has_imu or (
                bool(self.samples) and self.samples[-1].acceleration_stamp_ns > stamp_ns
            )
            if not (waited or (depth_known and samples_known)):
                return
            self.colors.popleft()
            depth = None
            if self.depths and self.depths[0][0] <= stamp_ns + self._half_ns:
                depth = self.depths.popleft()[1]
            own = []
            while self.samples and self.samples[0].acceleration_stamp_ns <= stamp_ns:
                own.append(self.samples.popleft())
            yield KinectCapture(stamp_ns, color, depth, tuple(own))
