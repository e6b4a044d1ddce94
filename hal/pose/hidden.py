"""Joints that the body itself hides: what is seen where they are is another part of it. Ours.

Two parts of a body cannot be in one place, and a bone does not shrink. Where depth puts the far leg of somebody who
lies on the near one, or the shoulder beside the hand that is stretched out before it, it is the near one that is seen;
which is the near one, the network's relative distances tell.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from hal.kernels import kernel
from hal.pose.limbs import ANKLES, BONES, ELBOWS, HIPS, KNEES, KNUCKLES, SHOULDERS, WRISTS

Floats = NDArray[np.float64]

_BONES: Final = np.array([(a, b) for a, b, _ in BONES])
_LENGTHS_M: Final = np.array([length for *_, length in BONES])
_TOO_SHORT: Final = 0.75
"""Of a bone's usual length in a body of that size: people differ by a tenth, landmarks 5 px off at 3 m by another."""
_LIMBS_APART_M: Final = 0.07
"""The least between a joint of an arm or a leg and the axis of the limb on the other side: less than two radii."""
_TRUNK_APART_M: Final = 0.10
"""And of an arm's joint and the trunk's side, from shoulder to hip."""
_FARTHER_M: Final = 0.06
_BEHIND_TRUNK_M: Final = 0.08
"""How much farther the network must say the hidden one is; it errs by 5 cm, and hands do rest on hips."""
_OPPOSITE: Final = np.array(
    [(joint[side], start[1 - side], end[1 - side])
     for upper, middle, lower in ((SHOULDERS, ELBOWS, WRISTS), (HIPS, KNEES, ANKLES)) for side in (0, 1)
     for joint in (middle, lower) for start, end in ((upper, middle), (middle, lower))]
)  # fmt: skip
"""Each elbow, wrist, knee and ankle with the two ends of each limb of the other arm or leg."""
_ARM_AND_TRUNK: Final = np.array(
    [(joint, SHOULDERS[side], HIPS[side]) for joint in (*ELBOWS, *WRISTS) for side in (0, 1)]
)

_END_ON: Final = np.array(
    [(SHOULDERS[side], ELBOWS[side], WRISTS[side]) for side in (0, 1)]
    + [(ELBOWS[side], WRISTS[side], KNUCKLES[side]) for side in (0, 1)]
    + [(WRISTS[side], KNUCKLES[side], KNUCKLES[side]) for side in (0, 1)]
)
"""What of its own arm covers a joint when the arm points at the camera."""
_END_ON_RADII_M: Final = np.repeat([0.05, 0.04, 0.03], 2)


def behind_own_body(
    positions: Floats, network: Floats, measured: NDArray[np.bool_], pixels: Floats, focal: float
) -> NDArray[np.bool_]:
    """(33,) whether what was measured of a joint belongs to a nearer part of the body.

    positions: (33, 3) metres, as measured. network: (33,) the network's distances, metres, any origin. pixels: (33, 2).
    """
    behind = np.zeros(33, np.bool_)
    _find(positions, network, measured, behind)
    _by_own_arm(pixels, positions[:, 2] / focal, network, measured, behind)
    return behind


@kernel
def _find(positions: Floats, network: Floats, measured: NDArray[np.bool_], behind: NDArray[np.bool_]) -> None:
    size = _size(positions, measured)
    for bone in range(len(_BONES)):
        near, far = _BONES[bone, 0], _BONES[bone, 1]
        if network[near] > network[far]:
            near, far = far, near
        length = np.sqrt(np.sum((positions[near] - positions[far]) ** 2))
        too_short = measured[near] and measured[far] and length < _TOO_SHORT * size * _LENGTHS_M[bone]
        if too_short and network[far] > network[near] + _FARTHER_M:
            behind[far] = True
    _in_one_place(_OPPOSITE, _LIMBS_APART_M, _FARTHER_M, positions, network, measured, behind)
    _in_one_place(_ARM_AND_TRUNK, _TRUNK_APART_M, _BEHIND_TRUNK_M, positions, network, measured, behind)


@kernel
def _size(positions: Floats, measured: NDArray[np.bool_]) -> float:
    """The body's by an adult's: the median of its bones' lengths, at most 1, since the near ends' errors lengthen."""
    ratios, count = np.empty(len(_BONES)), 0
    for bone in range(len(_BONES)):
        a, b = _BONES[bone, 0], _BONES[bone, 1]
        if measured[a] and measured[b]:
            ratios[count] = np.sqrt(np.sum((positions[a] - positions[b]) ** 2)) / _LENGTHS_M[bone]
            count += 1
    return min(1.0, float(np.median(ratios[:count]))) if count else 1.0


@kernel
def _in_one_place(
    rows: NDArray[np.int64],
    apart: float,
    farther: float,
    positions: Floats,
    network: Floats,
    measured: NDArray[np.bool_],
    behind: NDArray[np.bool_],
) -> None:
    """Marks the joints of the rows (joint, a, b) measured less than `apart` from the bone a-b, yet `farther` away."""
    for row in range(len(rows)):
        joint, a, b = rows[row, 0], rows[row, 1], rows[row, 2]
        if not (measured[joint] and measured[a] and measured[b]):
            continue
        share, off = _nearest(positions[joint], positions[a], positions[b])
        bone = network[a] + share * (network[b] - network[a])
        if off < apart and network[joint] > bone + farther:
            behind[joint] = True


@kernel
def _by_own_arm(
    pixels: Floats, metres_per_px: Floats, network: Floats, measured: NDArray[np.bool_], behind: NDArray[np.bool_]
) -> None:
    for row in range(len(_END_ON)):
        joint, a, b = _END_ON[row, 0], _END_ON[row, 1], _END_ON[row, 2]
        if not measured[joint]:
            continue
        share, off = _nearest(pixels[joint], pixels[a], pixels[b])
        off *= metres_per_px[joint]
        if off < _END_ON_RADII_M[row] and network[joint] > network[a] + share * (network[b] - network[a]) + _FARTHER_M:
            behind[joint] = True


@kernel
def _nearest(point: Floats, a: Floats, b: Floats) -> tuple[float, float]:
    """The share of the way from a to b nearest to the point, and how far off it is."""
    along, beside = b - a, point - a
    share = min(1.0, max(0.0, np.sum(beside * along) / max(np.sum(along * along), 1e-6)))
    return share, float(np.sqrt(np.sum((beside - share * along) ** 2)))
