"""`rehabbox sync`: what it prints, its exit status, and what it refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from appliance.bench.virtual_pairs import Pair, virtual_pair
from appliance.recording.imu_csv import COLUMNS, read_imu_csv
from appliance.recording.skeleton_csv import write_skeleton_csv
from appliance.sync.inertial import InertialRecording


@pytest.fixture
def sync(command: Callable[..., Any]) -> Callable[..., Any]:
    return partial(command, "sync")


def write_imu(path: Path, sensor: InertialRecording) -> Path:
    table = np.column_stack([sensor.times, sensor.angular_velocity, sensor.acceleration])
    np.savetxt(path, table, delimiter=",", header=",".join(COLUMNS), comments="", fmt="%.6f")
    return path


@pytest.fixture(scope="module")
def pair() -> Pair:
    return virtual_pair("seated_knee_extension", seed=5, offset_s=-0.7, repetitions=3)


@pytest.fixture(scope="module")
def camera(pair: Pair, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sync") / "camera.csv.gz"
    write_skeleton_csv(path, pair.recording)
    return path


def test_the_offset_between_two_files(pair: Pair, camera: Path, tmp_path: Path, sync: Callable[..., Any]) -> None:
    lively = max(("left_ankle", "right_ankle"), key=lambda joint: np.ptp(pair.worn[joint].angular_velocity))
    imu = write_imu(tmp_path / "shank.csv", pair.worn[lively])
    run = sync(camera, imu, "--segment", lively, "--json")
    assert run.returncode == 0, run.stderr
    found = json.loads(run.stdout)
    assert set(found) == {"offset_s", "skew_ppm", "residual_ms", "kept", "confidence", "method", "reason"}
    assert found["offset_s"] == pytest.approx(-0.7, abs=0.025)
    assert found["method"] == "motion"
    assert sync(camera, imu, "--segment", lively).stdout.startswith("camera time = imu time -0.7")


def test_too_little_motion_is_status_1_and_still_a_document(
    pair: Pair, camera: Path, tmp_path: Path, sync: Callable[..., Any]
) -> None:
    run = sync(camera, write_imu(tmp_path / "arm.csv", pair.worn["left_wrist"]), "--segment", "left_wrist", "--json")
    assert run.returncode == 1
    found = json.loads(run.stdout)
    assert found["offset_s"] is None
    assert "too little motion" in found["reason"]


@pytest.mark.parametrize("segment", ["pelvis", "left_forearm", ""])
def test_a_segment_is_named_by_its_far_joint(camera: Path, segment: str, sync: Callable[..., Any]) -> None:
    run = sync(camera, camera, "--segment", segment)
    assert run.returncode == 2
    assert "left_wrist" in run.stderr
    assert run.stderr.count("\n") == 1


HEADER = ",".join(COLUMNS)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "is empty"),
        ("time_s,gyro.x\n0,1\n", "no column 'gyro.y'"),
        (f"{HEADER}\n", "0 whole samples"),
        (f"{HEADER}\n0,1,1,1,0,9.8,0\n", "1 whole samples"),
        (f"{HEADER}\n0,1,1,1,0,9.8,0\n0,1,1,1,0,9.8,0\n", "line 3: time_s is 0 after 0"),
        (f"{HEADER}\n0,1,1,x,0,9.8,0\n", "line 2: gyro.z is 'x'"),
        (f"{HEADER}\n0,250,1,1,0,9.8,0\n1,0,0,0,0,9.8,0\n", "250 rad/s"),
        (f"{HEADER}\n0,1,1,1,0,98000,0\n", "acc.y is 98000, beyond any limb"),
    ],
)
def test_what_is_no_imu_recording_is_one_line_and_status_2(
    camera: Path, tmp_path: Path, text: str, complaint: str, sync: Callable[..., Any]
) -> None:
    imu = tmp_path / "bad.csv"
    imu.write_text(text)
    run = sync(camera, imu, "--segment", "left_wrist", "--json")
    assert (run.returncode, run.stdout) == (2, "")
    assert complaint in run.stderr
    assert str(imu) in run.stderr
    assert run.stderr.count("\n") == 1


def test_a_row_with_an_empty_cell_is_a_lost_sample(tmp_path: Path) -> None:
    imu = tmp_path / "imu.csv"
    imu.write_text(f"extra,{HEADER}\na,0,1,2,3,4,5,6\nb,0.01,,2,3,4,5,6\nc,0.02,1,2,3,4,5,6\n")
    found = read_imu_csv(imu)
    assert found.times.tolist() == [0.0, 0.02]
    assert found.angular_velocity.tolist() == [[1, 2, 3]] * 2
    assert found.acceleration.tolist() == [[4, 5, 6]] * 2
