"""A box with a calibration file: what `rehabbox calibrate` found reaches the hospital, and so does the noise floor."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from appliance.cli import rehabbox
from appliance.recording.files import read_recording
from appliance.recording.skeleton_csv import write_skeleton_csv
from appliance.references import digest_of
from appliance.skeleton.standard import recording_of


def calibration_file(folder: Path, reference: Path) -> tuple[Path, float]:
    """Made by the command from somebody who is nearer to the reference's pose, and slower, at each worse level.

    Returns the file and its angle, which is not 0: pose alone ranks these levels the wrong way round.
    """
    whole = read_recording(reference)
    lines = ["file,exercise,person,level,reference"]
    for level in range(3):
        start = whole.positions[:1]
        moved = start + (whole.positions - start) * (0.7 + 0.1 * level)
        write_skeleton_csv(folder / f"{level}.csv", recording_of(whole.times * (1.0 + 0.4 * level), moved))
        lines.append(f"{level}.csv,shoulder_abduction,P,{level},{reference}")
    (folder / "manifest.csv").write_text("\n".join(lines) + "\n")
    out = folder / "calibration.json"
    arguments = ["calibrate", str(folder / "manifest.csv"), "--out", str(out), "--json"]
    done = CliRunner().invoke(rehabbox, arguments, standalone_mode=False)
    assert done.exception is None, done.exception
    return out, float(json.loads(done.stdout)["phi_deg"])


def test_results_hold_d_by_the_calibrations_angle_and_its_digest(ward: Any, hospital: Any, tmp_path: Path) -> None:
    exercise = ward.exercise("shoulder_abduction", "left", 2)
    (reference,) = (tmp_path / "references").iterdir()
    file, phi_deg = calibration_file(tmp_path, reference)
    assert phi_deg > 0.0
    ward.start(session=ward.session(calibration=str(file)))
    hospital.prescribe([exercise])
    hospital.wait(lambda heard: heard.of("result"))
    (result,) = hospital.of("result")
    assert result["versions"]["calibration"] == digest_of(file)
    score = result["score"]
    assert score["phi_deg"] == phi_deg
    pose, dynamics = score["pose_dissimilarity"], score["dynamics_dissimilarity"]
    phi = math.radians(phi_deg)
    assert score["dissimilarity"] == pytest.approx(pose * math.cos(phi) + 10.0 * dynamics * math.sin(phi))
    # The reference holds two repetitions, so it says what its instructor varies by.
    assert set(score["noise_floor"]) == {
        "pose_dissimilarity", "dynamics_dissimilarity", "dissimilarity", "dissimilarity_extended",
    }  # fmt: skip
    assert set(score["within_noise"]) == {n for n, limit in score["noise_floor"].items() if abs(score[n]) <= limit}
    assert set(score["inter_limb"]["wrist"]) == {"distance", "reference", "ratio"}


def test_a_box_does_not_start_with_what_is_no_calibration_file(ward: Any, tmp_path: Path) -> None:
    (tmp_path / "calibration.json").write_text("{}")
    box = ward.start(session=ward.session(calibration=str(tmp_path / "calibration.json")))
    assert box.process.wait(60) == 2
    assert "calibration.json: is not a calibration file" in box.log
    assert "Traceback" not in box.log
