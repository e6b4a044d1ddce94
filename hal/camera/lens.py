"""Between the pixels of a real lens and straight rays: rational Brown-Conrady, as OpenCV and the Kinect have it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hal.types import Lens

_STEPS = 12
_SMALL = 1e-6
_LONGEST = 0.3
_CLOSE = 1e-9
_HOPELESS_PX = 0.05


def project(lens: Lens, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """(..., 2) pixels of points (..., 3) in the camera's axes, any unit; what is not in front of the camera is NaN."""
    points = np.asarray(points, np.float64)
    depth = np.where(points[..., 2:] > 0, points[..., 2:], np.nan)
    return np.asarray(_distorted(lens, points[..., :2] / depth) * lens.focal + lens.centre)


def rays(lens: Lens, pixels: NDArray[np.float64]) -> NDArray[np.float64]:
    """(..., 2): x / z and y / z of what is seen at these pixels (..., 2); NaN where the lens model has no answer.

    The model gives pixels from rays only; this is Newton's method the other way, from the straight pinhole's answer.
    """
    target = (np.asarray(pixels, np.float64) - lens.centre) / lens.focal
    ray = target.copy()
    with np.errstate(all="ignore"):
        for _ in range(_STEPS):
            here = _distorted(lens, ray)
            by_x = (_distorted(lens, ray + np.array([_SMALL, 0])) - here) / _SMALL
            by_y = (_distorted(lens, ray + np.array([0, _SMALL])) - here) / _SMALL
            off = target - here
            determinant = by_x[..., 0] * by_y[..., 1] - by_y[..., 0] * by_x[..., 1]
            step = np.stack(
                [by_y[..., 1] * off[..., 0] - by_y[..., 0] * off[..., 1],
                 by_x[..., 0] * off[..., 1] - by_x[..., 1] * off[..., 0]], axis=-1,
            ) / determinant[..., None]  # fmt: skip
            ray = ray + np.clip(step, -_LONGEST, _LONGEST)
            if not (np.abs(step) > _CLOSE).any():
                break
        error = np.linalg.norm((target - _distorted(lens, ray)) * lens.focal, axis=-1, keepdims=True)
    # On the far side of the lens model's fold the picture would run backwards.
    return np.asarray(np.where((error < _HOPELESS_PX) & (determinant[..., None] > 0), ray, np.nan))


def _distorted(lens: Lens, ray: NDArray[np.float64]) -> NDArray[np.float64]:
    k1, k2, p1, p2, k3, k4, k5, k6 = lens.distortion
    x, y = ray[..., 0], ray[..., 1]
    r2 = x * x + y * y
    radial = (1 + r2 * (k1 + r2 * (k2 + r2 * k3))) / (1 + r2 * (k4 + r2 * (k5 + r2 * k6)))
    return np.stack(
        [
            x * radial + 2 * p1 * x * y + p2 * (r2 + 2 * x * x),
            y * radial + 2 * p2 * x * y + p1 * (r2 + 2 * y * y),
        ],
        axis=-1,
    )
