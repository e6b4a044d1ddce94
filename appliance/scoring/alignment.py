"""The balanced time warping itself: the exact minimum by dynamic programming (HS-BTW, section 4)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from appliance.scoring.kernels import kernel


@dataclass(frozen=True, slots=True)
class Alignment:
    """shifts: (n,) int64; base frame t is matched with reference frame t + shifts[t], which may lie outside.

    cost: sum_t psi_t(s_t) + sum_{t>0} lambda (s_t - s_{t-1})^2.
    """

    shifts: NDArray[np.int64]
    cost: float


def align(band: NDArray[np.float64], window: int, smoothness: float) -> Alignment:
    """The shifts of least cost; a shift falls by at most one a frame, so that matches never cross (stated).

    band: (n, shifts) float64, psi as from `distance_band`; smoothness: lambda per frame squared, >= 0. On ties the
    smaller shift wins, in the last frame and in every predecessor (ours), judged on the float64 values of
    accumulated + smoothness * jump^2, as a programme that tries every predecessor would.
    """
    predecessors = np.empty(band.shape, np.int32)
    accumulated = band[0].copy()
    _accumulate(band, smoothness, accumulated, predecessors)
    column = int(np.argmin(accumulated))
    cost = float(accumulated[column])
    shifts = np.empty(len(band), np.int64)
    for t in range(len(band) - 1, -1, -1):
        shifts[t] = column - window
        column = int(predecessors[t, column])
    return Alignment(shifts, cost)


@kernel
def _through(accumulated: NDArray[np.float64], smoothness: float, a: int, s: int) -> float:
    """The cost of arriving at column s from column a."""
    jump = float(s - a)
    cost: float = accumulated[a] + smoothness * (jump * jump)
    return cost


@kernel
def _takeover(accumulated: NDArray[np.float64], smoothness: float, a: int, b: int) -> int:
    """The first column, from b - 1 on, that is reached more cheaply from b than from a < b.

    The gain of b over a grows by 2 smoothness (b - a) with each column, so there is one such column and b wins from
    there on. The division finds it but for rounding; comparing the very sums that the minimum compares settles it.
    """
    columns = len(accumulated)
    if smoothness == 0.0:
        return b - 1 if accumulated[b] < accumulated[a] else columns
    crossing = 0.5 * (a + b) + (accumulated[b] - accumulated[a]) / (2.0 * smoothness * (b - a))
    if crossing >= columns:
        return columns
    column = int(max(np.floor(crossing), b - 1.0))
    while column < columns and not (
        _through(accumulated, smoothness, b, column) < _through(accumulated, smoothness, a, column)
    ):
        column += 1
    return column


@kernel
def _accumulate(
    band: NDArray[np.float64],
    smoothness: float,
    accumulated: NDArray[np.float64],
    predecessors: NDArray[np.int32],
) -> None:
    """Runs the programme over all frames: each step a minimum with a convex jump cost, in O(columns).

    `queue` holds the predecessors that can still win, in order, and `since` the column from which each beats the one
    before it. Column s admits the predecessors up to s + 1, so number s + 1 joins the queue just before s is answered.
    (A lower envelope, after Felzenszwalb & Huttenlocher 2012, run along with the admission.)
    """
    frames, columns = band.shape
    queue = np.empty(columns, np.int64)
    since = np.empty(columns, np.int64)
    reached = np.empty(columns)
    for s in range(columns):
        predecessors[0, s] = s
    for t in range(1, frames):
        first, last = 0, 0
        queue[0], since[0] = 0, 0
        for s in range(columns):
            b = s + 1
            if b < columns:
                start = _takeover(accumulated, smoothness, queue[last], b)
                while last > first and start <= since[last]:
                    last -= 1
                    start = _takeover(accumulated, smoothness, queue[last], b)
                if start < columns:
                    last += 1
                    queue[last], since[last] = b, start
            while first < last and since[first + 1] <= s:
                first += 1
            predecessors[t, s] = queue[first]
            reached[s] = _through(accumulated, smoothness, queue[first], s) + band[t, s]
        accumulated[:] = reached
