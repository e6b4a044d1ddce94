"""Templates of healthy recordings, and left against right."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from appliance.cli import rehabbox
from appliance.errors import NotScorableError
from appliance.recording.files import read_recording
from appliance.recording.skeleton_csv import write_skeleton_csv
from appliance.scoring.body import body_of
from appliance.scoring.compare import score
from appliance.scoring.sides import angle_ranges, inter_limb, mirrored, symmetry
from appliance.scoring.template import average
from appliance.skeleton.standard import INDEX, Recording, recording_of

Raising = Callable[..., Recording]


def test_the_average_of_one_recording_with_itself_is_itself(raising: Raising) -> None:
    one = raising(60)
    averaged = average([one, one, one])
    assert len(averaged) == 60
    assert score(one, averaged).pose_dissimilarity == pytest.approx(0.0, abs=2e-3)
    assert np.ptp(averaged.positions, axis=0) == pytest.approx(np.ptp(one.positions, axis=0), abs=5e-3)


def test_pace_does_not_blur_a_template_and_habits_average_out(raising: Raising) -> None:
    quick, slow = raising(60, left=0.9), raising(90, left=1.1)
    averaged = average([quick, slow])
    assert len(averaged) == 75
    wrist, pelvis = INDEX["left_wrist"], INDEX["pelvis"]
    heights = [(one.positions[:, wrist, 1] - one.positions[:, pelvis, 1]).max() for one in (quick, averaged, slow)]
    assert heights[0] < heights[1] < heights[2]


def test_a_template_of_healthy_people_is_nearer_to_a_healthy_one_than_each_of_them(raising: Raising) -> None:
    healthy = [raising(60 + 4 * n, left=0.9 + 0.1 * n, noise=0.01) for n in range(3)]
    new = raising(70, left=1.0, noise=0.01)
    to_template = score(average(healthy), new).mean_distance
    assert to_template < np.mean([score(one, new).mean_distance for one in healthy])


def test_a_joint_only_some_show_is_averaged_over_those(raising: Raising) -> None:
    whole, hidden = raising(60), raising(60)
    positions = hidden.positions.copy()
    positions[:, INDEX["left_ankle"]] = np.nan
    averaged = average([whole, recording_of(hidden.times, positions)])
    assert np.isfinite(averaged.positions).all()


def test_too_few_recordings_and_mixed_dimensions_are_refused(raising: Raising) -> None:
    with pytest.raises(NotScorableError, match="at least two"):
        average([raising(60)])
    flat = raising(60)
    planar = recording_of(flat.times, flat.positions * (1.0, 1.0, 0.0), planar=True)
    with pytest.raises(NotScorableError, match="cannot be averaged together"):
        average([flat, planar])


def test_the_command_writes_a_reference(tmp_path: Path, raising: Raising) -> None:
    for number in range(2):
        write_skeleton_csv(tmp_path / f"{number}.csv", raising(60 + 10 * number))
    arguments = [
        "template",
        str(tmp_path / "0.csv"),
        str(tmp_path / "1.csv"),
        "--out",
        str(tmp_path / "t.csv.gz"),
        "--json",
    ]
    result = CliRunner().invoke(rehabbox, arguments, standalone_mode=False)
    assert json.loads(result.stdout) == {"recordings": 2, "frames": 65}
    assert len(read_recording(tmp_path / "t.csv.gz")) == 65


def test_limbs_that_move_alike_have_no_distance_and_one_sided_ones_do(raising: Raising) -> None:
    both, left = body_of(raising(60)), body_of(raising(60, right=0.0))
    alike, unlike = inter_limb(both, both), inter_limb(left, left)
    assert all(pair["distance"] == pytest.approx(0.0, abs=1e-9) for pair in alike.values())
    assert unlike["wrist"]["distance"] > unlike["elbow"]["distance"] > 0.2
    assert unlike["wrist"]["ratio"] == pytest.approx(1.0)
    assert unlike["ankle"]["distance"] == pytest.approx(0.0, abs=1e-9)
    assert symmetry(unlike, {})["inter_limb_ratio"] == pytest.approx(1.0)
    assert symmetry(unlike, angle_ranges(left))["range"] > 0.9


def test_a_limb_that_is_not_seen_has_no_distance(raising: Raising) -> None:
    recording = raising(60, right=0.5)
    positions = recording.positions.copy()
    positions[:, INDEX["right_ankle"]] = np.nan
    found = inter_limb(body_of(raising(60, right=0.8)), body_of(recording_of(recording.times, positions)))
    assert "ankle" not in found
    assert found["wrist"]["ratio"] > 1.0


def test_in_the_mirror_the_affected_side_is_compared_with_the_unaffected_one(raising: Raising) -> None:
    right, weak_left = raising(70, left=0.0), raising(70, left=0.6, right=0.0)
    strong_left = raising(70, left=1.0, right=0.0)
    weak, strong = (score(right, mirrored(done)) for done in (weak_left, strong_left))
    assert strong.pose_dissimilarity == pytest.approx(0.0, abs=1e-9)
    assert weak.pose_dissimilarity > 0.05
    assert weak.angle_ranges["right_shoulder"] < 0.7 * weak.angle_ranges_reference["right_shoulder"]
    assert weak.joint_distances["right_wrist"] > 10.0 * strong.joint_distances["right_wrist"]
    assert max(weak.joints, key=lambda name: weak.joints[name]) == "right_wrist"


def test_angle_ranges_are_degrees_of_what_is_seen(raising: Raising) -> None:
    recording = raising(120)
    positions = recording.positions.copy()
    positions[:, INDEX["right_wrist"]] = np.nan
    ranges = angle_ranges(body_of(recording_of(recording.times, positions)))
    assert ranges["left_shoulder"] == pytest.approx(np.degrees(2.0), rel=0.1)
    assert ranges["left_knee"] == pytest.approx(0.0, abs=0.5)
    assert "right_elbow" not in ranges


def test_score_reports_sides_and_angles(raising: Raising) -> None:
    document = score(raising(60), raising(60, right=0.5)).as_json()
    assert document["symmetry"]["range"] > 0.1
    assert document["angle_ranges"]["right_shoulder"] < document["angle_ranges_reference"]["right_shoulder"]
