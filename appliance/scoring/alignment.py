"""The balanced time warping itself: the exact minimum by dynamic programming (HS-BTW, section 4)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from appliance.scoring.band import distance_band
from appliance.scoring.corridor import corridor, settle
from appliance.scoring.panel import Numbers, flat, panel_for, whole
from appliance.scoring.search import search
from appliance.scoring.sweep import sweep, walk_back
from hal.kernels import exact_kernel

_MOST_CELLS = 8
"""Cells a frame, on average, that are settled in float64; where more are in question, the whole band is."""


@dataclass(frozen=True, slots=True)
class Alignment:
    """shifts: (n,) int64; base frame t is matched with reference frame t + shifts[t], which may lie outside.

    cost: sum_t psi_t(s_t) + sum_{t>0} lambda (s_t - s_{t-1})^2.
    """

    shifts: NDArray[np.int64]
    cost: float


def align_recordings(
    base: NDArray[np.float64],
    reference: NDArray[np.float64],
    weights: NDArray[np.float64],
    window: int,
    smoothness: float,
) -> Alignment:
    """As `align` with `distance_band` of the same two, at a fraction of the time and half of the memory.

    The band is searched in float32. What its rounding leaves open, a few cells a frame, is then decided in float64,
    ties included: the path is the same. Where it leaves too much open (recordings that hardly move, or of strange
    sizes), all is done in float64.

    Raises `NotScorableError` where no pair shares a joint.
    """
    frames, columns = len(base), len(reference) - len(base) + 2 * window + 1
    band = np.empty((frames, whole(columns)), np.float32)
    room = np.empty((3 + _MOST_CELLS, frames), np.int32)
    path = np.empty(frames, np.int64)
    cost = _align_quickly(
        flat(base),
        flat(reference),
        np.ascontiguousarray(weights),
        window,
        smoothness,
        panel_for(columns, weights.size, np.float32),
        band,
        room,
        path,
    )
    if cost >= 0.0:
        return Alignment(path, cost)
    del band
    return align(distance_band(base, reference, weights, window), window, smoothness, overwrite=True)


def align(band: NDArray[np.float64], window: int, smoothness: float, *, overwrite: bool = False) -> Alignment:
    """The shifts of least cost; a shift falls by at most one a frame, so that matches never cross (stated).

    band: (n, shifts) float64 >= 0, psi as from `distance_band`; smoothness: lambda per frame squared, >= 0. On ties the
    smaller shift wins, in the last frame and in every predecessor (ours), judged on the float64 values of
    accumulated + smoothness * jump^2, as a programme that tries every predecessor would.

    overwrite: the band may be lost; nothing else of its size is needed then.
    """
    accumulated = np.ascontiguousarray(band) if overwrite else np.array(band, np.float64, order="C")
    reach = np.empty(len(band), np.int64)
    sweep(accumulated, smoothness, reach)
    columns = np.empty(len(band), np.int64)
    cost = walk_back(accumulated, smoothness, reach, columns)
    return Alignment(columns - window, float(cost))


@exact_kernel
def _align_quickly(
    base: NDArray[np.float64],
    reference: NDArray[np.float64],
    weights: NDArray[np.float64],
    window: int,
    smoothness: float,
    panel: Numbers,
    band: NDArray[np.float32],
    room: NDArray[np.int32],
    path: NDArray[np.int64],
) -> float:
    """Fills `path` with shifts and returns their cost, -1 where float32 leaves too much open.

    base, reference: (frames, coordinates); weights: (joints, coordinates of each); room: three rows and one for each
    cell a frame that may be settled.
    """
    reach, first, last = room[0], room[1], room[2]
    off = search(base, reference, weights, window, smoothness, panel, band, reach)
    back = room[3:].reshape(room[3:].size)
    columns = len(reference) - len(base) + 2 * window + 1
    if np.isinf(off) or corridor(band, columns, smoothness, reach, off, len(back), first, last) > len(back):
        return -1.0
    cost = settle(base, reference, weights, window, smoothness, first, last, back, path)
    for t in range(len(path)):
        path[t] -= window
    return cost
