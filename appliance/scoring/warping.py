"""Plain dynamic time warping: which frames of two people correspond, however unevenly either moves (ours).

HS-BTW's balanced warping keeps a patient near the instructor's pace. Somebody who was not paced may take ten times as
long and stop on the way; this one bends as far as it takes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hal.kernels import exact_kernel

MAX_CELLS = 1_000_000
"""Longer pairs are thinned out evenly before they are warped, which keeps time and memory small."""
_PRODUCT = 2**17
"""Multiplications in one product of matrices; of twice as many BLAS gives half to a second thread, at a higher cost."""


def stride_of(frames_a: int, frames_b: int, least: int) -> int:
    """Every how many frames are to be taken, so that the two fit into `MAX_CELLS`."""
    return max(least, int(np.ceil(np.sqrt(frames_a * frames_b / MAX_CELLS))))


def warp(a: NDArray[np.float64], b: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.int64], float]:
    """The path of least summed distance from the first frames of both to the last.

    a: (n, d), b: (m, d), finite. Returns the paired frames (k,), (k,) and the path's mean distance. A diagonal step
    costs one distance where a detour costs two, so that the path bends only where it gains by it.
    """
    distances = np.empty((len(a), len(b)))
    rows = max(1, _PRODUCT // b.size)
    for begin in range(0, len(a), rows):
        np.matmul(-2.0 * a[begin : begin + rows], b.T, out=distances[begin : begin + rows])
    distances += (a**2).sum(axis=1)[:, None]
    distances += (b**2).sum(axis=1)
    np.sqrt(np.maximum(distances, 0.0, out=distances), out=distances)
    first, second = _path(distances)
    return first, second, float(distances[first, second].mean())


@exact_kernel
def _path(distances: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    n, m = distances.shape
    cost = np.full((n + 1, m + 1), np.inf)
    cost[0, 0] = 0.0
    for i in range(n):
        for j in range(m):
            d = distances[i, j]
            cost[i + 1, j + 1] = min(cost[i, j] + d, cost[i, j + 1] + d, cost[i + 1, j] + d)
    first, second = np.empty(n + m, np.int64), np.empty(n + m, np.int64)
    i, j, count = n, m, 0
    while i > 0 and j > 0:
        first[count], second[count] = i - 1, j - 1
        count += 1
        diagonal, up, left = cost[i - 1, j - 1], cost[i - 1, j], cost[i, j - 1]
        if diagonal <= up and diagonal <= left:
            i, j = i - 1, j - 1
        elif up <= left:
            i -= 1
        else:
            j -= 1
    return first[:count][::-1].copy(), second[:count][::-1].copy()
