"""A human body as rigid segments: the points a camera reports and the places where sensors are worn.

Stage axes: metres, right-handed, x to the left of a patient who faces the camera, y up, z towards the camera; the
floor is y = 0. A segment's own axes, upright with hanging arms, are the stage's: x left, y towards the head, z front.

Lengths are fractions of stature after Drillis & Contini (1966) as printed in Winter, "Biomechanics and Motor Control
of Human Movement", figure 4.1: thigh 0.245, shank 0.246, ankle height 0.039, upper arm 0.186, forearm 0.146, hand
0.108, hip height 0.530, shoulder height 0.818. Ours, because that figure measures the outline and not joint centres:
0.050 and 0.112 from the midline to a hip and a shoulder, the points along the spine and in the face (where the Azure
Kinect's body tracking puts them), and the places of the sensors.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from hal.types import SEGMENTS as SENSORS
from hal.virtual.rotations import Floats

_ARM = ("girdle", "arm", "forearm", "hand")
_LEG = ("thigh", "shank", "foot")
RIGID = (
    "pelvis", "lumbar", "thorax", "head",
    *(f"left_{name}" for name in _ARM + _LEG), *(f"right_{name}" for name in _ARM + _LEG),
)  # fmt: skip
"""The eighteen rigid segments, parents first."""

_PARENT = {"lumbar": "pelvis", "thorax": "lumbar", "head": "thorax"} | {
    f"{side}_{child}": parent if parent in ("thorax", "pelvis") else f"{side}_{parent}"
    for side in ("left", "right")
    for child, parent in (
        ("girdle", "thorax"), ("arm", "thorax"), ("forearm", "arm"), ("hand", "forearm"),
        ("thigh", "pelvis"), ("shank", "thigh"), ("foot", "shank"),
    )
}  # fmt: skip

# point: (point it hangs from, segment it is rigid with, offset in fractions of stature); the left side stands for both.
_MIDLINE: dict[str, tuple[str, str, tuple[float, float, float]]] = {
    "pelvis": ("", "pelvis", (0.0, 0.0, 0.0)),
    "spine": ("pelvis", "lumbar", (0.0, 0.085, 0.0)),
    "thorax": ("spine", "thorax", (0.0, 0.095, 0.0)),
    "neck": ("thorax", "thorax", (0.0, 0.110, 0.0)),
    "head": ("neck", "head", (0.0, 0.075, 0.012)),
    "nose": ("head", "head", (0.0, 0.012, 0.060)),
    "at head": ("head", "head", (0.0, 0.020, -0.050)),
    "at upper_back": ("thorax", "thorax", (0.0, 0.050, -0.060)),
    "at lower_back": ("pelvis", "pelvis", (0.0, 0.020, -0.060)),
}
_SIDE: dict[str, tuple[str, str, tuple[float, float, float]]] = {
    "clavicle": ("thorax", "thorax", (0.020, 0.088, 0.0)),
    "shoulder": ("clavicle", "girdle", (0.092, 0.0, 0.0)),
    "elbow": ("shoulder", "arm", (0.0, -0.186, 0.0)),
    "wrist": ("elbow", "forearm", (0.0, -0.146, 0.0)),
    "hand": ("wrist", "hand", (0.0, -0.050, 0.0)),
    "handtip": ("wrist", "hand", (0.0, -0.108, 0.0)),
    "thumb": ("wrist", "hand", (0.0, -0.055, 0.030)),
    "hip": ("pelvis", "pelvis", (0.050, -0.015, 0.0)),
    "knee": ("hip", "thigh", (0.0, -0.245, 0.0)),
    "ankle": ("knee", "shank", (0.0, -0.246, 0.0)),
    "ball": ("ankle", "foot", (0.0, -0.039, 0.085)),
    "foot": ("ankle", "foot", (0.0, -0.030, 0.105)),
    "eye": ("head", "head", (0.019, 0.025, 0.048)),
    "ear": ("head", "head", (0.045, 0.015, 0.0)),
    "at shoulder_blade": ("clavicle", "girdle", (0.040, -0.040, -0.055)),
    "at arm": ("shoulder", "arm", (0.025, -0.093, 0.0)),
    "at forearm": ("elbow", "forearm", (0.018, -0.120, 0.0)),
    "at hand": ("wrist", "hand", (0.012, -0.040, 0.0)),
    "at thigh": ("hip", "thigh", (0.040, -0.120, 0.0)),
    "at calf": ("knee", "shank", (0.0, -0.070, 0.030)),
    "at foot": ("ankle", "foot", (0.0, -0.010, 0.060)),
}


def _of_side(name: str, side: str) -> str:
    if name in _MIDLINE or name in ("pelvis", "thorax", "lumbar", "head"):
        return name
    return f"at {side}_{name[3:]}" if name.startswith("at ") else f"{side}_{name}"


def _table() -> dict[str, tuple[str, str, NDArray[np.float64]]]:
    table = {name: (parent, segment, np.array(offset)) for name, (parent, segment, offset) in _MIDLINE.items()}
    for side, mirror in (("left", 1.0), ("right", -1.0)):
        for name, (parent, segment, offset) in _SIDE.items():
            table[_of_side(name, side)] = (
                _of_side(parent, side),
                _of_side(segment, side),
                np.array(offset) * (mirror, 1.0, 1.0),
            )
    return table


_TABLE = _table()
POINTS = tuple(_TABLE)

STANDARD_17 = (
    "pelvis", "spine", "thorax", "neck", "head",
    "left_shoulder", "left_elbow", "left_wrist", "right_shoulder", "right_elbow", "right_wrist",
    "left_hip", "left_knee", "left_ankle", "right_hip", "right_knee", "right_ankle",
)  # fmt: skip
"""The joints of layout `standard_17`, in its order."""

_KINECT_ARM = ("clavicle", "shoulder", "elbow", "wrist", "hand", "handtip", "thumb")
AZURE_KINECT_32 = (
    "pelvis", "spine", "thorax", "neck",
    *(f"left_{name}" for name in _KINECT_ARM), *(f"right_{name}" for name in _KINECT_ARM),
    *(f"left_{name}" for name in ("hip", "knee", "ankle", "foot")),
    *(f"right_{name}" for name in ("hip", "knee", "ankle", "foot")),
    "head", "nose", "left_eye", "left_ear", "right_eye", "right_ear",
)  # fmt: skip
"""The joints of layout `azure_kinect_32`: the order of `k4abt_joint_id_t` in the Azure Kinect body tracking SDK."""

SENSOR_PLACES = tuple(f"at {segment}" for segment in SENSORS)

_WORN_ON = {"upper_back": "thorax", "lower_back": "pelvis", "head": "head"} | {
    f"{side}_{place}": f"{side}_{segment}"
    for side in ("left", "right")
    for place, segment in (
        ("shoulder_blade", "girdle"), ("arm", "arm"), ("forearm", "forearm"), ("hand", "hand"),
        ("thigh", "thigh"), ("calf", "shank"), ("foot", "foot"),
    )
}  # fmt: skip
SENSOR_SEGMENTS = np.array([RIGID.index(_WORN_ON[segment]) for segment in SENSORS])
"""For each of `hal.types.SEGMENTS`, the rigid segment its sensor is worn on; the sensor's axes are that segment's."""


def _levels() -> tuple[tuple[NDArray[np.intp], NDArray[np.intp]], ...]:
    """Segments with their parents, one entry a depth of the tree, so that a whole depth is one product."""
    depth = {"pelvis": 0}
    for name in RIGID[1:]:
        depth[name] = depth[_PARENT[name]] + 1
    levels = []
    for wanted in range(1, max(depth.values()) + 1):
        names = [name for name in RIGID if depth[name] == wanted]
        levels.append(
            (np.array([RIGID.index(name) for name in names]), np.array([RIGID.index(_PARENT[name]) for name in names]))
        )
    return tuple(levels)


LEVELS = _levels()


def _ancestry() -> NDArray[np.float64]:
    """(points, points): 1 where the column is the row's point itself or one it hangs from."""
    matrix = np.eye(len(POINTS))
    for row, name in enumerate(POINTS):
        parent = _TABLE[name][0]
        if parent:
            matrix[row] += matrix[POINTS.index(parent)]
    return matrix


