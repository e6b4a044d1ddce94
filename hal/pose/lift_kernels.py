"""The loops of `lift`: a landmark's distance from the depth around it, and the middle of a limb. Ours.

Pixels are float64 (x, y), depth uint16 millimetres (0 unknown), lengths metres. Nothing passed in is NaN.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hal.kernels import kernel

BIN_M = 0.015
_GAP_BINS = 3
_STATIONS = 7


@kernel
def window_ranges(
    depth: NDArray[np.uint16],
    pixels: NDArray[np.float64],
    radii_px: NDArray[np.float64],
    expected: NDArray[np.float64],
    tolerance: float,
    share: float,
    ranges: NDArray[np.float64],
    counts: NDArray[np.int32],
) -> None:
    """For each landmark the distance that `share` of its surface in a disc round it is nearer than; 0 where none is.

    Distances within `tolerance` of `expected` are binned; bins with gaps of 4.5 cm between them are different things,
    and the one with most pixels, those near the middle counting more, is the landmark's own. counts (joints, 3): pixels
    of the disc inside the picture, nearer than the tolerance, and within it.
    """
    bins = np.empty(2 * int(tolerance / BIN_M) + 2, np.float64)
    for joint in range(pixels.shape[0]):
        bins[:] = 0
        counts[joint, :] = 0
        ranges[joint] = 0.0
        radius = radii_px[joint]
        if radius <= 0:
            continue
        x, y = pixels[joint, 0], pixels[joint, 1]
        start = expected[joint] - tolerance
        step = max(1, int(radius / 8))
        for row in range(max(0, int(y - radius)), min(depth.shape[0], int(y + radius) + 2), step):
            for column in range(max(0, int(x - radius)), min(depth.shape[1], int(x + radius) + 2), step):
                off = ((row - y) ** 2 + (column - x) ** 2) / radius**2
                if off > 1:
                    continue
                counts[joint, 0] += 1
                away = depth[row, column] * 0.001
                if away == 0:
                    continue
                place = int((away - start) / BIN_M)
                if away < start:
                    counts[joint, 1] += 1
                elif place < bins.size:
                    counts[joint, 2] += 1
                    bins[place] += 1.25 - off
        ranges[joint] = _quantile(bins, start, share)


@kernel
def _quantile(bins: NDArray[np.float64], start: float, share: float) -> float:
    """Where the heaviest run of bins reaches that share of its weight."""
    best_first, best_last, best_weight = -1, -1, 0.0
    first, last, weight = -1, -1, 0.0
    for place in range(bins.size):
        if bins[place] > 0:
            if first < 0 or place - last > _GAP_BINS:
                first, weight = place, 0.0
            last = place
            weight += bins[place]
            if weight > best_weight:
                best_first, best_last, best_weight = first, last, weight
    if best_first < 0:
        return 0.0
    wanted, passed = best_weight * share, 0.0
    for place in range(best_first, best_last + 1):
        if passed + bins[place] >= wanted:
            return float(start + (place + (wanted - passed) / bins[place]) * BIN_M)
        passed += bins[place]
    return start + float(best_last) * BIN_M


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
    """How far, in pixels across the bone from `a` to `b`, the limb's middle lies at each end; whether it was found.

    At stations along the bone the limb's two edges are looked for: where depth leaves what a limb of that radius
    spans. A station counts if the limb is as wide there as such a limb can be. axis: (2,), filled.
    """
    dx, dy = b[0] - a[0], b[1] - a[1]
    length = np.sqrt(dx * dx + dy * dy)
    if length < 12:
        return False
    nx, ny = -dy / length, dx / length
    count = 0
    ts, offs = np.empty(_STATIONS), np.empty(_STATIONS)
    for station in range(_STATIONS):
        t = 0.15 + 0.7 * station / (_STATIONS - 1)
        x, y = a[0] + t * dx, a[1] + t * dy
        away = range_a + t * (range_b - range_a)
        width = radius * focal / away
        found, middle, _ = limb_across(depth, x, y, nx, ny, away, radius, width)
        if found:
            ts[count], offs[count] = t, middle
            count += 1
    if count < 4:
        return False
    slope, base = _robust_line(ts[:count], offs[:count])
    axis[0], axis[1] = base, base + slope
    return True


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


@kernel
def straight(
    pixels: NDArray[np.float64],
    focal: NDArray[np.float64],
    centre: NDArray[np.float64],
    distortion: NDArray[np.float64],
    rays: NDArray[np.float64],
) -> None:
    """x / z and y / z of pixels by fixed-point iteration, as `hal.camera.lens.rays`, for a few pixels quickly."""
    k1, k2, p1, p2 = distortion[0], distortion[1], distortion[2], distortion[3]
    k3, k4, k5, k6 = distortion[4], distortion[5], distortion[6], distortion[7]
    for point in range(pixels.shape[0]):
        u, v = (pixels[point, 0] - centre[0]) / focal[0], (pixels[point, 1] - centre[1]) / focal[1]
        x, y = u, v
        for _ in range(12):
            r2 = x * x + y * y
            radial = (1 + r2 * (k1 + r2 * (k2 + r2 * k3))) / (1 + r2 * (k4 + r2 * (k5 + r2 * k6)))
            x += 0.9 * (u - (x * radial + 2 * p1 * x * y + p2 * (r2 + 2 * x * x)))
            y += 0.9 * (v - (y * radial + 2 * p2 * x * y + p1 * (r2 + 2 * y * y)))
        rays[point, 0], rays[point, 1] = x, y
