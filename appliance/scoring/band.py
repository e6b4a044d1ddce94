"""All distances that an alignment may ask for (HS-BTW, sections 3 and 4)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from appliance.errors import NotScorableError
from appliance.scoring.panel import Numbers, advance, fill_panel, fill_rows, find_partial, flat, mask, panel_for, whole
from appliance.scoring.tiles import LANES, ROWS, add_tile
from hal.kernels import exact_kernel, summing_kernel

TO_GRID = 1.5 * 2.0 ** (52 - 32)
"""A float64 loses all beyond the 32nd binary digit when this is added."""


def distance_band(
    base: NDArray[np.float64], reference: NDArray[np.float64], weights: NDArray[np.float64], window: int
) -> NDArray[np.float64]:
    """psi_t(s) = d(base[t], reference[clamp(t + s)]) for the shifts s of -window .. (m - n) + window.

    base: (n, joints, 3); reference: (m, joints, 3), m >= n. Returns (n, m - n + 2 window + 1) float64; column j is the
    shift j - window. A pair that shares no joint gets the mean of all pairs that do (ours): it neither draws nor
    repels the path.

    Rounded to multiples of 2^-32 (ours): frames that are alike are then equally far, whatever the order of the sums,
    and their ties are decided by section 4.

    Raises `NotScorableError` where no pair shares a joint.
    """
    frames, columns = len(base), len(reference) - len(base) + 2 * window + 1
    band = np.empty((frames, columns))
    panel = panel_for(columns, weights.size, np.float64)
    least, _ = fill(flat(base), flat(reference), weights, window, TO_GRID, panel, band)
    if least > 0.0:
        return band
    known = np.isfinite(band)
    if not known.any():
        raise NotScorableError("no frame of it shows a joint that the reference shows as well")
    return band if known.all() else np.where(known, band, band[known].mean())


@exact_kernel
def fill(
    base: NDArray[np.float64],
    reference: NDArray[np.float64],
    weights: NDArray[np.float64],
    window: int,
    grid: float,
    panel: Numbers,
    band: Numbers,
) -> tuple[float, float]:
    """Fills `band`, (n, at least as many columns as there are shifts), in its own precision.

    NaN where a pair shares no joint; what is beyond the shifts is finite otherwise and means nothing.

    base, reference: (frames, coordinates), NaN where not seen; weights: (joints, coordinates of each); grid: is added
    and taken off again. Returns the least weight that a pair shares, where joints are missing, and the greatest length
    of a frame of the base, whose origin is the reference's middle frame.
    """
    partial = np.zeros(len(weights), np.bool_)
    least, longest = _fill_with(partial, False, base, reference, weights, window, grid, panel, band)
    if np.isnan(longest):
        size = weights.shape[1]
        find_partial(base, size, partial)
        find_partial(reference, size, partial)
        least, longest = _fill_with(partial, True, base, reference, weights, window, grid, panel, band)
    return least, longest


@exact_kernel
def _fill_with(
    partial: NDArray[np.bool_],
    known: bool,
    base: NDArray[np.float64],
    reference: NDArray[np.float64],
    weights: NDArray[np.float64],
    window: int,
    grid: float,
    panel: Numbers,
    band: Numbers,
) -> tuple[float, float]:
    """As `fill`, where no joint but the `partial` ones, (joints,), is ever missing.

    Where that is not known, and a joint is missing after all, it stops and returns NaN: looking while the numbers are
    at hand is quicker than looking before.
    """
    frames, columns = len(base), len(reference) - len(base) + 2 * window + 1
    scale = np.sqrt(weights).ravel()
    origin = reference[len(reference) // 2].copy()
    origin[np.isnan(origin)] = 0.0
    masked, joints = partial.any(), len(partial)
    width = whole(columns + ROWS - 1)
    step = panel.shape[1] - width
    rows = np.empty((ROWS, len(scale)), panel.dtype)
    # One row more than tiles have, because the last ones are read a little beyond their ends.
    squares = np.zeros((ROWS + 1, width), panel.dtype)
    cells = squares.reshape(squares.size)
    rows_seen = np.empty((joints if masked else 0, ROWS), panel.dtype)
    panel_seen = np.empty((joints if masked else 0, panel.shape[1]), panel.dtype)
    part, shared = np.empty_like(squares), np.empty_like(squares)
    to_grid = band.dtype.type(grid)
    least, longest = np.inf, 0.0
    for t in range(0, frames, ROWS):
        column = t % step
        if column == 0:
            kept = width if t > 0 else 0
            advance(panel, step, kept)
            fill_panel(reference, t - window, kept, origin, scale, panel)
            if masked:
                advance(panel_seen, step, kept)
                mask(panel, kept, partial, panel_seen)
            elif not known and np.isnan(_sum(panel.reshape(panel.size))):
                return np.nan, np.nan
        fill_rows(base, t, origin, scale, rows)
        if masked:
            mask(rows.T, 0, partial, rows_seen)
            least = min(
                least,
                _masked_squares(rows, rows_seen, panel, panel_seen, column, weights, partial, part, shared, squares),
            )
        else:
            _add(rows, panel, column, 0, len(scale), squares)
        length = _longest(rows)
        if not known and np.isnan(length):
            return np.nan, np.nan
        longest = max(longest, length)
        for i in range(min(ROWS, frames - t)):
            row, out = cells[i * (width + 1) :], band[t + i]
            for c in range(len(out)):
                out[c] = (np.sqrt(row[c]) + to_grid) - to_grid
    return least, np.sqrt(longest)


@exact_kernel
def _add(rows: Numbers, panel: Numbers, column: int, first: int, last: int, out: Numbers) -> None:
    for left in range(0, out.shape[1], LANES):
        add_tile(rows, panel, column + left, first, last, out, left)


@exact_kernel
def _masked_squares(
    rows: Numbers,
    rows_seen: Numbers,
    panel: Numbers,
    panel_seen: Numbers,
    column: int,
    weights: NDArray[np.float64],
    partial: NDArray[np.bool_],
    part: Numbers,
    shared: Numbers,
    squares: Numbers,
) -> float:
    """The squares over the joints that both show, divided by the weight of those; returns the least such weight."""
    joints, size = weights.shape
    always, first = 0.0, 0
    shared[:] = 0.0
    for j in range(joints):
        weight = weights[j].sum()
        if not partial[j]:
            always += weight
            continue
        _add(rows, panel, column, first, j * size, squares)
        part[:] = 0.0
        first = (j + 1) * size
        _add(rows, panel, column, j * size, first, part)
        for i in range(ROWS):
            if rows_seen[j, i]:
                for c in range(squares.shape[1]):
                    squares[i, c] += panel_seen[j, column + c] * part[i, c]
                    shared[i, c] += panel_seen[j, column + c] * weight
    _add(rows, panel, column, first, joints * size, squares)
    least = np.inf
    for i in range(ROWS):
        for c in range(squares.shape[1]):
            weight = shared[i, c] + always
            squares[i, c] = squares[i, c] / weight
            least = min(least, weight)
    return least


@summing_kernel
def _longest(rows: Numbers) -> float:
    """The greatest squared length; NaN where there is a NaN."""
    longest, total = 0.0, 0.0
    for i in range(ROWS):
        length = rows[i, 0] * rows[i, 0]
        for k in range(1, rows.shape[1]):
            length += rows[i, k] * rows[i, k]
        longest = max(longest, float(length))
        total += length
    return np.nan if np.isnan(total) else longest


@summing_kernel
def _sum(values: Numbers) -> Any:
    total = values.dtype.type(0.0)
    for i in range(len(values)):
        total += values[i]
    return total
