"""Where camera B stands in camera A's axes, from corners of one board that both saw. Ours, by the usual steps.

Each picture pair alone gives an answer (pose of the board by IPPE, both of its solutions kept); the one most others
agree with is the start of a joint fit of B's place and every board's, over the pixels of both real lenses.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares
from scipy.sparse import csr_array
from scipy.spatial.transform import Rotation

from hal.camera.checkerboard import Board
from hal.camera.lens import project, rays
from hal.errors import CalibrationError
from hal.types import Lens

Floats = NDArray[np.float64]

_SOFT_PX = 1.0
"""Residuals beyond this count less than squared while pictures that do not fit may still be among them."""
_TIMES_TYPICAL = 3.0
_ALWAYS_FITS_PX = 0.5
_AGREE_RAD = 0.2
"""Between two sightings' answers: angle, plus shift as a share of the board's distance. One alone is no better."""
_PARAMETERS = 6


@dataclass(frozen=True, slots=True)
class Sighting:
    """One exposure of both cameras: (corners, 2) pixels each, in the order of `Board.points`."""

    a: Floats
    b: Floats


@dataclass(frozen=True, slots=True)
class Extrinsics:
    """rotation (3, 3), translation (3,) metres: a point in A's axes = rotation @ (the point in B's axes) + translation.

    errors_px: (sightings,) root mean square distance of a corner from where the answer puts it; of those not kept too.
    kept: (sightings,) which of them the answer rests on. reprojection_px: as errors_px, over all kept corners.
    """

    rotation: Floats
    translation: Floats
    errors_px: Floats
    kept: NDArray[np.bool_]
    reprojection_px: float


def solve_extrinsics(sightings: Sequence[Sighting], board: Board, lens_a: Lens, lens_b: Lens) -> Extrinsics:
    """The answer that most sightings agree on, without those that do not fit it.

    A sighting does not fit where its error is both above 0.5 px and three times the typical one: the board moved
    between the two exposures, or its corners were misplaced. Raises `CalibrationError` where fewer than half agree.
    """
    start, kept = _start(sightings, board, lens_a, lens_b)
    if 2 * kept.sum() <= len(sightings):
        raise CalibrationError(
            f"the pictures contradict each other: only {kept.sum()} of {len(sightings)} agree on where the cameras "
            "stand; hold the board still while both take theirs, and check which calibration is which camera's"
        )
    problem = _Problem(sightings, board, lens_a, lens_b)
    place = problem.fitted(start, kept, soft=True)
    while True:
        errors = problem.errors_px(place)
        limit = max(_ALWAYS_FITS_PX, _TIMES_TYPICAL * float(np.median(errors[kept])))
        fits = kept & (errors <= limit)
        if np.array_equal(fits, kept):
            break
        kept = fits
        place = problem.fitted(place, kept, soft=True)
    place = problem.fitted(place, kept, soft=False)
    errors = problem.errors_px(place)
    turn = Rotation.from_rotvec(place[0, :3]).as_matrix()
    return Extrinsics(turn.T, -turn.T @ place[0, 3:], errors, kept, float(np.sqrt(np.mean(errors[kept] ** 2))))


def _start(sightings: Sequence[Sighting], board: Board, lens_a: Lens, lens_b: Lens) -> tuple[Floats, NDArray[np.bool_]]:
    """(1 + sightings, 6): A to B, then board to A of every sighting, as rotation vector and metres; and which agree.

    A flat board seen from afar has two poses that fit nearly alike. Hence every sighting votes with all of its pairs.
    """
    in_a = [_poses(sighting.a, lens_a, board) for sighting in sightings]
    in_b = [_poses(sighting.b, lens_b, board) for sighting in sightings]
    owner, boards, turns, shifts = [], [], [], []
    for index, (of_a, of_b) in enumerate(zip(in_a, in_b, strict=True)):
        for turn_a, shift_a in of_a:
            for turn_b, shift_b in of_b:
                turn = turn_b * turn_a.inv()
                owner.append(index)
                boards.append(np.concatenate([turn_a.as_rotvec(), shift_a]))
                turns.append(turn.as_quat())
                shifts.append(shift_b - turn.apply(shift_a))
    owners, quaternions, places = np.array(owner), np.array(turns), np.array(shifts)
    angles = 2 * np.arccos(np.clip(np.abs(quaternions @ quaternions.T), 0, 1))
    away = max(float(np.median(np.linalg.norm(np.array(boards)[:, 3:], axis=1))), 1e-6)
    apart = angles + np.linalg.norm(places[:, None] - places[None], axis=2) / away
    # (candidates, sightings): how far each sighting's nearest candidate is from this one.
    nearest = np.stack([apart[:, owners == index].min(axis=1) for index in range(len(sightings))], axis=1)
    best = int(np.argmin(np.minimum(nearest, _AGREE_RAD).sum(axis=1)))
    place = np.zeros((1 + len(sightings), _PARAMETERS))
    place[0] = np.concatenate([Rotation.from_quat(quaternions[best]).as_rotvec(), places[best]])
    for index in range(len(sightings)):
        own = np.flatnonzero(owners == index)
        place[1 + index] = boards[own[np.argmin(apart[best, own])]]
    return place, np.asarray(nearest[best] < _AGREE_RAD)


def _poses(pixels: Floats, lens: Lens, board: Board) -> list[tuple[Rotation, Floats]]:
    """Board to camera: one or two answers."""
    straight = rays(lens, pixels)
    if not np.isfinite(straight).all():
        raise CalibrationError("a corner lies where the lens's calibration has no answer; is it this camera's?")
    _, turns, shifts, _ = cv2.solvePnPGeneric(board.points, straight, np.eye(3), np.zeros(4), flags=cv2.SOLVEPNP_IPPE)
    return [
        (Rotation.from_rotvec(np.ravel(turn)), np.asarray(np.ravel(shift), np.float64))
        for turn, shift in zip(turns, shifts, strict=True)
    ]


class _Problem:
    """Residuals in pixels of B's place and the boards' places, (1 + sightings, 6)."""

    def __init__(self, sightings: Sequence[Sighting], board: Board, lens_a: Lens, lens_b: Lens) -> None:
        self._points = board.points
        self._lenses = lens_a, lens_b
        self._seen = np.stack([[sighting.a, sighting.b] for sighting in sightings])

    def errors_px(self, place: Floats) -> Floats:
        off = self._residuals(place, np.ones(len(self._seen), np.bool_))
        return np.asarray(np.sqrt(np.mean(np.sum(off**2, axis=-1), axis=(1, 2))))

    def fitted(self, place: Floats, kept: NDArray[np.bool_], soft: bool) -> Floats:
        """`place` with the kept sightings' best answer; the others' boards stay where they were."""
        chosen = np.concatenate([[True], kept])
        place = place.copy()
        precision = 1e-6 if soft else 1e-10

        def residuals(flat: Floats) -> Floats:
            return self._residuals(flat.reshape(-1, _PARAMETERS), kept).ravel()

        found = least_squares(
            residuals, place[chosen].ravel(),
            loss="soft_l1" if soft else "linear", f_scale=_SOFT_PX, x_scale="jac",
            jac_sparsity=self._sparsity(int(kept.sum())), xtol=precision, ftol=precision, gtol=precision, max_nfev=60,
        )  # fmt: skip
        place[chosen] = found.x.reshape(-1, _PARAMETERS)
        return place

    def _residuals(self, place: Floats, kept: NDArray[np.bool_]) -> Floats:
        """(kept, 2 cameras, corners, 2) pixels. place: B's, then the kept boards'."""
        boards = Rotation.from_rotvec(place[1:, :3]).as_matrix()
        in_a = self._points @ boards.transpose(0, 2, 1) + place[1:, None, 3:]
        in_b = in_a @ Rotation.from_rotvec(place[0, :3]).as_matrix().T + place[0, 3:]
        pixels = np.stack([project(self._lenses[0], in_a), project(self._lenses[1], in_b)], axis=1)
        return np.asarray(np.nan_to_num(pixels - self._seen[kept], nan=1e4))

    def _sparsity(self, sightings: int) -> csr_array:
        """Which residual depends on which number: each on its own board's, camera B's on B's place as well."""
        numbers = self._seen[0, 0].size
        depends = np.zeros((sightings, 2, numbers, 1 + sightings, _PARAMETERS), np.bool_)
        depends[:, 1, :, 0] = True
        for index in range(sightings):
            depends[index, :, :, 1 + index] = True
        return csr_array(depends.reshape(sightings * 2 * numbers, -1))
