"""What can be told of one body's movement without a second one: ranges, paths, times and speeds (ours)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from appliance.scoring.body import (
    ANGLES,
    MOTION_SMOOTHING_S,
    OTHER_SIDE,
    POSE_SMOOTHING_S,
    RATE_HZ,
    Body,
    Floats,
    angles_between,
    directions_of,
    tilts_of,
)
from appliance.skeleton.standard import INDEX

_LIMBS = [INDEX[f"left_{joint}"] for joint in ("elbow", "wrist", "knee", "ankle")]
_OTHER_LIMBS = [OTHER_SIDE[joint] for joint in _LIMBS]
_LEAST_MOTION = 0.02
"""Shoulder widths per second: a joint that never moves faster is at rest."""
_REACH = 0.1
"""Trunk lengths: two limbs that stay within it are equally at rest."""
_OTHER_ANGLE = [
    list(ANGLES).index(name.replace("left_", "#").replace("right_", "left_").replace("#", "right_")) for name in ANGLES
]


@dataclass(frozen=True, slots=True)
class Movement:
    """What one body did. Ranges go from the 3rd to the 97th percentile.

    reach: (17,) trunk lengths, the diagonal of the ranges about the pelvis. angle_ranges: (angles,) degrees, as in
    `ANGLES`. tilt_ranges: (tilts,) degrees, as in `TILTS`. path: (17,) shoulder widths travelled about the thorax.
    submovements: (17,) peaks of speed. movement_s: (17,) from the first to the last motion. peak_speed: (17,) trunk
    lengths per second, 95th percentile, about the pelvis. pelvis_path: (17,) trunk lengths travelled about the pelvis.
    """

    reach: Floats
    angle_ranges: Floats
    tilt_ranges: Floats
    path: Floats
    submovements: Floats
    movement_s: Floats
    peak_speed: Floats
    pelvis_path: Floats

    def mirrored(self) -> Movement:
        """The same movement done with the other side."""
        by_joint = ("reach", "path", "submovements", "movement_s", "peak_speed", "pelvis_path")
        swapped = {name: getattr(self, name)[OTHER_SIDE] for name in by_joint}
        return replace(self, angle_ranges=self.angle_ranges[_OTHER_ANGLE], **swapped)

    def sidedness(self) -> Floats:
        """(4,) log ratio of how far elbow, wrist, knee and ankle reach, left to right; 0 where they move alike."""
        return np.asarray(np.log((self.reach[_LIMBS] + _REACH) / (self.reach[_OTHER_LIMBS] + _REACH)))


def movement_of(body: Body) -> Movement:
    speed = _speed(body.about_thorax)
    settle = (MOTION_SMOOTHING_S**2 - POSE_SMOOTHING_S**2) ** 0.5 * RATE_HZ
    pelvis_speed = _speed(gaussian_filter1d(body.about_pelvis, settle, axis=0, mode="nearest"))
    high, highest = np.percentile(speed, [95, 98], axis=0)
    inner = speed[1:-1]
    peaks = (inner > speed[:-2]) & (inner >= speed[2:]) & (inner > np.maximum(0.1 * high, _LEAST_MOTION))
    directions = directions_of(body.about_pelvis)
    return Movement(
        reach=np.linalg.norm(_range(body.about_pelvis), axis=1),
        angle_ranges=_range(angles_between(directions)),
        tilt_ranges=_range(tilts_of(directions)),
        path=speed.sum(axis=0) / RATE_HZ,
        submovements=peaks.sum(axis=0).astype(np.float64),
        movement_s=_span(speed > np.maximum(0.15 * highest, _LEAST_MOTION)) / RATE_HZ,
        peak_speed=np.percentile(pelvis_speed, 95, axis=0),
        pelvis_path=pelvis_speed.sum(axis=0) / RATE_HZ,
    )


def _range(values: Floats) -> Floats:
    return np.asarray(np.subtract(*np.percentile(values, [97, 3], axis=0)))


def _speed(positions: Floats) -> Floats:
    return np.asarray(np.linalg.norm(np.diff(positions, axis=0), axis=2) * RATE_HZ)


def _span(moving: NDArray[np.bool_]) -> Floats:
    """(joints,) frames from the first to the last true one of each column; 0 where there is none."""
    first, last = moving.argmax(axis=0), len(moving) - 1 - moving[::-1].argmax(axis=0)
    return np.where(moving.any(axis=0), last - first, 0).astype(np.float64)
