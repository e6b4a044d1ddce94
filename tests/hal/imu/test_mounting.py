"""How a sensor sits on its segment."""

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from hal.imu.mounting import Mounting, Rotation, matrix, product

HALF = 0.5**0.5
QUARTER_ABOUT_Z = (HALF, 0.0, 0.0, HALF)


def test_vectors_of_the_mounted_segment_turn_and_others_stay():
    mounting = Mounting({"head": QUARTER_ABOUT_Z})
    turned = mounting.vectors(["head", "left_arm"], np.array([[1.0, 0.0, 0.0], [1.0, 0.0, 0.0]]))
    assert turned == pytest.approx(np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]]))


def test_a_vector_of_the_world_is_the_same_before_and_after_mounting():
    chance = np.random.default_rng(2)
    sensor = chance.standard_normal(4)
    sensor /= np.linalg.norm(sensor)
    felt = chance.standard_normal((1, 3))
    in_world = matrix(sensor) @ felt[0]
    mounting = Mounting({"head": QUARTER_ABOUT_Z})
    segment = mounting.orientations(["head"], sensor[None])[0]
    assert matrix(segment) @ mounting.vectors(["head"], felt)[0] == pytest.approx(in_world)


def test_the_product_is_one_rotation_after_the_other():
    chance = np.random.default_rng(3)
    a, b = chance.standard_normal((2, 5, 4))
    a, b = a / np.linalg.norm(a, axis=1, keepdims=True), b / np.linalg.norm(b, axis=1, keepdims=True)
    for both, first, second in zip(product(a, b), a, b, strict=True):
        assert matrix(both) == pytest.approx(matrix(first) @ matrix(second))


def test_a_rotation_is_normalised_and_must_have_length_one():
    adapter = TypeAdapter(Rotation)
    assert np.linalg.norm(adapter.validate_python((0.7071, 0.7071, 0.0, 0.0))) == pytest.approx(1.0, abs=1e-12)
    for wrong in [(0.0, 0.0, 0.0, 0.0), (1.0, 1.0, 0.0, 0.0), (float("nan"), 0.0, 0.0, 0.0)]:
        with pytest.raises(ValidationError, match="unit quaternion"):
            adapter.validate_python(wrong)
