"""The loops that find a limb's axis in the depth across it. Ours. Arrays and units as in `lift_kernels`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hal.kernels import kernel

_STATIONS = 9
_FEWEST = 4
_STEEPEST = 0.5
"""Sine of the angle between limb and line of sight; below it, what is seen is the limb's end rather than its side."""


@kernel
def limb_axis(
    depth: NDArray[np.uint16],
    a: NDArray[np.float64],
    b: NDArray[np.float64],
    range_a: float,
    range_b: float,
    radius: float,
    focal: float,
    axis: NDArray[np.float64],
) -> bool:
    """Where the axis of the limb from `a` to `b` runs; whether it was found. axis: (2, 2), filled, a row an end: how
    far the limb's middle lies across the bone, pixels, and how far away it is, metres.

    range_a, range_b: of the skin. At stations along the bone the limb's two edges are looked for: where depth leaves
    what a limb of that radius spans. A station counts if the limb is as wide there as such a limb can be; its axis lies
    half its own width behind its skin, so that a thick thigh's is deeper than a thin one's.
    """
    dx, dy = b[0] - a[0], b[1] - a[1]
    length = np.sqrt(dx * dx + dy * dy)
    if length < 12:
        return False
    nx, ny = -dy / length, dx / length
    count = 0
    ts, offs = np.empty(_STATIONS), np.empty(_STATIONS)
    skins, halves = np.empty(_STATIONS), np.empty(_STATIONS)
    for station in range(_STATIONS):
        t = 0.12 + 0.76 * station / (_STATIONS - 1)
        x, y = a[0] + t * dx, a[1] + t * dy
        away = range_a + t * (range_b - range_a)
        width = radius * focal / away
        found, middle, wide = limb_across(depth, x, y, nx, ny, away, radius, width)
        if found:
            skin = _skin(depth, x + middle * nx, y + middle * ny, nx, ny, 0.3 * wide / 2, away, radius)
            if skin > 0:
                ts[count], offs[count], skins[count], halves[count] = t, middle, skin, wide / 2 * skin / focal
                count += 1
    if count < _FEWEST:
        return False
    slope, base = _robust_line(ts[:count], offs[:count])
    axis[0, 0], axis[1, 0] = base, base + slope
    # A line in space is a line in 1 / z along its picture.
    slope, base = _robust_line(ts[:count], 1 / skins[:count])
    sine = _across_sight(length / focal, 1 / base, 1 / (base + slope))
    if sine < _STEEPEST:
        axis[:, 1] = 0
        return True
    slope, base = _robust_line(ts[:count], 1 / (skins[:count] + halves[:count] / sine))
    axis[0, 1], axis[1, 1] = 1 / base, 1 / (base + slope)
    return True


@kernel
def _across_sight(spread: float, start: float, end: float) -> float:
    """Sine of the angle between the line of sight and a bone whose ends, `spread` apart in the picture (over the focal
    length), are `start` and `end` metres away."""
    across = spread * (start + end) / 2
    return float(across / np.sqrt(across * across + (end - start) ** 2))


@kernel
def _skin(
    depth: NDArray[np.uint16], x: float, y: float, nx: float, ny: float, half: float, away: float, radius: float
) -> float:
    """Mean distance of the limb's pixels within `half` of its middle and one step along it; 0 where there are none."""
    total, count = 0.0, 0
    reach = int(half)
    for along in range(-1, 2):
        for across in range(-reach, reach + 1):
            u, v = x + across * nx + along * ny, y + across * ny - along * nx
            if _on_limb(depth, u, v, away, radius):
                total += depth[int(v + 0.5), int(u + 0.5)]
                count += 1
    return total * 0.001 / count if count else 0.0


@kernel
def limb_across(
    depth: NDArray[np.uint16], x: float, y: float, nx: float, ny: float, away: float, radius: float, width: float
) -> tuple[bool, float, float]:
    """Whether the limb's two edges were found along the normal through (x, y), its middle and its width, pixels.

    `away` is its skin's distance, `radius` and `width` (pixels) those of a usual limb; it may be thinner or fatter.
    """
    reach = int(3.5 * width + 10)
    nearest = 0
    found = False
    # The limb's pixel closest to the bone: the landmark's error may have put the bone beside the limb.
    for step in range(int(width + 10)):
        for sign in (1, -1):
            if not found and _on_limb(depth, x + sign * step * nx, y + sign * step * ny, away, radius):
                nearest, found = sign * step, True
    if not found:
        return False, 0.0, 0.0
    edges = np.zeros(2)
    for side in range(2):
        sign = 1 if side == 0 else -1
        missed, edge = 0, nearest
        for step in range(1, reach):
            at = nearest + sign * step
            if _on_limb(depth, x + at * nx, y + at * ny, away, radius):
                missed, edge = 0, at
            else:
                missed += 1
                if missed > 2:
                    break
        else:
            return False, 0.0, 0.0
        edges[side] = edge
    wide = edges[0] - edges[1] + 1
    if not 1.1 * width < wide < 3.0 * width + 2:
        return False, 0.0, 0.0
    return True, (edges[0] + edges[1]) / 2, wide


@kernel
def _on_limb(depth: NDArray[np.uint16], x: float, y: float, away: float, radius: float) -> bool:
    column, row = int(x + 0.5), int(y + 0.5)
    if not (0 <= column < depth.shape[1] and 0 <= row < depth.shape[0]):
        return False
    beyond = depth[row, column] * 0.001 - away
    return bool(depth[row, column] > 0 and -0.04 < beyond < radius + 0.03)


@kernel
def _robust_line(ts: NDArray[np.float64], values: NDArray[np.float64]) -> tuple[float, float]:
    """Slope and value at t = 0 by the medians of Theil and Sen; a few wrong stations do not turn it."""
    slopes = np.empty(ts.size * (ts.size - 1) // 2)
    place = 0
    for i in range(ts.size):
        for j in range(i):
            slopes[place] = (values[i] - values[j]) / (ts[i] - ts[j])
            place += 1
    slope = float(np.median(slopes))
    return slope, float(np.median(values - slope * ts))
