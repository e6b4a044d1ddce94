"""A hip-centred skeleton is put back to where the picture shows it."""

from __future__ import annotations

import numpy as np
import pytest

from hal.pose.translation import offset_in_scene

PIXELS_PER_METRE = 400.0


@pytest.fixture
def skeleton() -> np.ndarray:
    return np.random.default_rng(3).normal(scale=0.4, size=(33, 3))


def test_the_offset_is_found_from_scale_and_place_in_the_picture(skeleton: np.ndarray) -> None:
    pixels = (skeleton[:, :2] + (0.3, -0.2)) * PIXELS_PER_METRE
    np.testing.assert_allclose(offset_in_scene(skeleton, pixels), (0.3, -0.2, 0), atol=1e-12)


def test_it_does_not_matter_how_large_the_picture_is(skeleton: np.ndarray) -> None:
    pixels = (skeleton[:, :2] + (0.3, -0.2)) * PIXELS_PER_METRE
    np.testing.assert_allclose(offset_in_scene(skeleton, pixels), offset_in_scene(skeleton, 3 * pixels))


def test_joints_out_of_sight_are_not_needed(skeleton: np.ndarray) -> None:
    pixels = (skeleton[:, :2] + (0.3, -0.2)) * PIXELS_PER_METRE
    np.testing.assert_allclose(offset_in_scene(skeleton[:5], pixels[:5]), (0.3, -0.2, 0), atol=1e-12)


@pytest.mark.parametrize("joints", [0, 1])
def test_too_few_joints_leave_the_skeleton_where_it_is(skeleton: np.ndarray, joints: int) -> None:
    assert offset_in_scene(skeleton[:joints], skeleton[:joints, :2]).tolist() == [0, 0, 0]
