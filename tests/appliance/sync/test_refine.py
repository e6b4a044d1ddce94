"""The delay that arrival times cannot see is found from the movement, or honestly not found."""

from __future__ import annotations

import gzip
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d
from scipy.spatial.transform import Rotation

from appliance.bench.virtual_pairs import Pair, virtual_pair
from appliance.recording.skeleton_csv import read_skeleton_csv
from appliance.skeleton.standard import INDEX, Recording, recording_of
from appliance.sync.inertial import InertialRecording
from appliance.sync.refine import refine

Floats = NDArray[np.float64]


def moved(inertial: InertialRecording, offset_s: float, skew: float = 0.0) -> InertialRecording:
    """The same on a clock of its own: true time = (1 + skew) sensor time + offset_s."""
    return replace(inertial, times=(inertial.times - offset_s) / (1.0 + skew))


@pytest.mark.parametrize("exercise", ["supine_elbow_flexion", "seated_knee_extension", "squat", "marching"])
def test_one_repetition_tells_a_hidden_delay(exercise: str) -> None:
    pair = virtual_pair(exercise, seed=3, offset_s=0.08)
    found = refine(pair.recording, pair.worn, find_skew=False)
    assert found.offset_s == pytest.approx(0.08, abs=0.008)
    assert found.method == "motion"
    assert found.confidence > 0.9
    assert found.kept > 0.9


@pytest.fixture(scope="module")
def arm() -> Pair:
    return virtual_pair("shoulder_abduction", seed=8, offset_s=0.0, repetitions=4, noise_m=0.01)


@pytest.mark.parametrize("offset_s", [-1.5, -0.4, 1.5])
def test_the_sign_is_camera_time_less_sensor_time(arm: Pair, offset_s: float) -> None:
    found = refine(arm.recording, {"left_wrist": moved(arm.worn["left_wrist"], offset_s)})
    assert found.offset_s == pytest.approx(offset_s, abs=0.015)


@pytest.mark.parametrize("skew", [-0.03, 0.02])
def test_a_rate_that_is_not_what_it_should_be_is_found(arm: Pair, skew: float) -> None:
    found = refine(arm.recording, {"left_wrist": moved(arm.worn["left_wrist"], 0.5, skew)})
    assert found.skew_ppm == pytest.approx(skew * 1e6, abs=3000)
    assert found.offset_s == pytest.approx(0.5, abs=0.03)
    assert found.method == "motion and skew"


def test_times_of_any_origin_give_the_same_mapping(arm: Pair) -> None:
    late = replace(arm.recording, times=arm.recording.times + 5000.0)
    sensor = replace(arm.worn["left_wrist"], times=arm.worn["left_wrist"].times + 4999.4)
    assert refine(late, {"left_wrist": sensor}).offset_s == pytest.approx(0.6, abs=0.015)


def test_without_gravity_the_turning_alone_tells(arm: Pair) -> None:
    sensor = replace(arm.worn["left_wrist"], acceleration=np.zeros_like(arm.worn["left_wrist"].acceleration))
    found = refine(arm.recording, {"left_wrist": moved(sensor, 0.3)})
    assert found.offset_s == pytest.approx(0.3, abs=0.025)


def test_what_was_not_seen_takes_no_part(arm: Pair) -> None:
    positions = arm.recording.positions.copy()
    positions[30:75, INDEX["left_wrist"]] = np.nan
    holed = recording_of(arm.recording.times, positions)
    assert refine(holed, {"left_wrist": arm.worn["left_wrist"]}).offset_s == pytest.approx(0.0, abs=0.015)


def test_an_arm_and_a_head_at_rest_give_no_offset() -> None:
    pair = virtual_pair("seated_knee_extension", seed=1, offset_s=0.2, repetitions=2)
    found = refine(pair.recording, {"left_wrist": pair.worn["left_wrist"], "head": pair.worn["head"]})
    assert found.offset_s is None
    assert found.reason is not None
    assert "too little motion" in found.reason
    assert found.confidence == 0.0


def test_a_sensor_on_another_limb_gives_no_offset() -> None:
    one = virtual_pair("seated_knee_extension", seed=2, offset_s=0.0, repetitions=3)
    found = refine(one.recording, {"left_wrist": one.worn["left_ankle"], "right_wrist": one.worn["right_ankle"]})
    assert found.offset_s is None


