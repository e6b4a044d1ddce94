"""What the extended measure looks at: one person, smoothed, at one rate, and their angles.

All of it is ours. Positions come twice: about the pelvis, in trunk lengths, for where the limbs and the trunk are; and
about the thorax, in shoulder widths, for how much the upper body moves: hips behind a table are mostly noise.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from appliance.errors import NotScorableError
from appliance.exercises import Root
from appliance.skeleton.gaps import fill_gaps
from appliance.skeleton.normalise import normalise
from appliance.skeleton.resample import resample
from appliance.skeleton.standard import INDEX, JOINTS, Recording

Floats = NDArray[np.float64]

RATE_HZ = 30.0
POSE_SMOOTHING_S = 2.0 / 30.0
"""Standard deviation of the Gaussian for positions and angles."""
MOTION_SMOOTHING_S = 4.0 / 30.0
"""The same for paths and speeds, which sum up every frame's sensor noise."""
SEGMENTS = (
    ("pelvis", "thorax"), ("thorax", "head"), ("right_shoulder", "left_shoulder"), ("right_hip", "left_hip"),
    ("left_shoulder", "left_elbow"), ("left_elbow", "left_wrist"),
    ("right_shoulder", "right_elbow"), ("right_elbow", "right_wrist"),
    ("left_hip", "left_knee"), ("left_knee", "left_ankle"),
    ("right_hip", "right_knee"), ("right_knee", "right_ankle"),
)  # fmt: skip
ANGLES = {
    "trunk": ("pelvis", "thorax", None), "neck": ("thorax", "head", "pelvis"),
    **{f"{side}_{joint}": (f"{side}_{joint}", f"{side}_{far}", near)
       for side in ("left", "right")
       for joint, far, near in (
           ("elbow", "wrist", f"{side}_shoulder"), ("knee", "ankle", f"{side}_hip"),
           ("shoulder", "elbow", "trunk"), ("hip", "knee", "trunk"))},
    **{f"{side}_{segment}": (f"{side}_{near}", f"{side}_{far}", None)
       for side in ("left", "right") for segment, near, far in (("thigh", "hip", "knee"), ("shank", "knee", "ankle"))},
    "shoulder_girdle": ("right_shoulder", "left_shoulder", None),
}  # fmt: skip
"""Angle: its vertex, a joint on one leg, and what the other leg points at (None: straight up; trunk: the spine)."""
_LEGS = [
    (SEGMENTS.index((vertex, far)), 1.0, None if near is None else 0)
    if near in (None, "trunk")
    else (SEGMENTS.index((vertex, far)), -1.0, SEGMENTS.index((near, vertex)))
    for vertex, far, near in ANGLES.values()
]
"""The same by `SEGMENTS`: one leg; the sign and the segment of the other one (None: up)."""

OTHER_SIDE = [
    INDEX[name.replace("left_", "#").replace("right_", "left_").replace("#", "right_")] for name in JOINTS
]  # fmt: skip
"""For each joint, the one on the other side of the body."""
TILTS = {
    "trunk_forward": (0, 2), "trunk_sideways": (0, 0), "shoulders_turned": (2, 2), "shoulders_raised": (2, 1),
    "head_forward": (1, 2), "head_sideways": (1, 0),
}  # fmt: skip
"""Tilt: one of `SEGMENTS`, and the axis (x, y, z) towards which it leans."""


@dataclass(frozen=True, slots=True)
class Body:
    """One recording at `RATE_HZ`, smoothed. about_pelvis: (frames, 17, 3) trunk lengths; about_thorax: (frames, 17, 3)
    shoulder widths; seen: (17,) bool, joints with any data: the others hold zeros and count nowhere. As the camera saw
    it: unsmoothed, (frames, 17, 3), about the pelvis; rise, (frames,) trunk lengths, the pelvis above its start."""

    about_pelvis: Floats
    about_thorax: Floats
    seen: NDArray[np.bool_]
    unsmoothed: Floats
    rise: Floats

    def mirrored(self) -> Body:
        """The same movement done with the other side."""
        flip = np.array([-1.0, 1.0, 1.0])
        about_pelvis, about_thorax, unsmoothed = (
            x[:, OTHER_SIDE] * flip for x in (self.about_pelvis, self.about_thorax, self.unsmoothed)
        )
        return Body(about_pelvis, about_thorax, self.seen[OTHER_SIDE], unsmoothed, self.rise)


