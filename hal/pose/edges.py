"""Joints behind an obstacle near them: it has an edge across the limb, where depth steps; skin only slopes. Ours.

A chair's back a hand's breadth before a shin is as far away as the network's error lets the shin be. Walking along the
bone shows the step down from the obstacle to the leg: the end on its nearer side is hidden.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from hal.kernels import kernel
from hal.pose.lift_kernels import window_ranges
from hal.pose.limbs import ANKLES, LIMB_RADII_M, LIMBS

Floats = NDArray[np.float64]

_SHARES: Final[Floats] = np.linspace(0.1, 0.9, 11)
_ANKLE: Final = 0.85
_FOOT_M: Final = 0.18
"""Beyond this share of a shin the foot may be seen, which stands out so far before the ankle's skin."""
_HAS_FOOT: Final = np.isin(LIMBS[:, 1], ANKLES)
_REACH_M: Final = 0.35
_SHORTEST_PX: Final = 24.0
_END_ON: Final = 1.0
"""Tangent of the angle by which a limb may point along the line of sight; steeper, its own skin may seem to step."""
_STEP_M: Final = 0.07
"""More than mixed pixels, folds and the seam between thigh and shin give; an obstacle nearer than that costs less."""


def behind_obstacle(
    depth: NDArray[np.uint16], pixels: Floats, surface: Floats, known: NDArray[np.bool_], focal: float
) -> NDArray[np.bool_]:
    """(33,) whether a step in depth along an arm or a leg parts the joint from its neighbour behind.

    pixels: (33, 2). surface: (33,) metres, the skin seen at each landmark that is `known`.
    """
    behind = np.zeros(33, np.bool_)
    limbs = np.flatnonzero(known[LIMBS].all(axis=1))
    if not len(limbs):
        return behind
    start, end = LIMBS[limbs, 0], LIMBS[limbs, 1]
    across: Floats = np.linalg.norm(pixels[end] - pixels[start], axis=1)
    shares = _SHARES[None, :, None]
    at = (pixels[start][:, None, :] * (1.0 - shares) + pixels[end][:, None, :] * shares).reshape(-1, 2)
    away = surface[start][:, None] * (1.0 - _SHARES) + surface[end][:, None] * _SHARES
    windows = np.maximum(3.0, 0.5 * focal * LIMB_RADII_M[limbs][:, None] / away)
    ranges, counts = np.empty(at.shape[0]), np.empty((at.shape[0], 3), np.int32)
    window_ranges(depth, at, windows.ravel(), away.ravel(), _REACH_M, 0.4, ranges, counts)
    seen = np.where(counts[:, 2] >= 3, ranges, 0.0).reshape(away.shape)
    seen[:, _SHARES > _ANKLE] *= ~_HAS_FOOT[limbs, None]
    straight = (across > _SHORTEST_PX) & (
        np.abs(surface[end] - surface[start]) < _END_ON * across / focal * away.mean(axis=1)
    )
    _walk(LIMBS[limbs], _HAS_FOOT[limbs], straight, surface, seen, behind)
    return behind


@kernel
def _walk(
    limbs: NDArray[np.int32],
    has_foot: NDArray[np.bool_],
    straight: NDArray[np.bool_],
    surface: Floats,
    seen: Floats,
    behind: NDArray[np.bool_],
) -> None:
    """What is not parted by a step from a joint behind an obstacle is behind it too: limbs run from the trunk out."""
    for limb in range(len(limbs)):
        if not straight[limb]:
            continue
        a, b = limbs[limb, 0], limbs[limb, 1]
        shares, ranges = np.empty(len(_SHARES) + 2), np.empty(len(_SHARES) + 2)
        shares[0], ranges[0], count = 0.0, surface[a], 1
        for station in range(len(_SHARES)):
            if seen[limb, station] > 0:
                shares[count], ranges[count] = _SHARES[station], seen[limb, station]
                count += 1
        shares[count], ranges[count] = 1.0, surface[b]
        if count < 5:
            continue
        steps, gaps = ranges[1 : count + 1] - ranges[:count], shares[1 : count + 1] - shares[:count]
        off = steps - np.median(steps / gaps) * gaps
        if has_foot[limb] and abs(off[-1]) < _FOOT_M:
            off[-1] = 0.0
        outward = np.sum(off[np.abs(off) > _STEP_M])
        if outward > _STEP_M:
            behind[a] = True
        elif outward < -_STEP_M or behind[a]:
            behind[b] = True
