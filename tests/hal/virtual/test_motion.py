"""What worn sensors measure agrees with how the body moves."""

import numpy as np
import pytest

from hal.types import SEGMENTS
from hal.virtual.body import SENSOR_PLACES
from hal.virtual.movements import MOVEMENTS
from hal.virtual.patient import GRAVITY, INSTRUCTOR, VirtualPatient
from hal.virtual.rotations import from_quaternions, rotation_vectors

RATE_HZ = 200.0


def performing(exercise):
    patient = VirtualPatient(0, 1.75, INSTRUCTOR)
    patient.rest(exercise, "", at_s=-10.0)
    end = patient.perform(exercise, "", 1, at_s=0.0)
    return patient, np.arange(0.0, end, 1 / RATE_HZ)


@pytest.mark.parametrize("exercise", MOVEMENTS)
def test_at_rest_the_accelerometer_reads_gravity_along_up_and_the_gyroscope_nothing(exercise):
    patient, _ = performing(exercise)
    motion = patient.motion(np.array([0.3, 0.5]))
    stage = from_quaternions(motion.orientation) @ motion.acceleration[..., None]
    np.testing.assert_allclose(stage[..., 0], np.tile([0.0, GRAVITY, 0.0], (2, 17, 1)), atol=1e-6)
    np.testing.assert_allclose(motion.angular_velocity, 0.0, atol=1e-9)


def test_upright_with_hanging_arms_gravity_is_along_y_of_every_trunk_sensor():
    patient = VirtualPatient(0, 1.75, INSTRUCTOR)
    worn = [SEGMENTS.index(name) for name in ("head", "upper_back", "lower_back", "left_thigh", "left_foot")]
    np.testing.assert_allclose(patient.motion(np.zeros(1)).acceleration[0, worn, 1], GRAVITY, atol=0.1)


@pytest.mark.parametrize("exercise", MOVEMENTS)
def test_the_gyroscope_integrates_to_the_change_of_orientation(exercise):
    patient, times = performing(exercise)
    motion = patient.motion(times)
    axes = from_quaternions(motion.orientation)
    turned = rotation_vectors(np.swapaxes(axes[:-1], -1, -2) @ axes[1:])
    between = (motion.angular_velocity[:-1] + motion.angular_velocity[1:]) / 2 / RATE_HZ
    assert np.abs(motion.angular_velocity).max() > 0.3
    np.testing.assert_allclose(between, turned, atol=2e-5)


@pytest.mark.parametrize("exercise", MOVEMENTS)
def test_the_accelerometer_integrates_twice_to_the_sensors_path(exercise):
    patient, times = performing(exercise)
    motion = patient.motion(times)
    felt = (from_quaternions(motion.orientation) @ motion.acceleration[..., None])[..., 0] - (0.0, GRAVITY, 0.0)
    speed = np.cumsum(felt, axis=0) / RATE_HZ
    path = np.cumsum(speed, axis=0) / RATE_HZ
    true = patient.joints(times, SENSOR_PLACES)
    assert np.ptp(true, axis=0).max() > 0.05
    np.testing.assert_allclose(path - path[0], true - true[0], atol=0.012)
