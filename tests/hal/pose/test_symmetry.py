"""Left and right bones are made equally long as far as the joints are uncertain, and no farther."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from hal.pose.limbs import LANDMARKS
from hal.pose.symmetry import with_equal_sides

L_HIP, R_HIP, L_KNEE, R_KNEE, L_ANKLE = 23, 24, 25, 26, 27
ALL = np.ones(33, np.bool_)


@pytest.fixture
def joints(stage: Any) -> np.ndarray:
    """(33, 3) of somebody who stands 2 m away."""
    body = stage.body("standing")
    return stage.view("standing", 2.0).to_camera(np.array([body.joints[name] for name in LANDMARKS]))


def uncertain(along_m: float) -> np.ndarray:
    """Down the picture, where limbs run that hang; across it a few millimetres."""
    return np.tile(np.diag([0.005**2, along_m**2]), (33, 1, 1))


def length(joints: np.ndarray, a: int, b: int) -> float:
    return float(np.linalg.norm(joints[a] - joints[b]))


def test_equal_sides_stay_as_they_are(joints: np.ndarray) -> None:
    np.testing.assert_allclose(with_equal_sides(joints, uncertain(0.02), ALL), joints, atol=1e-9)


def test_a_knee_too_high_gives_way_and_the_other_side_a_little(joints: np.ndarray) -> None:
    wrong = joints.copy()
    wrong[L_KNEE, 1] -= 0.03
    mended = with_equal_sides(wrong, uncertain(0.02), ALL)
    assert abs(length(mended, L_HIP, L_KNEE) - length(mended, R_HIP, R_KNEE)) < 0.015
    assert abs(mended[L_KNEE, 1] - joints[L_KNEE, 1]) < 0.02
    assert (mended[:, 2] == wrong[:, 2]).all()


def test_landmark_errors_become_smaller_on_the_whole(joints: np.ndarray) -> None:
    rng = np.random.default_rng(4)
    limbs, before, after = list(range(11, 17)) + list(range(23, 29)), [], []
    for _ in range(50):
        wrong = joints.copy()
        wrong[:, 1] += rng.normal(0, 0.02, 33)
        before.append(np.abs(wrong - joints)[limbs, 1].mean())
        after.append(np.abs(with_equal_sides(wrong, uncertain(0.02), ALL) - joints)[limbs, 1].mean())
    assert np.mean(after) < 0.85 * np.mean(before)


def test_a_difference_that_no_landmark_error_explains_moves_nothing(joints: np.ndarray) -> None:
    wrong = joints.copy()
    wrong[L_KNEE, 1] -= 0.25
    np.testing.assert_array_equal(
        with_equal_sides(wrong, uncertain(0.02), ALL)[[R_HIP, R_KNEE]], joints[[R_HIP, R_KNEE]]
    )


def test_a_joint_that_was_not_measured_moves_nothing(joints: np.ndarray) -> None:
    wrong = joints.copy()
    wrong[L_KNEE] = wrong[L_ANKLE] = np.nan
    measured = np.isfinite(wrong).all(axis=1)
    np.testing.assert_array_equal(with_equal_sides(wrong, uncertain(0.02), measured), wrong)
