"""Which joints of each source the standard joints are the mean of (HS-BTW notes, section 1), and its axes.

Ours: the paper states 17 points, not which. Every standard joint of every source happens to be a plain mean of
joints that exist: the neck, midway between mid-shoulders and mid-ears, is the mean of those four.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from appliance.skeleton.standard import INDEX, JOINTS
from hal.types import Layout

_LIMBS = JOINTS[5:]
"""Left arm, right arm, left leg, right leg, each from the trunk outwards."""

CAMERA_AXES = (1, -1, -1)
"""x right in the picture, y down, z away from the camera: MediaPipe's world, the Azure Kinect, pixels, lifted 2-D."""
KINECT_V2_AXES = (-1, 1, -1)
"""x to the sensor's left (the right hand of a person who faces it), y up, z away; as in the KERAAL takes."""


@dataclass(frozen=True, slots=True)
class LayoutTable:
    """weights: (17, joints) float64, rows sum to 1. signs: (3,) from the source's axes to the standard ones."""

    weights: NDArray[np.float64]
    signs: NDArray[np.float64]


def _table(
    joints: int, trunk: dict[str, tuple[int, ...]], limbs: tuple[int, ...], axes: tuple[int, int, int] = CAMERA_AXES
) -> LayoutTable:
    """limbs: the source's joints in the order of `_LIMBS`."""
    weights = np.zeros((len(JOINTS), joints))
    for name, sources in {**trunk, **{name: (joint,) for name, joint in zip(_LIMBS, limbs, strict=True)}}.items():
        weights[INDEX[name], list(sources)] = 1 / len(sources)
    return LayoutTable(weights, np.array(axes, np.float64))


def _trunk_from(ears: tuple[int, int], shoulders: tuple[int, int], hips: tuple[int, int]) -> dict[str, tuple[int, ...]]:
    """The trunk of sources that know no spine."""
    return {
        "pelvis": hips,
        "spine": hips + shoulders,
        "thorax": shoulders,
        "neck": shoulders + ears,
        "head": ears,
    }


def _trunk_of(pelvis: int, spine: int, thorax: int, neck: int, head: int) -> dict[str, tuple[int, ...]]:
    """The trunk of sources that know all of it."""
    return {"pelvis": (pelvis,), "spine": (spine,), "thorax": (thorax,), "neck": (neck,), "head": (head,)}


LAYOUTS: dict[Layout, LayoutTable] = {
    "standard_17": LayoutTable(np.eye(len(JOINTS)), np.ones(3)),
    "mediapipe_33": _table(
        33, _trunk_from((7, 8), (11, 12), (23, 24)), (11, 13, 15, 12, 14, 16, 23, 25, 27, 24, 26, 28)
    ),
    "kinect_v2_25": _table(25, _trunk_of(0, 1, 20, 2, 3), (4, 5, 6, 8, 9, 10, 12, 13, 14, 16, 17, 18), KINECT_V2_AXES),
    "azure_kinect_32": _table(32, _trunk_of(0, 1, 2, 3, 26), (5, 6, 7, 12, 13, 14, 18, 19, 20, 22, 23, 24)),
    "coco_17": _table(17, _trunk_from((3, 4), (5, 6), (11, 12)), (5, 7, 9, 6, 8, 10, 11, 13, 15, 12, 14, 16)),
    "coco_18": _table(18, _trunk_from((17, 16), (5, 2), (11, 8)), (5, 6, 7, 2, 3, 4, 11, 12, 13, 8, 9, 10)),
    "h36m_17": _table(17, _trunk_of(0, 7, 8, 9, 10), (11, 12, 13, 14, 15, 16, 4, 5, 6, 1, 2, 3)),
}
