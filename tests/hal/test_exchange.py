"""Exchanged sensors, found on a virtual patient who follows the guided movement."""

from dataclasses import replace

import numpy as np
import pytest

from hal.exchange import GUIDE, Finding, Window, find_exchanged
from hal.types import SEGMENTS, ImuSample
from hal.virtual.patient import VirtualPatient

RATE_HZ = 50
STEP_S = 6.0
EXERCISES = (
    ("seated_shoulder_flexion", "left"), ("seated_shoulder_flexion", "right"),
    ("marching", "left"), ("marching", "right"),
    ("seated_knee_extension", "left"), ("seated_knee_extension", "right"),
)  # fmt: skip
"""What a virtual patient does for each step of `GUIDE`; between them it rests and takes up the next posture."""


def guided(seed):
    """Samples of all sensors, each on its own place, and the windows of the six steps."""
    patient = VirtualPatient(seed)
    samples, windows = [], []
    for number, ((exercise, side), step) in enumerate(zip(EXERCISES, GUIDE, strict=True)):
        start = 20.0 * number
        patient.rest(exercise, side, start)
        end = min(patient.perform(exercise, side, 1, start + 3.0, lead_in_s=1.0), start + 3.0 + STEP_S)
        times = np.arange(start + 3.5, end, 1 / RATE_HZ)
        motion = patient.motion(times)
        for row, time_s in enumerate(times):
            stamp = round(time_s * 1e9)
            samples += [
                ImuSample(segment, row, stamp, stamp, motion.acceleration[row, at], motion.angular_velocity[row, at])
                for at, segment in enumerate(SEGMENTS)
            ]
        windows.append(Window(step, round((start + 3.5) * 1e9), round(end * 1e9)))
    return samples, windows


@pytest.fixture(scope="module")
def recorded():
    return guided(1)


def exchange(samples, *pairs):
    """The same recording with sensors exchanged: each says the other's name."""
    other = {**dict(pairs), **{second: first for first, second in pairs}}
    return [replace(sample, segment=other.get(sample.segment, sample.segment)) for sample in samples]


@pytest.mark.parametrize("seed", range(4))
def test_a_right_set_is_called_right_on_different_people(seed):
    samples, windows = guided(seed)
    assert find_exchanged(samples, windows) == Finding()
    assert find_exchanged(samples, windows).right


@pytest.mark.parametrize(
    "pair",
    [
        ("left_arm", "right_arm"), ("left_forearm", "right_forearm"), ("left_hand", "right_hand"),
        ("left_thigh", "right_thigh"), ("left_calf", "right_calf"), ("left_foot", "right_foot"),
        ("left_hand", "right_forearm"), ("left_arm", "left_thigh"), ("left_calf", "left_thigh"),
        ("left_hand", "right_foot"),
    ],
)  # fmt: skip
def test_two_exchanged_sensors_are_named(recorded, pair):
    samples, windows = recorded
    finding = find_exchanged(exchange(samples, pair), windows)
    assert [set(found) for found in finding.exchanged] == [set(pair)]
    assert not finding.right


def test_a_whole_limb_worn_on_the_other_side_is_named_pair_by_pair(recorded):
    samples, windows = recorded
    pairs = [(f"left_{part}", f"right_{part}") for part in ("arm", "forearm", "hand")]
    finding = find_exchanged(exchange(samples, *pairs), windows)
    assert {frozenset(pair) for pair in finding.exchanged} == {frozenset(pair) for pair in pairs}


def test_a_sensor_that_does_not_turn_cannot_be_told_and_is_named(recorded):
    samples, windows = recorded
    stuck = [
        replace(sample, angular_velocity=np.zeros(3)) if sample.segment == "left_hand" else sample for sample in samples
    ]
    finding = find_exchanged(stuck, windows)
    assert finding.exchanged == ()
    assert "left_hand" in finding.reason


def test_a_patient_who_did_not_move_is_asked_to_do_it_again(recorded):
    samples, windows = recorded
    still = [replace(sample, angular_velocity=0.1 * sample.angular_velocity) for sample in samples]
    assert find_exchanged(still, windows).reason == (
        "nothing moved enough when asked to raise your left arm and lower it; do it again, more quickly"
    )


def test_a_sensor_without_samples_or_without_a_rate_of_turn_is_named(recorded):
    samples, windows = recorded
    cut = [sample for sample in samples if sample.segment != "head" or sample.arrival_ns < windows[3].begin_ns]
    dumb = [
        replace(sample, angular_velocity=np.full(3, np.nan)) if sample.segment == "head" else sample
        for sample in samples
    ]
    for broken in (cut, dumb):
        assert find_exchanged(broken, windows).reason.startswith("head: no rate of turn while asked to ")


def test_sensors_on_one_leg_only_are_enough_to_find_an_exchange_there(recorded):
    samples, windows = recorded
    legs = [sample for sample in samples if "thigh" in sample.segment or "calf" in sample.segment]
    finding = find_exchanged(exchange(legs, ("left_thigh", "right_thigh")), windows[2:])
    assert finding.exchanged == (("left_thigh", "right_thigh"),)
