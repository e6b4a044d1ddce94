"""Mounting, bone length and a drifting heading are found from what the camera saw of a bone."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from appliance.fusion.wearing import SeenBones, find_wearing

TIMES = np.arange(0.0, 30.0, 1 / 30)


def arm(heading_deg, mounting, length=0.3):
    """An arm that goes up in front and to the side: orientation as felt, bone as seen, c as worn."""
    lift = 70 * (1 - np.cos(2 * np.pi * TIMES / 4))
    turns = Rotation.from_euler("xz", np.stack([-lift, 0.4 * lift], axis=1), degrees=True)
    seen = turns.apply([0.0, -length, 0.0])
    felt = Rotation.from_euler("y", -np.asarray(heading_deg)[:, None], degrees=True) * turns * mounting
    return felt.as_matrix(), seen, mounting.inv().apply([0.0, -length, 0.0])


def given(turns, seen, weights=None, left=0.0):
    weights = np.ones(len(TIMES)) if weights is None else weights
    prior = np.array([[0.0, -0.3, 0.0]])
    return SeenBones(TIMES, turns, seen[:, None], weights[:, None], prior, np.array([0.1]), left)


@pytest.mark.parametrize("heading", [0.0, 100.0, 179.0, -95.0])
def test_heading_and_mounting_are_found_together(heading):
    mounting = Rotation.from_rotvec(np.radians([8.0, 9.0, -9.0]))
    turns, seen, worn = arm(np.full(len(TIMES), heading), mounting, length=0.33)
    found = find_wearing(given(turns, seen))
    np.testing.assert_allclose(found.vectors[0], worn, atol=0.005)
    np.testing.assert_allclose(found.felt[:, 0], seen, atol=0.01)


def test_a_heading_that_drifts_through_half_a_turn_is_followed():
    turns, seen, _ = arm(170.0 + 0.7 * TIMES, Rotation.identity())
    found = find_wearing(given(turns, seen))
    assert np.linalg.norm(found.felt[:, 0] - seen, axis=1).mean() < 0.01


def test_a_heading_that_turns_round_and_round_during_a_long_set_is_followed():
    times = np.arange(0.0, 600.0, 0.1)
    lift = 60 * (1 - np.cos(2 * np.pi * times / 5))
    turns = Rotation.from_euler("xz", np.stack([-lift, 0.4 * lift], axis=1), degrees=True)
    seen = turns.apply([0.0, -0.3, 0.0])
    felt = Rotation.from_euler("y", 0.8 * times[:, None], degrees=True) * turns * Rotation.from_rotvec([0.1, 0.1, 0.2])
    hidden = times > 597.0
    weights = np.where(hidden, 0.0, 1.0)[:, None]
    prior = np.array([[0.0, -0.3, 0.0]])
    found = find_wearing(SeenBones(times, felt.as_matrix(), seen[:, None], weights, prior, np.array([0.1]), 0.0))
    assert np.linalg.norm(found.felt[:, 0] - seen, axis=1)[hidden].max() < 0.02


def test_a_bone_seen_upright_only_keeps_the_first_poses_heading():
    """The only lift of the leg is the hidden one: a few millimetres of sway must not turn the heading."""
    rng = np.random.default_rng(0)
    hidden = (TIMES > 13) & (TIMES < 17)
    lift = np.where(hidden, 40 * np.sin(np.pi * (TIMES - 13) / 4) ** 2, 0.0)
    sway = 1.5 * np.sin(np.stack([0.7 * TIMES, 1.1 * TIMES], axis=1))
    turns = Rotation.from_euler("xz", np.stack([sway[:, 0] - lift, sway[:, 1]], axis=1), degrees=True)
    seen = turns.apply([0.0, -0.4, 0.0])
    felt = Rotation.from_euler("y", -170, degrees=True) * turns * Rotation.from_rotvec([0.15, 0.0, -0.15])
    noisy = seen + 0.01 * rng.standard_normal(seen.shape)
    prior = np.array([[0.0, -0.4, 0.0]])
    weights = np.where(hidden, 0.0, 1.0)[:, None]
    left = np.radians(5.0)
    found = find_wearing(SeenBones(TIMES, felt.as_matrix(), noisy[:, None], weights, prior, np.array([0.14]), left))
    assert np.linalg.norm(found.felt[:, 0] - seen, axis=1)[hidden].max() < 0.06


def test_what_was_hidden_follows_from_what_was_seen():
    turns, seen, _ = arm(40.0 + 0.3 * TIMES, Rotation.from_rotvec([0.0, 0.2, 0.1]))
    hidden = (TIMES > 13) & (TIMES < 15)
    shown = np.where(hidden[:, None], np.nan, seen)
    found = find_wearing(given(turns, shown, (~hidden).astype(float)))
    assert np.linalg.norm(found.felt[hidden, 0] - seen[hidden], axis=1).max() < 0.02


def test_in_a_still_pose_left_tells_the_heading():
    still = np.zeros(len(TIMES))
    turns = Rotation.from_euler("y", np.full((len(TIMES), 1), -60.0), degrees=True).as_matrix()
    seen = np.stack([still, still - 0.3, still], axis=1)
    first = TIMES < 2
    turns[~first] = turns[~first] @ Rotation.from_euler("x", -90, degrees=True).as_matrix()
    found = find_wearing(given(turns, seen, first.astype(float)))
    np.testing.assert_allclose(found.felt[-1, 0], [0.0, 0.0, 0.3], atol=0.01)


def test_hanging_tissue_is_learnt():
    turns, seen, _ = arm(np.zeros(len(TIMES)), Rotation.identity())
    down = -turns[:, 1]
    sagging = Rotation.from_rotvec(np.radians(6) * down[:, [2, 0, 1]]).as_matrix()
    found = find_wearing(given(turns @ sagging, seen))
    assert np.linalg.norm(found.felt[:, 0] - seen, axis=1).mean() < 0.006


def test_nothing_is_felt_where_the_sensor_was_silent():
    turns, seen, _ = arm(np.zeros(len(TIMES)), Rotation.identity())
    turns[100:200] = np.nan
    found = find_wearing(given(turns, seen))
    assert np.isnan(found.felt[100:200]).all()
    assert np.isfinite(found.felt[200:]).all()
