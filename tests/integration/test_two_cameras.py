"""Two cameras at work: what one does not see comes from the other, and neither is waited for in vain."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from appliance.assessment import assess
from appliance.exercises import exercise_by_id
from appliance.recording.session_reader import read_session
from appliance.references import ReferenceFolder
from appliance.skeleton.standard import INDEX
from hal.camera.synthetic import SyntheticCamera

FRONT = {"tilt_deg": 8.0, "height_m": 1.3, "hidden": ["left_wrist"]}
SIDE = {"bearing_deg": 60.0, "tilt_deg": 12.0, "height_m": 1.5, "seed": 7, "clock_offset_s": 400.0}
ONE_SENSOR = {"driver": "synthetic", "segments": ["head"]}

Calibrate = Callable[..., Path]


@pytest.fixture
def calibration(calibrate_synthetic: Calibrate) -> str:
    return str(calibrate_synthetic(SyntheticCamera.Options(**FRONT), SyntheticCamera.Options(**SIDE)))


def test_a_joint_hidden_from_one_camera_comes_from_the_other(
    ward: Any, hospital: Any, calibration: str, tmp_path: Path
) -> None:
    box = ward.start(
        {"REHABBOX_SECOND_CAMERA__CALIBRATION": calibration},
        camera={"driver": "synthetic", **FRONT},
        second_camera={"driver": "synthetic", **SIDE},
        imu=ONE_SENSOR,
        health={"interval_s": 2.0},
    )
    prescribed = ward.exercise("shoulder_abduction", "left", 2)
    hospital.prescribe([prescribed])
    hospital.wait(lambda heard: any(message["state"] == "done" for message in heard.of("session")))
    assert box.stop() == 0, box.log

    (result,) = hospital.of("result")
    assert result["status"] == "scored", box.log
    assert [repetition["complete"] for repetition in result["repetitions"]] == [True, True]
    assert result["data_quality"]["joints_seen"] > 0.97
    assert result["data_quality"]["filled"] < 0.02
    assert result["data_quality"]["gravity"] == "accelerometer"
    assert 0 < result["score"]["pose_dissimilarity"] < 0.2
    assert all(note.startswith("reference:") for note in result["score"]["notes"])
    assert result["versions"]["drivers"]["second_camera"] == "synthetic"
    assert {"camera", "second_camera"} < hospital.of("health")[-1]["devices"].keys()
    assert hospital.of("alert") == []

    (file,) = (tmp_path / "state" / "sessions").rglob("*.mcap")
    kept = read_session(file)
    assert kept.skeleton is not None
    front, side = (view.recording for view in kept.views)
    assert not front.confidence[:, INDEX["left_wrist"]].any()
    assert side.confidence[5:-5].all()
    assert len(front) + len(side) == result["data_quality"]["frames"]
    reference = ReferenceFolder(tmp_path / "references").load(prescribed["reference"])
    again = assess(kept.skeleton, reference, exercise_by_id("shoulder_abduction")).score
    assert again.pose_dissimilarity == pytest.approx(result["score"]["pose_dissimilarity"], rel=1e-3)


def test_a_camera_that_dies_in_the_middle_leaves_the_set_to_the_other_and_without_that_too_the_session_is_over(
    ward: Any, hospital: Any, plug_in: dict[str, str], calibration: str, tmp_path: Path
) -> None:
    ear = '{driver = "silent"}, {driver = "synthetic", tempo = 4.0, reaction_s = 0.1}'
    foot = '{driver = "foot", trips = {"recording squat" = 1000.0}}'
    box = ward.start(
        plug_in | {"REHABBOX_INDICATOR__PARTS": f"[{ear}, {foot}]"},
        camera={"driver": "flaky", "good_reads": 75, "missing": 1000, **FRONT},
        second_camera={"driver": "flaky", "calibration": calibration, **SIDE},
        imu=ONE_SENSOR,
        indicator={"driver": "combined"},
        recovery={"give_up_s": 2.0},
    )
    hospital.prescribe([ward.exercise("shoulder_abduction", "left", 3), ward.exercise("squat", "both", 1)])
    hospital.wait(lambda heard: any(message["state"] == "abandoned" for message in heard.of("session")))
    hospital.wait(lambda heard: len(heard.of("alert")) == 2)
    assert box.stop() == 0, box.log

    (result,) = hospital.of("result")
    assert hospital.of("session")[-1]["reason"] == "the camera was lost"
    assert box.log.count("cue: fault camera squat both") == 1
    assert result["status"] == "scored", box.log
    assert [repetition["complete"] for repetition in result["repetitions"]] == [True, True, True]
    assert any(note.startswith("camera lost: the flaky camera") for note in result["score"]["notes"])
    assert 0 < result["score"]["pose_dissimilarity"] < 0.2
    assert [alert["code"] for alert in hospital.of("alert")] == ["camera_lost", "second_camera_lost"]
    (file,) = (tmp_path / "state" / "sessions").rglob("*shoulder_abduction*.mcap")
    kept = read_session(file)
    assert kept.skeleton is not None
    front, side = (view.recording for view in kept.views)
    assert front.duration_s < side.duration_s - 1.0
    assert kept.skeleton.duration_s == pytest.approx(side.duration_s, abs=0.2)
    assert np.diff(kept.skeleton.times).max() < 0.3


def test_a_camera_that_was_moved_is_an_alert_at_the_start(
    ward: Any, hospital: Any, calibrate_synthetic: Calibrate
) -> None:
    front, side = SyntheticCamera.Options(**FRONT), SyntheticCamera.Options(**SIDE)
    box = ward.start(
        camera={"driver": "synthetic", **FRONT},
        second_camera={
            "driver": "synthetic",
            "calibration": str(calibrate_synthetic(front, side, since_deg=3.0)),
            **SIDE,
        },
    )
    hospital.wait(lambda heard: heard.of("alert") != [])
    (alert,) = hospital.of("alert")
    assert alert["code"] == "camera_moved"
    assert "the second camera was moved since the cameras were calibrated (3.0 degrees)" in alert["what"]
    assert "calibrate-cameras" in alert["remedy"]
    assert box.stop() == 0, box.log