_ANCESTRY = _ancestry()
_SEGMENT_OF_POINT = np.array([RIGID.index(segment) for _, segment, _ in _TABLE.values()])
_UNIT_OFFSETS = np.array([offset for _, _, offset in _TABLE.values()])


@cache
def _chains(points: tuple[str, ...]) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """The offsets on the way from the pelvis to any of these points, and the (points, offsets) sums that lead there."""
    rows = _ANCESTRY[[POINTS.index(point) for point in points]]
    needed = np.flatnonzero(rows.any(axis=0))
    return needed, rows[:, needed]


@dataclass(frozen=True, slots=True)
class Pose:
    """Where the body is, at n instants: pelvis (n, 3), metres; rotations (n, 18, 3, 3), segment to stage axes."""

    pelvis: Floats
    rotations: Floats


@dataclass(frozen=True, slots=True)
class BodyShape:
    """One person's measures: offsets (points, 3), metres, of each point from the one it hangs from."""

    stature_m: float
    offsets: Floats

    def length(self, point: str) -> float:
        """Metres from a point to the one it hangs from: `left_knee` gives the left thigh."""
        return float(np.linalg.norm(self.offsets[POINTS.index(point)]))

    def offset(self, point: str) -> Floats:
        return np.asarray(self.offsets[POINTS.index(point)])

    def place(self, pose: Pose, points: tuple[str, ...]) -> Floats:
        """(n, points, 3): where these points are, stage axes, metres."""
        needed, sums = _chains(points)
        turned = np.matmul(pose.rotations[:, _SEGMENT_OF_POINT[needed]], self.offsets[needed][:, :, None])[..., 0]
        return np.asarray(np.matmul(sums, turned) + pose.pelvis[:, None, :])


def body_shape(stature_m: float, spread: float = 0.0, rng: np.random.Generator | None = None) -> BodyShape:
    """A person of that stature, each segment's length off the average by `spread` (a fraction), both sides alike."""
    factors = dict.fromkeys((*_MIDLINE, *_SIDE), 1.0)
    if rng is not None:
        factors = {name: 1.0 + spread * float(np.clip(rng.standard_normal(), -2.0, 2.0)) for name in factors}
    midline = [factors[name] for name in _MIDLINE]
    sides = [factors[name] for name in _SIDE]
    return BodyShape(stature_m, _UNIT_OFFSETS * stature_m * np.array(midline + sides + sides)[:, None])
