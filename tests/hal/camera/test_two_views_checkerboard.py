"""Corners of rendered boards: where they are, in which order, and nothing where no whole board is."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from hal.camera.checkerboard import Board, find_corners
from hal.camera.lens import project
from hal.errors import CalibrationError
from hal.types import Lens
from hal.virtual.board import BoardPainter

Array = NDArray[np.float64]
LENS = Lens(640, 360, (600.0, 601.0), (318.2, 181.4), (0.33, -2.49, -0.0002, -0.0001, 1.45, 0.21, -2.30, 1.37))
BOARD = Board((13, 8), 0.03)


def shown(lean_deg: tuple[float, float, float], middle: tuple[float, float, float] = (0.02, -0.01, 0.9)) -> Array:
    """(3, 4): the board's place, turned about y, x and z, its middle there."""
    turn = Rotation.from_euler("yxz", lean_deg, degrees=True).as_matrix()
    return np.column_stack([turn, np.array(middle) - turn @ BOARD.points.mean(axis=0)])


def picture(place: Array, squares: tuple[int, int] = (13, 8), noise: float = 3.0) -> NDArray[np.uint8]:
    return BoardPainter(LENS, noise, 7).picture(squares, BOARD.square_m, place[:, :3], place[:, 3])


@pytest.mark.parametrize(
    "lean_deg", [(0, 0, 0), (40, 10, 5), (-45, -10, -15), (10, 35, 30), (20, 5, 120), (15, 10, 180)]
)
def test_corners_are_placed_to_a_tenth_of_a_pixel_and_always_begin_at_the_same_one(
    lean_deg: tuple[float, float, float],
) -> None:
    """Upside down as well: from the picture alone it is known which corner is the first."""
    place = shown(lean_deg)
    found = find_corners(picture(place), BOARD)
    assert found is not None
    off = found - project(LENS, BOARD.points @ place[:, :3].T + place[:, 3])
    assert np.sqrt((off**2).sum(axis=1).mean()) < 0.1
    assert np.abs(off.mean(axis=0)).max() < 0.05


def test_a_board_partly_out_of_view_is_not_found() -> None:
    assert find_corners(picture(shown((0, 0, 0), (0.4, 0.0, 0.9))), BOARD) is None


@pytest.mark.parametrize("squares", [(12, 7), (10, 7), (14, 9)])
def test_a_board_of_another_size_is_not_found(squares: tuple[int, int]) -> None:
    assert find_corners(picture(shown((15, 10, 0)), squares), BOARD) is None


def test_noise_is_no_board() -> None:
    noise = np.random.default_rng(1).integers(0, 256, (360, 640), np.uint8)
    assert find_corners(noise, BOARD) is None


@pytest.mark.parametrize(
    ("squares", "square_m", "words"),
    [
        ((8, 8), 0.03, "looks the same upside down"),
        ((13, 7), 0.03, "looks the same upside down"),
        ((8, 13), 0.03, "the longer first"),
        ((4, 3), 0.03, "4 to 60 a side"),
        ((13, 8), 30.0, "5 to 500 mm"),
        ((13, 8), float("nan"), "5 to 500 mm"),
    ],
)
def test_a_board_that_is_of_no_use_is_refused(squares: tuple[int, int], square_m: float, words: str) -> None:
    with pytest.raises(CalibrationError, match=words):
        Board(squares, square_m)
