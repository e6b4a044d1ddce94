"""`rehabbox segment`: what it prints, and its exit status."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from appliance.recording.skeleton_csv import write_skeleton_csv
from appliance.skeleton.adapters import standard_from
from appliance.skeleton.standard import recording_of


@pytest.fixture
def segment(command: Callable[..., Any]) -> Callable[..., Any]:
    return partial(command, "segment")


@pytest.fixture
def squats(data: Path, tmp_path: Path) -> Path:
    """The real squats: landmarks about the hips, moved as the hips move in the picture."""
    world = np.array(json.loads((data / "video/squats.landmarks-world.json").read_text()))
    picture = np.array(json.loads((data / "video/squats.landmarks-px.json").read_text()))
    positions, confidence = standard_from("mediapipe_33", world[..., :3] * [1, -1, -1])
    flat, _ = standard_from("mediapipe_33", np.insert(picture[..., :2] * [1, -1], 2, 0, axis=-1), planar=True)
    trunk = [np.linalg.norm(body[:, 2] - body[:, 0], axis=1) for body in (positions, flat)]
    positions = positions + flat[:, :1] * np.median(trunk[0]) / np.median(trunk[1])
    file = tmp_path / "squats.csv.gz"
    write_skeleton_csv(file, recording_of(np.arange(65) / 5, positions, confidence))
    return file


def test_the_video_holds_two_squats_and_the_beginning_of_a_third(squats: Path, segment: Callable[..., Any]) -> None:
    run = segment(squats, "--json")
    assert run.returncode == 0
    first, second, third = json.loads(run.stdout)["repetitions"]
    for one, start, end in ((first, 0.6, 3.6), (second, 5.2, 8.2)):
        assert one["complete"]
        assert (one["start_s"], one["end_s"]) == (pytest.approx(start, abs=0.6), pytest.approx(end, abs=0.6))
        assert one["start_s"] + 1 < one["reverse_s"] < one["end_s"] - 1
    assert not third["complete"]
    assert third["start_s"] > second["end_s"]


def test_an_exercise_restricts_what_is_followed(
    performing: Callable[..., Any], tmp_path: Path, segment: Callable[..., Any]
) -> None:
    truth = performing([{"side": "left"}, {"side": "right"}], [1.0, 1.0, 1.0], noise=0.005)
    write_skeleton_csv(tmp_path / "arms.csv", truth.recording)
    everything = json.loads(segment(tmp_path / "arms.csv", "--json").stdout)["repetitions"]
    arms_ignored = segment(tmp_path / "arms.csv", "--json", "--exercise", "marching")
    assert len(everything) == 2
    assert json.loads(arms_ignored.stdout) == {"repetitions": []}
    assert arms_ignored.returncode == 1


def test_without_json_a_person_reads_a_table(
    performing: Callable[..., Any], tmp_path: Path, segment: Callable[..., Any]
) -> None:
    write_skeleton_csv(tmp_path / "one.csv", performing([{}], [1.0, 1.0]).recording)
    run = segment(tmp_path / "one.csv")
    assert run.returncode == 0
    assert "turn (s)" in run.stdout
    assert "complete" in run.stdout


@pytest.mark.parametrize(
    ("arguments", "named"), [(["nowhere.csv"], "nowhere.csv"), (["one.csv", "--exercise", "juggling"], "juggling")]
)
def test_bad_input_is_one_line(
    performing: Callable[..., Any], tmp_path: Path, arguments: list[str], named: str, segment: Callable[..., Any]
) -> None:
    write_skeleton_csv(tmp_path / "one.csv", performing([{}], [1.0, 1.0]).recording)
    run = segment(tmp_path / arguments[0], *arguments[1:])
    assert run.returncode == 2
    assert run.stdout == ""
    assert len(run.stderr.splitlines()) == 1
    assert named in run.stderr
