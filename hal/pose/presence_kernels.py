"""The loops of the presence gate. Ours. Arrays and units as in `lift_kernels`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hal.kernels import kernel
from hal.pose.limb_kernels import limb_across

_ACROSS = 0.65
"""Where a limb's sides are probed, in radii from its middle."""
_SAGITTA = 1 - (1 - _ACROSS**2) ** 0.5
"""How much farther away a cylinder is there, in radii."""
_STATIONS = 24


@kernel
def limb_roundness(
    depth: NDArray[np.uint16],
    a: NDArray[np.float64],
    b: NDArray[np.float64],
    range_a: float,
    range_b: float,
    radius: float,
    focal: float,
) -> float:
    """Median over stations along the bone of (sides - middle) by a cylinder's; -100 where depth is missing.

    range_a, range_b: of the joints' centres, metres. The limb's own width is used where its edges show in depth. A tilt
    to any side cancels in the mean of the two sides; what lies beside the limb instead of on it is left out.
    """
    dx, dy = b[0] - a[0], b[1] - a[1]
    length = np.sqrt(dx * dx + dy * dy)
    if length < 12:
        return -100.0
    nx, ny = -dy / length, dx / length
    values = np.empty(_STATIONS)
    count = 0
    for station in range(_STATIONS):
        t = 0.15 + 0.7 * station / (_STATIONS - 1)
        x, y = a[0] + t * dx, a[1] + t * dy
        away = range_a + t * (range_b - range_a)
        half = radius * focal / away
        found, off_axis, wide = limb_across(depth, x, y, nx, ny, away - radius, radius, half)
        if found:
            x, y, half = x + off_axis * nx, y + off_axis * ny, wide / 2
        probe = max(2.0, _ACROSS * half)
        middle = _at(depth, x, y)
        left, right = _at(depth, x - probe * nx, y - probe * ny), _at(depth, x + probe * nx, y + probe * ny)
        if middle > 0 and left > 0 and right > 0 and abs(left - middle) < 1.5 * radius > abs(right - middle):
            values[count] = ((left + right) / 2 - middle) / (_SAGITTA * half * middle / focal)
            count += 1
    if count < _STATIONS // 4:
        return -100.0
    return float(np.median(values[:count]))


@kernel
def _at(depth: NDArray[np.uint16], x: float, y: float) -> float:
    """Mean of the known depths of a 3 x 3 patch, metres; 0 where none or outside."""
    column, row = int(x + 0.5), int(y + 0.5)
    if not (1 <= column < depth.shape[1] - 1 and 1 <= row < depth.shape[0] - 1):
        return 0.0
    total, count = 0.0, 0
    for line in range(row - 1, row + 2):
        for place in range(column - 1, column + 2):
            if depth[line, place] > 0:
                total += depth[line, place]
                count += 1
    return total / count * 0.001 if count else 0.0
