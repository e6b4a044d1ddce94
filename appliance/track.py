"""What the camera has shown of a set so far: grows frame by frame, and is a `Recording` at any moment."""

from __future__ import annotations

import numpy as np

from appliance.capture import Skeleton
from appliance.skeleton.standard import Recording, recording_of
from hal.types import Gravity


class Track:
    """Times are seconds of the camera's own clock since the first frame; a frame that does not advance it is lost."""

    def __init__(self, gravity: Gravity) -> None:
        self._gravity = gravity
        self._frames: list[Skeleton] = []
        self._stale = 0

    def add(self, skeleton: Skeleton) -> None:
        if self._frames and skeleton.stamp_ns <= self._frames[-1].stamp_ns:
            self._stale += 1
            return
        self._frames.append(skeleton)

    def __len__(self) -> int:
        return len(self._frames)

    @property
    def seen(self) -> int:
        """Frames in which a person was seen."""
        return sum(frame.seen for frame in self._frames)

    @property
    def lost(self) -> int:
        """Frames that the camera counted and the box never had in order."""
        if not self._frames:
            return self._stale
        return self._frames[-1].index - self._frames[0].index + 1 - len(self._frames)

    def recording(self) -> Recording:
        frames = self._frames
        stamps = np.array([frame.stamp_ns for frame in frames], np.int64)
        return recording_of(
            (stamps - stamps[0]) / 1e9 if len(frames) else np.zeros(0),
            np.array([frame.positions for frame in frames]).reshape(-1, 17, 3),
            np.array([frame.confidence for frame in frames]).reshape(-1, 17),
            planar=any(frame.planar for frame in frames),
            gravity=self._gravity,
        )
