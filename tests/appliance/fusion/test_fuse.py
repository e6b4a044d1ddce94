"""A limb the camera loses comes from sensors worn askew, on soft tissue, with a drifting heading, on unknown bones."""

from dataclasses import replace

import numpy as np
import pytest

from appliance.bench.fusion import occlusion, score_change
from appliance.fusion.fuse import fuse
from appliance.skeleton.standard import INDEX, recording_of

WITHIN_M, WITHOUT_M = 0.035, 0.15


@pytest.fixture(scope="module")
def raised_arm():
    return occlusion("supine_shoulder_flexion", 20, raw=True)


@pytest.mark.parametrize(
    ("exercise", "raw"),
    [
        ("supine_elbow_flexion", True),
        ("supine_straight_leg_raise", False),
        ("supine_hip_abduction", True),
        ("seated_shoulder_flexion", False),
        ("shoulder_abduction", True),
        ("marching", False),
    ],
)
def test_the_hidden_limb_is_found(exercise, raw):
    hidden = occlusion(exercise, 7, raw=raw)
    fused = fuse(hidden.seen, hidden.tracks)
    assert fused.filled[np.ix_(hidden.gone, hidden.joints)].all()
    assert hidden.error_m(fused.recording.positions) < WITHIN_M
    assert hidden.error_m(hidden.interpolated()) > WITHOUT_M


@pytest.mark.parametrize("exercise", ["supine_shoulder_flexion", "supine_straight_leg_raise"])
@pytest.mark.parametrize("raw", [True, False])
def test_the_score_of_a_supine_movement_stays(exercise, raw):
    hidden = occlusion(exercise, 20, raw=raw)
    assert score_change(exercise, hidden.whole, fuse(hidden.seen, hidden.tracks).recording) < 0.10
    straight = recording_of(hidden.seen.times, hidden.interpolated(), gravity="accelerometer")
    assert score_change(exercise, hidden.whole, straight) > 0.5


def test_what_was_seen_well_is_left_as_it_was(raised_arm):
    fused = fuse(raised_arm.seen, raised_arm.tracks)
    seen = raised_arm.seen.confidence == 1.0
    assert np.array_equal(fused.recording.positions[seen], raised_arm.seen.positions[seen])
    assert (fused.recording.confidence[seen] == 1.0).all()
    assert not fused.filled[seen].any()
    assert fused.filled_share == pytest.approx(raised_arm.gone.sum() * 3 / seen.size)
    assert (fused.recording.confidence[fused.filled] <= 0.8).all()


def test_without_sensors_the_recording_comes_back(raised_arm):
    fused = fuse(raised_arm.seen, {})
    assert fused.recording is raised_arm.seen
    assert not fused.filled.any()


def test_two_sensors_on_the_arm_are_enough(raised_arm):
    worn = {name: raised_arm.tracks[name] for name in ("left_arm", "left_forearm")}
    fused = fuse(raised_arm.seen, worn)
    assert raised_arm.error_m(fused.recording.positions) < 0.05


def test_a_bone_without_a_sensor_is_not_made_up(raised_arm):
    worn = {name: track for name, track in raised_arm.tracks.items() if name not in ("left_forearm", "left_hand")}
    fused = fuse(raised_arm.seen, worn)
    middle = np.flatnonzero(raised_arm.gone)[15:-15]
    assert np.isnan(fused.recording.positions[middle, INDEX["left_wrist"]]).all()
    assert (fused.recording.confidence[middle, INDEX["left_wrist"]] == 0).all()
    assert fused.filled[middle, INDEX["left_elbow"]].all()


def test_an_elbow_between_a_seen_shoulder_and_a_seen_wrist_is_pinned_from_both_sides(raised_arm):
    seen = raised_arm.whole.positions.copy()
    seen[np.ix_(raised_arm.gone, [INDEX["left_elbow"]])] = np.nan
    fused = fuse(recording_of(raised_arm.whole.times, seen), raised_arm.tracks)
    off = (fused.recording.positions - raised_arm.truth)[raised_arm.gone, INDEX["left_elbow"]]
    assert np.linalg.norm(off, axis=1).mean() < 0.025


