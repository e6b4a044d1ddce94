"""The loops of `lift`: a landmark's distance from the depth around it. Ours.

Pixels are float64 (x, y), depth uint16 millimetres (0 unknown), lengths metres. Nothing passed in is NaN.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hal.kernels import kernel

BIN_M = 0.015
_GAP_BINS = 3


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
