"""The synthetic IMUs: seventeen sensors behind one receiver with its own clock, noise, biases and losses."""

import time
from collections import Counter

import numpy as np
import pytest

from hal.errors import DriverOptionError
from hal.imu.synthetic import SyntheticImuSet
from hal.registry import build_imu
from hal.types import SEGMENTS, Cue
from hal.virtual.rotations import from_quaternions
from hal.virtual.stage import Manner, stage

IDEAL = {"acceleration_noise": 0.0, "gyro_noise": 0.0, "gyro_bias": 0.0, "orientation_noise_deg": 0.0, "loss": 0.0}


def samples_of(seconds, **options):
    imus = SyntheticImuSet(SyntheticImuSet.Options(**options))
    imus.open()
    samples = []
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        samples.extend(imus.read(0.2))
    imus.close()
    return samples


def test_every_segment_is_sampled_at_the_rate_on_one_clock():
    samples = samples_of(0.6, loss=0.0, clock_offset_s=100.0)
    counts = Counter(sample.segment for sample in samples)
    assert set(counts) == set(SEGMENTS)
    assert len(set(counts.values())) == 1
    assert 40 <= counts["head"] <= 75
    for sample in samples:
        assert sample.stamp_ns == 100_000_000_000 + round(sample.counter * 1e9 / 96)
        assert sample.arrival_ns <= time.monotonic_ns()


def test_at_rest_gravity_is_up_in_the_world_its_orientation_refers_to():
    for sample in samples_of(0.2, patient="still", segments=("lower_back", "left_hand"), **IDEAL):
        up = from_quaternions(sample.orientation) @ sample.acceleration
        np.testing.assert_allclose(up, (0.0, 9.81, 0.0), atol=1.0)


def test_biases_and_noise_are_as_large_as_asked_and_the_seeds():
    options = {"gyro_bias": 0.2, "gyro_noise": 0.01, "acceleration_noise": 0.5, "loss": 0.0, "patient": "noisy"}
    first, again, other = (samples_of(0.4, seed=seed, **options) for seed in (1, 1, 2))

    def bias(samples):
        return np.array(
            [np.mean([s.angular_velocity for s in samples if s.segment == name], axis=0) for name in SEGMENTS]
        )

    assert np.std(bias(first)) == pytest.approx(0.2, rel=0.4)
    np.testing.assert_allclose(bias(first), bias(again), atol=0.03)
    assert np.abs(bias(first) - bias(other)).max() > 0.1
    lengths = [np.linalg.norm(s.acceleration) for s in first if s.segment == "lower_back"]
    assert 0.3 < np.std(lengths) < 0.8


def test_samples_are_lost_sensor_by_sensor():
    samples = samples_of(0.6, loss=0.2, seed=4)
    expected = 17 * (max(sample.counter for sample in samples) + 1)
    assert 0.7 < len(samples) / expected < 0.9
    per_tick = Counter(sample.counter for sample in samples)
    assert len(set(per_tick.values())) > 2


def test_it_is_worn_by_the_patient_the_camera_sees():
    who = stage("worn")
    who.hear(Cue("recording", "supine_elbow_flexion", "left", 1), time.monotonic() - 20.0, Manner())
    who.hear(Cue("recording", "supine_elbow_flexion", "left", 3), time.monotonic(), Manner(reaction_s=0.0, tempo=3.0))
    samples = samples_of(1.0, patient="worn", segments=("left_forearm", "right_forearm"), **IDEAL)
    turning = {
        name: max(np.linalg.norm(s.angular_velocity) for s in samples if s.segment == name)
        for name in ("left_forearm", "right_forearm")
    }
    assert turning["left_forearm"] > 3.0
    assert turning["right_forearm"] < 0.5


def test_seventeen_sensors_at_96_hz_cost_little_processor_time():
    imus = SyntheticImuSet(SyntheticImuSet.Options())
    imus.open()
    imus.read(0.5)
    began_s, began_cpu_s = time.monotonic(), time.thread_time()
    while time.monotonic() - began_s < 1.0:
        imus.read(0.2)
    share = (time.thread_time() - began_cpu_s) / (time.monotonic() - began_s)
    imus.close()
    assert share < 0.15


@pytest.mark.parametrize("segments", [["left_tail"], ["head", "head"], []])
def test_a_segment_that_does_not_exist_or_is_named_twice_is_refused(segments):
    with pytest.raises(DriverOptionError, match=r"imu\.segments"):
        build_imu({"driver": "synthetic", "segments": segments})