def test_two_different_movements_give_no_offset() -> None:
    one = virtual_pair("shoulder_abduction", seed=2, offset_s=0.0, repetitions=3)
    noise = np.random.default_rng(0)
    other = gaussian_filter1d(noise.standard_normal((1500, 3)), 40, axis=0) * 20
    sensor = InertialRecording(np.arange(1500) / 96, other, np.tile([0.0, 9.81, 0.0], (1500, 1)))
    assert refine(one.recording, {"left_wrist": sensor}).offset_s is None


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda pair: (pair.recording, {}), "no sensor"),
        (lambda pair: (pair.recording.between(0.0, 0.3), {"left_wrist": pair.worn["left_wrist"]}), "frames, 20"),
        (lambda pair: (pair.recording, {"left_wrist": moved(pair.worn["left_wrist"], 100.0)}), "no time in common"),
        (
            lambda pair: (
                pair.recording,
                {"left_wrist": InertialRecording(*(part[:9] for part in (
                    pair.worn["left_wrist"].times,
                    pair.worn["left_wrist"].angular_velocity,
                    pair.worn["left_wrist"].acceleration,
                )))},
            ),
            "9 samples",
        ),
    ],
)  # fmt: skip
def test_a_refusal_says_why(arm: Pair, change, reason: str) -> None:  # type: ignore[no-untyped-def]
    found = refine(*change(arm))
    assert found.offset_s is None
    assert found.reason is not None
    assert reason in found.reason


def test_the_claimed_error_is_near_the_real_one() -> None:
    ratios = []
    for seed in range(8):
        pair = virtual_pair("shoulder_abduction", seed=50 + seed, offset_s=0.3, noise_m=0.02)
        found = refine(pair.recording, {"left_wrist": pair.worn["left_wrist"]}, find_skew=False)
        assert found.offset_s is not None
        assert found.residual_ms is not None
        ratios.append(1e3 * abs(found.offset_s - 0.3) / found.residual_ms)
    assert np.sqrt(np.mean(np.square(ratios))) < 1.5


def seen_by_camera(sensor: InertialRecording, rng: np.random.Generator, noise_m: float) -> Recording:
    """A forearm that turns as a real sensor did, carried by its gyro and held level by gravity, seen at 30 Hz."""
    fine = np.arange(sensor.times[0], sensor.times[-1], 0.005)
    rate, felt = (
        np.stack([np.interp(fine, sensor.times, part[:, axis]) for axis in range(3)], axis=1)
        for part in (sensor.angular_velocity, sensor.acceleration)
    )
    turns = [Rotation.identity()]
    for step in Rotation.from_rotvec(rate[:-1] * 0.005):
        turns.append(turns[-1] * step)
    carried = Rotation.concatenate(turns)
    up = gaussian_filter1d(carried.apply(felt), 400, axis=0)
    up /= np.linalg.norm(up, axis=1, keepdims=True)
    axis = np.cross(up, [0.0, 1.0, 0.0])
    level = Rotation.from_rotvec(
        axis * (np.arctan2(np.linalg.norm(axis, axis=1), up[:, 1]) / np.linalg.norm(axis, axis=1))[:, None]
    )
    bone = 0.25 * (level * carried).apply(Rotation.random(random_state=1).apply([1.0, 0.0, 0.0]))
    times = np.sort(
        np.arange(fine[0], fine[-1], 1 / 30) + rng.normal(0, 0.002, len(np.arange(fine[0], fine[-1], 1 / 30)))
    )
    positions = np.zeros((len(times), 17, 3)) + rng.normal(0, 0.3, (17, 3))
    positions[:, INDEX["left_wrist"]] = positions[:, INDEX["left_elbow"]] + np.stack(
        [np.interp(times, fine, bone[:, part]) for part in range(3)], axis=1
    )
    return recording_of(times, positions + noise_m * rng.standard_normal(positions.shape))


def real_sensor(data: Path, name: str, first: int, count: int) -> InertialRecording:
    with gzip.open(data / "xsens-mtx" / name / "test.txt.gz", "rt") as file:
        table = np.loadtxt(file, delimiter=";", skiprows=1)[first : first + count]
    return InertialRecording(np.arange(count) / 25, table[:, 4:7], table[:, 1:4])


@pytest.mark.parametrize("skew", [0.0, 0.024])
def test_real_sensors_that_moved_are_found_and_those_that_moved_little_are_not_guessed(data: Path, skew: float) -> None:
    """e1/u2 moves enough; whether e2/u4 does depends on the camera's noise."""
    rng = np.random.default_rng(4)
    for name, first, lively in (("e1/u2", 0, True), ("e1/u2", 3000, True), ("e2/u4", 0, False)):
        sensor = real_sensor(data, name, first, 500)
        offset_s = rng.uniform(-1.5, 1.5)
        found = refine(seen_by_camera(sensor, rng, 0.012), {"left_wrist": moved(sensor, offset_s, skew)})
        if lively or found.offset_s is not None:
            assert found.offset_s == pytest.approx(offset_s, abs=0.04)


