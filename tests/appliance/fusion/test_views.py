"""Two views become one: what one camera does not see comes from the other, and contradiction costs confidence."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from appliance.fusion.views import ViewPlacement, merge_views, placement_of
from appliance.skeleton.standard import INDEX, recording_of

TIMES = np.arange(90) / 30
WRIST = INDEX["left_wrist"]


def joints(times):
    """A body whose left wrist swings."""
    still = np.random.default_rng(0).uniform(-0.5, 0.5, (17, 3))
    positions = np.tile(still, (len(times), 1, 1))
    positions[:, WRIST, 1] += 0.3 * np.sin(3 * times)
    return positions


def from_the_side(positions):
    """The same in the axes of a camera 60 degrees round and 1.5 m aside, and that view's placement."""
    rotation = Rotation.from_euler("yx", [60, 5], degrees=True).as_matrix()
    translation = np.array([1.5, 0.1, 0.8])
    return (positions - translation) @ rotation, ViewPlacement(rotation, translation)


def test_a_joint_hidden_from_one_is_filled_by_the_other_at_other_instants():
    seen = joints(TIMES)
    seen[30:60, WRIST] = np.nan
    other_times = TIMES + 0.011
    side, placement = from_the_side(joints(other_times))
    merged = merge_views(recording_of(TIMES, seen), recording_of(other_times, side), placement)
    assert np.array_equal(merged.times, TIMES)
    np.testing.assert_allclose(merged.positions[1:], joints(TIMES)[1:], atol=1e-3)
    assert (merged.confidence[1:] == 1.0).all()


def test_the_surer_view_weighs_more():
    side, placement = from_the_side(joints(TIMES) + np.array([0.04, 0.0, 0.0]))
    merged = merge_views(
        recording_of(TIMES, joints(TIMES), np.full((90, 17), 0.5)), recording_of(TIMES, side), placement
    )
    off = (merged.positions - joints(TIMES))[..., 0]
    np.testing.assert_allclose(off, 0.04 / (1 + 0.5**4), atol=1e-9)
    assert (merged.confidence == 1.0).all()


def test_contradiction_keeps_the_surer_one_and_lowers_its_confidence():
    side, placement = from_the_side(joints(TIMES))
    side[:, WRIST] += [0.0, 0.4, 0.0]
    trust = np.ones((90, 17))
    trust[:, WRIST] = 0.9
    merged = merge_views(recording_of(TIMES, joints(TIMES)), recording_of(TIMES, side, trust), placement)
    np.testing.assert_allclose(merged.positions, joints(TIMES), atol=1e-9)
    assert (merged.confidence[:, WRIST] < 0.5).all()
    assert (np.delete(merged.confidence, WRIST, axis=1) == 1.0).all()


def test_a_joint_that_neither_sees_stays_unseen():
    seen = joints(TIMES)
    seen[40:, WRIST] = np.nan
    side, placement = from_the_side(seen)
    merged = merge_views(recording_of(TIMES, seen), recording_of(TIMES, side), placement)
    assert np.isnan(merged.positions[40:, WRIST]).all()
    assert (merged.confidence[40:, WRIST] == 0).all()


def test_calibration_in_the_cameras_axes_and_levelled_skeletons_go_together():
    """A point is carried from camera B to camera A and to both skeletons' axes along two ways."""
    rng = np.random.default_rng(2)
    rotation, level_a, level_b = (Rotation.random(random_state=seed).as_matrix() for seed in (1, 2, 3))
    translation, point_b = rng.standard_normal((2, 3))
    point_a = rotation @ point_b + translation
    flip = np.array([1.0, -1.0, -1.0])
    placement = placement_of(rotation, translation, level_a, level_b)
    skeleton_b = flip * (level_b @ point_b)
    np.testing.assert_allclose(placement.rotation @ skeleton_b + placement.translation, flip * (level_a @ point_a))


def test_a_flat_recording_is_refused():
    flat = recording_of(TIMES, joints(TIMES) * [1.0, 1.0, 0.0], planar=True)
    with pytest.raises(ValueError, match="two-dimensional"):
        merge_views(flat, recording_of(TIMES, joints(TIMES)), ViewPlacement(np.eye(3), np.zeros(3)))
