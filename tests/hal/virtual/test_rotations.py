"""Rotations keep their conventions: matrices from segment to stage axes, quaternions w, x, y, z."""

import numpy as np
import pytest

from hal.virtual.rotations import (
    blend,
    from_quaternions,
    from_small_vectors,
    from_xzy,
    multiply,
    quaternions,
    rotation_vectors,
)

ANGLES = np.random.default_rng(5).uniform(-np.pi, np.pi, (200, 3))


def test_rotations_are_proper():
    rotations = from_xzy(ANGLES)
    np.testing.assert_allclose(rotations @ np.swapaxes(rotations, 1, 2), np.tile(np.eye(3), (200, 1, 1)), atol=1e-12)
    np.testing.assert_allclose(np.linalg.det(rotations), 1.0)


@pytest.mark.parametrize(
    ("angles", "of", "becomes"),
    [((90, 0, 0), (0, 1, 0), (0, 0, 1)), ((0, 90, 0), (1, 0, 0), (0, 1, 0)), ((0, 0, 90), (0, 0, 1), (1, 0, 0))],
)
def test_each_angle_turns_about_its_axis(angles, of, becomes):
    np.testing.assert_allclose(from_xzy(np.radians([angles]))[0] @ of, becomes, atol=1e-12)


def test_flexion_is_outermost_and_the_turn_along_the_segment_innermost():
    a, b, c = np.eye(3) * ANGLES[0]
    product = from_xzy(a[None])[0] @ from_xzy(b[None])[0] @ from_xzy(c[None])[0]
    np.testing.assert_allclose(from_xzy(ANGLES[:1])[0], product, atol=1e-12)


def test_quaternions_and_matrices_are_inverse_even_at_half_turns():
    half_turns = np.array([np.diag(d).astype(float) for d in ([1, -1, -1], [-1, 1, -1], [-1, -1, 1])])
    rotations = np.concatenate([from_xzy(ANGLES), half_turns])
    found = quaternions(rotations)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1.0)
    np.testing.assert_allclose(from_quaternions(found), rotations, atol=1e-9)


def test_quaternion_product_is_the_product_of_matrices():
    first, second = from_xzy(ANGLES[:100]), from_xzy(ANGLES[100:])
    product = multiply(quaternions(first), quaternions(second))
    np.testing.assert_allclose(from_quaternions(product), first @ second, atol=1e-9)


def test_rotation_vectors_undo_small_quaternions():
    vectors = 0.01 * ANGLES
    np.testing.assert_allclose(rotation_vectors(from_quaternions(from_small_vectors(vectors))), vectors, rtol=2e-3)
    np.testing.assert_array_equal(rotation_vectors(np.eye(3)[None]), np.zeros((1, 3)))


def test_a_blend_begins_at_one_ends_at_the_other_and_goes_the_shorter_way():
    first, second = from_xzy(np.radians([[[170.0, 0, 0]]])), from_xzy(np.radians([[[-170.0, 0, 0]]]))
    np.testing.assert_allclose(blend(first, second, np.zeros(1)), first, atol=1e-12)
    np.testing.assert_allclose(blend(first, second, np.ones(1)), second, atol=1e-12)
    middle = blend(first, second, np.array([0.5]))
    np.testing.assert_allclose(middle[0, 0], np.diag([1.0, -1.0, -1.0]), atol=1e-12)
