"""Left and right bones are equally long: what depth cannot say of a joint, where along its limb it lies. Ours.

One step of a Kalman filter: each joint gives way as far as it is uncertain, so that both sides' lengths agree. A
difference beyond what the landmarks' error explains is left alone: then one side was not measured right.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from hal.pose.limbs import ANKLES, ELBOWS, HIPS, KNEES, SHOULDERS, WRISTS

Floats = NDArray[np.float64]

_JOINTS: Final = np.array([*SHOULDERS, *ELBOWS, *WRISTS, *HIPS, *KNEES, *ANKLES])
_BONES: Final = np.array([(0, 2), (2, 4), (0, 6), (6, 8), (8, 10)])
"""Places in `_JOINTS` of the left bones' ends; the right ones' come one after."""
_UNEQUAL_M: Final = 0.01
"""Usual difference between somebody's left and right bones."""
_CREDIBLE: Final = 2.5


def with_equal_sides(positions: Floats, uncertainty: Floats, measured: NDArray[np.bool_]) -> Floats:
    """The positions (33, 3), metres, moved across the line of sight. uncertainty: (33, 2, 2) of x and y, m^2.

    Only bones whose ends are `measured` on both sides count.
    """
    places, known = positions[_JOINTS], measured[_JOINTS]
    left, right = _BONES, _BONES + 1
    usable = known[left].all(axis=1) & known[right].all(axis=1)
    bones, count = np.flatnonzero(usable), int(usable.sum())
    if not count:
        return positions
    slopes, differences = np.zeros((count, len(_JOINTS), 2)), np.zeros(count)
    for sign, ends in ((1.0, left[bones]), (-1.0, right[bones])):
        along = places[ends[:, 1]] - places[ends[:, 0]]
        length = np.linalg.norm(along, axis=1)
        differences += sign * length
        for place, direction in ((1, 1.0), (0, -1.0)):
            slopes[np.arange(count), ends[:, place]] += sign * direction * along[:, :2] / length[:, None]
    gain = np.einsum("bjx,jxy->bjy", slopes, uncertainty[_JOINTS])
    spread = np.einsum("bjx,cjx->bc", gain, slopes) + np.eye(count) * _UNEQUAL_M**2
    credible = np.abs(differences) < _CREDIBLE * np.sqrt(np.diag(spread))
    if not credible.any():
        return positions
    weights = np.linalg.solve(spread[np.ix_(credible, credible)], differences[credible])
    moved = positions.copy()
    moved[_JOINTS, :2] -= np.einsum("bjx,b->jx", gain[credible], weights)
    return moved
