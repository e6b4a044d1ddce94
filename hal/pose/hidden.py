"""Joints that the body itself hides: what is seen where they are is another part of it. Ours.

Two parts of a body cannot be in one place. Where depth puts the far leg of somebody who lies on the near one, it is the
near one that is seen; which is the near one, the network's relative distances tell.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from hal.kernels import kernel
from hal.pose.limbs import ANKLES, ELBOWS, HIPS, KNEES, SHOULDERS, WRISTS

Floats = NDArray[np.float64]

_PAIRS: Final = np.array([SHOULDERS, HIPS])
_APART_M: Final = np.array([0.20, 0.12])
"""Joints that the skeleton keeps apart, and the least between them that is credible."""
_LIMBS_APART_M: Final = 0.07
"""The least between a joint of an arm or a leg and the axis of the limb on the other side: less than two radii."""
_FARTHER_M: Final = 0.06
_OPPOSITE: Final = np.array(
    [(joint[side], start[1 - side], end[1 - side])
     for upper, middle, lower in ((SHOULDERS, ELBOWS, WRISTS), (HIPS, KNEES, ANKLES)) for side in (0, 1)
     for joint in (middle, lower) for start, end in ((upper, middle), (middle, lower))]
)  # fmt: skip
"""Each elbow, wrist, knee and ankle with the two ends of each limb of the other arm or leg."""


def behind_own_body(positions: Floats, network: Floats, measured: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(33,) whether what was measured of a joint belongs to a nearer part of the body.

    positions: (33, 3) metres, as measured. network: (33,) the network's distances, metres, any origin.
    """
    behind = np.zeros(33, np.bool_)
    _find(positions, network, measured, behind)
    return behind


@kernel
def _find(positions: Floats, network: Floats, measured: NDArray[np.bool_], behind: NDArray[np.bool_]) -> None:
    for pair in range(len(_PAIRS)):
        near, far = _PAIRS[pair, 0], _PAIRS[pair, 1]
        if network[near] > network[far]:
            near, far = far, near
        apart = np.sqrt(np.sum((positions[near] - positions[far]) ** 2))
        if measured[near] and measured[far] and apart < _APART_M[pair]:
            behind[far] = network[far] > network[near] + _FARTHER_M
    for row in range(len(_OPPOSITE)):
        joint, a, b = _OPPOSITE[row, 0], _OPPOSITE[row, 1], _OPPOSITE[row, 2]
        if not (measured[joint] and measured[a] and measured[b]):
            continue
        along, beside = positions[b] - positions[a], positions[joint] - positions[a]
        share = min(1.0, max(0.0, np.sum(beside * along) / max(np.sum(along * along), 1e-6)))
        off = np.sqrt(np.sum((beside - share * along) ** 2))
        limb = network[a] + share * (network[b] - network[a])
        if off < _LIMBS_APART_M and network[joint] > limb + _FARTHER_M:
            behind[joint] = True
