"""Frames brought into the form in which their distances are quick: weighted, and the reference's as columns."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from appliance.scoring.columns import TOGETHER, turn
from appliance.scoring.tiles import LANES, ROWS
from hal.kernels import exact_kernel

Numbers = NDArray[Any]
"""float32 or float64, as the caller chose: compiled code serves both."""

_LEAST_ADVANCE = 64
"""Frames of the reference that are brought into columns together, at least."""


def flat(positions: NDArray[np.float64]) -> NDArray[np.float64]:
    """(frames, joints, 3) as (frames, coordinates)."""
    return np.ascontiguousarray(positions).reshape(len(positions), -1)


def panel_for(columns: int, coordinates: int, dtype: type[np.floating[Any]]) -> Numbers:
    """Room for those frames of the reference that are in use together, as columns."""
    return np.empty((coordinates, whole(columns + ROWS - 1) + max(whole(columns), _LEAST_ADVANCE)), dtype)


@exact_kernel
def whole(columns: int) -> int:
    """As many columns in whole tiles."""
    return -(-columns // LANES) * LANES


@exact_kernel
def fill_rows(
    base: NDArray[np.float64], t: int, origin: NDArray[np.float64], scale: NDArray[np.float64], rows: Numbers
) -> None:
    """The base's frames from t on, its last one repeated."""
    for i in range(ROWS):
        u = min(t + i, len(base) - 1)
        for k in range(len(scale)):
            rows[i, k] = (base[u, k] - origin[k]) * scale[k]


@exact_kernel
def advance(panel: Numbers, by: int, kept: int) -> None:
    for k in range(len(panel)):
        for c in range(kept):
            panel[k, c] = panel[k, by + c]


@exact_kernel
def fill_panel(
    reference: NDArray[np.float64],
    first: int,
    begin: int,
    origin: NDArray[np.float64],
    scale: NDArray[np.float64],
    panel: Numbers,
) -> None:
    """From column `begin` on, where column c is the reference's frame first + c, or the nearest that there is."""
    last, coordinates = len(reference) - 1, len(scale)
    whole_fours = coordinates // TOGETHER * TOGETHER
    beyond = np.empty((LANES, coordinates))
    # The panel's width and `begin` are of whole tiles.
    for c in range(begin, panel.shape[1], LANES):
        frames, u = reference, first + c
        if u < 0 or u + LANES > len(reference):
            for i in range(LANES):
                beyond[i] = reference[min(max(u + i, 0), last)]
            frames, u = beyond, 0
        if coordinates < TOGETHER:
            for i in range(LANES):
                for k in range(coordinates):
                    panel[k, c + i] = (frames[u + i, k] - origin[k]) * scale[k]
        else:
            turn(frames, u, origin, scale, 0, whole_fours, panel, c)
            if whole_fours < coordinates:
                turn(frames, u, origin, scale, coordinates - TOGETHER, coordinates, panel, c)


@exact_kernel
def mask(frames: Numbers, begin: int, partial: NDArray[np.bool_], seen: Numbers) -> None:
    """frames: (coordinates, frames), where what is not seen becomes 0; seen: (joints, frames)."""
    size = len(frames) // len(partial)
    for j in range(len(partial)):
        if partial[j]:
            for c in range(begin, frames.shape[1]):
                joint = frames[j * size : (j + 1) * size, c]
                visible = not np.isnan(joint).any()
                seen[j, c] = visible
                if not visible:
                    joint[:] = 0.0


@exact_kernel
def find_partial(positions: NDArray[np.float64], size: int, partial: NDArray[np.bool_]) -> None:
    for frame in positions:
        for k in range(len(frame)):
            if np.isnan(frame[k]):
                partial[k // size] = True