def body_of(recording: Recording, joints: tuple[str, ...] = JOINTS) -> Body:
    """joints: those that count; the others are taken as unseen.

    Place and heading are those of the first second that shows the pelvis: who comes into view late did not face
    anywhere before.

    Raises `NotScorableError` where pelvis, thorax or shoulders are not seen, or the recording is too short."""
    bridged, _ = fill_gaps(recording)
    level = resample(bridged, RATE_HZ)
    if len(level) < 2:
        raise NotScorableError("has fewer than two frames")
    roots: tuple[Root, ...] = ("pelvis", "thorax", "start")
    away = int(np.isfinite(level.positions[:, INDEX["pelvis"]]).all(axis=1).argmax())  # frames before it is seen
    placed = [
        _after(away, normalise(level.positions[away:], RATE_HZ, root, planar=level.planar).positions) for root in roots
    ]
    # What was seen only while a root was not has no place about it.
    seen = np.all([np.isfinite(positions).all(axis=2).any(axis=0) for positions in placed], axis=0)
    pelvis, thorax, start = (_complete(positions) for positions in placed)
    middle = [INDEX[name] for name in ("pelvis", "left_hip", "right_hip") if seen[INDEX[name]]]
    return Body(
        _smoothed(pelvis, POSE_SMOOTHING_S),
        _smoothed(thorax, MOTION_SMOOTHING_S),
        seen & np.isin(JOINTS, joints),
        pelvis,
        start[:, middle, 1].mean(axis=1),
    )


def _after(away: int, positions: Floats) -> Floats:
    """With so many frames before them that show nothing."""
    return np.pad(positions, ((away, 0), (0, 0), (0, 0)), constant_values=np.nan)


def _smoothed(positions: Floats, smoothing_s: float) -> Floats:
    return gaussian_filter1d(positions, smoothing_s * RATE_HZ, axis=0, mode="nearest")


def _complete(positions: Floats) -> Floats:
    """Without NaN: a joint that is missing for longer stays where it was seen last (or first); one never seen is 0."""
    positions = positions.copy()
    frames = np.arange(len(positions))
    for joint in np.flatnonzero(~np.isfinite(positions).all(axis=(0, 2))):
        seen = np.isfinite(positions[:, joint]).all(axis=1)
        for axis in range(3):
            positions[:, joint, axis] = (
                np.interp(frames, frames[seen], positions[seen, joint, axis]) if seen.any() else 0.0
            )
    return positions


def at_frames(positions: Floats, frames: Floats) -> Floats:
    """(n, 17, 3) positions at fractional frames, (n,)."""
    before = np.floor(frames).astype(np.intp)
    after = np.minimum(before + 1, len(positions) - 1)
    share = (frames - before)[:, None, None]
    return np.asarray(positions[before] * (1.0 - share) + positions[after] * share)


def directions_of(positions: Floats) -> Floats:
    """(frames, 12, 3) unit vectors along `SEGMENTS`: bodies of other proportions have the same."""
    ends = np.array([[INDEX[a], INDEX[b]] for a, b in SEGMENTS])
    return _unit(positions[:, ends[:, 1]] - positions[:, ends[:, 0]])


def angles_of(positions: Floats) -> Floats:
    """(frames, angles) degrees, in the order of `ANGLES`."""
    return angles_between(directions_of(positions))


def angles_between(directions: Floats) -> Floats:
    """The same from what `directions_of` gives."""
    cosines = []
    for leg, sign, other in _LEGS:
        along = directions[:, leg]
        cosines.append(along[:, 1] if other is None else sign * np.einsum("ij,ij->i", along, directions[:, other]))
    return np.asarray(np.degrees(np.arccos(np.clip(np.stack(cosines, axis=1), -1.0, 1.0))))


def tilts_of(directions: Floats) -> Floats:
    """(frames, tilts) degrees, -90..90, in the order of `TILTS`. directions: those of `directions_of`."""
    leaning = np.stack([directions[:, segment, axis] for segment, axis in TILTS.values()], axis=1)
    return np.asarray(np.degrees(np.arcsin(np.clip(leaning, -1.0, 1.0))))


def _unit(vectors: Floats) -> Floats:
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9))
