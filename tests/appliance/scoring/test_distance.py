"""Weights come from how the instructor moves; unseen joints leave their weight to the others."""

from __future__ import annotations

import numpy as np
import pytest

from appliance.errors import NotScorableError
from appliance.scoring.band import distance_band
from appliance.scoring.distance import movement_weights, squares


def test_weights_are_proportional_to_the_standard_deviation_and_sum_to_one() -> None:
    swing = np.array([-1.0, 1.0, -1.0, 1.0])
    positions = np.zeros((4, 2, 3))
    positions[:, 0, 1], positions[:, 1, 2] = swing, 3 * swing + 5
    assert movement_weights(positions) == pytest.approx(np.array([[0, 0.25, 0], [0, 0, 0.75]]))


def test_weights_ignore_what_was_not_seen() -> None:
    positions = np.zeros((5, 2, 3))
    positions[:, 0, 0] = [-1, 1, -1, 1, np.nan]
    positions[:, 1] = np.nan
    assert movement_weights(positions) == pytest.approx(np.array([[1.0, 0, 0], [0, 0, 0]]))


def test_an_instructor_who_stands_still_says_nothing() -> None:
    with pytest.raises(NotScorableError, match="nothing moves"):
        movement_weights(np.full((50, 17, 3), 0.1))


def test_the_band_holds_clamped_distances() -> None:
    rng = np.random.default_rng(1)
    base, reference, weights = rng.normal(size=(5, 4, 3)), rng.normal(size=(8, 4, 3)), rng.random((4, 3))
    band = distance_band(base, reference, weights, 2)
    assert band.shape == (5, 8)
    for t in range(5):
        for j in range(8):
            u = min(max(t + j - 2, 0), 7)
            assert band[t, j] == pytest.approx(np.sqrt((weights * (base[t] - reference[u]) ** 2).sum()))


def test_an_unseen_joint_leaves_its_weight_to_the_others_of_that_pair() -> None:
    rng = np.random.default_rng(2)
    base, reference, weights = rng.normal(size=(3, 3, 3)), rng.normal(size=(3, 3, 3)), rng.random((3, 3))
    weights /= weights.sum()
    base[1, 2] = reference[1, 0] = np.nan
    band = distance_band(base, reference, weights, 1)
    both = np.sqrt((weights[1] * (base[1, 1] - reference[1, 1]) ** 2).sum() / weights[1].sum())
    assert band[1, 1] == pytest.approx(both)
    without_2 = np.sqrt((weights[:2] * (base[1, :2] - reference[2, :2]) ** 2).sum() / weights[:2].sum())
    assert band[1, 2] == pytest.approx(without_2)
    assert band[2, 1] == pytest.approx(np.sqrt((weights * (base[2] - reference[2]) ** 2).sum()))
    assert np.sqrt(squares(base[:2], reference[:2], weights).sum(axis=1)) == pytest.approx([band[0, 1], band[1, 1]])


def test_a_pair_without_a_common_joint_costs_the_mean_of_the_others() -> None:
    rng = np.random.default_rng(3)
    base, reference, weights = rng.normal(size=(4, 2, 3)), rng.normal(size=(4, 2, 3)), np.full((2, 3), 1 / 6)
    base[2] = np.nan
    band = distance_band(base, reference, weights, 1)
    assert band[2] == pytest.approx(np.full(3, band[[0, 1, 3]].mean()))
    assert np.isnan(squares(base[2:3], reference[2:3], weights)).all()


def test_two_recordings_that_never_show_the_same_joint_are_refused() -> None:
    base, reference = np.zeros((4, 2, 3)), np.zeros((4, 2, 3))
    base[:, 0] = reference[:, 1] = np.nan
    with pytest.raises(NotScorableError, match="the reference shows"):
        distance_band(base, reference, np.full((2, 3), 1 / 6), 1)
