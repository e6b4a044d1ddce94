"""A quick search for the alignment, in float32, that knows how far off it can be."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from appliance.scoring.band import fill
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
    width = band.shape[1]
    # Nobody comes from left of the first column, and from right of the last nobody whom it would not beat.
    padded = np.full(_LEFT + width + 1, _FAR)
    before, least = padded[_LEFT:], np.empty(width, np.float32)
    farthest, greatest = band[0].copy(), band[0].copy()
    rises = np.empty(width, np.float32)
    rise_bits = rises.view(np.int32)
    jump_cost, level = np.float32(smoothness), band[0, columns // 2]
    highest, farthest_jump = level, 1
    before[:width] = band[0]
    for t in range(1, frames):
        before[columns] = before[columns - 1]
        _step(padded[_LEFT - _TOGETHER :], jump_cost, least, rises)
        rises[columns:] = 0.0
        tried = 0.5 * (_greatest(rises, rise_bits) * (1.0 + 1e-6) / smoothness + 1.0)
        if not tried < MOST_TRIED:
            return np.inf
        reach[t] = min(int(tried) + 1, columns - 1)
        for jump in range(_TOGETHER + 1, reach[t] + 1, _TOGETHER):
            _rise(padded[_LEFT - jump - _TOGETHER + 1 :], jump_cost, jump, least)
        _arrive(least, level, band[t], before, farthest, greatest)
        highest, farthest_jump = max(highest, abs(level)), max(farthest_jump, reach[t])
        level = before[columns // 2]
    distance, top = float(farthest[:columns].max()), float(greatest[:columns].max())
    # Roundings of a frame, in units: of positions, of the distance from them, of jump, level and sum, of float64.
    terms = 0.5 * len(panel) + (5.0 if np.isinf(lightest) else 25.0)
    off = (2.0 * longest + distance) / np.sqrt(min(lightest, 1.0)) + terms * distance
    off += 2.0 * smoothness * farthest_jump**2 + 2.0 * top + distance + highest + _EXACT
    return float(2.0 * _SLACK * _UNIT * frames * off)


@exact_kernel
def _greatest(numbers: Row, bits: NDArray[np.int32]) -> float:
    """The greatest of `numbers`, 0 at least, which `bits` shows as integers: only those have a maximum in vectors.

    Overwrites the first.
    """
    greatest = np.int32(0)
    for s in range(len(bits)):
        greatest = max(greatest, bits[s])
    bits[0] = greatest
    return float(numbers[0])


@exact_kernel
def _step(before: Row, smoothness: np.float32, least: Row, rises: Row) -> None:
    """Fills `least` with the cheapest of the jumps -1 to 4, and `rises` with those from a column to the next.

    before: begins four columns left of the first.
    """
    two, three, four = np.float32(4.0) * smoothness, np.float32(9.0) * smoothness, np.float32(16.0) * smoothness
    from_4, from_3, from_2, from_1, here, after = before, before[1:], before[2:], before[3:], before[4:], before[5:]
    for s in range(len(least)):
        rises[s] = after[s] - here[s]
        fallen, by_1 = after[s] + smoothness, from_1[s] + smoothness
        by_2, by_3, by_4 = from_2[s] + two, from_3[s] + three, from_4[s] + four
        best = fallen if fallen < here[s] else here[s]
        by_1 = by_2 if by_2 < by_1 else by_1
        by_3 = by_4 if by_4 < by_3 else by_3
        by_1 = by_3 if by_3 < by_1 else by_1
        least[s] = by_1 if by_1 < best else best


@exact_kernel
def _rise(before: Row, smoothness: np.float32, jump: int, least: Row) -> None:
    """Tries the jumps `jump` .. `jump` + 3; before[3] is what a jump of `jump` starts from for the first column."""
    cost_0, cost_1 = smoothness * np.float32(jump * jump), smoothness * np.float32((jump + 1) * (jump + 1))
    cost_2 = smoothness * np.float32((jump + 2) * (jump + 2))
    cost_3 = smoothness * np.float32((jump + 3) * (jump + 3))
    from_0, from_1, from_2, from_3 = before[3:], before[2:], before[1:], before
    for s in range(len(least)):
        by_0, by_1, by_2, by_3 = from_0[s] + cost_0, from_1[s] + cost_1, from_2[s] + cost_2, from_3[s] + cost_3
        by_0 = by_1 if by_1 < by_0 else by_0
        by_2 = by_3 if by_3 < by_2 else by_2
        by_0 = by_2 if by_2 < by_0 else by_0
        least[s] = by_0 if by_0 < least[s] else least[s]


@exact_kernel
def _arrive(least: Row, level: np.float32, row: Row, before: Row, farthest: Row, greatest: Row) -> None:
    """Adds the least cost of arriving, less `level`, to the row's distances, and keeps the largest of both."""
    for s in range(len(row)):
        distance = row[s]
        cost = (distance - level) + least[s]
        size = abs(cost)
        farthest[s] = distance if distance > farthest[s] else farthest[s]
        greatest[s] = size if size > greatest[s] else greatest[s]
        row[s] = cost
        before[s] = cost
