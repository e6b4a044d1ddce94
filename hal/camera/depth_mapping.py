"""Depth onto the colour picture's pixels, from the calibration alone (the maker's own way needs a screen). Ours."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from hal.camera.kinect_calibration import KinectCalibration
from hal.camera.lens import rays
from hal.kernels import kernel
from hal.types import Lens

_FAR = 65535


class DepthMapper:
    """Made once for a calibration: every depth pixel's straight ray, already turned into the colour camera's axes."""

    def __init__(self, calibration: KinectCalibration) -> None:
        color = calibration.color
        self._rays, self._widest = _tables(calibration.depth, color, calibration.rotation.tobytes())
        self._shift_mm = (calibration.translation * 1000).astype(np.float32)
        self._pinhole = np.array([*color.focal, *color.centre], np.float32)
        self._distortion = np.array(color.distortion, np.float32)
        self._shape = color.height, color.width

    def map(self, depth: NDArray[np.uint16]) -> NDArray[np.uint16]:
        """(height, width) uint16 millimetres from the colour camera, 0 where unknown, of a depth picture in mm.

        Where two surfaces fall on one pixel the nearer wins. What only the colour camera sees stays 0: the shadow
        beside an edge is not filled with a guess. Raises `ValueError` for a picture of another size.
        """
        if depth.shape != self._rays.shape[1:]:
            raise ValueError(f"a depth picture of {self._rays.shape[1:]} is expected, not {depth.shape}")
        mapped = np.empty(self._shape, np.uint16)
        _draw(
            np.ascontiguousarray(depth),
            self._rays,
            self._shift_mm,
            self._pinhole,
            self._distortion,
            self._widest,
            mapped,
        )
        return mapped


@lru_cache(maxsize=2)
def _tables(depth: Lens, color: Lens, rotation: bytes) -> tuple[NDArray[np.float32], np.float32]:
    """(3, height, width) rays of the depth pixels; square of the widest one that the colour picture shows.

    Kept, since a camera is opened before every set and its lenses never change.
    """
    rows, columns = np.mgrid[0 : depth.height, 0 : depth.width]
    flat = rays(depth, np.stack([columns, rows], axis=-1).astype(np.float64))
    known = np.isfinite(flat).all(axis=-1)
    straight = np.concatenate([flat, np.ones((depth.height, depth.width, 1))], axis=-1)
    # A pixel that the lens model has no ray for is sent behind the camera, where nothing is drawn.
    turned = np.where(known[..., None], straight @ np.frombuffer(rotation).reshape(3, 3).T, (0.0, 0.0, -1.0))
    table = np.ascontiguousarray(np.moveaxis(turned, -1, 0), np.float32)
    # Far outside the picture the lens model folds back into it: rays beyond those of its border are not drawn.
    border = rays(color, _border(color.width, color.height))
    return table, np.float32(np.nanmax(np.sum(border**2, axis=-1)) * 1.05)


def _border(width: int, height: int) -> NDArray[np.float64]:
    """(n, 2) pixels all round a picture."""
    across, down = np.arange(width), np.arange(height)
    sides = [np.stack([across, np.full(width, row)], axis=-1) for row in (0, height - 1)]
    sides += [np.stack([np.full(height, column), down], axis=-1) for column in (0, width - 1)]
    return np.asarray(np.concatenate(sides), np.float64)


@kernel
def _draw(
    depth: NDArray[np.uint16],
    rays: NDArray[np.float32],
    shift: NDArray[np.float32],
    pinhole: NDArray[np.float32],
    distortion: NDArray[np.float32],
    widest: np.float32,
    mapped: NDArray[np.uint16],
) -> None:
    """Each depth pixel onto the four colour pixels around it: no cracks, since it is at most two of those wide.

    Drawn onto the top left of the four; then each colour pixel takes the nearest of its own and those above and left.
    """
    height, width = mapped.shape
    corners = np.empty(depth.shape[1], np.int32)
    depths = np.empty(depth.shape[1], np.int32)
    # A row more than the picture: what lies outside is drawn there, which spares a branch a pixel.
    drawn = np.full((height + 1) * width, _FAR, np.uint16)
    for row in range(depth.shape[0]):
        _project(
            depth[row], rays[0, row], rays[1, row], rays[2, row], shift, pinhole, distortion, widest, width, height,
            corners, depths,
        )  # fmt: skip
        for column in range(depth.shape[1]):
            corner = np.uintp(corners[column])
            drawn[corner] = min(drawn[corner], np.uint16(depths[column]))
    above = np.full(width, _FAR, np.uint16)
    for row in range(height):
        own, nearest = drawn[row * width : (row + 1) * width], mapped[row]
        nearest[0] = min(own[0], above[0])
        for column in range(1, width):
            nearest[column] = min(min(own[column], own[column - 1]), min(above[column], above[column - 1]))
        for column in range(width):
            nearest[column] = np.uint16(0) if nearest[column] == _FAR else nearest[column]
        above = own


@kernel
def _project(
    depth: NDArray[np.uint16],
    ray_x: NDArray[np.float32],
    ray_y: NDArray[np.float32],
    ray_z: NDArray[np.float32],
    shift: NDArray[np.float32],
    pinhole: NDArray[np.float32],
    distortion: NDArray[np.float32],
    widest: np.float32,
    width: int,
    height: int,
    corners: NDArray[np.int32],
    depths: NDArray[np.int32],
) -> None:
    """One row: top left of the four colour pixels and millimetres. Float32 and no branch, so it becomes vector code."""
    shift_x, shift_y, shift_z = shift[0], shift[1], shift[2]
    fx, fy, cx, cy = pinhole[0], pinhole[1], pinhole[2], pinhole[3]
    k1, k2, p1, p2 = distortion[0], distortion[1], distortion[2], distortion[3]
    k3, k4, k5, k6 = distortion[4], distortion[5], distortion[6], distortion[7]
    zero, half, one, two = np.float32(0), np.float32(0.5), np.float32(1), np.float32(2)
    last_u, last_v, outside = np.float32(width - 1), np.float32(height - 1), np.int32(width * height)
    for column in range(depth.shape[0]):
        away = np.float32(depth[column])
        z = away * ray_z[column] + shift_z
        x = (away * ray_x[column] + shift_x) / z
        y = (away * ray_y[column] + shift_y) / z
        r2 = x * x + y * y
        xy = two * x * y
        radial = (one + r2 * (k1 + r2 * (k2 + r2 * k3))) / (one + r2 * (k4 + r2 * (k5 + r2 * k6)))
        u = fx * (x * radial + p1 * xy + p2 * (r2 + two * x * x)) + cx
        v = fy * (y * radial + p2 * xy + p1 * (r2 + two * y * y)) + cy
        seen = (depth[column] > 0) & (z >= one) & (r2 < widest)
        inside = (u >= zero) & (u < last_u) & (v >= zero) & (v < last_v)
        corners[column] = np.int32(v) * np.int32(width) + np.int32(u) if seen & inside else outside
        depths[column] = np.int32(z + half)
