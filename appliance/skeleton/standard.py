"""The standard 17-joint skeleton (HS-BTW: 17 points in 3-D; which points, and the axes: ours) and a recording of it.

Axes: metres, right-handed, x to the subject's left, y up, z towards the camera.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hal.types import Gravity

JOINTS = (
    "pelvis", "spine", "thorax", "neck", "head",
    "left_shoulder", "left_elbow", "left_wrist", "right_shoulder", "right_elbow", "right_wrist",
    "left_hip", "left_knee", "left_ankle", "right_hip", "right_knee", "right_ankle",
)  # fmt: skip
INDEX = {name: index for index, name in enumerate(JOINTS)}

BONES = (
    ("pelvis", "spine"), ("spine", "thorax"), ("thorax", "neck"), ("neck", "head"),
    ("thorax", "left_shoulder"), ("left_shoulder", "left_elbow"), ("left_elbow", "left_wrist"),
    ("thorax", "right_shoulder"), ("right_shoulder", "right_elbow"), ("right_elbow", "right_wrist"),
    ("pelvis", "left_hip"), ("left_hip", "left_knee"), ("left_knee", "left_ankle"),
    ("pelvis", "right_hip"), ("right_hip", "right_knee"), ("right_knee", "right_ankle"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Recording:
    """A person's joints over time.

    times: (frames,) float64, seconds, strictly increasing, any origin.
    positions: (frames, 17, 3) float64, metres; NaN where a joint was not seen, never (0, 0, 0) for that.
    confidence: (frames, 17) float64 in 0..1; 0 exactly where the position is NaN.
    planar: the source has two dimensions; z is 0 throughout, and it is compared with such recordings only.
    gravity: what y follows: the camera's accelerometer, or the camera's own up (then a tilted camera shows).
    """

    times: NDArray[np.float64]
    positions: NDArray[np.float64]
    confidence: NDArray[np.float64]
    planar: bool = False
    gravity: Gravity = "camera"

    def __post_init__(self) -> None:
        frames = len(self.times)
        if self.positions.shape != (frames, 17, 3) or self.confidence.shape != (frames, 17):
            raise ValueError(
                f"a recording of {frames} frames needs positions (frames, 17, 3) and confidence (frames, 17), "
                f"got {self.positions.shape} and {self.confidence.shape}"
            )
        if np.any(np.diff(self.times) <= 0):
            raise ValueError("a recording's times must increase")

    def __len__(self) -> int:
        return len(self.times)

    @property
    def duration_s(self) -> float:
        return float(self.times[-1] - self.times[0]) if len(self.times) else 0.0

    @property
    def rate_hz(self) -> float:
        """Median frame rate; 0 for fewer than two frames."""
        return float(1.0 / np.median(np.diff(self.times))) if len(self.times) > 1 else 0.0

    def between(self, start_s: float, end_s: float) -> Recording:
        """The frames with start_s <= time <= end_s, times unchanged."""
        keep = (self.times >= start_s) & (self.times <= end_s)
        return replace(self, times=self.times[keep], positions=self.positions[keep], confidence=self.confidence[keep])


def recording_of(
    times: NDArray[np.float64],
    positions: NDArray[np.float64],
    confidence: NDArray[np.float64] | None = None,
    *,
    planar: bool = False,
    gravity: Gravity = "camera",
) -> Recording:
    """A `Recording` whose confidence agrees with its NaN: without one given, 1 where seen and 0 where not."""
    times = np.asarray(times, np.float64)
    positions = np.array(positions, np.float64)
    seen = np.isfinite(positions).all(axis=2)
    confidence = seen.astype(np.float64) if confidence is None else np.where(seen, confidence, 0.0)
    positions[confidence <= 0] = np.nan
    return Recording(times, positions, confidence, planar, gravity)
