"""Joints moved onto the axes of the limbs that meet in them. Ours."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from hal.kernels import kernel
from hal.pose.limb_kernels import limb_axis
from hal.pose.limbs import ANKLES, LIMB_RADII_M, LIMBS, RADII_M, SHOULDERS

Floats = NDArray[np.float64]

LANDMARK_ERROR_PX: Final = 5.0
_AXIS_ERROR_PX: Final = 1.2
_CREDIBLE_M: Final = np.full(33, 0.12)
"""How far from where the joint's own skin puts it a limb's axis may put it: a foot stands out before an ankle, a belly
before a hip. At a shoulder nothing does, but an arm that touches the trunk may seem thicker than it is."""
_CREDIBLE_M[list(SHOULDERS)] = 0.045
_CREDIBLE_M[list(ANKLES)] = 0.22


def on_axes(
    depth: NDArray[np.uint16], pixels: Floats, surface: Floats, measured: NDArray[np.bool_], focal: float
) -> tuple[Floats, Floats, Floats]:
    """Three things: the pixels (33, 2) moved across the limbs by least squares of the landmarks' error and the axes', a
    joint at a time; how far away the limbs' axes are there, metres: (33,), the mean of those that meet, NaN where none
    does; how uncertain the pixels then are: (33, 2, 2) covariances.

    surface: (33,) metres, the skin seen at each landmark that is `measured`.
    """
    by_skin = surface + RADII_M
    moved, total, count = pixels.copy(), np.zeros(33), np.zeros(33)
    uncertainty = np.empty((33, 2, 2))
    _move(depth, pixels, surface, by_skin, measured, focal, moved, total, count, uncertainty)
    with np.errstate(invalid="ignore"):
        return moved, total / count, uncertainty


@kernel
def _move(
    depth: NDArray[np.uint16],
    pixels: Floats,
    surface: Floats,
    by_skin: Floats,
    measured: NDArray[np.bool_],
    focal: float,
    moved: Floats,
    total: Floats,
    count: Floats,
    uncertainty: Floats,
) -> None:
    own, axis = 1 / LANDMARK_ERROR_PX**2, np.empty((2, 2))
    sure = 1 / _AXIS_ERROR_PX**2
    # A joint's normal equations: xx, xy, yy and what they shall give, x, y.
    sums = np.zeros((33, 5))
    sums[:, 0] = sums[:, 2] = own
    for limb in range(len(LIMBS)):
        a, b = LIMBS[limb, 0], LIMBS[limb, 1]
        if not (measured[a] and measured[b]):
            continue
        if not limb_axis(depth, pixels[a], pixels[b], surface[a], surface[b], LIMB_RADII_M[limb], focal, axis):
            continue
        dx, dy = pixels[b, 0] - pixels[a, 0], pixels[b, 1] - pixels[a, 1]
        length = np.sqrt(dx * dx + dy * dy)
        nx, ny = -dy / length, dx / length
        for end in range(2):
            joint, offset, away = LIMBS[limb, end], axis[end, 0], axis[end, 1]
            if away > 0:
                if abs(away - by_skin[joint]) > _CREDIBLE_M[joint]:
                    continue
                total[joint] += away
                count[joint] += 1
            row = sums[joint]
            row[0] += sure * nx * nx
            row[1] += sure * nx * ny
            row[2] += sure * ny * ny
            row[3] += sure * nx * offset
            row[4] += sure * ny * offset
    for joint in range(33):
        xx, xy, yy, x, y = sums[joint]
        determinant = xx * yy - xy * xy
        moved[joint, 0] += (yy * x - xy * y) / determinant
        moved[joint, 1] += (xx * y - xy * x) / determinant
        uncertainty[joint, 0, 0], uncertainty[joint, 1, 1] = yy / determinant, xx / determinant
        uncertainty[joint, 0, 1] = uncertainty[joint, 1, 0] = -xy / determinant
