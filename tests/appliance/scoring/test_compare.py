"""What the scores of two whole recordings say, and when there are none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from appliance.errors import NotScorableError
from appliance.scoring.compare import compare, score
from appliance.scoring.options import ScoringOptions
from appliance.scoring.prepare import prepare_reference
from appliance.skeleton.standard import INDEX, Recording, recording_of

Raising = Callable[..., Recording]


def moved(recording: Recording, yaw_deg: float, size: float, by: tuple[float, float, float]) -> Recording:
    cos, sin = np.cos(np.radians(yaw_deg)), np.sin(np.radians(yaw_deg))
    turn = np.array([[cos, 0, sin], [0, 1, 0], [-sin, 0, cos]])
    return replace(recording, positions=recording.positions @ turn.T * size + np.array(by))


def hidden(recording: Recording, joints: tuple[str, ...], frames: slice) -> Recording:
    positions = recording.positions.copy()
    for joint in joints:
        positions[frames, INDEX[joint]] = np.nan
    return recording_of(recording.times, positions)


def test_a_recording_against_itself_differs_in_nothing(raising: Raising) -> None:
    found = score(raising(), raising())
    assert found.cost == found.pose_dissimilarity == found.dynamics_dissimilarity == found.mean_lag_s == 0.0
    assert found.tempo_ratio == 1.0
    assert found.pairs == 90
    assert set(found.joints.values()) == {0.0}
    assert set(found.symmetry) >= {"pose", "range"}
    assert list(found.symmetry.values()) == pytest.approx([0.0] * len(found.symmetry), abs=1e-9)
    assert found.dissimilarity_extended == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("root", ["pelvis", "thorax", "start"])
def test_place_heading_and_size_of_the_patient_do_not_count(raising: Raising, root: str) -> None:
    options = ScoringOptions(root=root)  # type: ignore[arg-type]
    reference, recording = raising(90), raising(101, left=0.8)
    plain = score(reference, recording, options)
    elsewhere = score(reference, moved(recording, 140.0, 0.7, (1.0, 0.5, -3.0)), options)
    assert elsewhere.cost == pytest.approx(plain.cost, rel=1e-9)
    assert elsewhere.pose_dissimilarity == pytest.approx(plain.pose_dissimilarity, rel=1e-9)


def test_a_smaller_movement_scores_worse_and_less_intense(raising: Raising) -> None:
    reference = prepare_reference(raising(), ScoringOptions())
    full, half, none = (compare(reference, raising(100, left=h, right=h)) for h in (1.0, 0.6, 0.2))
    assert full.pose_dissimilarity < half.pose_dissimilarity < none.pose_dissimilarity
    assert full.dynamics_dissimilarity < half.dynamics_dissimilarity < none.dynamics_dissimilarity
    assert none.intensity < none.intensity_reference


def test_pose_is_the_mean_distance_less_the_smallest(raising: Raising) -> None:
    found = score(raising(), raising(100, left=0.8))
    assert found.pose_dissimilarity == pytest.approx(found.mean_distance - found.min_distance)
    assert found.pairs >= 45


def test_a_movement_backwards_in_time_is_scored_and_bad(raising: Raising) -> None:
    recording = raising(90, left=0.3)
    ramp = replace(recording, positions=np.concatenate([recording.positions[:45], recording.positions[45:90] * 1.3]))
    backwards = replace(ramp, positions=ramp.positions[::-1].copy())
    assert score(ramp, backwards).mean_distance > 10 * score(ramp, ramp).mean_distance + 0.01


def test_a_late_patient_has_a_positive_lag(raising: Raising) -> None:
    recording = raising(90)
    rest = np.repeat(recording.positions[:1], 15, axis=0)
    late = recording_of(np.arange(105) / 30, np.concatenate([rest, recording.positions]))
    found = score(recording, late)
    assert found.mean_lag_s == pytest.approx(0.5, abs=0.05)
    assert found.base == "reference"
    early = score(late, recording)
    assert early.mean_lag_s == pytest.approx(-0.5, abs=0.05)
    assert early.base == "recording"


def test_the_tempo_ratio_is_the_patients_duration_over_the_instructors(raising: Raising) -> None:
    assert score(raising(91), raising(181)).tempo_ratio == pytest.approx(2.0)
    assert score(raising(181), raising(91)).tempo_ratio == pytest.approx(0.5)


def test_shares_sum_to_one_and_name_the_side_that_differs(raising: Raising) -> None:
    found = score(raising(), raising(right=0.5))
    assert sum(found.joints.values()) == pytest.approx(1.0)
    assert found.joints["right_wrist"] > 0.5
    assert -1.0 <= found.symmetry["pose"] < -0.8
    assert score(raising(), raising(left=0.5)).symmetry["pose"] == pytest.approx(-found.symmetry["pose"])


def test_only_the_named_joints_count(raising: Raising) -> None:
    options = ScoringOptions(joints=("left_elbow", "left_wrist"))
    found = score(raising(), raising(right=0.1), options)
    assert found.cost == pytest.approx(0.0, abs=1e-12)
    assert list(found.joints) == ["left_elbow", "left_wrist"]


def test_phi_balances_pose_and_ten_times_dynamics(raising: Raising) -> None:
    at = {phi: score(raising(), raising(left=0.5), ScoringOptions(phi_deg=phi)) for phi in (0.0, 30.0, 90.0)}
    pose, dynamics = at[0.0].pose_dissimilarity, at[0.0].dynamics_dissimilarity
    assert at[0.0].dissimilarity == pose
    assert at[30.0].dissimilarity == pytest.approx(pose * np.sqrt(0.75) + 10 * dynamics * 0.5)
    assert at[90.0].dissimilarity == pytest.approx(10 * dynamics)
    assert score(raising(), raising()).dissimilarity is None


def test_recordings_at_different_rates_are_brought_to_one(raising: Raising) -> None:
    found = score(raising(91, rate_hz=30.0), raising(301, rate_hz=100.0))
    assert found.pairs == 91
    assert found.mean_distance < 0.01
    assert found.mean_lag_s == pytest.approx(0.0, abs=0.01)


def test_travel_counts_with_the_root_start_only(raising: Raising) -> None:
    recording = raising()
    rise = np.zeros((90, 1, 3))
    rise[30:60, 0, 1] = 0.1
    risen = replace(recording, positions=recording.positions + rise)
    assert score(recording, risen).mean_distance == pytest.approx(0.0, abs=1e-12)
    assert score(recording, risen, ScoringOptions(root="start")).mean_distance > 0.01


def test_a_joint_out_of_sight_for_long_leaves_its_weight_to_the_others(raising: Raising) -> None:
    recording = raising(right=0.5)
    found = score(raising(), hidden(recording, ("right_elbow", "right_wrist"), slice(None)))
    assert found.joints["right_wrist"] == 0.0
    assert found.mean_distance == pytest.approx(0.0, abs=1e-9)
    assert found.joints_seen == pytest.approx(0.5, abs=1e-9)


def test_frames_in_which_nobody_is_seen_are_left_out_and_noted(raising: Raising) -> None:
    recording = raising(left=0.8)
    found = score(raising(), hidden(recording, tuple(INDEX), slice(40, 55)))
    assert any("share no seen joint" in note for note in found.notes)
    assert found.pairs < 90
    assert np.isfinite(found.cost)


def test_short_gaps_are_filled_and_noted(raising: Raising) -> None:
    found = score(raising(), hidden(raising(), ("left_wrist",), slice(40, 45)))
    assert found.filled == pytest.approx(5 / (90 * 17))
    assert "recording: short gaps were filled: 0.3% of the joints" in found.notes
    assert found.mean_distance < 0.01


def test_less_than_half_seen_is_refused(raising: Raising) -> None:
    arms = ("left_elbow", "left_wrist", "right_elbow", "right_wrist")
    with pytest.raises(NotScorableError, match=r"the recording: only 49% of the joints"):
        score(raising(), hidden(raising(), arms, slice(44, 90)))


def test_a_reference_that_hides_most_joints_throughout_is_refused(raising: Raising) -> None:
    rest = tuple(name for name in INDEX if name not in ("pelvis", "thorax", "left_wrist"))
    with pytest.raises(NotScorableError, match="the reference: only 18% of the joints"):
        score(hidden(raising(), rest, slice(None)), raising())


def test_what_cannot_be_scored_says_which_recording_and_why(raising: Raising) -> None:
    still = replace(raising(), positions=np.repeat(raising().positions[:1], 90, axis=0))
    with pytest.raises(NotScorableError, match="the reference: nothing moves"):
        score(still, raising())
    with pytest.raises(NotScorableError, match="the recording: has 1 frame in 0 s"):
        score(raising(), raising(2).between(0, 0.01))
    nobody = hidden(raising(), tuple(INDEX), slice(None))
    with pytest.raises(NotScorableError, match="the recording: its size is unknown"):
        score(raising(), nobody)
    with pytest.raises(NotScorableError, match="the recording: the pelvis is not seen"):
        score(raising(), nobody, ScoringOptions(root="start"))


def test_a_patient_who_stands_still_is_scored(raising: Raising) -> None:
    still = replace(raising(), positions=np.repeat(raising().positions[:1], 90, axis=0))
    assert score(raising(), still).pose_dissimilarity > 0.0


def test_two_dimensional_is_compared_with_its_like_only(raising: Raising) -> None:
    flat = replace(raising(), positions=raising().positions * [1, 1, 0], planar=True)
    with pytest.raises(NotScorableError, match="is two-dimensional and the reference three-dimensional"):
        score(raising(), flat)
    assert "both: two-dimensional, so not turned to face the camera" in score(flat, flat).notes


def test_unknown_gravity_is_said(raising: Raising) -> None:
    level = replace(raising(), gravity="accelerometer")
    assert not score(level, level).notes
    assert [note.split(":")[0] for note in score(level, raising()).notes] == ["recording"]
    assert [note.split(":")[0] for note in score(raising(), raising()).notes] == ["both"]


def test_the_document_has_the_keys_of_the_command(raising: Raising) -> None:
    found = score(raising(), raising(95))
    assert list(found.as_json()) == [
        *("pose_dissimilarity", "dynamics_dissimilarity", "dissimilarity", "phi_deg", "intensity"),
        *("intensity_reference", "mean_distance", "min_distance", "pairs", "cost", "mean_lag_s", "lag_spread_s"),
        *("tempo_ratio", "joints", "notes", "symmetry", "dissimilarity_extended", "extended", "extended_joints"),
        *("mirrored", "joint_distances", "angle_ranges", "angle_ranges_reference", "inter_limb"),
    ]
    assert len(found.as_json(path=True)["shifts"]) == 90
    assert found.as_json(path=True)["base"] == "reference"
