"""What the camera has shown so far: one standard skeleton a frame, and a `Recording` of them at any moment."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from appliance.skeleton.standard import Recording, recording_of
from hal.types import AbsentReason, Gravity

CameraRole = Literal["camera", "second_camera"]
"""As the settings name a camera's table."""


@dataclass(frozen=True, slots=True)
class Skeleton:
    """One frame in the standard form.

    positions: (17, 3) metres, NaN where a joint was not seen. confidence: (17,) in 0..1.
    absent: why nobody is in it; None where somebody is. notes: what could not be checked or was guessed.
    """

    index: int
    stamp_ns: int
    arrival_ns: int
    positions: NDArray[np.float64]
    confidence: NDArray[np.float64]
    planar: bool = False
    absent: AbsentReason | None = None
    notes: tuple[str, ...] = ()
    camera: CameraRole = "camera"

    @property
    def seen(self) -> bool:
        return self.absent is None

    def unseen(self, why: AbsentReason) -> Skeleton:
        """The same frame with nobody in it."""
        return replace(
            self, positions=np.full_like(self.positions, np.nan), confidence=np.zeros(len(self.confidence)), absent=why
        )


class Track:
    """Times are seconds of the camera's own clock since the first frame; a frame that does not advance it is lost."""

    def __init__(self, gravity: Gravity) -> None:
        self._gravity = gravity
        self._frames: list[Skeleton] = []
        self._stale = 0

    def add(self, skeleton: Skeleton) -> bool:
        """Whether it was taken."""
        if self._frames and skeleton.stamp_ns <= self._frames[-1].stamp_ns:
            self._stale += 1
            return False
        self._frames.append(skeleton)
        return True

    def __len__(self) -> int:
        """Frames that were taken."""
        return len(self._frames)

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
