"""From two folders of pictures to an answer, where the pictures are no use."""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from hal.camera.checkerboard import Board
from hal.camera.two_views import calibrate_two_views, pair_pictures
from hal.errors import CalibrationError
from hal.types import Lens
from hal.virtual.board import BoardPainter

Array = NDArray[np.float64]
LENS = Lens(320, 180, (300.0, 300.0), (159.0, 91.0))
BOARD = Board((13, 8), 0.03)


def folders(tmp_path: Path, squares: tuple[int, int], blank: int, pairs: int = 11) -> tuple[Path, Path]:
    """A fixed board before both cameras; camera B's last `blank` pictures are empty."""
    painter = BoardPainter(LENS, 2.0, 1)
    board = painter.picture(squares, BOARD.square_m, np.eye(3), np.array([-0.15, -0.09, 0.9]))
    empty = np.full_like(board, 90)
    for camera in "ab":
        (tmp_path / camera).mkdir()
        for index in range(pairs):
            shown = empty if camera == "b" and index >= pairs - blank else board
            cv2.imwrite(str(tmp_path / camera / f"{index:02}.png"), shown)
    return tmp_path / "a", tmp_path / "b"


@pytest.mark.parametrize(
    ("squares", "blank", "words"),
    [
        ((12, 7), 0, "no board of 13x8 squares is seen whole in any of camera A's 11 pictures; count its squares"),
        ((13, 8), 11, "no board of 13x8 squares is seen whole in any of camera B's 11 pictures"),
        ((13, 8), 2, r"9 of 11 pairs are usable, 10 are needed .*; 09.png: no whole board in B's"),
    ],
)
def test_too_few_usable_pictures_say_why(tmp_path: Path, squares: tuple[int, int], blank: int, words: str) -> None:
    pairs, lonely = pair_pictures(*folders(tmp_path, squares, blank))
    assert (len(pairs), lonely) == (11, [])
    counted: list[int] = []
    with pytest.raises(CalibrationError, match=words):
        calibrate_two_views(pairs, BOARD, LENS, LENS, on_pair=lambda: counted.append(1))
    assert len(counted) == 11


def test_cameras_in_one_place_are_zero_apart(tmp_path: Path) -> None:
    """Ten of eleven suffice; the blank one is named."""
    pairs, _ = pair_pictures(*folders(tmp_path, (13, 8), 1))
    found = calibrate_two_views(pairs, BOARD, LENS, LENS)
    assert found.distance_m < 1e-4
    assert found.angle_deg < 0.01
    assert len(found.pictures) == 10
    assert [(one.picture, one.reason) for one in found.rejected] == [("10.png", "no whole board in B's")]


def leaning_boards(tmp_path: Path, pairs: int, place_of_b: Array) -> tuple[Path, Path]:
    """Pictures of a board that leans differently each time, by cameras side by side."""
    random = np.random.default_rng(3)
    painter = BoardPainter(LENS, 2.0, 1)
    for camera in "ab":
        (tmp_path / camera).mkdir()
    for index in range(pairs):
        turn = Rotation.from_euler("yxz", random.uniform(-25, 25, 3), degrees=True).as_matrix()
        corner = random.uniform([-0.1, -0.04, 0.85], [0.1, 0.04, 1.0]) - turn @ BOARD.points.mean(axis=0)
        for camera, place in (("a", corner), ("b", corner - place_of_b)):
            picture = painter.picture((13, 8), BOARD.square_m, turn, place)
            cv2.imwrite(str(tmp_path / camera / f"{index:02}.png"), picture)
    return tmp_path / "a", tmp_path / "b"


def test_pictures_of_no_use_are_named_and_the_rest_suffices(tmp_path: Path) -> None:
    """One board moved between its two pictures, one picture is damaged, one blank, one pair misnamed."""
    place_of_b = np.array([0.06, 0.01, -0.02])
    a, b = leaning_boards(tmp_path, 14, place_of_b)
    shutil.copy(b / "09.png", b / "02.png")
    (a / "05.png").write_bytes((a / "05.png").read_bytes()[:60])
    cv2.imwrite(str(b / "06.png"), np.full((180, 320), 90, np.uint8))
    (b / "07.png").rename(b / "seven.png")
    (a / "notes.txt").write_text("no picture")
    pairs, lonely = pair_pictures(a, b)
    assert [(one.picture, one.reason) for one in lonely] == [("07.png", f"not in {b}"), ("seven.png", f"not in {a}")]
    found = calibrate_two_views(pairs, BOARD, LENS, LENS)
    assert found.pictures == tuple(f"{index:02}.png" for index in (0, 1, 3, 4, 8, 9, 10, 11, 12, 13))
    named = {one.picture: one.reason for one in found.rejected}
    assert list(named) == ["02.png", "05.png", "06.png"]
    assert named["02.png"].startswith("does not fit the others: ")
    assert named["05.png"] == "A's cannot be read"
    assert named["06.png"] == "no whole board in B's"
    assert np.linalg.norm(found.translation - place_of_b) < 0.002
    assert found.angle_deg < 0.1
