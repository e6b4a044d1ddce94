"""Two cameras calibrated to each other from pictures of a checkerboard that both took at the same moments.

After FineRehab (CVPRW 2024): a board of 13 x 8 squares, 15 to 25 pictures, 2.55 px; the way to the answer is ours.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from hal.camera.checkerboard import Board, find_corners
from hal.camera.extrinsics import Sighting, solve_extrinsics
from hal.camera.image import ImageCamera
from hal.errors import CalibrationError, HalError
from hal.types import Lens

FEWEST_PAIRS = 10
"""FineRehab took 15 to 25; with fewer than ten, one bad picture weighs too much."""
_SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp"}


@dataclass(frozen=True, slots=True)
class PicturePair:
    """The same moment seen by both cameras, under one name."""

    name: str
    a: Path
    b: Path


@dataclass(frozen=True, slots=True)
class Rejected:
    """A picture that the answer does not rest on, and why."""

    picture: str
    reason: str


@dataclass(frozen=True, slots=True)
class TwoViews:
    """Camera B in camera A's frame: a point in A's axes = rotation @ (the point in B's axes) + translation.

    Axes are a camera's (x right, y down, z away). rotation: (3, 3). translation: (3,) metres, where B stands.
    reprojection_px: root mean square over all corners of both cameras. pictures: the names used.
    """

    rotation: NDArray[np.float64]
    translation: NDArray[np.float64]
    reprojection_px: float
    pictures: tuple[str, ...]
    rejected: tuple[Rejected, ...]

    @property
    def angle_deg(self) -> float:
        """Between the two cameras' directions of view."""
        return math.degrees(math.acos(float(np.clip(self.rotation[2, 2], -1, 1))))

    @property
    def distance_m(self) -> float:
        return float(np.linalg.norm(self.translation))


def pair_pictures(folder_a: Path, folder_b: Path) -> tuple[list[PicturePair], list[Rejected]]:
    """Pictures of the same name in both folders, by name, and those without a partner.

    Raises `CalibrationError` for a missing folder or fewer than `FEWEST_PAIRS` pairs.
    """
    in_a, in_b = _pictures(folder_a), _pictures(folder_b)
    pairs = [PicturePair(name, in_a[name], in_b[name]) for name in sorted(in_a.keys() & in_b.keys())]
    if len(pairs) < FEWEST_PAIRS:
        raise CalibrationError(
            f"{folder_a} and {folder_b} have {len(pairs)} pictures of the same name, {FEWEST_PAIRS} are needed; "
            "take 15 to 25 of each camera at the same moments and name each pair alike"
        )
    lonely = [(name, folder_b) for name in in_a.keys() - in_b.keys()]
    lonely += [(name, folder_a) for name in in_b.keys() - in_a.keys()]
    return pairs, [Rejected(name, f"not in {missing_in}") for name, missing_in in sorted(lonely)]


def picture_size(file: Path) -> tuple[int, int]:
    """(width, height). Raises like `ImageCamera.open`."""
    height, width = _grey(file).shape
    return width, height


def calibrate_two_views(
    pairs: Sequence[PicturePair],
    board: Board,
    lens_a: Lens,
    lens_b: Lens,
    on_pair: Callable[[], object] = lambda: None,
) -> TwoViews:
    """Where camera B stands in camera A's axes; pictures of no use are rejected by name.

    `on_pair` is called after each pair. Raises `CalibrationError` for a picture of another size than its lens's, for
    fewer than `FEWEST_PAIRS` usable pairs, and where the pictures contradict each other.
    """
    names: list[str] = []
    sightings: list[Sighting] = []
    rejected: list[Rejected] = []
    for pair in pairs:
        sighting = _sighting(pair, board, lens_a, lens_b)
        if isinstance(sighting, Rejected):
            rejected.append(sighting)
        else:
            names.append(pair.name)
            sightings.append(sighting)
        on_pair()
    _check_enough(len(sightings), len(pairs), rejected, board)
    found = solve_extrinsics(sightings, board, lens_a, lens_b)
    for name, error, kept in zip(names, found.errors_px, found.kept, strict=True):
        if not kept:
            rejected.append(Rejected(name, f"does not fit the others: {error:.1f} px"))
    _check_enough(int(found.kept.sum()), len(pairs), rejected, board)
    used = tuple(name for name, kept in zip(names, found.kept, strict=True) if kept)
    in_order = tuple(sorted(rejected, key=lambda one: one.picture))
    return TwoViews(found.rotation, found.translation, found.reprojection_px, used, in_order)


def _pictures(folder: Path) -> dict[str, Path]:
    if not folder.is_dir():
        raise CalibrationError(f"{folder}: there is no such folder; name the folder of one camera's pictures")
    return {file.name: file for file in folder.iterdir() if file.suffix.lower() in _SUFFIXES}


def _grey(file: Path) -> NDArray[np.uint8]:
    camera = ImageCamera(ImageCamera.Options(file=file))
    camera.open()
    frame = camera.read(0)
    camera.close()
    assert frame is not None
    assert frame.color is not None
    return np.asarray(cv2.cvtColor(frame.color, cv2.COLOR_RGB2GRAY), np.uint8)


def _sighting(pair: PicturePair, board: Board, lens_a: Lens, lens_b: Lens) -> Sighting | Rejected:
    """The corners in both pictures, or what is wrong with the first of them that has none."""
    found = []
    for camera, file, lens in (("A", pair.a, lens_a), ("B", pair.b, lens_b)):
        try:
            picture = _grey(file)
        except HalError:
            return Rejected(pair.name, f"{camera}'s cannot be read")
        height, width = picture.shape
        if (width, height) != (lens.width, lens.height):
            raise CalibrationError(
                f"{file}: is {width}x{height}, but camera {camera}'s lens is known for {lens.width}x{lens.height}"
            )
        corners = find_corners(picture, board)
        if corners is None:
            return Rejected(pair.name, f"no whole board in {camera}'s")
        found.append(corners)
    return Sighting(*found)


def _check_enough(usable: int, pairs: int, rejected: Sequence[Rejected], board: Board) -> None:
    if usable >= FEWEST_PAIRS:
        return
    squares = f"{board.squares[0]}x{board.squares[1]} squares"
    for camera in "AB":
        if sum(one.reason == f"no whole board in {camera}'s" for one in rejected) == pairs:
            raise CalibrationError(
                f"no board of {squares} is seen whole in any of camera {camera}'s {pairs} pictures; count its squares "
                "again, and leave a white border around them"
            )
    first = rejected[0]
    raise CalibrationError(
        f"{usable} of {pairs} pairs are usable, {FEWEST_PAIRS} are needed (board of {squares}); "
        f"{first.picture}: {first.reason}"
    )
