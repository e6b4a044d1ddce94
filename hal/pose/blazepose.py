"""MediaPipe's pose network: one picture in, the landmarks of one person out."""

from __future__ import annotations

import contextlib
import threading
from typing import Any

import numpy as np
from mediapipe.python.solutions.pose import Pose
from numpy.typing import NDArray

from hal.pose.chatter import native_chatter_dropped
from hal.pose.landmarks import Landmarks

_MODEL = 1
"""The full model: the one that MediaPipe's wheel carries, so that a box never downloads anything."""
_NOBODY = np.zeros((64, 64, 3), np.uint8)


_Key = tuple[float, float, bool]
_spare: dict[_Key, list[Any]] = {}
_spare_lock = threading.Lock()
"""Networks that nobody uses now. Each one made and closed keeps 1.5 MB of the process for good (measured, MediaPipe
0.10.18), one that is reset does not; and a box opens its pose network with every set."""


class BlazePose:
    """The loaded network (about a third of a second); `single` for pictures that do not follow one another."""

    def __init__(self, detection: float, tracking: float, *, single: bool = False) -> None:
        self._key = (detection, tracking, single)
        with native_chatter_dropped():
            self._network: Any = _network(self._key)
            # The graph loads its models on threads of its own: seeing nobody once waits until they are there.
            self._network.process(_NOBODY)
        self._quiet = False

    def close(self) -> None:
        """Another one may use it."""
        with _spare_lock:
            network, self._network = self._network, None
            if network is not None:
                _spare.setdefault(self._key, []).append(network)

    def find(self, color: NDArray[np.uint8]) -> Landmarks | None:
        """The person in a picture (height, width, 3) uint8 RGB, or None."""
        # The libraries stop chattering once each part of the graph has run, that is, after the first person.
        with contextlib.nullcontext() if self._quiet else native_chatter_dropped():
            found = self._network.process(color)
        if found.pose_world_landmarks is None:
            return None
        self._quiet = True
        height, width = color.shape[:2]
        metric, visibility = _points(found.pose_world_landmarks)
        pixels = _points(found.pose_landmarks)[0][:, :2] * (width, height) - 0.5
        return Landmarks(pixels, metric, visibility)


def _points(landmarks: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(33, 3) coordinates and (33,) visibility."""
    table = np.array([(point.x, point.y, point.z, point.visibility) for point in landmarks.landmark])
    return table[:, :3], table[:, 3]


def _network(key: _Key) -> Any:
    """One that has seen nothing yet."""
    with _spare_lock:
        spare = _spare.get(key)
        network = spare.pop() if spare else None
    if network is not None:
        with contextlib.suppress(RuntimeError, ValueError):  # one that failed is no use any more
            network.reset()
            return network
    detection, tracking, single = key
    return Pose(
        static_image_mode=single,
        model_complexity=_MODEL,
        min_detection_confidence=detection,
        min_tracking_confidence=tracking,
    )
