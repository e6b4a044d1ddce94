"""A checkerboard as a camera would picture it: perspective, the lens's distortion, soft edges, noise. Ours.

It does not simulate glare, a bent board, a board that moves during the exposure, or a lens out of focus.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from hal.types import Lens

_SAMPLES = 24
_LATTICE = 7
_STEP = 8
_BLUR_PX = 0.6
_DARK, _LIGHT, _WALL = 40.0, 205.0, 120.0
_MARGIN = 1.0
"""Width of the white border, in squares."""


class BoardPainter:
    """Made once for a lens: the straight ray of every pixel, by OpenCV, so that it shares no code with `hal.camera`."""

    def __init__(self, lens: Lens, noise: float, seed: int) -> None:
        """noise: standard deviation of the sensor's noise, in grey levels of 255."""
        columns, rows = np.meshgrid(np.arange(lens.width + 1.0), np.arange(lens.height + 1.0))
        pixels = np.stack([columns.ravel(), rows.ravel()], axis=-1)[:, None] - 0.5
        pinhole = np.array([[lens.focal[0], 0, lens.centre[0]], [0, lens.focal[1], lens.centre[1]], [0, 0, 1]])
        precisely = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 50, 1e-10)
        flat = cv2.undistortPointsIter(pixels, pinhole, np.array(lens.distortion), np.eye(3), np.eye(3), precisely)
        self._corners = np.asarray(flat, np.float64).reshape(lens.height + 1, lens.width + 1, 2)
        """(height + 1, width + 1, 2): the rays through the pixels' corners."""
        self._noise = noise
        self._random = np.random.default_rng(seed)

    def picture(
        self, squares: tuple[int, int], square_m: float, rotation: NDArray[np.float64], translation: NDArray[np.float64]
    ) -> NDArray[np.uint8]:
        """(height, width) uint8 grey. The board's origin is its first inner corner, x along its longer row of squares.

        rotation (3, 3), translation (3,) in metres: camera = rotation @ board + translation.
        """
        height, width = self._corners.shape[0] - 1, self._corners.shape[1] - 1
        seen = np.full((height, width), _WALL, np.float32)
        # From a ray to the board's plane and there to squares: a homography.
        to_ray = np.column_stack([rotation[:, 0] * square_m, rotation[:, 1] * square_m, translation])
        to_board = np.linalg.inv(to_ray)
        rows, columns = self._touched(squares, to_board)
        if rows.stop > rows.start and columns.stop > columns.start:
            seen[rows, columns] = self._shade(squares, to_board, rows, columns)
        soft = cv2.GaussianBlur(seen, (0, 0), _BLUR_PX)
        noisy = soft + self._noise * self._random.standard_normal(seen.shape, np.float32)
        return np.asarray(np.clip(noisy + 0.5, 0, 255), np.uint8)

    def _touched(self, squares: tuple[int, int], to_board: NDArray[np.float64]) -> tuple[slice, slice]:
        """Rows and columns that hold every pixel of the board: looked for a step apart, then widened by one."""
        place = _on_board(self._corners[::_STEP, ::_STEP], to_board)
        inside = np.all((place > -1 - _MARGIN) & (place < np.array(squares) - 1 + _MARGIN), axis=-1)
        rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
        if not len(rows):
            return slice(0, 0), slice(0, 0)
        height, width = self._corners.shape[0] - 1, self._corners.shape[1] - 1
        return (
            slice(max(0, (rows[0] - 1) * _STEP), min(height, (rows[-1] + 1) * _STEP)),
            slice(max(0, (columns[0] - 1) * _STEP), min(width, (columns[-1] + 1) * _STEP)),
        )

    def _shade(
        self, squares: tuple[int, int], to_board: NDArray[np.float64], rows: slice, columns: slice
    ) -> NDArray[np.float64]:
        """Mean over `_SAMPLES` points of each pixel: light that falls on its area.

        The points lie on a lattice that shows no two of them in one row or column, so that an edge along the pixels is
        placed as finely as one across.
        """
        corners = self._corners[rows.start : rows.stop + 1, columns.start : columns.stop + 1]
        first = corners[:-1, :-1]
        right, down = corners[:-1, 1:] - first, corners[1:, :-1] - first
        total = np.zeros(first.shape[:2])
        for step in range(_SAMPLES):
            step_right = (step + 0.5) / _SAMPLES
            step_down = (step * _LATTICE % _SAMPLES + 0.5) / _SAMPLES
            total += _paint(_on_board(first + step_right * right + step_down * down, to_board), squares)
        return total / _SAMPLES


def _on_board(rays: NDArray[np.float64], to_board: NDArray[np.float64]) -> NDArray[np.float64]:
    """(..., 2) in squares from the first inner corner, NaN where the ray meets the board's plane behind the camera."""
    x, y = rays[..., 0], rays[..., 1]
    across, down, scale = (row[0] * x + row[1] * y + row[2] for row in to_board)
    scale = np.where(scale > 0, scale, np.nan)
    return np.stack([across / scale, down / scale], axis=-1)


def _paint(place: NDArray[np.float64], squares: tuple[int, int]) -> NDArray[np.float64]:
    x, y = place[..., 0] + 1, place[..., 1] + 1
    dark = (np.floor(x) + np.floor(y)) % 2 == 0
    on_squares = (x >= 0) & (y >= 0) & (x < squares[0]) & (y < squares[1])
    on_border = (x >= -_MARGIN) & (y >= -_MARGIN) & (x < squares[0] + _MARGIN) & (y < squares[1] + _MARGIN)
    return np.where(on_squares, np.where(dark, _DARK, _LIGHT), np.where(on_border, _LIGHT, _WALL))
