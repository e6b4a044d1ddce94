"""`rehabbox score`: one document, options that win over the exercise's, one line for what is wrong."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from appliance.exercises import exercise_by_id
from appliance.recording.skeleton_csv import write_skeleton_csv
from appliance.scoring.compare import score
from appliance.scoring.options import ScoringOptions
from appliance.skeleton.standard import JOINTS, Recording, recording_of
from hal.virtual.patient import VirtualPatient
from hal.virtual.performance import INSTRUCTOR

Raising = Callable[..., Recording]
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(command: Run) -> Run:
    return partial(command, "score")


@pytest.fixture
def files(tmp_path: Path, raising: Raising) -> tuple[Path, Path]:
    reference, recording = tmp_path / "reference.csv.gz", tmp_path / "recording.csv"
    write_skeleton_csv(reference, raising(90))
    write_skeleton_csv(recording, raising(80, left=0.7))
    return reference, recording


def test_the_document_is_the_comparison(run: Run, files: tuple[Path, Path], raising: Raising) -> None:
    done = run(*files, "--json", "--path")
    found, expected = json.loads(done.stdout), score(raising(90), raising(80, left=0.7)).as_json(path=True)
    assert done.returncode == 0
    assert list(found) == [*expected, "noise_floor", "within_noise"]
    assert found["noise_floor"] == {}
    assert found["cost"] == pytest.approx(expected["cost"], rel=1e-4)
    assert found["base"] == "recording"
    assert len(found["shifts"]) == found["pairs"] == 80
    assert found["dissimilarity"] is found["phi_deg"] is None
    assert "shifts" not in json.loads(run(*files, "--json").stdout)


def test_each_option_reaches_the_score(run: Run, files: tuple[Path, Path]) -> None:
    plain = json.loads(run(*files, "--json").stdout)
    for option in (["--window-s", "0"], ["--smoothness", "5"], ["--rate", "15"], ["--root", "thorax"]):
        assert json.loads(run(*files, "--json", *option).stdout)["cost"] != pytest.approx(plain["cost"], rel=1e-6)
    assert json.loads(run(*files, "--json", "--phi", "0").stdout)["dissimilarity"] == plain["pose_dissimilarity"]
    joints = json.loads(run(*files, "--json", "--joints", "left_wrist, left_elbow").stdout)["joints"]
    assert list(joints) == ["left_elbow", "left_wrist"]


def test_the_exercise_brings_joints_and_root_and_the_command_line_wins(
    run: Run, files: tuple[Path, Path], raising: Raising
) -> None:
    exercise = exercise_by_id("shoulder_abduction")
    assert exercise.joints != JOINTS
    found = json.loads(run(*files, "--json", "--exercise", exercise.id).stdout)
    assert tuple(found["joints"]) == exercise.joints
    both = json.loads(run(*files, "--json", "--exercise", exercise.id, "--joints", "head,left_wrist").stdout)
    assert list(both["joints"]) == ["head", "left_wrist"]
    rooted = json.loads(run(*files, "--json", "--exercise", exercise.id, "--root", "thorax").stdout)
    expected = score(raising(90), raising(80, left=0.7), ScoringOptions(joints=exercise.joints, root="thorax"))
    assert rooted["cost"] == pytest.approx(expected.cost, rel=1e-4)


def test_people_get_a_table(run: Run, files: tuple[Path, Path]) -> None:
    done = run(*files, "--path")
    assert done.returncode == 0
    for word in ("pose_dissimilarity", "left_wrist", "note: both: up is the camera's own", "base: recording"):
        assert word in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--smoothness", "nan"], "smoothness"),
        (["--smoothness", "much"], "--smoothness"),
        (["--window-s", "-1"], "window-s"),
        (["--rate", "0"], "rate"),
        (["--phi", "100"], "phi"),
        (["--joints", "left_knee,tail"], "'tail'"),
        (["--joints", ""], "joints"),
        (["--root", "head"], "'head'"),
        (["--exercise", "flying"], "'flying'"),
    ],
)
def test_a_bad_option_is_one_line_that_names_it(
    run: Run, files: tuple[Path, Path], arguments: list[str], said: str
) -> None:
    done = run(*files, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_bad_recording_is_one_line_that_names_the_file(
    run: Run, files: tuple[Path, Path], tmp_path: Path, raising: Raising
) -> None:
    still, short = tmp_path / "still.csv", tmp_path / "short.csv"
    moving = raising(90)
    moving.positions[:] = moving.positions[0]
    write_skeleton_csv(still, moving)
    write_skeleton_csv(short, raising(90).between(0, 0.01))
    for pair, said in (((still, files[1]), f"{still}: nothing moves"), ((files[0], short), f"{short}: has 1 frame")):
        done = run(*pair)
        assert (done.returncode, done.stdout) == (2, "")
        assert said in done.stderr
        assert done.stderr.count("\n") == 1
    assert f"{tmp_path / 'none.csv'}" in run(files[0], tmp_path / "none.csv").stderr


def test_pictures_show_the_recording_over_the_reference(run: Run, files: tuple[Path, Path], tmp_path: Path) -> None:
    folder = tmp_path / "new" / "pictures"
    assert run(*files, "--second-take", files[1], "--plots", folder).returncode == 0
    assert sorted(path.name for path in folder.iterdir()) == ["angles.png", "joints.png", "sides.png"]
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in folder.iterdir())
    done = run(*files, "--plots", files[1])
    assert done.returncode == 2
    assert f"--plots {files[1]}: cannot be made" in done.stderr


def test_the_two_sides_of_one_recording_are_compared_in_the_mirror(run: Run, files: tuple[Path, Path]) -> None:
    one_sided = files[1]
    plain = json.loads(run(one_sided, one_sided, "--json").stdout)
    sides = json.loads(run(one_sided, one_sided, "--mirror", "--json").stdout)
    assert plain["pose_dissimilarity"] == pytest.approx(0.0, abs=1e-6)
    assert sides["pose_dissimilarity"] > 0.01
    assert sides["angle_ranges"]["left_shoulder"] == pytest.approx(plain["angle_ranges"]["right_shoulder"])


def test_people_read_what_each_joint_costs_in_both_measures(run: Run, tmp_path: Path) -> None:
    files = tmp_path / "reference.csv", tmp_path / "recording.csv"
    for file, style in zip(files, (INSTRUCTOR, replace(INSTRUCTOR, compensation_deg=15.0)), strict=True):
        patient = VirtualPatient(3, 1.72, style)
        end_s = patient.perform("shoulder_abduction", "left", 1, at_s=0.0)
        times = np.arange(int(end_s * 30.0)) / 30.0
        write_skeleton_csv(file, recording_of(times, patient.joints(times)))
    found = json.loads(run(*files, "--json", "--joints", "left_wrist,left_elbow").stdout)
    table = run(*files, "--joints", "left_wrist,left_elbow").stdout
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in table.splitlines() if line.count("│") == 5]
    printed = {row[0]: row[1:] for row in rows if row[0] in JOINTS}
    assert printed["left_wrist"][0] == f"{found['joints']['left_wrist']:.0%}"
    assert printed["thorax"] == ["", "", f"{found['extended_joints']['thorax']:.2f}"]
