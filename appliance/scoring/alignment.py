"""The balanced time warping itself: the exact minimum by dynamic programming (HS-BTW, section 4)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from appliance.scoring.sweep import sweep, walk_back


@dataclass(frozen=True, slots=True)
class Alignment:
    """shifts: (n,) int64; base frame t is matched with reference frame t + shifts[t], which may lie outside.

    cost: sum_t psi_t(s_t) + sum_{t>0} lambda (s_t - s_{t-1})^2.
    """

    shifts: NDArray[np.int64]
    cost: float


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
