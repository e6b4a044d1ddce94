"""Which sensor a bone of the standard skeleton moves with, and along which of the sensor's axes it lies.

A bone is rigid with the segment that the sensor is worn on. Where several could tell, the first one present does
(ours): a shoulder moves with its blade, and failing that with the upper back.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from appliance.skeleton.standard import BONES, INDEX

PARENT = np.array([INDEX[parent] for parent, _ in BONES])
CHILD = np.array([INDEX[child] for _, child in BONES])
"""(16,) joint indices of each bone's ends, in the order of `BONES`: a tree that hangs from the pelvis."""
BONE = {child: index for index, (_, child) in enumerate(BONES)}
"""A bone's place in that order, by the name of the joint it leads to."""


@dataclass(frozen=True, slots=True)
class _Row:
    """segments: those that may tell, best first; direction: x left, y up, z front, upright with hanging arms."""

    segments: tuple[str, ...]
    direction: tuple[float, float, float]
    trunk: bool = False


_MIDLINE = {
    "spine": _Row(("lower_back", "upper_back"), (0.0, 1.0, 0.0), trunk=True),
    "thorax": _Row(("upper_back", "lower_back"), (0.0, 1.0, 0.0), trunk=True),
    "neck": _Row(("upper_back",), (0.0, 1.0, 0.0), trunk=True),
    "head": _Row(("head",), (0.0, 1.0, 0.0), trunk=True),
}
# The left side's; a {} is the side. Kinects put the thorax below the shoulders and the pelvis above the hips,
# pose networks between them: these directions lie in the middle.
_LIMBS = {
    "shoulder": _Row(("{}_shoulder_blade", "upper_back"), (0.94, 0.34, 0.0), trunk=True),
    "elbow": _Row(("{}_arm",), (0.0, -1.0, 0.0)),
    "wrist": _Row(("{}_forearm", "{}_hand"), (0.0, -1.0, 0.0)),
    "hip": _Row(("lower_back",), (0.99, -0.14, 0.0), trunk=True),
    "knee": _Row(("{}_thigh",), (0.0, -1.0, 0.0)),
    "ankle": _Row(("{}_calf",), (0.0, -1.0, 0.0)),
}


def _row(child: str) -> _Row:
    if child in _MIDLINE:
        return _MIDLINE[child]
    side, name = child.split("_")
    row, mirror = _LIMBS[name], 1.0 if side == "left" else -1.0
    x, y, z = row.direction
    return _Row(tuple(segment.format(side) for segment in row.segments), (mirror * x, y, z), row.trunk)


_ROWS = [_row(child) for _, child in BONES]

DIRECTION: NDArray[np.float64] = np.array([row.direction for row in _ROWS])
"""(16, 3) unit vectors, nearly: each bone in its segment's axes."""

OF_TRUNK: NDArray[np.bool_] = np.array([row.trunk for row in _ROWS])
"""(16,) bones that keep their direction while a limb moves, so that without a sensor their last one is a fair guess."""

TWIN = np.array(
    [BONE[name.replace("left_", "right_") if "left_" in name else name.replace("right_", "left_")] for _, name in BONES]
)
"""(16,) the bone on the body's other side; the midline's are themselves."""


def bones_by_segment(present: frozenset[str]) -> dict[str, list[int]]:
    """For each sensor present that tells any, the bones it tells."""
    told: dict[str, list[int]] = {}
    for bone, row in enumerate(_ROWS):
        segment = next((name for name in row.segments if name in present), None)
        if segment is not None:
            told.setdefault(segment, []).append(bone)
    return told
