"""The steps of the programme over the band, each an exact minimum over all predecessors without trying them all."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hal.kernels import exact_kernel

MOST_TRIED = 48
"""Jumps up to this one are tried one by one, as vector instructions like it; beyond, the envelope is faster."""
_TOGETHER = 4
"""Jumps tried in one pass over the row."""
_LANES = 32
"""Rows are filled up to a multiple of this: loops of a fixed length become vector instructions without a remainder."""
_LEFT = MOST_TRIED + _TOGETHER
_ROUNDING = 1.0 + 1e-11
"""More than sums of this programme can be off by."""


@exact_kernel
def sweep(band: NDArray[np.float64], smoothness: float, reach: NDArray[np.int64]) -> None:
    """Turns psi into the least cost of arriving at each cell, in place.

    band: (frames, columns); reach: (frames,) is filled with the largest jump that can be of use on the way into each
    frame. A step is a minimum with a convex jump cost (section 4). Where a jump of j beats one of j - 1, the row before
    rises by more than smoothness (2j - 1) from that predecessor to the next, as gamma does between the two jumps:
    hence the steepest rise of a row bounds its useful jumps, however large the costs are (ours).
    """
    frames, columns = band.shape
    width = -(-columns // _LANES) * _LANES
    # The row before, with no way in from the left; on the right what never looks like a rise.
    padded = np.full(_LEFT + width + 1, -np.inf)
    padded[:_LEFT] = np.inf
    before = padded[_LEFT:]
    least = np.empty(width)
    rises = np.empty(_LANES)
    queue = np.empty(columns, np.int64)
    since = np.empty(columns, np.int64)
    before[:columns] = band[0]
    reach[0] = 0
    for t in range(1, frames):
        steepest = _stay_or_fall(before, smoothness, least, rises)
        least[columns - 1] = before[columns - 1]
        tried = 0.5 * (steepest / smoothness + 1.0) if smoothness > 0.0 else np.inf
        if tried < MOST_TRIED:
            reach[t] = min(int(tried) + 1, columns - 1)
            for jump in range(1, reach[t] + 1, _TOGETHER):
                _rise(padded[_LEFT - jump - _TOGETHER + 1 :], smoothness, jump, least)
        else:
            reach[t] = columns - 1
            _envelope(before[:columns], smoothness, queue, since, least)
        row = band[t]
        for s in range(columns):
            cost = row[s] + least[s]
            row[s] = cost
            before[s] = cost


@exact_kernel
def walk_back(
    accumulated: NDArray[np.float64], smoothness: float, reach: NDArray[np.int64], path: NDArray[np.int64]
) -> float:
    """Fills path, (frames,), with the cheapest columns, the smaller on ties, and returns their cost.

    accumulated, reach: as `sweep` leaves them.
    """
    frames, columns = accumulated.shape
    column = int(np.argmin(accumulated[frames - 1]))
    least: float = accumulated[frames - 1, column]
    for t in range(frames - 1, 0, -1):
        path[t] = column
        row = accumulated[t - 1]
        best = np.inf
        for a in range(max(path[t] - reach[t], 0), min(path[t] + 2, columns)):
            cost = _through(row, smoothness, a, path[t])
            if cost < best:
                best, column = cost, a
    path[0] = column
    return least


@exact_kernel
def _through(before: NDArray[np.float64], smoothness: float, a: int, s: int) -> float:
    """The cost of arriving at column s from column a."""
    jump = float(s - a)
    cost: float = before[a] + smoothness * (jump * jump)
    return cost


@exact_kernel
def _stay_or_fall(
    before: NDArray[np.float64], smoothness: float, least: NDArray[np.float64], rises: NDArray[np.float64]
) -> float:
    """Fills `least` with the cheaper of the jumps 0 and -1, and returns the steepest rise from a column to the next."""
    rises[:] = 0.0
    for begin in range(0, len(least), _LANES):
        here, after, out = before[begin:], before[begin + 1 :], least[begin:]
        for i in range(_LANES):
            fallen = after[i] + smoothness
            out[i] = fallen if fallen < here[i] else here[i]
            rise = after[i] * _ROUNDING - here[i]
            rises[i] = rise if rise > rises[i] else rises[i]
    steepest = 0.0
    for i in range(_LANES):
        steepest = max(steepest, rises[i])
    return steepest


@exact_kernel
def _rise(before: NDArray[np.float64], smoothness: float, jump: int, least: NDArray[np.float64]) -> None:
    """Tries the jumps `jump` .. `jump` + 3; before[3] is what a jump of `jump` starts from for the first column."""
    cost_0, cost_1 = smoothness * (jump * jump), smoothness * ((jump + 1) * (jump + 1))
    cost_2, cost_3 = smoothness * ((jump + 2) * (jump + 2)), smoothness * ((jump + 3) * (jump + 3))
    from_0, from_1, from_2, from_3 = before[3:], before[2:], before[1:], before
    for i in range(len(least)):
        by_0, by_1, by_2, by_3 = from_0[i] + cost_0, from_1[i] + cost_1, from_2[i] + cost_2, from_3[i] + cost_3
        # Written out: `min` would also look for NaN, which no vector instruction does.
        by_0 = by_1 if by_1 < by_0 else by_0
        by_2 = by_3 if by_3 < by_2 else by_2
        by_0 = by_2 if by_2 < by_0 else by_0
        least[i] = by_0 if by_0 < least[i] else least[i]


@exact_kernel
def _envelope(
    before: NDArray[np.float64],
    smoothness: float,
    queue: NDArray[np.int64],
    since: NDArray[np.int64],
    least: NDArray[np.float64],
) -> None:
    """Fills `least` in O(columns), whatever the jumps (a lower envelope, after Felzenszwalb & Huttenlocher 2012).

    `queue` holds the predecessors that can still win, in order, and `since` the column from which each beats the one
    before it. Column s admits the predecessors up to s + 1, so number s + 1 joins the queue just before s is answered.
    """
    columns = len(before)
    first, last = 0, 0
    queue[0], since[0] = 0, 0
    for s in range(columns):
        b = s + 1
        if b < columns:
            start = _takeover(before, smoothness, queue[last], b)
            while last > first and start <= since[last]:
                last -= 1
                start = _takeover(before, smoothness, queue[last], b)
            if start < columns:
                last += 1
                queue[last], since[last] = b, start
        while first < last and since[first + 1] <= s:
            first += 1
        least[s] = _through(before, smoothness, queue[first], s)


@exact_kernel
def _takeover(before: NDArray[np.float64], smoothness: float, a: int, b: int) -> int:
    """The first column, from b - 1 on, that is reached more cheaply from b than from a < b.

    The gain of b over a grows by 2 smoothness (b - a) with each column, so there is one such column and b wins from
    there on. The division finds it but for rounding; comparing the very sums that the minimum compares settles it.
    """
    columns = len(before)
    if smoothness == 0.0:
        return b - 1 if before[b] < before[a] else columns
    crossing = 0.5 * (a + b) + (before[b] - before[a]) / (2.0 * smoothness * (b - a))
    if crossing >= columns:
        return columns
    column = int(max(np.floor(crossing), b - 1.0))
    while column < columns and not (_through(before, smoothness, b, column) < _through(before, smoothness, a, column)):
        column += 1
    return column
