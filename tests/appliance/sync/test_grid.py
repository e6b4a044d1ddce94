"""Streams are put on one grid by interpolation; what was not known stays unknown."""

from __future__ import annotations

import numpy as np
import pytest

from appliance.sync.grid import orientations_at, uniform_times, values_at


def turned(angle: float) -> list[float]:
    """About z, radians."""
    return [np.cos(angle / 2), 0.0, 0.0, np.sin(angle / 2)]


def test_positions_lie_on_the_straight_line_between_frames() -> None:
    times = np.arange(10) / 10
    positions = np.stack([times, -2 * times], axis=1)[:, None, :] * [1.0, 1.0]
    found = values_at(times, positions, np.array([0.0, 0.05, 0.333, 0.9]))
    np.testing.assert_allclose(found[:, 0, 0], [0.0, 0.05, 0.333, 0.9])
    assert found.shape == (4, 1, 2)


def test_a_spline_follows_a_curve_more_closely() -> None:
    times, at = np.arange(31) / 10, np.arange(300) / 100
    truth = np.sin(3 * at)
    error = {
        between: np.abs(values_at(times, np.sin(3 * times)[:, None], at, between)[:, 0] - truth).max()
        for between in ("linear", "spline")
    }
    assert error["spline"] < error["linear"] / 10


def test_long_gaps_and_ends_are_marked_and_short_gaps_bridged() -> None:
    times = np.delete(np.arange(100) / 50, slice(30, 50))
    found = values_at(times, times[:, None], np.array([-0.1, 0.3, 0.8, 1.5, 2.1]))[:, 0]
    assert np.isnan(found).tolist() == [True, False, True, False, True]
    assert np.isfinite(values_at(times, times[:, None], np.array([0.8]), longest_gap_s=0.5)).all()


def test_each_joint_has_its_own_gaps() -> None:
    times = np.arange(40) / 20
    values = np.stack([times, times], axis=1)
    values[10:20, 1] = np.nan
    found = values_at(times, values, np.array([0.75]))
    assert np.isfinite(found[0, 0])
    assert np.isnan(found[0, 1])


def test_a_value_at_a_known_instant_beside_a_gap_is_kept() -> None:
    times = np.array([0.0, 0.1, 5.0, 5.1])
    assert values_at(times, times[:, None], times)[:, 0] == pytest.approx(times)


def test_orientation_turns_at_constant_speed() -> None:
    times = np.array([0.0, 0.1, 0.2])
    turns = np.array([turned(0.0), turned(1.2), turned(2.4)])
    found = orientations_at(times, turns, np.array([0.025, 0.15]))
    np.testing.assert_allclose(found, [turned(0.3), turned(1.8)], atol=1e-12)


def test_orientation_takes_the_shorter_way_whatever_the_sign() -> None:
    turns = np.array([turned(0.2), [-part for part in turned(0.4)]])
    found = orientations_at(np.array([0.0, 0.1]), turns, np.array([0.05]))[0]
    assert abs(found @ turned(0.3)) == pytest.approx(1.0)


def test_orientations_between_equal_neighbours_and_over_gaps() -> None:
    times = np.array([0.0, 0.02, 0.04, 2.0])
    turns = np.array([turned(0.5)] * 4)
    turns[1] = np.nan
    found = orientations_at(times, turns, np.array([0.01, 1.0, 2.0]))
    np.testing.assert_allclose(found[[0, 2]], [turned(0.5)] * 2)
    assert np.isnan(found[1]).all()


def test_one_known_orientation_is_known_at_its_instant_only() -> None:
    found = orientations_at(np.array([1.0]), np.array([turned(0.1)]), np.array([0.9, 1.0, 1.1]))
    assert np.isfinite(found).all(axis=1).tolist() == [False, True, False]


def test_nothing_known_gives_nothing() -> None:
    assert np.isnan(values_at(np.arange(3.0), np.full((3, 2), np.nan), np.array([1.0]))).all()
    assert np.isnan(orientations_at(np.arange(3.0), np.full((3, 4), np.nan), np.array([1.0]))).all()


def test_a_grid_has_its_rate_and_both_ends() -> None:
    grid = uniform_times(2.0, 3.0, 30.0)
    assert (len(grid), grid[0], grid[-1]) == (31, 2.0, 3.0)
