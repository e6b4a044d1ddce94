"""The inner corners of a checkerboard in a picture, to a few hundredths of a pixel and always in the same order. Ours.

OpenCV's sector-based detector finds the board, and its gradient method places the corners: measured on rendered boards
turned by 45 degrees, the former alone is off by 0.1 px to one side, the latter by less than 0.01 px.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from hal.errors import CalibrationError

_SMALL_PX = 640
"""A board large enough to be found in a picture this wide is found there, in a third of the time."""
_WINDOW_SHARE = 0.3
"""Of the distance between neighbouring corners: the next edge must stay outside the window."""
_ASTRAY_SHARE = 0.3
_CONTRAST = 10.0
"""Grey levels of 255 between light and dark squares, at least."""


@dataclass(frozen=True, slots=True)
class Board:
    """squares: (longer, shorter) side, counted in squares. square_m: edge of one, metres.

    Raises `CalibrationError` for a board whose corners cannot be told apart: with both sides even, or both odd, it
    looks the same upside down.
    """

    squares: tuple[int, int]
    square_m: float

    def __post_init__(self) -> None:
        longer, shorter = self.squares
        if not (longer >= shorter >= 4 and longer <= 60):
            raise CalibrationError(f"a board of {longer}x{shorter} squares: 4 to 60 a side, the longer first")
        if (longer + shorter) % 2 == 0:
            raise CalibrationError(
                f"a board of {longer}x{shorter} squares looks the same upside down; "
                "one side must be even and the other odd, as in 13x8"
            )
        if not 0.005 <= self.square_m <= 0.5:
            raise CalibrationError(f"squares of {self.square_m * 1000:g} mm: 5 to 500 mm")

    @property
    def corners(self) -> tuple[int, int]:
        """Inner corners along the longer and the shorter side."""
        return self.squares[0] - 1, self.squares[1] - 1

    @property
    def points(self) -> NDArray[np.float64]:
        """(corners, 3) metres on the board: x along the longer side, row after row, z = 0.

        The first corner is the one beside the dark square of the board's own corner, so that y follows from x.
        """
        columns, rows = self.corners
        grid = np.stack(np.meshgrid(np.arange(columns), np.arange(rows), [0]), axis=-1)
        return np.asarray(grid.reshape(-1, 3) * self.square_m, np.float64)


def find_corners(picture: NDArray[np.uint8], board: Board) -> NDArray[np.float64] | None:
    """(corners, 2) pixels in the order of `Board.points`, or None where not all of the board is seen.

    picture: (height, width) grey; (0, 0) is the middle of the top left pixel.
    """
    corners = _detected(picture, board)
    if corners is None:
        return None
    ordered = _ordered(picture, corners)
    return None if ordered is None else _refined(picture, ordered)


def _detected(picture: NDArray[np.uint8], board: Board) -> NDArray[np.float64] | None:
    """(rows, columns, 2) corners to about half a pixel, in either order. The quick attempts come first."""
    scale = _SMALL_PX / max(picture.shape)
    attempts = [(1.0, 0), (1.0, cv2.CALIB_CB_ACCURACY)]
    for size, flags in [(scale, 0), *attempts] if scale < 1 else attempts:
        resized = cv2.resize(picture, None, fx=size, fy=size, interpolation=cv2.INTER_AREA)
        found, corners = cv2.findChessboardCornersSB(resized, board.corners, flags=flags)
        if found:
            pixels = (corners.reshape(board.corners[1], board.corners[0], 2) + 0.5) / size - 0.5
            return np.asarray(pixels, np.float64)
    return None


def _ordered(picture: NDArray[np.uint8], corners: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Turned so that the board is not mirrored and begins at its dark end; None without light and dark squares."""
    right, down = corners[0, -1] - corners[0, 0], corners[-1, 0] - corners[0, 0]
    if right[0] * down[1] - right[1] * down[0] < 0:
        corners = corners[:, ::-1]
    middles = (corners[:-1, :-1] + corners[1:, :-1] + corners[:-1, 1:] + corners[1:, 1:]) / 4
    columns, rows = np.rint(middles).astype(np.int64).transpose(2, 0, 1)
    height, width = picture.shape
    grey = picture[rows.clip(0, height - 1), columns.clip(0, width - 1)].astype(np.float64)
    like_first = np.add.outer(np.arange(grey.shape[0]), np.arange(grey.shape[1])) % 2 == 0
    lighter = float(grey[like_first].mean() - grey[~like_first].mean())
    if abs(lighter) < _CONTRAST:
        return None
    return corners[::-1, ::-1] if lighter > 0 else corners


def _refined(picture: NDArray[np.uint8], corners: NDArray[np.float64]) -> NDArray[np.float64] | None:
    spacing = min(float(np.linalg.norm(np.diff(corners, axis=axis), axis=-1).min()) for axis in (0, 1))
    window = int(np.clip(round(spacing * _WINDOW_SHARE), 2, 15))
    start = np.ascontiguousarray(corners.reshape(-1, 1, 2), np.float32)
    until = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 50, 1e-4)
    fine = cv2.cornerSubPix(picture, start.copy(), (window, window), (-1, -1), until)
    astray = float(np.linalg.norm(fine - start, axis=-1).max())
    if astray > max(2.0, spacing * _ASTRAY_SHARE):
        return None
    return np.asarray(fine.reshape(-1, 2), np.float64)