def test_real_sensors_that_lay_still_are_refused(data: Path) -> None:
    sensor = real_sensor(data, "e1/u1", 0, 750)
    found = refine(seen_by_camera(sensor, np.random.default_rng(1), 0.012), {"left_wrist": sensor})
    assert found.reason is not None
    assert "too little motion" in found.reason


def felt_by_sensor(recording: Recording, joint: str, near: str) -> InertialRecording:
    """A sensor on a real skeleton's segment, smoothed: it turns no more than it must; noise, bias and soft tissue."""
    rng = np.random.default_rng(6)
    bone = recording.positions[:, INDEX[joint]] - recording.positions[:, INDEX[near]]
    bone = gaussian_filter1d(bone, 2.5, axis=0)
    fine = np.arange(recording.times[0], recording.times[-1], 0.01)
    bone = gaussian_filter1d(np.stack([np.interp(fine, recording.times, part) for part in bone.T], axis=1), 3, axis=0)
    bone /= np.linalg.norm(bone, axis=1, keepdims=True)
    axis = np.cross(bone[:-1], bone[1:])
    turns = [Rotation.align_vectors(bone[:1], [[0.0, -1.0, 0.0]])[0]]
    for step in Rotation.from_rotvec(axis):
        turns.append(step * turns[-1])
    wobble = 0.03 * gaussian_filter1d(rng.standard_normal((len(fine), 3)), 8, axis=0) / 0.19
    worn = Rotation.concatenate(turns) * Rotation.from_rotvec(wobble)
    rate = (worn[:-1].inv() * worn[1:]).as_rotvec() * 100
    felt = worn.inv().apply([0.0, 9.81, 0.0])[:-1]
    return InertialRecording(
        fine[:-1], rate + 0.01 * rng.standard_normal(rate.shape) + 0.02, felt + 0.1 * rng.standard_normal(rate.shape)
    )


@pytest.mark.parametrize("exercise", ["heel_raise", "supine_hip_abduction", "supine_bridge"])
def test_a_small_movement_tells_a_hidden_delay_by_all_sensors_together(exercise: str) -> None:
    pair = virtual_pair(exercise, seed=11, offset_s=0.08)
    assert refine(pair.recording, pair.worn, find_skew=False).offset_s == pytest.approx(0.08, abs=0.008)


def test_an_offset_that_the_motion_tells_badly_is_refused(arm: Pair) -> None:
    noise = np.random.default_rng(2).standard_normal(arm.recording.positions.shape)
    shaken = replace(arm.recording, positions=arm.recording.positions + 0.3 * noise)
    found = refine(shaken, {"left_wrist": arm.worn["left_wrist"]})
    assert found.offset_s is None
    assert found.reason is not None
    assert "too little motion" in found.reason


@pytest.mark.parametrize("skew", [0.0, 0.02])
def test_real_skeletons_are_matched(data: Path, skew: float) -> None:
    errors = []
    rng = np.random.default_rng(5)
    for exercise, joint, near, person in (
        ("shoulder_abduction", "right_wrist", "right_elbow", "S01"),
        ("deep_squat", "right_knee", "right_hip", "S05"),
        ("inline_lunge", "left_ankle", "left_knee", "S03"),
    ):
        files = sorted((data / "ui-prmd-kinect2" / exercise).glob(f"{person}_*_correct.csv.gz"))[:4]
        positions = np.concatenate([read_skeleton_csv(file).positions for file in files])
        seen = recording_of(np.arange(len(positions)) / 30, positions)
        sensor, offset_s = felt_by_sensor(seen, joint, near), rng.uniform(-1.5, 1.5)
        jittered = recording_of(seen.times, positions + rng.normal(0, 0.01, positions.shape))
        found = refine(jittered, {joint: moved(sensor, offset_s, skew)})
        errors.append(np.inf if found.offset_s is None else abs(found.offset_s - offset_s))
    assert np.median(errors) < 0.025


def test_the_same_movement_by_somebody_else_is_no_match(data: Path) -> None:
    guessed, rng = 0, np.random.default_rng(6)
    folder = data / "ui-prmd-kinect2"
    for exercise in ("deep_squat", "shoulder_abduction", "inline_lunge", "side_lunge"):
        for one, other in (("S01_03", "S02_03"), ("S04_05", "S05_05")):
            seen, theirs = (read_skeleton_csv(folder / exercise / f"{who}_correct.csv.gz") for who in (one, other))
            theirs = recording_of(np.arange(len(theirs)) / 30, gaussian_filter1d(theirs.positions, 1.5, axis=0))
            sensor = felt_by_sensor(theirs, "left_wrist", "left_elbow")
            found = refine(seen, {"left_wrist": moved(sensor, rng.uniform(-1.5, 1.5))})
            guessed += found.offset_s is not None
    assert guessed <= 1