@pytest.mark.parametrize("sure", [0.2, 0.45])
def test_the_cameras_guesses_do_not_count_for_measurements(raised_arm, sure):
    """A pose network puts joints that it does not see somewhere, with little confidence."""
    positions, confidence = raised_arm.whole.positions.copy(), raised_arm.whole.confidence.copy()
    hidden = np.ix_(raised_arm.gone, raised_arm.joints)
    positions[hidden] += [0.3, -0.3, 0.0]
    confidence[hidden] = sure
    guessed = recording_of(raised_arm.whole.times, positions, confidence)
    assert raised_arm.error_m(fuse(guessed, raised_arm.tracks).recording.positions) < 0.05


def test_a_sensor_that_stops_is_done_without(raised_arm):
    """Silent while the arm is hidden: nothing is known of the forearm, and that is what comes out."""
    track = raised_arm.tracks["left_forearm"]
    gone = raised_arm.seen.times[raised_arm.gone]
    kept = (track.times < gone[0]) | (track.times > gone[-1])
    silent = replace(track, times=track.times[kept], orientation=track.orientation[kept])
    fused = fuse(raised_arm.seen, raised_arm.tracks | {"left_forearm": silent})
    middle = np.flatnonzero(raised_arm.gone)[15:-15]
    assert not fused.filled[middle, INDEX["left_wrist"]].any()
    assert fused.filled[middle, INDEX["left_elbow"]].all()


@pytest.mark.parametrize("fault", ["stuck", "worn on the other arm", "exchanged"])
def test_a_sensor_that_the_camera_contradicts_is_done_without(raised_arm, fault):
    tracks = raised_arm.tracks
    arm, forearm, other = (tracks[name] for name in ("left_arm", "left_forearm", "right_forearm"))
    wrong = {
        "stuck": {
            "left_forearm": replace(forearm, orientation=np.tile(forearm.orientation[:1], (len(forearm.times), 1)))
        },
        "worn on the other arm": {"left_forearm": other, "right_forearm": forearm},
        "exchanged": {"left_forearm": arm, "left_arm": tracks["head"]},
    }[fault]
    fused = fuse(raised_arm.seen, tracks | wrong)
    middle = np.flatnonzero(raised_arm.gone)[15:-15]
    assert not fused.filled[middle, INDEX["left_wrist"]].any()
    seen = raised_arm.seen.confidence == 1.0
    assert np.array_equal(fused.recording.positions[seen], raised_arm.seen.positions[seen])


def test_an_earlier_set_tells_the_bones_that_are_never_seen(raised_arm):
    """The knee is under a blanket throughout; how its bones are worn is known from a set without one."""
    earlier = fuse(raised_arm.whole, raised_arm.tracks)
    leg = [INDEX[f"{side}_{joint}"] for side in ("left", "right") for joint in ("knee", "ankle")]
    positions = raised_arm.whole.positions.copy()
    positions[:, leg] = np.nan
    covered = recording_of(raised_arm.whole.times, positions)
    assert not fuse(covered, raised_arm.tracks).filled[:, leg].any()
    fused = fuse(covered, raised_arm.tracks, earlier.bones)
    assert fused.filled[:, leg].all()
    off = np.linalg.norm(fused.recording.positions[:, leg] - raised_arm.truth[:, leg], axis=2)
    assert off.mean() < 0.20


def test_flat_and_empty_recordings_come_back(raised_arm):
    flat = replace(raised_arm.seen, planar=True)
    assert fuse(flat, raised_arm.tracks).recording is flat
    empty = recording_of(np.zeros(0), np.zeros((0, 17, 3)))
    assert len(fuse(empty, raised_arm.tracks).recording) == 0


def test_nobody_seen_at_all_stays_nobody(raised_arm):
    unseen = recording_of(raised_arm.seen.times, np.full_like(raised_arm.truth, np.nan))
    fused = fuse(unseen, raised_arm.tracks)
    assert not fused.filled.any()
    assert (fused.recording.confidence == 0).all()


def test_a_frame_without_anybody_stays_empty(raised_arm):
    """Somebody else stepped in between: what the patient did meanwhile is no part of the set."""
    positions = raised_arm.whole.positions.copy()
    positions[raised_arm.gone] = np.nan
    fused = fuse(recording_of(raised_arm.whole.times, positions), raised_arm.tracks)
    assert np.isnan(fused.recording.positions[raised_arm.gone]).all()
    assert not fused.filled.any()
