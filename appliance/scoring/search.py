"""A quick search for the alignment, in float32, that knows how far off it can be."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from appliance.scoring.band import fill
from appliance.scoring.vectors import arrive, keep, rise
from hal.kernels import exact_kernel

Row = NDArray[np.float32]

MOST_TRIED = 48
"""Jumps tried; where larger ones can be of use, the search gives up."""
_TOGETHER = 4
"""Jumps tried in one pass over the row."""
_LEFT = MOST_TRIED + _TOGETHER
_FAR = np.float32(1e30)
_UNIT = 2.0**-24
"""What a float32 is rounded by, relatively, at most."""
_SIZES = 1e-9, 1e9
"""Distances and smoothness between these neither vanish nor overflow."""
_LIGHTEST = 1e-3
"""Share of the weight; where pairs share less, the search gives up."""
_EXACT = 0.01
"""Units by which the exact programme itself is off: its distances lie on a grid."""
_SLACK = 1.1
"""More than the products of roundings add to their sum."""


@exact_kernel
def search(
    base: NDArray[np.float64],
    reference: NDArray[np.float64],
    weights: NDArray[np.float64],
    window: int,
    smoothness: float,
    panel: Row,
    band: Row,
    reach: NDArray[np.int32],
) -> float:
    """Fills `band` with the least cost of arriving at each cell, less a constant of each row's own, and `reach` as
    `appliance.scoring.sweep.sweep`.

    band: (n, `whole` tiles of columns); panel: from `panel_for`. Returns by how much the difference in cost of two
    paths can be off: each cell's number is the least cost of an exact programme whose distance there is off by the
    rounding of that distance and of the few sums that led to the number (ours). Infinite where the search gives up.
    """
    frames, columns = len(base), len(reference) - len(base) + 2 * window + 1
    if not _SIZES[0] < smoothness < _SIZES[1]:
        return np.inf
    lightest, longest = fill(base, reference, weights, window, 0.0, panel, band)
    if not (lightest > _LIGHTEST and longest < _SIZES[1]):
        return np.inf
    width, cells = band.shape[1], band.reshape(band.size)
    # Nobody comes from left of the first column, and from right of the last nobody who would not rather stay.
    before, here = np.full(_LEFT + width + 1, _FAR), np.full(_LEFT + width + 1, _FAR)
    before[_LEFT : _LEFT + width] = band[0]
    farthest, greatest = band[0].copy(), band[0].copy()
    step, level = np.float32(smoothness), band[0, columns // 2]
    near = _costs(step, 1)
    highest, farthest_jump = level, 1
    for t in range(1, frames):
        before[_LEFT + columns :] = before[_LEFT + columns - 1]
        start = t * width
        steepest = arrive(before, _LEFT, step, near, cells, start, width, level, here)
        tried = 0.5 * (float(steepest) * (1.0 + 1e-6) / smoothness + 1.0)
        if not tried < MOST_TRIED:
            return np.inf
        reach[t] = min(int(tried) + 1, columns - 1)
        for jump in range(1 + _TOGETHER, reach[t] + 1, _TOGETHER):
            rise(before, _LEFT, jump, _costs(step, jump), cells, start, width, level, here)
        keep(here, _LEFT, cells, start, width, farthest, greatest)
        before, here = here, before
        highest, farthest_jump = max(highest, abs(level)), max(farthest_jump, reach[t])
        level = before[_LEFT + columns // 2]
    distance, top = float(farthest[:columns].max()), float(greatest[:columns].max())
    # Roundings of a frame, in units: of positions, of the distance from them, of jump, level and sum, of float64.
    terms = 0.5 * len(panel) + (5.0 if np.isinf(lightest) else 25.0)
    off = (2.0 * longest + distance) / np.sqrt(min(lightest, 1.0)) + terms * distance
    off += 2.0 * smoothness * farthest_jump**2 + 2.0 * top + distance + highest + _EXACT
    return float(2.0 * _SLACK * _UNIT * frames * off)


@exact_kernel
def _costs(step: np.float32, jump: int) -> tuple[np.float32, np.float32, np.float32, np.float32]:
    """Of the jumps `jump` .. `jump` + 3."""
    return (
        step * np.float32(jump * jump),
        step * np.float32((jump + 1) * (jump + 1)),
        step * np.float32((jump + 2) * (jump + 2)),
        step * np.float32((jump + 3) * (jump + 3)),
    )
