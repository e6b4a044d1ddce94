"""The joint fit, on corners computed from a known stand: exact where they are, robust where some are wrong."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from hal.camera.checkerboard import Board
from hal.camera.extrinsics import Sighting, solve_extrinsics
from hal.camera.lens import project
from hal.errors import CalibrationError
from hal.types import Lens

Array = NDArray[np.float64]
KINECT = (0.3301, -2.4894, -0.00016, -0.00013, 1.4537, 0.2089, -2.3029, 1.3751)
LENS_A = Lens(1280, 720, (611.8, 612.0), (639.3, 366.9), KINECT)
LENS_B = Lens(1280, 720, (640.0, 641.0), (630.0, 355.0), (0.42, -2.55, 0.0002, -0.0003, 1.50, 0.30, -2.36, 1.42))
BOARD = Board((13, 8), 0.06)
TURN = Rotation.from_euler("yxz", [-60.0, 4.0, 3.0], degrees=True).as_matrix()
PLACE = np.array([2.1, 0.1, 1.3])


def sightings(count: int, noise_px: float, flat_on: bool = False) -> list[Sighting]:
    """Boards about 2.5 m from both; `flat_on`: nearly parallel to A's picture, where two poses fit nearly alike."""
    random = np.random.default_rng(5)
    middle_of_b = np.linalg.norm(PLACE - [0, 0, 2.5])
    assert 2 < middle_of_b < 3
    made = []
    for _ in range(count):
        lean = random.uniform(-3, 3, 3) if flat_on else random.uniform([-50, -20, -20], [-10, 20, 20])
        turn = Rotation.from_euler("yxz", lean, degrees=True).as_matrix()
        middle = np.array([0, 0, 2.5]) + random.uniform(-0.3, 0.3, 3)
        in_a = (BOARD.points - BOARD.points.mean(axis=0)) @ turn.T + middle
        in_b = (in_a - PLACE) @ TURN
        seen = [project(LENS_A, in_a), project(LENS_B, in_b)]
        a, b = (pixels + random.normal(0, noise_px, pixels.shape) for pixels in seen)
        made.append(Sighting(a, b))
    return made


def degrees_off(rotation: Array) -> float:
    return float(np.degrees(Rotation.from_matrix(rotation.T @ TURN).magnitude()))


def test_without_noise_the_answer_is_exact() -> None:
    found = solve_extrinsics(sightings(10, 0.0), BOARD, LENS_A, LENS_B)
    assert np.linalg.norm(found.translation - PLACE) < 1e-6
    assert degrees_off(found.rotation) < 1e-5
    assert found.reprojection_px < 1e-4
    assert found.kept.all()


@pytest.mark.parametrize("flat_on", [False, True])
def test_the_error_told_is_the_noise_and_the_place_is_good_to_millimetres(flat_on: bool) -> None:
    """0.3 px in each direction are 0.42 px of distance, less what the boards' free places take up."""
    found = solve_extrinsics(sightings(15, 0.3, flat_on), BOARD, LENS_A, LENS_B)
    assert found.kept.all()
    assert found.reprojection_px == pytest.approx(0.3 * np.sqrt(2), rel=0.05)
    assert np.linalg.norm(found.translation - PLACE) < 0.004
    assert degrees_off(found.rotation) < 0.1


def test_wrong_sightings_are_left_out_and_leave_no_trace() -> None:
    """Four of fifteen: two boards that moved between the exposures, one with its corners reversed, one slightly off."""
    seen = sightings(15, 0.1)
    wrong = list(seen)
    wrong[2], wrong[7] = Sighting(seen[2].a, seen[7].b), Sighting(seen[7].a, seen[2].b)
    wrong[4] = Sighting(seen[4].a, seen[4].b[::-1])
    wrong[11] = Sighting(seen[11].a, seen[11].b + np.array([3.0, -2.0]))
    found = solve_extrinsics(wrong, BOARD, LENS_A, LENS_B)
    assert np.flatnonzero(~found.kept).tolist() == [2, 4, 7, 11]
    clean = [one for index, one in enumerate(seen) if index not in (2, 4, 7, 11)]
    alone = solve_extrinsics(clean, BOARD, LENS_A, LENS_B)
    np.testing.assert_allclose(found.translation, alone.translation, atol=1e-6)
    assert found.reprojection_px == pytest.approx(alone.reprojection_px, abs=1e-6)
    assert (found.errors_px[[2, 4, 7, 11]] > 0.5).all()


def test_pictures_that_contradict_each_other_are_refused() -> None:
    seen = sightings(12, 0.1)
    shuffled = [Sighting(one.a, other.b) for one, other in zip(seen, seen[5:] + seen[:5], strict=True)]
    with pytest.raises(CalibrationError, match=r"contradict each other: only .* of 12 agree"):
        solve_extrinsics(shuffled, BOARD, LENS_A, LENS_B)
